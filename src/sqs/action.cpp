#include "sqs/action.h"

#include <algorithm>

namespace forebay::sqs {
namespace {

constexpr bool result = true, no_result = false, service_only = false;

constexpr Action table[] = {
    {"SendMessage", action::send_message},
    {"ReceiveMessage", action::receive_message},
    {"DeleteMessage", action::delete_message, no_result},
    {"SendMessageBatch", action::send_message_batch},
    {"DeleteMessageBatch", action::delete_message_batch},
    {"ChangeMessageVisibility", action::change_message_visibility, no_result},
    {"ChangeMessageVisibilityBatch", action::change_message_visibility_batch},
    {"CreateQueue", action::create_queue, result, service_only},
    {"GetQueueUrl", action::get_queue_url},
    {"ListQueues", action::list_queues, result, service_only},
    {"DeleteQueue", action::delete_queue, no_result},
    {"PurgeQueue", action::purge_queue, no_result},
    {"GetQueueAttributes", action::get_queue_attributes},
    {"SetQueueAttributes", action::set_queue_attributes, no_result},
    {"ListDeadLetterSourceQueues", action::list_dead_letter_source_queues},
    {"TagQueue", action::tag_queue, no_result},
    {"UntagQueue", action::untag_queue, no_result},
    {"ListQueueTags", action::list_queue_tags},
    {"AddPermission", action::not_in_this_version, no_result},
    {"RemovePermission", action::not_in_this_version, no_result},
    {"StartMessageMoveTask", action::start_message_move_task},
    {"CancelMessageMoveTask", action::cancel_message_move_task},
    {"ListMessageMoveTasks", action::list_message_move_tasks},
};

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
    TRY(check_is_clients(options, name));
    return name;
}

Result<void, Error> check_is_clients(const ApiOptions& options, std::string_view queue) {
    if (!options.is_own(queue)) return {};
    return Failure{Error{ErrorKind::access_denied, "The queue " + std::string(queue) +
                                                       " is Forebay's own and is not reached through this API: see \"forebay rejects\"."}};
}

namespace action {

Result<void, Error> not_in_this_version(Call&) {
    return Failure{Error{ErrorKind::unsupported_operation, "Permissions are not in this version of Forebay."}};
}

}  // namespace action
}  // namespace forebay::sqs
