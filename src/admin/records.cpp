#include "admin/records.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "base/log_line.h"
#include "condition/record_scope.h"
#include "intake/intake.h"
#include "record/erased.h"

namespace forebay::admin {
namespace {
constexpr std::size_t history_page = 500;
constexpr std::size_t replay_ids_max = 1000;
/// How far the moment a record was written may be from the one in its id.
constexpr Duration near_before = 5s, near_after = 60s;

/// The envelope of a past record; a body that is none has no id that anyone could ask for.
std::optional<record::Envelope> envelope_of(const PastRecord& past) {
    auto envelope = record::decode(past.body, past.message_id, past.sent_at);
    if (!envelope.ok()) return std::nullopt;
    return std::move(*envelope);
}

/// Walks the range until `visit` says stop. The error is a sentence.
Result<void, std::string> walk(History& history, Timestamp from, Timestamp to, UniqueFunction<bool(PastRecord&, record::Envelope&)> visit) {
    std::string cursor;
    do {
        TRY_ASSIGN(auto page, history.page(from, to, cursor, history_page));
        for (auto& past : page.records)
            if (auto envelope = envelope_of(past); envelope && !visit(past, *envelope)) return {};
        cursor = page.next;
    } while (!cursor.empty());
    return {};
}

struct Range {
    Timestamp from, to;
};
Range around(const Uuid& id) { return {id.time() - near_before, id.time() + near_after}; }
Range everything(Clock& clock) { return {Timestamp{0}, clock.wall() + 24h}; }

std::optional<FoundRecord> find_in(History& history, Range range, const Uuid& id) {
    std::optional<FoundRecord> found;
    auto done = walk(history, range.from, range.to, [&](PastRecord& past, record::Envelope& envelope) {
        if (envelope.id != id) return true;
        found = FoundRecord{std::move(envelope), std::move(past)};
        return false;
    });
    if (!done.ok()) log_warn("history.unreadable").with("why", done.error());
    return found;
}

json::Value summary_of(const PastRecord& past, const record::Envelope& envelope) {
    json::Value out;
    out.set("id", to_text(envelope.id)).set("endpoint", envelope.endpoint).set("received_at", to_rfc3339(envelope.received_at));
    out.set("sent_at", to_rfc3339(past.sent_at)).set("queue", past.queue);
    if (!envelope.value.empty()) out.set("value", json::Value::number(envelope.value)).set("currency", envelope.currency);
    return out;
}

struct Wanted {
    std::set<Uuid> ids;
    Range range;
};

/// What --where of the command line chooses; nothing without one.
Result<std::optional<condition::Condition>, std::string> condition_of(const Call& call) {
    auto text = call.parameter("where");
    if (text.empty()) return std::optional<condition::Condition>{};
    auto condition = condition::Condition::parse(text);
    if (!condition.ok()) return Failure{condition::error_text("where", text, condition.error())};
    return std::optional(std::move(*condition));
}

/// The body that makes a worker run the effect for this record, again if so many times are asked for, whatever was asked of the
/// worker before. What was sent straight to a queue had its id from its message, and must keep it in another.
std::string body_to_run(PastRecord& past, record::Envelope& envelope, std::uint32_t again) {
    if (again == envelope.again && envelope.discard.empty() && !envelope.endpoint.empty()) return std::move(past.body);
    envelope.again = again;
    envelope.discard.clear();
    return record::encode(envelope, record::form_of(past.body));
}

/// The ids of a replay and the range of the log in which they must lie.
Result<Wanted, std::string> wanted_of(const json::Value& body, Clock& clock) {
    Wanted wanted{{}, {Timestamp{std::numeric_limits<std::int64_t>::max()}, Timestamp{0}}};
    for (const auto& text : body["ids"].elements()) {
        auto id = parse_uuid(text.text());
        if (!id) return Failure{"\"" + text.text() + "\" is not an id."};
        wanted.ids.insert(*id);
        wanted.range.from = std::min(wanted.range.from, id->version() == 7 ? around(*id).from : Timestamp{0});
    }
    wanted.range.to = everything(clock).to;
    // Where it is known when the log took them, the rest of it need not be read.
    if (auto from = body["from"].integer()) wanted.range.from = Timestamp{*from};
    if (auto to = body["to"].integer()) wanted.range.to = Timestamp{*to};
    return wanted;
}
}  // namespace

std::optional<FoundRecord> find_record(History& history, Clock& clock, const Uuid& id, bool whole_log) {
    if (id.version() == 7)
        if (auto found = find_in(history, around(id), id)) return found;
    return whole_log ? find_in(history, everything(clock), id) : std::nullopt;
}

http::Response list_records(History& history, Clock& clock, const Call& call) {
    auto all = everything(clock);
    Timestamp from{call.number("from").value_or(all.from.ms)};
    Timestamp to{call.number("to").value_or(all.to.ms)};
    auto where = condition_of(call);
    if (!where.ok()) return bad_request(where.error());
    auto page = history.page(from, to, call.parameter("after"), call.page_size());
    if (!page.ok()) return bad_request(page.error());
    json::Value records = json::Value::array();
    for (const auto& past : page->records) {
        auto envelope = envelope_of(past);
        if (!envelope) continue;
        if (auto endpoint = call.parameter("endpoint"); !endpoint.empty() && endpoint != envelope->endpoint) continue;
        if (*where && !condition::holds_for(**where, *envelope)) continue;
        records.push(summary_of(past, *envelope));
    }
    auto next = page->next.empty() ? json::Value() : json::Value(page->next);
    return json_response(json::Value().set("records", std::move(records)).set("next", std::move(next)));
}

http::Response new_records(History& history, Clock& clock, const Call& call) {
    auto after = call.parameter("after");
    Timestamp from{call.number("from").value_or(clock.wall().ms)};
    auto page = after.empty() ? history.page(from, everything(clock).to, "", call.page_size()) : history.since(after, call.page_size());
    if (!page.ok()) return bad_request(page.error());
    json::Value records = json::Value::array();
    for (const auto& past : page->records) {
        auto envelope = envelope_of(past);
        if (!envelope) continue;
        auto record = summary_of(past, *envelope);
        json::Value flags = json::Value::array();
        for (const auto& flag : envelope->flags) flags.push(flag);
        records.push(record.set("fields", std::move(envelope->fields)).set("flags", std::move(flags)));
    }
    return json_response(json::Value()
                             .set("records", std::move(records))
                             .set("cursor", page->next.empty() ? page->end : page->next)
                             .set("more", !page->next.empty()));
}

http::Response show_record(History& history, Clock& clock, const Call& call) {
    auto id = parse_uuid(call.captures.at(0));
    if (!id) return bad_request("\"" + call.captures.at(0) + "\" is not an id (36 characters).");
    auto found = find_record(history, clock, *id, true);
    if (!found) return http::problem(404, "no_such_record", "The log of this node has no accepted record with this id.");
    auto out = summary_of(found->past, found->envelope);
    if (auto envelope = json::parse(record::to_json(found->envelope)); envelope.ok()) out.set("envelope", std::move(*envelope));
    return json_response(out);
}

http::Response replay(History& history, Clock& clock, broker::Commands& commands, const Call& call) {
    auto queue = call.body["queue"].text();
    if (queue.empty()) return bad_request("\"queue\" is missing.");
    if (call.body["reason"].text().empty()) return bad_request("A replay needs a \"reason\".");
    if (call.body["ids"].elements().size() > replay_ids_max) return bad_request("At most 1000 \"ids\" at a time.");
    auto wanted = wanted_of(call.body, clock);
    if (!wanted.ok()) return bad_request(wanted.error());
    std::uint64_t sent = 0;
    auto again = static_cast<std::uint32_t>(std::clamp<std::int64_t>(call.body["again"].integer().value_or(0), 0, UINT32_MAX));
    std::optional<broker::Refusal> refusal;
    auto walked = walk(history, wanted->range.from, wanted->range.to, [&](PastRecord& past, record::Envelope& envelope) {
        if (record::is_erased(envelope) || !wanted->ids.contains(envelope.id)) return true;
        broker::Send send;
        send.queue = queue;
        send.message.body = body_to_run(past, envelope, again);
        auto answer = broker::ask(commands, std::move(send));
        if (!answer.ok()) return refusal = answer.error(), false;
        sent += 1;
        wanted->ids.erase(envelope.id);
        return !wanted->ids.empty();
    });
    if (!walked.ok()) return bad_request(walked.error());
    if (refusal && sent == 0) return refused(*refusal, queue);
    log_info("records.replayed")
        .with("queue", queue)
        .with("sent", sent)
        .with("effect", call.body["effect"].text())
        .with("again", again)
        .with("reason", call.body["reason"].text());
    json::Value out;
    out.set("sent", sent);
    // Those that are left were not looked for.
    if (refusal) return json_response(out.set("refused", words_of(*refusal, queue).detail));
    json::Value missing = json::Value::array();
    for (const auto& id : wanted->ids) missing.push(to_text(id));
    return json_response(out.set("not_found", std::move(missing)));
}

http::Response replay_queue(History& history, Clock& clock, broker::Commands& commands, const Call& call) {
    const auto& queue = call.captures.at(0);
    bool dry_run = call.body["dry_run"].boolean();
    auto from = call.body["from"].integer(), to = call.body["to"].integer();
    if (!from || !to) return bad_request("\"from\" and \"to\" must be milliseconds since 1970.");
    if (!dry_run && call.body["reason"].text().empty()) return bad_request("A replay needs a \"reason\".");
    if (queue == intake::quarantine_queue)
        return http::problem(409, "is_quarantine", "Refused posts are readmitted, not sent again. See: forebay rejects readmit.");
    auto known = broker::ask(commands, broker::GetQueue{queue, {}});
    if (!known.ok()) return refused(known.error(), queue);
    // What is sent now is not of the range, whatever its end is.
    Timestamp end = std::min(Timestamp{*to}, clock.wall());
    auto max = static_cast<std::size_t>(std::clamp<std::int64_t>(call.body["max"].integer().value_or(100), 1, page_max));
    auto page = history.sent_to(queue, Timestamp{*from}, end, call.body["after"].text(), max);
    if (!page.ok()) return bad_request(page.error());
    std::erase_if(page->records, [](const PastRecord& past) {
        auto envelope = envelope_of(past);
        return envelope && record::is_erased(*envelope);
    });
    std::uint64_t bytes = 0, sent = 0;
    for (auto& past : page->records) {
        bytes += past.body.size();
        if (dry_run) continue;
        broker::Send send;
        send.queue = queue;
        send.message.body = std::move(past.body);
        send.message.attributes = std::move(past.attributes);
        send.message.group = std::move(past.group);
        if (known->settings.fifo) send.message.deduplication = "replay-" + call.body["run"].text() + "-" + to_text(past.message_id);
        auto answer = broker::ask(commands, std::move(send));
        if (!answer.ok()) return refused(answer.error(), queue);
        sent += 1;
    }
    if (sent > 0) log_info("queue.replayed").with("queue", queue).with("sent", sent).with("reason", call.body["reason"].text());
    auto next = page->next.empty() ? json::Value() : json::Value(page->next);
    return json_response(
        json::Value().set("messages", page->records.size()).set("bytes", bytes).set("sent", sent).set("next", std::move(next)));
}

}  // namespace forebay::admin
