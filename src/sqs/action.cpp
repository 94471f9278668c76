#include "sqs/action.h"

#include <algorithm>
#include <charconv>

#include "queue/limits.h"

namespace forebay::sqs {
namespace {

constexpr bool result = true, no_result = false, service_only = false;

constexpr Action table[] = {
    {"SendMessage", action::send_message, Verb::send},
    {"ReceiveMessage", action::receive_message, Verb::receive},
    {"DeleteMessage", action::delete_message, Verb::remove, no_result},
    {"SendMessageBatch", action::send_message_batch, Verb::send},
    {"DeleteMessageBatch", action::delete_message_batch, Verb::remove},
    {"ChangeMessageVisibility", action::change_message_visibility, Verb::receive, no_result},
    {"ChangeMessageVisibilityBatch", action::change_message_visibility_batch, Verb::receive},
    {"CreateQueue", action::create_queue, Verb::admin, result, service_only},
    {"GetQueueUrl", action::get_queue_url, Verb::look},
    {"ListQueues", action::list_queues, Verb::look, result, service_only},
    {"DeleteQueue", action::delete_queue, Verb::admin, no_result},
    {"PurgeQueue", action::purge_queue, Verb::admin, no_result},
    {"GetQueueAttributes", action::get_queue_attributes, Verb::look},
    {"SetQueueAttributes", action::set_queue_attributes, Verb::admin, no_result},
    {"ListDeadLetterSourceQueues", action::list_dead_letter_source_queues, Verb::look},
    {"TagQueue", action::tag_queue, Verb::admin, no_result},
    {"UntagQueue", action::untag_queue, Verb::admin, no_result},
    {"ListQueueTags", action::list_queue_tags, Verb::look},
    {"AddPermission", action::add_permission, Verb::admin, no_result},
    {"RemovePermission", action::remove_permission, Verb::admin, no_result},
    {"StartMessageMoveTask", action::start_message_move_task, Verb::admin},
    {"CancelMessageMoveTask", action::cancel_message_move_task, Verb::admin},
    {"ListMessageMoveTasks", action::list_message_move_tasks, Verb::look},
};

Error not_a_clients(std::string_view queue) {
    return {ErrorKind::access_denied,
            "The queue " + std::string(queue) + " is Forebay's own and is not reached through this API: see \"forebay rejects\"."};
}

}  // namespace

std::span<const Action> actions() { return table; }

const Action* find_action(std::string_view name) {
    auto found = std::find_if(std::begin(table), std::end(table), [&](auto& row) { return row.name == name; });
    return found == std::end(table) ? nullptr : found;
}

Result<std::string, Error> Call::queue() {
    TRY_ASSIGN(auto url, arguments.text("QueueUrl"));
    std::string name(name_of_url(url && !url->empty() ? std::string_view(*url) : request.path));
    if (name.empty()) return Failure{url && !url->empty() ? queue_does_not_exist() : missing_parameter("QueueUrl")};
    if (!is_queue_name(name)) return Failure{queue_does_not_exist()};
    TRY(check(name));
    return name;
}

Result<void, Error> Call::check(std::string_view queue) { return check({action.name, action.verb, queue}); }
Result<void, Error> Call::check_target(std::string_view queue) { return check({"SendMessage", Verb::send, queue}); }

Result<void, Error> Call::check(const Wish& wish) {
    if (options.is_own(wish.queue)) return Failure{not_a_clients(wish.queue)};
    if (gate.may(caller, wish)) return {};
    return Failure{gate.refusal(caller, wish, names().arn_of(wish.queue))};
}

Result<unsigned, Error> Call::entries_max() const {
    auto given = request.find("x-forebay-batch");
    if (given.empty()) return queue::limits::batch_entries_max;
    unsigned number = 0;
    auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), number);
    bool is_number = error == std::errc() && end == given.data() + given.size();
    if (is_number && number >= 1 && number <= queue::limits::own_batch_max) return number;
    return Failure{invalid_value(given, "x-forebay-batch", "Must be between 1 and 100, if provided.")};
}

std::function<bool(std::string_view)> Call::may_see() const {
    return [options = options, &gate = gate, caller = caller](std::string_view queue) {
        return !options.is_own(queue) && gate.may(caller, {"GetQueueUrl", Verb::look, queue});
    };
}

}  // namespace forebay::sqs
