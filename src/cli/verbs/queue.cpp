// `queue ls|show|peek|send|purge|redrive`: the queues of a node, through its operator's interface.
#include <algorithm>
#include <iostream>
#include <iterator>
#include <limits>

#include "cli/admin_client.h"
#include "cli/mask.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "cli/verbs/pauses.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"
#include "http/message.h"
#include "intake/intake.h"
#include "queue/limits.h"

namespace forebay::cli {
namespace {

constexpr std::size_t body_characters_shown = 100;
constexpr std::uint64_t peeked_max = 1000;

std::string figure(const json::Value& value) { return grouped(static_cast<std::uint64_t>(value.integer().value_or(0))); }

std::string path_of(const std::string& queue, std::string_view what) {
    return "/api/queues/" + http::percent_encode(queue) + "/" + std::string(what);
}

std::string time_of(const json::Value& text, Timestamp now) {
    auto at = parse_timestamp(text.text());
    return at ? moment_text(*at, now) : text.text();
}

/// A record as its endpoint, id and fields; anything else as it is.
std::string body_text(const std::string& body, const std::vector<std::string>& masked) {
    auto record = json::parse(body);
    if (!record || !(*record)["fields"].is_object()) return shortened(printable(body), body_characters_shown);
    auto text = (*record)["endpoint"].text() + " " + (*record)["id"].text() + " " + json::to_text(mask_fields((*record)["fields"], masked));
    return shortened(printable(text), body_characters_shown);
}

/// Who made the queue, as the node knows it.
std::string_view maker_of(const json::Value& queue) {
    if (queue["name"].text() == intake::quarantine_queue) return "Forebay";
    if (queue["declared"].boolean()) return "configuration";
    return queue["carries_records"].boolean() ? "no longer configured" : "API";
}

/// Whether the person at the terminal typed the queue's name; without a terminal --yes stands for it.
bool is_name_confirmed(Invocation& invocation, const std::string& queue, const std::string& messages) {
    if (invocation.globals().yes) return true;
    auto typed = invocation.terminal().ask("This deletes " + messages + " for ever. Type the queue's name to go on:");
    if (typed && *typed == queue) return true;
    invocation.terminal().talk("Nothing was deleted.");
    return false;
}

/// What the node says of the queue; what the verb ends with if the node does not know it.
Result<json::Value, int> find_queue(Invocation& invocation, AdminClient& admin, const std::string& name) {
    auto queues = admin.get("/api/queues");
    if (!queues) return Failure{failed(invocation, queues.error())};
    for (auto& queue : (*queues)["queues"].elements())
        if (queue["name"].text() == name) return std::move(queue);
    invocation.terminal().complain("there is no queue \"" + name + "\"");
    return Failure{int{exit_code::data}};
}

/// How many messages the queue holds; what the verb ends with if the node does not know it.
Result<std::uint64_t, int> messages_in(Invocation& invocation, AdminClient& admin, const std::string& name) {
    TRY_ASSIGN(auto queue, find_queue(invocation, admin, name));
    auto count = queue["ready"].integer().value_or(0) + queue["in_flight"].integer().value_or(0) + queue["delayed"].integer().value_or(0);
    return static_cast<std::uint64_t>(count);
}

/// The result of a dry run: what would be done to a queue that holds so many messages.
int would_do(Terminal& terminal, const std::string& queue, std::uint64_t messages, const std::string& what) {
    if (terminal.wants_json())
        terminal.result_json(json::Value().set("dry_run", true).set("queue", queue).set("messages", messages).set("would", what));
    else
        terminal.result("Would " + what + ".\n");
    return exit_code::done;
}

}  // namespace

int run_queue_ls(Invocation& invocation) {
    auto answer = AdminClient(invocation).get("/api/queues");
    if (!answer) return failed(invocation, answer.error());
    auto& terminal = invocation.terminal();
    if (terminal.wants_json()) {
        terminal.result_json(*answer);
        return exit_code::done;
    }
    Table table({"QUEUE", "TYPE", "MADE BY", ">READY", ">FLIGHT", ">DELAYED", ">OLDEST", ">SIZE", ">SENT", ">RECEIVED", ">DELETED",
                 "DEAD LETTERS GO TO"});
    for (const auto& queue : (*answer)["queues"].elements()) {
        auto oldest = queue["oldest_age_ms"].integer();
        table.add({queue["name"].text(), queue["type"].text(), std::string(maker_of(queue)), figure(queue["ready"]),
                   figure(queue["in_flight"]), figure(queue["delayed"]), oldest ? age_text(Duration(*oldest)) : "-",
                   about_size(static_cast<std::uint64_t>(queue["bytes"].integer().value_or(0))), figure(queue["sends"]),
                   figure(queue["receives"]), figure(queue["deletes"]), queue["settings"]["dead_letter"].text()});
    }
    terminal.result(table.text(terminal));
    auto now = invocation.world().clock.wall();
    for (const auto& queue : (*answer)["queues"].elements())
        if (auto pause = pause_of(queue["paused"]))
            terminal.talk(queue["name"].text() + " is paused, for " + pause_text(*pause, now) + ".");
    for (const auto& queue : (*answer)["queues"].elements())
        if (!queue["declared"].boolean() && queue["carries_records"].boolean())
            terminal.talk(queue["name"].text() +
                          " is not in the configuration any more; it keeps what it holds, and can be deleted once it is empty.");
    return exit_code::done;
}

int run_queue_show(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    AdminClient admin(invocation);
    auto queue = find_queue(invocation, admin, invocation.word(0));
    if (!queue) return queue.error();
    if (terminal.wants_json()) {
        terminal.result_json(*queue);
        return exit_code::done;
    }
    Table table({"queue", (*queue)["name"].text()});
    table.add({"type", (*queue)["type"].text()});
    table.add({"made by", std::string(maker_of(*queue))});
    if (auto pause = pause_of((*queue)["paused"])) table.add({"paused", "for " + pause_text(*pause, invocation.world().clock.wall())});
    for (auto name : {"ready", "in_flight", "delayed", "sends", "receives", "deletes"}) table.add({name, figure((*queue)[name])});
    for (const auto& [name, value] : (*queue)["settings"].members())
        table.add({name, value.is_string() ? value.text() : json::to_text(value)});
    terminal.result(table.text(terminal));
    return exit_code::done;
}

int run_queue_peek(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    auto max = invocation.number("max", 10, 1, peeked_max);
    if (!max) return invocation.misused("--max must be a number from 1 to " + std::to_string(peeked_max));
    if (!invocation.number("after", 0, 0, std::numeric_limits<std::uint64_t>::max()))
        return invocation.misused("--after must be a sequence number, as in the first column");
    auto query = query_of({{"max", std::to_string(*max)}, {"after", invocation.value("after").value_or("")}});
    auto answer = AdminClient(invocation).get(path_of(invocation.word(0), "peek") + query);
    if (!answer) return failed(invocation, answer.error());
    if (terminal.wants_json()) {
        terminal.result_json(*answer);
        return exit_code::done;
    }
    auto now = invocation.world().clock.wall();
    auto masked = invocation.whatever_is_configured().admin.mask;
    const auto& messages = (*answer)["messages"].elements();
    bool has_groups = std::any_of(messages.begin(), messages.end(), [](const auto& message) { return !message["group"].text().empty(); });
    std::vector<std::string> columns{">SEQ", "SENT", "VISIBLE", ">RECEIVED", ">ATTEMPTS"};
    if (has_groups) columns.insert(columns.end(), {"GROUP", "DEDUPLICATION ID"});
    columns.emplace_back("BODY");
    Table table(columns);
    for (const auto& message : messages) {
        auto visible = parse_timestamp(message["visible_at"].text());
        bool is_visible = !visible || *visible <= now;
        std::vector<Cell> row{message["sequence"].text(), time_of(message["sent_at"], now),
                              is_visible ? "now" : "in " + age_text(*visible - now), message["receive_count"].text(),
                              message["attempts"].text()};
        if (has_groups) row.insert(row.end(), {message["group"].text(), message["deduplication_id"].text()});
        row.push_back(body_text(message["body"].text(), masked));
        table.add(std::move(row));
    }
    if (table.is_empty())
        terminal.talk("No messages.");
    else
        terminal.result(table.text(terminal));
    return exit_code::done;
}

int run_queue_send(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    auto queue = invocation.word(0), body = invocation.word(1);
    if (body == "-") body.assign(std::istreambuf_iterator<char>(std::cin), {});
    AdminClient admin(invocation);
    if (invocation.has("dry-run")) {
        auto messages = messages_in(invocation, admin, queue);
        if (!messages) return messages.error();
        auto what = "send " + counted(body.size(), "byte") + " to " + queue + ", which holds " + counted(*messages, "message");
        return would_do(terminal, queue, *messages, what);
    }
    auto message = json::Value().set("body", body);
    if (auto group = invocation.value("group")) message.set("group", *group);
    if (auto id = invocation.value("deduplication-id")) message.set("deduplication_id", *id);
    auto answer = admin.post(path_of(queue, "send"), message);
    if (!answer) return failed(invocation, answer.error());
    if (terminal.wants_json())
        terminal.result_json(*answer);
    else
        terminal.result((*answer)["message_id"].text() + "\n");
    return exit_code::done;
}

int run_queue_purge(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    auto name = invocation.word(0);
    AdminClient admin(invocation);
    auto messages = messages_in(invocation, admin, name);
    if (!messages) return messages.error();
    auto in_words = counted(*messages, "message");
    if (invocation.has("dry-run")) return would_do(terminal, name, *messages, "delete " + in_words + " of " + name);
    if (!terminal.can_ask() && !invocation.globals().yes) return invocation.misused("a purge that nobody can be asked about needs --yes");
    if (!is_name_confirmed(invocation, name, in_words)) return exit_code::done;
    auto reason = invocation.reason();
    if (reason.empty()) return invocation.misused("a purge needs --reason");
    auto answer = admin.post(path_of(name, "purge"), json::Value().set("reason", reason));
    if (!answer) return failed(invocation, answer.error());
    if (terminal.wants_json())
        terminal.result_json(json::Value().set("queue", name).set("purged", true));
    else
        terminal.result("Deleted " + in_words + " of " + name + ".\n");
    return exit_code::done;
}

int run_queue_redrive(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    auto name = invocation.word(0);
    auto to = invocation.value("to");
    auto rate = invocation.number("rate", queue::limits::moves_per_second_max, 1, queue::limits::moves_per_second_max);
    if (!rate)
        return invocation.misused("--rate must be a number of messages a second from 1 to " +
                                  std::to_string(queue::limits::moves_per_second_max));
    AdminClient admin(invocation);
    auto messages = messages_in(invocation, admin, name);
    if (!messages) return messages.error();
    if (invocation.has("dry-run"))
        return would_do(terminal, name, *messages,
                        "move " + counted(*messages, "message") + " of " + name + " " + (to ? "to " + *to : "back"));
    auto reason = invocation.reason();
    if (reason.empty()) return invocation.misused("moving dead letters back needs --reason");
    auto wanted = json::Value().set("reason", reason);
    if (to) wanted.set("to", *to);
    if (invocation.has("rate")) wanted.set("rate", *rate);
    auto answer = admin.post(path_of(name, "redrive"), wanted);
    if (!answer) return failed(invocation, answer.error());
    if (terminal.wants_json())
        terminal.result_json(answer->set("queue", name));
    else
        terminal.result("Moving " + counted(static_cast<std::uint64_t>((*answer)["to_move"].integer().value_or(0)), "message") + " of " +
                        name + " to " + std::string((*answer)["to"].text()) + ". See how many are left: forebay queue ls\n");
    return exit_code::done;
}

}  // namespace forebay::cli
