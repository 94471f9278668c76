#include "sqs/action.h"
#include "sqs/batch.h"

namespace forebay::sqs::action {
namespace {

Error refused(broker::Refusal refusal, std::string_view handle) {
    if (refusal == broker::Refusal::invalid_receipt) return invalid_handle(handle);
    if (refusal == broker::Refusal::receipt_expired) return expired_handle(handle);
    return error_of(refusal);
}

}  // namespace

// A handle that is not ours is still submitted as nothing, so that a queue that does not exist is named first.
Result<void, Error> delete_message(Call& call) {
    TRY_ASSIGN(auto queue, call.queue());
    TRY_ASSIGN(auto handle, call.arguments.required_text("ReceiptHandle"));
    std::vector<queue::Receipt> receipts;
    if (auto receipt = call.commands.receipt_of(handle)) receipts.push_back(*receipt);
    auto answer = [reply = std::move(call.reply), handle = std::move(handle)](auto deleted) mutable {
        if (!deleted.ok()) return reply.fail(deleted.error());
        if (deleted->empty()) return reply.fail(invalid_handle(handle));
        if (!deleted->front().ok()) return reply.fail(refused(deleted->front().error(), handle));
        reply.succeed();
    };
    call.commands.submit(broker::Delete{std::move(queue), std::move(receipts), std::move(answer)});
    return {};
}

Result<void, Error> delete_message_batch(Call& call) {
    TRY_ASSIGN(auto queue, call.queue());
    TRY_ASSIGN(auto most, call.entries_max());
    TRY_ASSIGN(auto batch, read_batch(call.arguments, "DeleteMessageBatchRequestEntry", most));
    BatchOutcome outcome(std::move(batch.ids));
    std::vector<queue::Receipt> receipts;
    std::vector<std::string> submitted;
    for (std::size_t i = 0; i < batch.entries.size(); ++i) {
        TRY_ASSIGN(auto handle, batch.entries[i].required_text("ReceiptHandle"));
        auto receipt = call.commands.receipt_of(handle);
        if (!receipt) {
            outcome.fail(i, invalid_handle(handle));
            continue;
        }
        outcome.submit(i);
        receipts.push_back(*receipt);
        submitted.push_back(std::move(handle));
    }
    auto answer = [reply = std::move(call.reply), outcome = std::move(outcome), submitted = std::move(submitted)](auto deleted) mutable {
        if (!deleted.ok()) return reply.fail(deleted.error());
        for (std::size_t n = 0; n < deleted->size(); ++n)
            if (!(*deleted)[n].ok()) outcome.fail_submitted(n, refused((*deleted)[n].error(), submitted[n]));
        reply.succeed(std::move(outcome).to_json());
    };
    call.commands.submit(broker::Delete{std::move(queue), std::move(receipts), std::move(answer)});
    return {};
}

}  // namespace forebay::sqs::action
