#include "admin/queues.h"

#include <algorithm>

#include "admin/pauses.h"
#include "base/log_line.h"
#include "intake/intake.h"
#include "queue/limits.h"

namespace forebay::admin {
namespace {
json::Value to_json(const broker::QueueSettings& settings) {
    json::Value out;
    out.set("visibility_timeout", to_text(settings.visibility_timeout)).set("delay", to_text(settings.delay));
    out.set("retention", to_text(settings.retention)).set("message_bytes_max", settings.message_bytes_max);
    if (settings.fifo) {
        out.set("content_based_deduplication", settings.content_deduplication);
        out.set("deduplication_scope", settings.deduplication_per_group ? "messageGroup" : "queue");
    }
    if (settings.redrive)
        out.set("dead_letter", settings.redrive->dead_letter).set("max_receive_count", settings.redrive->max_receive_count);
    return out;
}

json::Value to_json(const broker::QueueStatus& queue, Timestamp now) {
    json::Value out;
    out.set("name", queue.name).set("ready", queue.ready).set("in_flight", queue.in_flight).set("delayed", queue.delayed);
    out.set("bytes", queue.bytes).set("oldest_age_ms", queue.oldest ? json::Value((now - *queue.oldest).count()) : json::Value());
    out.set("type", queue.settings.fifo ? "fifo" : "standard");
    out.set("declared", queue.declared).set("carries_records", queue.settings.carries_records);
    out.set("sends", queue.sends).set("receives", queue.receives).set("deletes", queue.deletes);
    if (queue.pause) out.set("paused", pause_json(*queue.pause));
    out.set("settings", to_json(queue.settings));
    return out;
}

json::Value to_json(const broker::Peek::Item& item, const broker::Commands& commands) {
    json::Value out;
    const auto& message = item.message;
    out.set("sequence", message.receipt.sequence.value()).set("message_id", to_text(message.id)).set("body", message.body);
    out.set("sent_at", to_rfc3339(message.sent_at)).set("visible_at", to_rfc3339(item.visible_at));
    out.set("receive_count", message.receive_count).set("attempts", message.attempts);
    if (!message.group.empty()) out.set("group", message.group);
    if (!message.deduplication.empty()) out.set("deduplication_id", message.deduplication);
    if (!message.dead_letter_source.empty()) out.set("dead_letter_source", message.dead_letter_source);
    json::Value attributes = json::Value::object();
    for (const auto& attribute : message.attributes) attributes.set(attribute.name, attribute.value);
    out.set("attributes", std::move(attributes)).set("handle", commands.handle_of(message.receipt));
    return out;
}

Result<std::vector<std::string>, broker::Refusal> queues_with_dead_letter(broker::Commands& commands, const std::string& name) {
    std::vector<std::string> names;
    TRY_ASSIGN(auto queues, broker::ask(commands, broker::ListQueues{}));
    for (const auto& queue : queues)
        if (queue.settings.redrive && queue.settings.redrive->dead_letter == name) names.push_back(queue.name);
    return names;
}

/// The first few, with commas between them.
std::string listed(const std::vector<std::string>& names) {
    constexpr std::size_t shown = 5;
    std::string out;
    for (std::size_t i = 0; i < std::min(names.size(), shown); ++i) out += (i > 0 ? ", " : "") + names[i];
    return names.size() > shown ? out + ", …" : out;
}
}  // namespace

http::Response list_queues(broker::Commands& commands, Clock& clock) {
    auto found = broker::ask(commands, broker::ListQueues{});
    if (!found.ok()) return refused(found.error(), "");
    json::Value queues = json::Value::array();
    for (const auto& queue : *found) queues.push(to_json(queue, clock.wall()));
    return json_response(json::Value().set("queues", std::move(queues)));
}

http::Response peek_queue(broker::Commands& commands, const Call& call) {
    broker::Peek peek;
    peek.queue = call.captures.at(0);
    peek.max_messages = static_cast<unsigned>(call.parameter("max").empty() ? 10 : call.page_size());
    if (!call.is_number_or_missing("after") || call.number("after").value_or(0) < 0)
        return bad_request("\"after\" must be the sequence of a message.");
    if (auto after = call.number("after")) peek.after = queue::Sequence(static_cast<std::uint64_t>(*after));
    auto name = peek.queue;
    auto found = broker::ask(commands, std::move(peek));
    if (!found.ok()) return refused(found.error(), name);
    json::Value messages = json::Value::array();
    for (const auto& item : *found) messages.push(to_json(item, commands));
    return json_response(json::Value().set("messages", std::move(messages)));
}

http::Response send_to_queue(broker::Commands& commands, const Call& call) {
    if (!call.body["body"].is_string() || call.body["body"].text().empty())
        return bad_request("\"body\" must be a text of at least one character.");
    broker::Send send;
    send.queue = call.captures.at(0);
    if (send.queue == intake::quarantine_queue)
        return http::problem(409, "is_quarantine", "Refused posts are kept there; nothing else is put there. See: forebay rejects ls.");
    send.message.body = call.body["body"].text();
    send.message.group = call.body["group"].text();
    send.message.deduplication = call.body["deduplication_id"].text();
    auto name = send.queue;
    auto sent = broker::ask(commands, std::move(send));
    if (!sent.ok()) return refused(sent.error(), name);
    return json_response(json::Value().set("message_id", to_text(sent->id)));
}

http::Response purge_queue(broker::Commands& commands, const Call& call) {
    if (call.body["reason"].text().empty()) return bad_request("A purge needs a \"reason\".");
    broker::Purge purge;
    purge.queue = call.captures.at(0);
    purge.as_operator = true;
    auto name = purge.queue;
    auto purged = broker::ask(commands, std::move(purge));
    if (!purged.ok()) return refused(purged.error(), name);
    log_warn("queue.purged").with("queue", name).with("reason", call.body["reason"].text());
    return json_response(json::Value::object());
}

http::Response redrive_queue(broker::Commands& commands, const Call& call) {
    auto reason = call.body["reason"].text();
    if (reason.empty()) return bad_request("Moving dead letters back needs a \"reason\".");
    broker::StartMove move;
    move.source = call.captures.at(0);
    move.as_operator = true;
    auto to = std::string(call.body["to"].text());
    if (to.empty()) {
        auto origins = queues_with_dead_letter(commands, move.source);
        if (!origins.ok()) return refused(origins.error(), move.source);
        if (origins->size() > 1)
            return http::problem(409, "several_origins",
                                 "Several queues have their dead letters there (" + listed(*origins) + "): say which one to move them to.");
        if (origins->size() == 1) to = origins->front();
    }
    if (!to.empty()) move.destination = to;
    if (!call.body["rate"].is_null()) {
        auto rate = call.body["rate"].integer().value_or(0);
        if (rate < 1 || rate > queue::limits::moves_per_second_max)
            return bad_request("\"rate\" must be a number of messages a second from 1 to " +
                               std::to_string(queue::limits::moves_per_second_max) + ".");
        move.rate = static_cast<unsigned>(rate);
    }
    auto name = move.source;
    auto started = broker::ask(commands, std::move(move));
    if (!started.ok()) return refused(started.error(), name);
    log_warn("queue.redriven").with("queue", name).with("to", started->destination.value_or("")).with("reason", reason);
    return json_response(json::Value().set("task", to_text(started->id)).set("to_move", started->to_move).set("to", to));
}

}  // namespace forebay::admin
