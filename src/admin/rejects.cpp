#include "admin/rejects.h"

#include <algorithm>
#include <set>

#include "base/log_line.h"

namespace forebay::admin {
namespace {
constexpr unsigned peek_page = 100;
constexpr std::size_t results_named_max = 1000;  ///< outcomes listed one by one in an answer

/// A refused post with where it lies.
struct Reject {
    queue::Receipt receipt;
    std::string body;
    json::Value kept;
    Timestamp at;
};

struct Filter {
    std::set<std::string> ids;
    std::string endpoint, code;
    std::string source;  ///< name of an imported file, or a line of it: "leads.csv:42"
    std::optional<std::int64_t> since_ms;

    bool takes(const Reject& reject) const {
        if (!ids.empty() && !ids.contains(reject.kept["id"].text())) return false;
        if (!endpoint.empty() && reject.kept["endpoint"].text() != endpoint) return false;
        if (since_ms && reject.at.ms < *since_ms) return false;
        if (!source.empty() && !is_from(reject.kept["source"].text())) return false;
        return code.empty() || has_code(reject.kept);
    }
    bool is_from(const std::string& place) const {
        return place == source || (place.starts_with(source + ":") && place.find(':', source.size() + 1) == std::string::npos);
    }
    bool has_code(const json::Value& kept) const {
        const auto& errors = kept["errors"].elements();
        return kept["code"].text() == code ||
               std::any_of(errors.begin(), errors.end(), [&](const json::Value& error) { return error["code"].text() == code; });
    }
};

/// Calls `visit` for each reject that the filter takes until it says stop; the error is the broker's.
Result<void, broker::Refusal> each(broker::Commands& commands, const Filter& filter, std::optional<queue::Sequence> after,
                                   UniqueFunction<bool(const Reject&)> visit) {
    for (;;) {
        broker::Peek peek;
        peek.queue = std::string(intake::quarantine_queue);
        peek.max_messages = peek_page;
        peek.after = after;
        auto page = broker::ask(commands, std::move(peek));
        if (!page.ok()) return Failure{page.error()};
        for (auto& item : *page) {
            after = item.message.receipt.sequence;
            Reject reject{item.message.receipt, std::move(item.message.body), {}, item.message.sent_at};
            if (auto kept = json::parse(reject.body); kept.ok()) reject.kept = std::move(*kept);
            if (filter.takes(reject) && !visit(reject)) return {};
        }
        if (page->size() < peek_page) return {};
    }
}

json::Value summary_of(const Reject& reject) {
    json::Value out;
    out.set("sequence", reject.receipt.sequence.value());
    for (auto key : {"id", "endpoint", "received_at", "status", "code", "errors"}) out.set(key, reject.kept[key]);
    if (!reject.kept["source"].is_null()) out.set("source", reject.kept["source"]);
    return out;
}

Filter filter_of(const json::Value& body) {
    Filter filter;
    for (const auto& id : body["ids"].elements()) filter.ids.insert(id.text());
    filter.endpoint = body["endpoint"].text();
    filter.code = body["code"].text();
    filter.source = body["source"].text();
    filter.since_ms = body["since"].integer();
    return filter;
}

std::string_view name_of(intake::ReadmitResult::Outcome outcome) {
    using Outcome = intake::ReadmitResult::Outcome;
    switch (outcome) {
        case Outcome::readmitted:
            return "readmitted";
        case Outcome::would_pass:
            return "would_pass";
        case Outcome::still_refused:
            return "still_refused";
        case Outcome::not_sent:
            return "not_sent";
        case Outcome::unreadable:
            return "unreadable";
    }
    return "unreadable";
}

json::Value to_json(const Reject& reject, const intake::ReadmitResult& result) {
    json::Value out;
    out.set("id", reject.kept["id"]).set("endpoint", reject.kept["endpoint"]).set("outcome", name_of(result.outcome));
    json::Value errors = json::Value::array();
    for (const auto& error : result.errors)
        errors.push(json::Value().set("field", error.field).set("code", error.code).set("detail", error.detail));
    if (!errors.elements().empty()) out.set("errors", std::move(errors));
    if (!result.what.empty()) out.set("what", result.what);
    return out;
}

intake::ReadmitResult readmit_now(intake::Intake& intake, const std::string& body) {
    auto promise = std::make_shared<std::promise<intake::ReadmitResult>>();
    auto told = promise->get_future();
    intake.readmit(body, [promise](intake::ReadmitResult result) { promise->set_value(std::move(result)); });
    return told.get();
}

/// Only after the record is durable in its own queue (the same id twice is harmless).
Result<void, broker::Refusal> take_out(broker::Commands& commands, const queue::Receipt& receipt) {
    broker::Delete gone;
    gone.queue = std::string(intake::quarantine_queue);
    gone.receipts.push_back(receipt);
    auto answer = broker::ask(commands, std::move(gone));
    if (!answer.ok()) return Failure{answer.error()};
    return answer->at(0);
}
}  // namespace

http::Response list_rejects(broker::Commands& commands, const Call& call) {
    Filter filter;
    filter.endpoint = call.parameter("endpoint");
    filter.code = call.parameter("code");
    filter.source = call.parameter("source");
    filter.since_ms = call.number("since");
    std::optional<queue::Sequence> after;
    if (!call.is_number_or_missing("after") || call.number("after").value_or(0) < 0)
        return bad_request("\"after\" must be the sequence of a message.");
    if (auto given = call.number("after")) after = queue::Sequence(static_cast<std::uint64_t>(*given));
    json::Value rejects = json::Value::array();
    json::Value next;
    auto done = each(commands, filter, after, [&](const Reject& reject) {
        rejects.push(summary_of(reject));
        if (rejects.elements().size() < call.page_size()) return true;
        next = json::Value(reject.receipt.sequence.value());
        return false;
    });
    if (!done.ok()) return refused(done.error(), intake::quarantine_queue);
    return json_response(json::Value().set("rejects", std::move(rejects)).set("next", std::move(next)));
}

http::Response show_reject(broker::Commands& commands, const Call& call) {
    Filter filter;
    filter.ids.insert(call.captures.at(0));
    std::optional<json::Value> found;
    auto done = each(commands, filter, std::nullopt, [&](const Reject& reject) {
        found = reject.kept;
        return false;
    });
    if (!done.ok()) return refused(done.error(), intake::quarantine_queue);
    if (!found) return http::problem(404, "no_such_reject", "No refused post with this id is kept.");
    return json_response(*found);
}

http::Response readmit_rejects(broker::Commands& commands, intake::Intake& intake, const Call& call) {
    auto filter = filter_of(call.body);
    bool dry_run = call.body["dry_run"].boolean();
    if (filter.ids.empty() && filter.endpoint.empty() && filter.code.empty() && filter.source.empty() && !filter.since_ms)
        return bad_request("Say which: \"ids\", \"endpoint\", \"code\", \"source\" or \"since\".");
    if (!dry_run && call.body["reason"].text().empty()) return bad_request("Readmission needs a \"reason\".");
    std::uint64_t in = 0, out = 0;
    json::Value results = json::Value::array();
    auto done = each(commands, filter, std::nullopt, [&](const Reject& reject) {
        auto result = dry_run ? intake.check_again(reject.body) : readmit_now(intake, reject.body);
        using Outcome = intake::ReadmitResult::Outcome;
        bool passes = result.outcome == Outcome::readmitted || result.outcome == Outcome::would_pass;
        if (result.outcome == Outcome::readmitted && !take_out(commands, reject.receipt).ok()) result.what = "readmitted, but still listed";
        (passes ? in : out) += 1;
        if (results.elements().size() < results_named_max) results.push(to_json(reject, result));
        return true;
    });
    if (!done.ok()) return refused(done.error(), intake::quarantine_queue);
    if (!dry_run)
        log_info("rejects.readmitted").with("readmitted", in).with("still_refused", out).with("reason", call.body["reason"].text());
    return json_response(
        json::Value().set("readmitted", in).set("still_refused", out).set("dry_run", dry_run).set("results", std::move(results)));
}

}  // namespace forebay::admin
