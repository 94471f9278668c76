// What the lines, codes and events mean; no process here.
#include "handlers/exec_protocol.h"

#include <sys/wait.h>

#include <algorithm>

#include "base/digest.h"
#include "base/spawn.h"

namespace forebay::handlers {
namespace {

using worker::Outcome;

// sysexits.h
constexpr int exit_data_error = 65;
constexpr int exit_unavailable = 69;

std::string why_of(const json::Value& answer) {
    const auto& why = answer["why"];
    return why.is_string() && !why.text().empty() ? why.text() : "the command said so";
}

Result<std::vector<worker::FollowUp>, std::string> follow_ups_of(const json::Value& send) {
    std::vector<worker::FollowUp> out;
    if (!send.is_null() && !send.is_array()) return Failure{std::string("\"send\" is not a list")};
    for (auto& one : send.elements()) {
        if (!one["queue"].is_string() || one["body"].is_null()) return Failure{std::string("an element of \"send\" needs queue and body")};
        out.push_back({one["queue"].text(), one["body"].is_string() ? one["body"].text() : json::to_text(one["body"])});
    }
    return out;
}

Result<Outcome, std::string> done_outcome(const json::Value& answer) {
    TRY_ASSIGN(auto follow_ups, follow_ups_of(answer["send"]));
    auto outcome = Outcome::done(std::move(follow_ups));
    const auto& set = answer["set"];
    if (!set.is_null() && !set.is_object()) return Failure{std::string("\"set\" is not an object")};
    outcome.set = set;
    return outcome;
}

/// A bare number is seconds. How long is too long is the worker's to say; here it must only stay a number.
std::optional<Duration> delay_of(const json::Value& delay) {
    constexpr std::int64_t seconds_most = 1'000'000'000'000;
    if (!delay.is_number()) return parse_duration(delay.text());
    auto seconds = delay.integer();
    if (!seconds || *seconds < 0) return std::nullopt;
    return std::chrono::seconds(std::min(*seconds, seconds_most));
}

Result<Outcome, std::string> retry_outcome(const json::Value& answer) {
    const auto& delay = answer["delay"];
    if (delay.is_null()) return Outcome::retry(why_of(answer));
    auto after = delay_of(delay);
    if (!after) return Failure{std::string("\"delay\" is not a duration like \"30s\"")};
    return Outcome::retry(why_of(answer), after);
}

json::Value object(std::initializer_list<std::pair<std::string_view, json::Value>> members) {
    auto value = json::Value::object();
    for (auto& [name, member] : members) value.set(name, member);
    return value;
}

json::Value record_of(const ExecOptions& options, const worker::Job& job) {
    auto sent = std::to_string(job.sent_at.ms);
    auto attributes = object({{"ApproximateReceiveCount", std::to_string(job.receive_count)},
                              {"SentTimestamp", sent},
                              {"SenderId", options.account},
                              {"ApproximateFirstReceiveTimestamp", sent}});
    auto id = object({{"stringValue", to_text(job.envelope.id)},
                      {"dataType", "String"},
                      {"stringListValues", json::Value::array()},
                      {"binaryListValues", json::Value::array()}});
    return object({{"messageId", job.message_id},
                   {"receiptHandle", job.handle},
                   {"body", job.body},
                   {"attributes", std::move(attributes)},
                   {"messageAttributes", object({{"record-id", std::move(id)}})},
                   {"md5OfBody", to_hex(md5(job.body))},
                   {"eventSource", "aws:sqs"},
                   {"eventSourceARN", "arn:aws:sqs:" + options.region + ":" + options.account + ":" + options.queue},
                   {"awsRegion", options.region}});
}

std::vector<Outcome> retry_all(std::size_t jobs, const std::string& why) { return std::vector<Outcome>(jobs, Outcome::retry(why)); }

}  // namespace

std::string record_line(const worker::Job& job) {
    auto line = record::to_json(job.envelope);
    line.back() = ',';  // the object's end
    return line.append("\"attempt\":").append(std::to_string(job.attempts + 1)).append("}");
}

Outcome outcome_of_status(int wait_status) {
    auto why = exit_text(wait_status);
    if (!WIFEXITED(wait_status)) return Outcome::retry(why);
    switch (WEXITSTATUS(wait_status)) {
        case 0:
            return Outcome::done();
        case exit_data_error:
            return Outcome::dead("the command refused it (exit 65)");
        case exit_unavailable:
            return Outcome::hold("the command says that what it needs is down (exit 69)");
        default:
            return Outcome::retry(why);  // 75 (EX_TEMPFAIL) is this case's name
    }
}

Result<Outcome, std::string> jsonl_outcome(const json::Value& answer, std::string_view id) {
    if (!answer.is_object()) return Failure{std::string("its answer is not an object")};
    if (answer["id"].text() != id) return Failure{std::string("its answer is for another record")};
    const auto& result = answer["result"].text();
    if (result == "done") return done_outcome(answer);
    if (result == "retry") return retry_outcome(answer);
    if (result == "dead") return Outcome::dead(why_of(answer));
    if (result == "hold") return Outcome::hold(why_of(answer));
    return Failure{std::string("its \"result\" is none of done, retry, dead, hold")};
}

std::string lambda_event(const ExecOptions& options, std::span<const worker::Job* const> jobs) {
    auto records = json::Value::array();
    for (auto* job : jobs) records.push(record_of(options, *job));
    return json::to_text(object({{"Records", std::move(records)}}));
}

std::vector<Outcome> lambda_outcomes(std::string_view output, std::span<const worker::Job* const> jobs) {
    std::vector<Outcome> outcomes(jobs.size(), Outcome::done());
    if (output.find_first_not_of(" \t\r\n") == std::string_view::npos) return outcomes;
    auto parsed = json::parse(output);
    if (!parsed || (!parsed->is_object() && !parsed->is_null())) return retry_all(jobs.size(), "its output is not a JSON object");
    const auto& failures = (*parsed)["batchItemFailures"];
    if (!failures.is_null() && !failures.is_array()) return retry_all(jobs.size(), "batchItemFailures is not a list");
    for (auto& failure : failures.elements()) {
        auto failed =
            std::find_if(jobs.begin(), jobs.end(), [&](auto* job) { return job->message_id == failure["itemIdentifier"].text(); });
        if (failed == jobs.end()) return retry_all(jobs.size(), "batchItemFailures names a message that was not in the batch");
        outcomes[static_cast<std::size_t>(failed - jobs.begin())] = Outcome::retry("named in batchItemFailures");
    }
    return outcomes;
}

}  // namespace forebay::handlers
