#include <algorithm>

#include "base/digest.h"
#include "sqs/action.h"
#include "sqs/fifo.h"
#include "sqs/message_attributes.h"

namespace forebay::sqs::action {
namespace {

using std::chrono::seconds;

/// Our own workers ask for the attempts noted with a message (D16); `All` does not include it.
constexpr std::string_view attempts_name = "ForebayAttempts";

/// What SQS knows of a message beside its own attributes.
constexpr std::string_view system_names[] = {"SenderId",
                                             "SentTimestamp",
                                             "ApproximateReceiveCount",
                                             "ApproximateFirstReceiveTimestamp",
                                             "SequenceNumber",
                                             "MessageDeduplicationId",
                                             "MessageGroupId",
                                             "AWSTraceHeader",
                                             "DeadLetterQueueSourceArn"};

/// What the caller wants to know of each message.
struct Wanted {
    std::vector<std::string> system;   ///< AttributeNames and MessageSystemAttributeNames
    std::vector<std::string> message;  ///< MessageAttributeNames
    std::optional<Names> outside;      ///< when system attributes are wanted
    bool is_fifo = false;
    bool has(std::string_view name) const {
        return std::any_of(system.begin(), system.end(), [&](auto& one) { return one == "All" || one == name; });
    }
    bool names(std::string_view name) const { return std::find(system.begin(), system.end(), name) != system.end(); }
};

Result<void, Error> check_system_names(const std::vector<std::string>& names) {
    for (auto& name : names) {
        bool known = name == "All" || name == attempts_name ||
                     std::find(std::begin(system_names), std::end(system_names), name) != std::end(system_names);
        if (!known) return Failure{unknown_attribute(name)};
    }
    return {};
}

Result<Wanted, Error> read_wanted(Call& call) {
    Wanted out;
    TRY_ASSIGN(out.system, call.arguments.texts("MessageSystemAttributeNames"));
    TRY_ASSIGN(auto old_names, call.arguments.texts("AttributeNames"));
    out.system.insert(out.system.end(), old_names.begin(), old_names.end());
    TRY(check_system_names(out.system));
    TRY_ASSIGN(out.message, call.arguments.texts("MessageAttributeNames"));
    if (!out.system.empty()) out.outside = call.names();
    return out;
}

/// A number between bounds, both included, with AWS's sentence.
Result<std::optional<std::int64_t>, Error> bounded(Arguments& of, std::string_view name, std::int64_t least, std::int64_t most,
                                                   std::string_view rule) {
    TRY_ASSIGN(auto number, of.integer(name));
    if (number && (*number < least || *number > most)) return Failure{invalid_value(std::to_string(*number), name, rule)};
    return number;
}

std::optional<Duration> as_duration(std::optional<std::int64_t> number) {
    return number ? std::optional<Duration>(seconds(*number)) : std::nullopt;
}

Result<broker::Receive, Error> read_receive(Arguments& of, std::string queue, unsigned most) {
    broker::Receive out;
    out.queue = std::move(queue);
    auto rule = "Must be between 1 and " + std::to_string(most) + ", if provided.";
    TRY_ASSIGN(auto max, bounded(of, "MaxNumberOfMessages", 1, most, rule));
    out.max_messages = static_cast<unsigned>(max.value_or(1));
    TRY_ASSIGN(auto wait, bounded(of, "WaitTimeSeconds", 0, 20, "Must be >= 0 and <= 20, if provided."));
    out.wait = as_duration(wait);
    TRY_ASSIGN(auto visibility, bounded(of, "VisibilityTimeout", 0, 43200, "Must be >= 0 and <= 43200, if provided."));
    out.visibility = as_duration(visibility);
    if (is_fifo_name(out.queue)) {
        TRY_ASSIGN(auto attempt, read_id(of, "ReceiveRequestAttemptId"));
        out.attempt = std::move(attempt).value_or("");
    }
    return out;
}

std::string text_of(Timestamp at) { return std::to_string(at.ms); }

json::Value system_attributes(const queue::Delivery& message, const Wanted& wanted) {
    auto out = json::Value::object();
    auto put = [&](std::string_view name, std::string value) {
        if (wanted.has(name)) out.set(name, std::move(value));
    };
    put("SenderId", wanted.outside->account());
    put("SentTimestamp", text_of(message.sent_at));
    put("ApproximateReceiveCount", std::to_string(message.receive_count));
    put("ApproximateFirstReceiveTimestamp", text_of(message.first_received_at));
    if (wanted.is_fifo) put("SequenceNumber", sequence_number(message.receipt.sequence));
    if (!message.deduplication.empty()) put("MessageDeduplicationId", message.deduplication);
    if (!message.group.empty()) put("MessageGroupId", message.group);
    if (!message.dead_letter_source.empty()) put("DeadLetterQueueSourceArn", wanted.outside->arn_of(message.dead_letter_source));
    for (auto& attribute : message.system_attributes) put(attribute.name, attribute.value);
    if (wanted.names(attempts_name)) out.set(attempts_name, std::to_string(message.attempts));
    return out;
}

void put_message_attributes(json::Value& out, queue::Delivery& message, const Wanted& wanted) {
    auto& attributes = message.attributes;
    std::erase_if(attributes, [&](auto& attribute) { return !is_asked_for(attribute.name, wanted.message); });
    if (attributes.empty()) return;
    out.set("MD5OfMessageAttributes", *md5_of(attributes));
    out.set("MessageAttributes", to_json(attributes));
}

json::Value to_json(const broker::Commands& commands, queue::Delivery message, const Wanted& wanted) {
    auto out = json::Value::object();
    out.set("MessageId", to_text(message.id));
    out.set("ReceiptHandle", commands.handle_of(message.receipt));
    out.set("MD5OfBody", to_hex(md5(message.body)));
    out.set("Body", std::move(message.body));
    if (wanted.outside) {
        auto attributes = system_attributes(message, wanted);
        if (!attributes.members().empty()) out.set("Attributes", std::move(attributes));
    }
    put_message_attributes(out, message, wanted);
    return out;
}

/// What to do when nobody got these messages: they are there again at once, as if they had not been received.
UniqueFunction<void()> give_back(broker::Commands& commands, std::string queue, const std::vector<queue::Delivery>& messages) {
    if (messages.empty()) return {};
    std::vector<broker::VisibilityChange> changes;
    for (const auto& message : messages) changes.push_back({message.receipt, Duration(0), true, std::nullopt});
    return [&commands, queue = std::move(queue), changes = std::move(changes)]() mutable {
        commands.submit(broker::ChangeVisibility{std::move(queue), std::move(changes), {}});
    };
}

}  // namespace

Result<void, Error> receive_message(Call& call) {
    TRY_ASSIGN(auto queue, call.queue());
    TRY_ASSIGN(auto most, call.entries_max());
    TRY_ASSIGN(auto receive, read_receive(call.arguments, std::move(queue), most));
    TRY_ASSIGN(auto wanted, read_wanted(call));
    wanted.is_fifo = is_fifo_name(receive.queue);
    receive.still_wanted = call.reply.connection_probe();
    auto& commands = call.commands;
    call.reply.forget_request();  // it may wait for long, and many do
    // Under its attempt id a receive may have been repeated by now, and whoever did that has the messages under the same handles.
    const bool may_be_repeated = !receive.attempt.empty();
    receive.answer = [&commands, reply = std::move(call.reply), wanted = std::move(wanted), queue = receive.queue,
                      may_be_repeated](auto received) mutable {
        if (!received.ok()) return reply.fail(received.error());
        auto on_undelivered = may_be_repeated ? UniqueFunction<void()>() : give_back(commands, std::move(queue), *received);
        auto messages = json::Value::array();
        for (auto& message : *received) messages.push(to_json(commands, std::move(message), wanted));
        auto result = json::Value::object();
        if (!messages.elements().empty()) result.set("Messages", std::move(messages));
        reply.succeed(result, std::move(on_undelivered));
    };
    commands.submit(std::move(receive));
    return {};
}

}  // namespace forebay::sqs::action
