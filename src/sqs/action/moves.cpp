// Message move tasks. A task's handle names it and its source, as AWS's does: base64 of a JSON object of the two.

#include "base/digest.h"
#include "base/uuid.h"
#include "queue/limits.h"
#include "sqs/action.h"

namespace forebay::sqs::action {
namespace {

Error invalid(std::string message) { return {ErrorKind::invalid_parameter_value, std::move(message)}; }

/// The queue that an ARN names. Errors: as AWS's for what is no ARN, and for one of no queue.
Result<std::string, Error> queue_of(const std::string& arn, std::string_view parameter) {
    if (!arn.starts_with("arn:"))
        return Failure{invalid("You must use this format to specify the " + std::string(parameter) +
                               ": arn:<partition>:<service>:<region>:<account-id>:<resource-id>")};
    auto name = name_of_arn(arn);
    if (!name) return Failure{no_such_resource(parameter)};
    return std::string(*name);
}

Result<std::string, Error> read_source(Call& call) {
    TRY_ASSIGN(auto arn, call.arguments.text("SourceArn"));
    if (!arn) return Failure{missing_parameter("SourceArn")};
    TRY_ASSIGN(auto queue, queue_of(*arn, "SourceArn"));
    TRY(call.check(queue));
    return queue;
}

Result<std::optional<unsigned>, Error> read_rate(Arguments& of) {
    TRY_ASSIGN(auto rate, of.integer("MaxNumberOfMessagesPerSecond"));
    if (!rate) return std::optional<unsigned>{};
    if (*rate < 1 || *rate > queue::limits::moves_per_second_max)
        return Failure{
            invalid("Value for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: You must enter a number that's between 1 "
                    "and 500.")};
    return std::optional<unsigned>(static_cast<unsigned>(*rate));
}

std::string handle_of(const broker::MoveStatus& task, const Names& outside) {
    auto out = json::Value::object();
    out.set("taskId", to_text(task.id)).set("sourceArn", outside.arn_of(task.source));
    return to_base64(json::to_text(out));
}

struct Handle {
    Uuid id;
    std::string source;
};
std::optional<Handle> read_handle(const std::string& text) {
    auto decoded = from_base64(text);
    if (!decoded) return std::nullopt;
    auto members = json::parse(*decoded);
    if (!members || !members->is_object()) return std::nullopt;
    auto id = parse_uuid((*members)["taskId"].text());
    auto source = name_of_arn((*members)["sourceArn"].text());
    if (!id || !source) return std::nullopt;
    return Handle{*id, std::string(*source)};
}

/// What a refusal is called where the queue was named by its ARN.
Error error_of_source(broker::Refusal refusal) {
    return refusal == broker::Refusal::no_such_queue ? no_such_resource("SourceArn") : error_of(refusal);
}

std::string_view text_of(broker::MoveState state) {
    switch (state) {
        case broker::MoveState::running:
            return "RUNNING";
        case broker::MoveState::completed:
            return "COMPLETED";
        case broker::MoveState::cancelled:
            return "CANCELLED";
        case broker::MoveState::failed:
            return "FAILED";
    }
    return {};
}

json::Value to_json(const broker::MoveStatus& task, const Names& outside) {
    auto out = json::Value::object();
    if (task.state == broker::MoveState::running) out.set("TaskHandle", handle_of(task, outside));
    out.set("Status", text_of(task.state));
    out.set("SourceArn", outside.arn_of(task.source));
    if (task.destination) out.set("DestinationArn", outside.arn_of(*task.destination));
    if (task.rate) out.set("MaxNumberOfMessagesPerSecond", std::uint64_t{*task.rate});
    out.set("ApproximateNumberOfMessagesMoved", task.moved);
    out.set("ApproximateNumberOfMessagesToMove", task.to_move);
    if (!task.failure.empty()) out.set("FailureReason", task.failure);
    out.set("StartedTimestamp", task.started_at.ms);
    return out;
}

}  // namespace

Result<void, Error> start_message_move_task(Call& call) {
    broker::StartMove command;
    TRY_ASSIGN(command.source, read_source(call));
    TRY_ASSIGN(auto destination, call.arguments.text("DestinationArn"));
    if (destination) {
        TRY_ASSIGN(command.destination, queue_of(*destination, "DestinationArn"));
        TRY(call.check_target(*command.destination));
    }
    TRY_ASSIGN(command.rate, read_rate(call.arguments));
    command.answer = [outside = call.names(), reply = std::move(call.reply)](auto task) mutable {
        if (!task.ok()) return reply.fail(error_of_source(task.error()));
        auto result = json::Value::object();
        result.set("TaskHandle", handle_of(*task, outside));
        reply.succeed(result);
    };
    call.commands.submit(std::move(command));
    return {};
}

Result<void, Error> cancel_message_move_task(Call& call) {
    TRY_ASSIGN(auto text, call.arguments.text("TaskHandle"));
    if (!text) return Failure{missing_parameter("TaskHandle")};
    auto handle = read_handle(*text);
    if (!handle) return Failure{invalid("Value for parameter TaskHandle is invalid.")};
    TRY(call.check(handle->source));
    call.commands.submit(broker::CancelMove{handle->source, handle->id, [reply = std::move(call.reply)](auto task) mutable {
                                                if (!task.ok()) return reply.fail(error_of_source(task.error()));
                                                auto result = json::Value::object();
                                                result.set("ApproximateNumberOfMessagesMoved", task->moved);
                                                reply.succeed(result);
                                            }});
    return {};
}

Result<void, Error> list_message_move_tasks(Call& call) {
    broker::ListMoves command;
    TRY_ASSIGN(command.source, read_source(call));
    TRY_ASSIGN(auto max, call.arguments.integer("MaxResults"));
    if (max && (*max < 1 || *max > 10))
        return Failure{invalid("Value for parameter MaxResults is invalid. Reason: You must enter a number that's between 1 and 10.")};
    command.max = static_cast<unsigned>(max.value_or(1));
    command.answer = [outside = call.names(), reply = std::move(call.reply)](auto tasks) mutable {
        if (!tasks.ok()) return reply.fail(error_of_source(tasks.error()));
        auto results = json::Value::array();
        for (const auto& task : *tasks) results.push(to_json(task, outside));
        auto result = json::Value::object();
        if (!results.elements().empty()) result.set("Results", std::move(results));
        reply.succeed(result);
    };
    call.commands.submit(std::move(command));
    return {};
}

}  // namespace forebay::sqs::action
