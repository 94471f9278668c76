#include "base/digest.h"
#include "queue/limits.h"
#include "sqs/action.h"
#include "sqs/batch.h"
#include "sqs/fifo.h"
#include "sqs/message_attributes.h"
#include "sqs/text.h"

namespace forebay::sqs::action {
namespace {

namespace limits = queue::limits;

/// A message as it goes to the broker, and what the answer will say of it beside its MessageId.
struct Prepared {
    queue::OutgoingMessage message;
    json::Value result;
};

Result<void, Error> read_group(Arguments& of, bool is_fifo, queue::OutgoingMessage& message) {
    if (!is_fifo) {
        TRY_ASSIGN(auto foreign, of.text("MessageDeduplicationId"));
        if (foreign) return Failure{not_for_this_queue_type(*foreign, "MessageDeduplicationId")};
    }
    TRY_ASSIGN(auto deduplication, read_id(of, "MessageDeduplicationId"));
    TRY_ASSIGN(auto group, read_id(of, "MessageGroupId"));
    message.deduplication = std::move(deduplication).value_or("");
    message.group = std::move(group).value_or("");
    return {};
}

Result<std::optional<Duration>, Error> read_delay(Arguments& of, bool is_fifo) {
    TRY_ASSIGN(auto seconds, of.integer("DelaySeconds"));
    if (!seconds) return std::optional<Duration>();
    // A message of its own delay would change places. 0 is taken, and means the queue's.
    if (is_fifo && *seconds != 0) return Failure{not_for_this_queue_type(std::to_string(*seconds), "DelaySeconds")};
    Duration delay = std::chrono::seconds(std::min<std::int64_t>(std::max<std::int64_t>(*seconds, -1), 86400));
    if (delay < 0s || delay > limits::delay_max)
        return Failure{invalid_value(std::to_string(*seconds), "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")};
    return std::optional(delay);
}

Result<Prepared, Error> prepare(Arguments& of, bool is_fifo) {
    Prepared out;
    TRY_ASSIGN(out.message.body, of.required_text("MessageBody"));
    if (!is_sendable(out.message.body))
        return Failure{Error{ErrorKind::invalid_message_contents,
                             "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | "
                             "#x10000 to #x10FFFF"}};
    TRY_ASSIGN(out.message.delay, read_delay(of, is_fifo));
    TRY_ASSIGN(out.message.attributes, read_message_attributes(of));
    TRY_ASSIGN(out.message.system_attributes, read_system_attributes(of));
    TRY(read_group(of, is_fifo, out.message));
    out.result.set("MD5OfMessageBody", to_hex(md5(out.message.body)));
    if (auto digest = md5_of(out.message.attributes)) out.result.set("MD5OfMessageAttributes", std::move(*digest));
    if (auto digest = md5_of(out.message.system_attributes)) out.result.set("MD5OfMessageSystemAttributes", std::move(*digest));
    return out;
}

std::uint64_t bytes_of(const queue::OutgoingMessage& message) { return message.body.size() + sqs::bytes_of(message.attributes); }

void tell(json::Value& result, const broker::Sent& sent, bool is_fifo) {
    result.set("MessageId", to_text(sent.id));
    if (is_fifo) result.set("SequenceNumber", sequence_number(sent.sequence));
}

/// The refusal names no number, so the queue is asked for its limit.
template <class Then>
void with_limit_of(broker::Commands& commands, std::string queue, Then then) {
    commands.submit(broker::GetQueue{std::move(queue), [then = std::move(then)](auto status) mutable {
                                         then(status.ok() ? status->settings.message_bytes_max : limits::message_bytes_max);
                                     }});
}

void answer_send(broker::Commands& commands, std::string queue, Reply reply, json::Value result,
                 const Result<broker::Sent, broker::Refusal>& sent) {
    if (sent.ok()) {
        tell(result, *sent, is_fifo_name(queue));
        return reply.succeed(result);
    }
    if (sent.error() != broker::Refusal::message_too_long) return reply.fail(sent.error());
    with_limit_of(commands, std::move(queue),
                  [reply = std::move(reply)](std::uint64_t limit) mutable { reply.fail(message_too_long(limit, false)); });
}

using BatchAnswer = Result<std::vector<Result<broker::Sent, broker::Refusal>>, broker::Refusal>;

/// False if an entry was too long for the queue, whose limit is then still to be told.
bool note(BatchOutcome& outcome, const BatchAnswer& sent, bool is_fifo, std::uint64_t limit) {
    bool limit_matters = false;
    for (std::size_t n = 0; n < sent->size(); ++n) {
        auto& one = (*sent)[n];
        bool too_long = !one.ok() && one.error() == broker::Refusal::message_too_long;
        limit_matters = limit_matters || too_long;
        if (one.ok())
            tell(outcome.result_of_submitted(n), *one, is_fifo);
        else
            outcome.fail_submitted(n, too_long ? message_too_long(limit, true) : error_of(one.error()));
    }
    return !limit_matters;
}

void answer_batch(broker::Commands& commands, std::string queue, Reply reply, BatchOutcome outcome, BatchAnswer sent) {
    if (!sent.ok()) return reply.fail(sent.error());
    bool is_fifo = is_fifo_name(queue);
    if (note(outcome, sent, is_fifo, 0)) return reply.succeed(std::move(outcome).to_json());
    with_limit_of(commands, std::move(queue),
                  [reply = std::move(reply), outcome = std::move(outcome), sent = std::move(sent), is_fifo](std::uint64_t limit) mutable {
                      note(outcome, sent, is_fifo, limit);
                      reply.succeed(std::move(outcome).to_json());
                  });
}

/// As AWS: one entry without a group fails the call, by another code than the same message sent alone.
void refuse_without_group(broker::Commands& commands, std::string queue, Reply reply) {
    commands.submit(broker::GetQueue{std::move(queue), [reply = std::move(reply)](auto found) mutable {
                                         if (!found.ok()) return reply.fail(found.error());
                                         reply.fail({ErrorKind::invalid_parameter_value, missing_parameter("MessageGroupId").message});
                                     }});
}

}  // namespace

Result<void, Error> send_message(Call& call) {
    TRY_ASSIGN(auto queue, call.queue());
    TRY_ASSIGN(auto prepared, prepare(call.arguments, is_fifo_name(queue)));
    if (bytes_of(prepared.message) > limits::message_bytes_max) return Failure{message_too_long(limits::message_bytes_max, false)};
    auto answer = [&commands = call.commands, queue, reply = std::move(call.reply), result = std::move(prepared.result)](
                      auto sent) mutable { answer_send(commands, std::move(queue), std::move(reply), std::move(result), sent); };
    call.commands.submit(broker::Send{std::move(queue), std::move(prepared.message), std::nullopt, std::move(answer)});
    return {};
}

Result<void, Error> send_message_batch(Call& call) {
    TRY_ASSIGN(auto queue, call.queue());
    TRY_ASSIGN(auto most, call.entries_max());
    TRY_ASSIGN(auto batch, read_batch(call.arguments, "SendMessageBatchRequestEntry", most));
    BatchOutcome outcome(std::move(batch.ids));
    std::vector<queue::OutgoingMessage> messages;
    std::uint64_t bytes = 0;
    bool is_fifo = is_fifo_name(queue), lacks_group = false;
    for (std::size_t i = 0; i < batch.entries.size(); ++i) {
        auto prepared = prepare(batch.entries[i], is_fifo);
        if (!prepared.ok() && fails_the_call(prepared.error())) return Failure{prepared.error()};
        if (!prepared.ok()) {
            outcome.fail(i, prepared.error());
            continue;
        }
        lacks_group = lacks_group || (is_fifo && prepared->message.group.empty());
        bytes += bytes_of(prepared->message);
        outcome.submit(i, std::move(prepared->result));
        messages.push_back(std::move(prepared->message));
    }
    if (bytes > limits::message_bytes_max)
        return Failure{Error{ErrorKind::batch_request_too_long,
                             "Batch requests cannot be longer than 1048576 bytes. You have sent " + std::to_string(bytes) + " bytes."}};
    if (lacks_group) {
        refuse_without_group(call.commands, std::move(queue), std::move(call.reply));
        return {};
    }
    auto answer = [&commands = call.commands, queue, reply = std::move(call.reply),
                   outcome = std::move(outcome)](BatchAnswer sent) mutable {
        answer_batch(commands, std::move(queue), std::move(reply), std::move(outcome), std::move(sent));
    };
    call.commands.submit(broker::SendBatch{std::move(queue), std::move(messages), std::move(answer)});
    return {};
}

}  // namespace forebay::sqs::action
