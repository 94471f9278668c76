#include "admin/dead_letters.h"

#include <algorithm>
#include <map>

#include "base/decimal.h"
#include "condition/record_scope.h"
#include "ledger/ledger.h"

namespace forebay::admin {
namespace {

constexpr unsigned peek_page = 100;
constexpr std::size_t causes_max = 1000;
constexpr std::size_t cause_bytes_max = 160;
constexpr std::string_view other_causes = "other causes";

std::string attribute_of(const broker::Peek::Item& item, std::string_view name) {
    for (const auto& attribute : item.message.attributes)
        if (attribute.name == name) return attribute.value;
    return {};
}

/// The dead-letter queues of queues that carry records.
Result<std::set<std::string>, broker::Refusal> dead_letter_queues(broker::Commands& commands) {
    std::set<std::string> names;
    TRY_ASSIGN(auto queues, broker::ask(commands, broker::ListQueues{}));
    for (const auto& queue : queues)
        if (queue.settings.carries_records && queue.settings.redrive) names.insert(queue.settings.redrive->dead_letter);
    return names;
}

std::optional<Route> route_of(const std::vector<Route>& routes, const DeadLetter& letter) {
    auto worker = ledger::split_effect(letter.effect).first;
    auto at = std::find_if(routes.begin(), routes.end(), [&](const Route& route) { return route.worker == worker; });
    return at == routes.end() ? std::nullopt : std::optional(*at);
}

/// A queue moves what was received too often: then no worker has said anything.
void read_move_by_queue(DeadLetter& letter, const std::vector<Route>& routes) {
    const auto& source = letter.item.message.dead_letter_source;
    auto at = std::find_if(routes.begin(), routes.end(), [&](const Route& route) { return route.queue == source; });
    if (at != routes.end()) letter.effect = ledger::effect_name(at->worker, letter.record ? letter.record->again : 0);
    letter.reason = "received too often without an answer";
    if (!source.empty()) letter.reason += " from " + source;
}

DeadLetter read_letter(const std::string& queue, broker::Peek::Item item, const std::vector<Route>& routes) {
    DeadLetter letter{queue, std::move(item), {}, {}, {}, {}};
    // What was sent straight to a queue has no id in its body: the worker that gave it up wrote it down.
    auto id = parse_uuid(attribute_of(letter.item, "record-id")).value_or(letter.item.message.id);
    auto record = record::decode(letter.item.message.body, id, letter.item.message.sent_at);
    if (record.ok()) letter.record = std::move(*record);
    letter.effect = attribute_of(letter.item, "forebay-effect");
    if (letter.record && !letter.effect.empty()) letter.effect = ledger::effect_name(letter.effect, letter.record->again);
    letter.reason = attribute_of(letter.item, "forebay-reason");
    if (letter.effect.empty() && letter.reason.empty()) read_move_by_queue(letter, routes);
    letter.route = route_of(routes, letter);
    return letter;
}

bool is_hexadecimal(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

std::size_t uuid_at(std::string_view text, std::size_t at) {
    constexpr std::size_t length = 36;
    return text.size() - at >= length && parse_uuid(text.substr(at, length)) ? length : 0;
}

/// How many characters at `at` are of one long number or hash.
std::size_t long_number_at(std::string_view text, std::size_t at) {
    constexpr std::size_t long_number = 5, long_hash = 16;
    std::size_t end = at, digits = 0;
    while (end < text.size() && is_hexadecimal(text[end])) digits += text[end++] <= '9' ? 1 : 0;
    auto length = end - at;
    return (digits == length && length >= long_number) || length >= long_hash ? length : 0;
}

json::Value summary_of(const DeadLetter& letter) {
    json::Value out;
    const auto& message = letter.item.message;
    out.set("id", id_of(letter)).set("queue", letter.queue).set("sequence", message.receipt.sequence.value());
    out.set("effect", letter.effect).set("reason", letter.reason).set("cause", cause_of(letter.reason));
    out.set("dead_since", to_rfc3339(message.sent_at)).set("is_record", letter.record.has_value());
    if (auto attempts = attribute_of(letter.item, "forebay-attempts"); !attempts.empty())
        out.set("attempts", json::Value::number(Decimal::parse(attempts).value_or(Decimal()).text()));
    if (!letter.record) return out;
    out.set("endpoint", letter.record->endpoint).set("received_at", to_rfc3339(letter.record->received_at));
    if (!letter.record->value.empty()) out.set("value", json::Value::number(letter.record->value)).set("currency", letter.record->currency);
    return out;
}

/// The filter of a query string.
Result<DeadFilter, std::string> filter_of(const Call& call) {
    json::Value object = json::Value::object();
    for (auto key : {"effect", "endpoint", "cause", "where"})
        if (!call.parameter(key).empty()) object.set(key, call.parameter(key));
    if (!call.is_number_or_missing("since")) return Failure{std::string("\"since\" must be milliseconds since 1970.")};
    if (auto since = call.number("since")) object.set("since", *since);
    return dead_filter_of(object);
}

struct Cause {
    std::uint64_t letters = 0;
    std::map<std::string, Decimal> money;
    Timestamp first{INT64_MAX}, last{INT64_MIN};
    std::string example;

    void add(const DeadLetter& letter) {
        auto at = letter.item.message.sent_at;
        if (letters++ == 0) example = id_of(letter);
        first = std::min(first, at);
        last = std::max(last, at);
        auto amount = letter.record ? Decimal::parse(letter.record->value) : std::nullopt;
        if (amount) money[letter.record->currency] += *amount;
    }
    json::Value to_json() const {
        json::Value out, sums = json::Value::object();
        for (const auto& [currency, sum] : money) sums.set(currency, sum.text());
        return out.set("letters", letters)
            .set("money", std::move(sums))
            .set("since", to_rfc3339(first))
            .set("last", to_rfc3339(last))
            .set("example", example);
    }
};
struct CauseKey {
    std::string effect, endpoint, cause;
    auto operator<=>(const CauseKey&) const = default;
};

}  // namespace

std::string id_of(const DeadLetter& letter) { return to_text(letter.record ? letter.record->id : letter.item.message.id); }

std::string cause_of(std::string_view reason) {
    std::string out;
    for (std::size_t at = 0; at < reason.size() && out.size() < cause_bytes_max;) {
        bool begins_word = at == 0 || !std::isalnum(static_cast<unsigned char>(reason[at - 1]));
        if (auto length = begins_word ? uuid_at(reason, at) : 0; length > 0) {
            out += "…";
            at += length;
        } else if (auto digits = begins_word ? long_number_at(reason, at) : 0; digits > 0) {
            out += "…";
            at += digits;
        } else {
            out += reason[at++];
        }
    }
    while (!json::is_utf8(out)) out.pop_back();
    return out;
}

bool DeadFilter::takes(const DeadLetter& letter) const {
    auto at = letter.item.message.sent_at;
    if ((since && at < *since) || (until && at > *until)) return false;
    if (!ids.empty() && !ids.contains(id_of(letter))) return false;
    if (!effect.empty() && effect != letter.effect && effect != ledger::split_effect(letter.effect).first) return false;
    if (!cause.empty() && letter.reason.find(cause) == std::string::npos && cause_of(letter.reason) != cause) return false;
    if (!endpoint.empty() && (!letter.record || letter.record->endpoint != endpoint)) return false;
    return !where || (letter.record && condition::holds_for(*where, *letter.record));
}

Result<DeadFilter, std::string> dead_filter_of(const json::Value& object) {
    DeadFilter filter;
    for (const auto& id : object["ids"].elements()) filter.ids.insert(id.text());
    filter.effect = object["effect"].text();
    filter.endpoint = object["endpoint"].text();
    filter.cause = object["cause"].text();
    if (auto since = object["since"].integer()) filter.since = Timestamp{*since};
    if (auto until = object["until"].integer()) filter.until = Timestamp{*until};
    if (const auto& text = object["where"].text(); !text.empty()) {
        auto condition = condition::Condition::parse(text);
        if (!condition.ok()) return Failure{condition::error_text("where", text, condition.error())};
        filter.where = std::move(*condition);
    }
    return filter;
}

json::Value to_json(const DeadFilter& filter) {
    json::Value out = json::Value::object();
    if (!filter.ids.empty()) {
        auto ids = json::Value::array();
        for (const auto& id : filter.ids) ids.push(id);
        out.set("ids", std::move(ids));
    }
    if (!filter.effect.empty()) out.set("effect", filter.effect);
    if (!filter.endpoint.empty()) out.set("endpoint", filter.endpoint);
    if (!filter.cause.empty()) out.set("cause", filter.cause);
    if (filter.since) out.set("since", filter.since->ms);
    if (filter.until) out.set("until", filter.until->ms);
    if (filter.where) out.set("where", filter.where->text());
    return out;
}

Result<void, broker::Refusal> each_dead_letter(broker::Commands& commands, const std::vector<Route>& routes, const DeadFilter& filter,
                                               DeadCursor from, UniqueFunction<bool(DeadLetter&)> visit) {
    TRY_ASSIGN(auto queues, dead_letter_queues(commands));
    for (const auto& name : queues) {
        if (name < from.queue) continue;
        auto after = name == from.queue ? from.after : std::nullopt;
        for (;;) {
            broker::Peek peek;
            peek.queue = name;
            peek.max_messages = peek_page;
            peek.after = after;
            auto page = broker::ask(commands, std::move(peek));
            if (!page.ok() && page.error() == broker::Refusal::no_such_queue) break;  // not made yet
            if (!page.ok()) return Failure{page.error()};
            for (auto& item : *page) {
                after = item.message.receipt.sequence;
                auto letter = read_letter(name, std::move(item), routes);
                if (filter.takes(letter) && !visit(letter)) return {};
            }
            if (page->size() < peek_page) break;
        }
    }
    return {};
}

http::Response list_dead(broker::Commands& commands, const Routes& routes, const Call& call) {
    auto filter = filter_of(call);
    if (!filter.ok()) return bad_request(filter.error());
    DeadCursor from;
    auto cursor = call.parameter("after");
    if (auto colon = cursor.rfind(':'); colon != std::string_view::npos) {
        from.queue = cursor.substr(0, colon);
        std::uint64_t sequence = std::strtoull(std::string(cursor.substr(colon + 1)).c_str(), nullptr, 10);
        from.after = queue::Sequence(sequence);
    }
    json::Value letters = json::Value::array(), next;
    auto most = call.page_size();
    auto done = each_dead_letter(commands, routes(), *filter, from, [&](DeadLetter& letter) {
        letters.push(summary_of(letter));
        if (letters.elements().size() < most) return true;
        next = json::Value(letter.queue + ":" + std::to_string(letter.item.message.receipt.sequence.value()));
        return false;
    });
    if (!done.ok()) return refused(done.error(), "");
    return json_response(json::Value().set("letters", std::move(letters)).set("next", std::move(next)));
}

http::Response show_causes_of_death(broker::Commands& commands, const Routes& routes, const Call& call) {
    auto filter = filter_of(call);
    if (!filter.ok()) return bad_request(filter.error());
    std::map<CauseKey, Cause> causes;
    auto done = each_dead_letter(commands, routes(), *filter, {}, [&](DeadLetter& letter) {
        CauseKey key{letter.effect, letter.record ? letter.record->endpoint : "", cause_of(letter.reason)};
        if (causes.size() >= causes_max && !causes.contains(key)) key = {"", "", std::string(other_causes)};
        causes[key].add(letter);
        return true;
    });
    if (!done.ok()) return refused(done.error(), "");
    json::Value list = json::Value::array();
    for (const auto& [key, cause] : causes)
        list.push(cause.to_json().set("effect", key.effect).set("endpoint", key.endpoint).set("cause", key.cause));
    return json_response(json::Value().set("causes", std::move(list)));
}

http::Response show_dead(broker::Commands& commands, const Routes& routes, const Call& call) {
    DeadFilter filter;
    filter.ids.insert(call.captures.at(0));
    json::Value letters = json::Value::array();
    auto done = each_dead_letter(commands, routes(), filter, {}, [&](DeadLetter& letter) {
        auto one = summary_of(letter);
        auto envelope = letter.record ? json::parse(record::to_json(*letter.record)) : json::parse("null");
        if (envelope.ok() && letter.record) one.set("envelope", std::move(*envelope));
        if (!letter.record) one.set("body", json::is_utf8(letter.item.message.body) ? letter.item.message.body : std::string());
        one.set("worker_is_there", letter.route.has_value());
        letters.push(std::move(one));
        return true;
    });
    if (!done.ok()) return refused(done.error(), "");
    if (letters.elements().empty()) return http::problem(404, "not_dead", "No dead letter has this id: see forebay dead ls.");
    return json_response(json::Value().set("letters", std::move(letters)));
}

}  // namespace forebay::admin
