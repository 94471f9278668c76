#include "admin/audit.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "record/envelope.h"

namespace forebay::admin {
namespace {

constexpr std::size_t ids_a_page = 20'000;
constexpr unsigned messages_a_look = 500;
constexpr Duration hour = 1h;
/// A record is put into the log after it was received, if the clock is not set back meanwhile.
constexpr Duration sent_before = 1min, sent_after = 1h;

/// Accepted later than it was received.
bool is_late(const record::Envelope& envelope) {
    return std::any_of(envelope.flags.begin(), envelope.flags.end(),
                       [](const auto& flag) { return flag == "readmitted" || flag == "imported"; });
}

Timestamp hour_of(Timestamp at) { return {at.ms - at.ms % hour.count()}; }

/// Ids of one page, by what they have in common.
class Accepted {
  public:
    Accepted(Timestamp from, Timestamp to) : from_(from), to_(to) {}

    /// False when the page is full.
    bool add(const PastView& past) {
        auto envelope = record::decode(past.body, past.message_id, past.sent_at);
        if (!envelope.ok()) return true;
        bool late = is_late(*envelope);
        auto at = late ? past.sent_at : envelope->received_at;
        if (at < from_ || at >= to_) return true;
        groups_[{std::string(past.queue), envelope->endpoint, hour_of(at).ms, late}].push(to_text(envelope->id));
        return ++ids_ < ids_a_page;
    }

    json::Value to_json() && {
        auto out = json::Value::array();
        for (auto& [what, ids] : groups_) {
            const auto& [queue, endpoint, at, late] = what;
            out.push(
                json::Value().set("queue", queue).set("endpoint", endpoint).set("hour", at).set("late", late).set("ids", std::move(ids)));
        }
        return out;
    }

  private:
    Timestamp from_, to_;
    std::map<std::tuple<std::string, std::string, std::int64_t, bool>, json::Value> groups_;
    std::size_t ids_ = 0;
};

json::Value texts(const std::vector<std::string>& all) {
    auto out = json::Value::array();
    for (const auto& text : all) out.push(text);
    return out;
}

}  // namespace

http::Response list_accepted_ids(History& history, const Call& call) {
    auto from = call.number("from"), to = call.number("to");
    if (!from || !to || *from >= *to)
        return bad_request("\"from\" and \"to\" are needed, in milliseconds since 1970, the first before the second.");
    Accepted accepted({*from}, {*to});
    auto visited = history.visit(Timestamp{*from} - sent_before, Timestamp{*to} + sent_after, call.parameter("after"),
                                 [&](const PastView& past) { return accepted.add(past); });
    if (!visited.ok()) return bad_request(visited.error());
    json::Value out;
    out.set("accepted", std::move(accepted).to_json());
    out.set("next", visited->next.empty() ? json::Value() : json::Value(visited->next));
    out.set("damage", texts(visited->damage));
    out.set("log_begins", visited->begins ? json::Value(visited->begins->ms) : json::Value());
    return json_response(out);
}

http::Response list_waiting_ids(broker::Commands& commands, const Call& call) {
    if (!call.is_number_or_missing("after") || call.number("after").value_or(0) < 0)
        return bad_request("\"after\" must be the sequence of a message.");
    const auto& name = call.captures.at(0);
    auto ids = json::Value::array();
    std::optional<queue::Sequence> after;
    if (auto given = call.number("after")) after = queue::Sequence(static_cast<std::uint64_t>(*given));
    bool is_end = false;
    for (std::size_t seen = 0; seen < ids_a_page && !is_end;) {
        broker::Peek peek;
        peek.queue = name;
        peek.max_messages = messages_a_look;
        peek.after = after;
        auto page = broker::ask(commands, std::move(peek));
        if (!page.ok()) return refused(page.error(), name);
        for (const auto& item : *page) {
            const auto& message = item.message;
            after = message.receipt.sequence;
            if (auto envelope = record::decode(message.body, message.id, message.sent_at); envelope.ok()) ids.push(to_text(envelope->id));
        }
        seen += page->size();
        is_end = page->empty();
    }
    json::Value out;
    out.set("ids", std::move(ids)).set("next", is_end ? json::Value() : json::Value(after->value()));
    return json_response(out);
}

http::Response keep_audit(Audits& audits, const Call& call) {
    auto kept = audits.keep(call.body);
    if (!kept.ok()) return bad_request(kept.error());
    return json_response(json::Value::object());
}

}  // namespace forebay::admin
