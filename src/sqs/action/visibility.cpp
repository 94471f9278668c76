#include <algorithm>
#include <charconv>

#include "queue/limits.h"
#include "sqs/action.h"
#include "sqs/batch.h"

namespace forebay::sqs::action {
namespace {

/// What our own workers say beside SQS's members (D16): `x-forebay-release: hold` and `x-forebay-attempt: N`.
struct Notes {
    bool release = false;
    std::optional<std::uint32_t> attempts;
};

Result<Notes, Error> read_notes(const http::Request& request) {
    Notes out;
    auto release = request.find("x-forebay-release");
    if (!release.empty() && release != "hold") return Failure{invalid_value(release, "x-forebay-release", "Must be hold, if provided.")};
    out.release = !release.empty();
    auto attempt = request.find("x-forebay-attempt");
    if (attempt.empty()) return out;
    std::uint32_t number = 0;
    auto [end, error] = std::from_chars(attempt.data(), attempt.data() + attempt.size(), number);
    if (error != std::errc() || end != attempt.data() + attempt.size())
        return Failure{invalid_value(attempt, "x-forebay-attempt", "Must be a number, if provided.")};
    out.attempts = number;
    return out;
}

Result<Duration, Error> read_timeout(Arguments& of) {
    TRY_ASSIGN(auto seconds, of.integer("VisibilityTimeout"));
    if (!seconds) return Failure{missing_parameter("VisibilityTimeout")};
    if (*seconds < 0 || *seconds > 43200)
        return Failure{
            invalid_value(std::to_string(*seconds), "VisibilityTimeout", "VisibilityTimeout must be an integer between 0 and 43200.")};
    return Duration(std::chrono::seconds(*seconds));
}

struct Change {
    std::string handle;
    Duration timeout;
};

Result<Change, Error> read_change(Arguments& of) {
    Change out;
    TRY_ASSIGN(out.handle, of.required_text("ReceiptHandle"));
    TRY_ASSIGN(out.timeout, read_timeout(of));
    return out;
}

Error refused(broker::Refusal refusal, const Change& change) {
    if (refusal == broker::Refusal::invalid_receipt) return invalid_handle(change.handle);
    if (refusal == broker::Refusal::not_in_flight || refusal == broker::Refusal::receipt_expired)
        return invalid_value(change.handle, "ReceiptHandle", "Message does not exist or is not available for visibility timeout change.");
    if (refusal == broker::Refusal::visibility_too_long)
        return invalid_value(std::to_string(change.timeout / std::chrono::seconds(1)), "VisibilityTimeout",
                             "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].");
    return error_of(refusal);
}

}  // namespace

Result<void, Error> change_message_visibility(Call& call) {
    TRY_ASSIGN(auto queue, call.queue());
    TRY_ASSIGN(auto change, read_change(call.arguments));
    TRY_ASSIGN(auto notes, read_notes(call.request));
    std::vector<broker::VisibilityChange> changes;
    if (auto receipt = call.commands.receipt_of(change.handle))
        changes.push_back({*receipt, change.timeout, notes.release, notes.attempts});
    auto answer = [reply = std::move(call.reply), change = std::move(change)](auto changed) mutable {
        if (!changed.ok()) return reply.fail(changed.error());
        if (changed->empty()) return reply.fail(invalid_handle(change.handle));
        if (!changed->front().ok()) return reply.fail(refused(changed->front().error(), change));
        reply.succeed();
    };
    call.commands.submit(broker::ChangeVisibility{std::move(queue), std::move(changes), std::move(answer)});
    return {};
}

Result<void, Error> change_message_visibility_batch(Call& call) {
    TRY_ASSIGN(auto queue, call.queue());
    TRY_ASSIGN(auto most, call.entries_max());
    TRY_ASSIGN(auto batch, read_batch(call.arguments, "ChangeMessageVisibilityBatchRequestEntry", most));
    TRY_ASSIGN(auto notes, read_notes(call.request));
    BatchOutcome outcome(std::move(batch.ids));
    std::vector<Change> submitted;
    std::vector<broker::VisibilityChange> changes;
    for (std::size_t i = 0; i < batch.entries.size(); ++i) {
        auto change = read_change(batch.entries[i]);
        if (!change.ok() && fails_the_call(change.error())) return Failure{change.error()};
        auto receipt = change.ok() ? call.commands.receipt_of(change->handle) : std::nullopt;
        if (!receipt) {
            outcome.fail(i, change.ok() ? invalid_handle(change->handle) : change.error());
            continue;
        }
        outcome.submit(i);
        changes.push_back({*receipt, change->timeout, notes.release, notes.attempts});
        submitted.push_back(std::move(*change));
    }
    auto answer = [reply = std::move(call.reply), outcome = std::move(outcome), submitted = std::move(submitted)](auto changed) mutable {
        if (!changed.ok()) return reply.fail(changed.error());
        for (std::size_t n = 0; n < changed->size(); ++n)
            if (!(*changed)[n].ok()) outcome.fail_submitted(n, refused((*changed)[n].error(), submitted[n]));
        reply.succeed(std::move(outcome).to_json());
    };
    call.commands.submit(broker::ChangeVisibility{std::move(queue), std::move(changes), std::move(answer)});
    return {};
}

}  // namespace forebay::sqs::action
