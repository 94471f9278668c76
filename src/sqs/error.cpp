#include "sqs/error.h"

#include <algorithm>
#include <iterator>

namespace forebay::sqs {
namespace {

constexpr bool modelled = true, coral = false, sender = true, receiver = false;

constexpr ErrorRow rows[] = {
    {ErrorKind::queue_does_not_exist, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", 400, modelled, sender},
    {ErrorKind::queue_name_exists, "QueueNameExists", "QueueAlreadyExists", 400, modelled, sender},
    {ErrorKind::queue_deleted_recently, "QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently", 400, modelled, sender},
    {ErrorKind::purge_queue_in_progress, "PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress", 403, modelled, sender},
    {ErrorKind::batch_entry_ids_not_distinct, "BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400, modelled,
     sender},
    {ErrorKind::batch_request_too_long, "BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", 400, modelled, sender},
    {ErrorKind::empty_batch_request, "EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", 400, modelled, sender},
    {ErrorKind::invalid_batch_entry_id, "InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", 400, modelled, sender},
    {ErrorKind::too_many_entries_in_batch_request, "TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
     400, modelled, sender},
    {ErrorKind::message_not_inflight, "MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", 400, modelled, sender},
    {ErrorKind::unsupported_operation, "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", 400, modelled, sender},
    {ErrorKind::over_limit, "OverLimit", "OverLimit", 403, modelled, sender},
    {ErrorKind::resource_not_found, "ResourceNotFoundException", "ResourceNotFoundException", 404, modelled, sender},
    {ErrorKind::receipt_handle_is_invalid, "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 400, modelled, sender},
    {ErrorKind::invalid_attribute_name, "InvalidAttributeName", "InvalidAttributeName", 400, modelled, sender},
    {ErrorKind::invalid_attribute_value, "InvalidAttributeValue", "InvalidAttributeValue", 400, modelled, sender},
    {ErrorKind::invalid_message_contents, "InvalidMessageContents", "InvalidMessageContents", 400, modelled, sender},
    {ErrorKind::invalid_parameter_value, "InvalidParameterValueException", "InvalidParameterValue", 400, coral, sender},
    {ErrorKind::missing_parameter, "MissingRequiredParameterException", "MissingParameter", 400, coral, sender},
    {ErrorKind::invalid_action, "InvalidAction", "InvalidAction", 400, coral, sender},
    {ErrorKind::unknown_operation, "UnknownOperationException", "InvalidAction", 400, coral, sender},
    {ErrorKind::serialization, "SerializationException", "MalformedInput", 400, coral, sender},
    {ErrorKind::access_denied, "AccessDeniedException", "AccessDenied", 403, coral, sender},
    {ErrorKind::missing_authentication_token, "MissingAuthenticationTokenException", "MissingAuthenticationToken", 403, coral, sender},
    {ErrorKind::incomplete_signature, "IncompleteSignatureException", "IncompleteSignature", 400, coral, sender},
    {ErrorKind::signature_does_not_match, "InvalidSignatureException", "SignatureDoesNotMatch", 403, coral, sender},
    {ErrorKind::invalid_client_token_id, "UnrecognizedClientException", "InvalidClientTokenId", 403, coral, sender},
    {ErrorKind::request_expired, "RequestExpiredException", "RequestExpired", 400, coral, sender},
    {ErrorKind::service_unavailable, "ServiceUnavailable", "ServiceUnavailable", 503, coral, receiver},
    {ErrorKind::internal_error, "InternalFailure", "InternalError", 500, coral, receiver},
};

constexpr bool rows_are_in_order() {
    for (std::size_t i = 0; i < std::size(rows); ++i)
        if (rows[i].kind != static_cast<ErrorKind>(i)) return false;
    return std::size(rows) == static_cast<std::size_t>(ErrorKind::internal_error) + 1;
}
static_assert(rows_are_in_order());

}  // namespace

const ErrorRow& row_of(ErrorKind kind) { return rows[static_cast<std::size_t>(kind)]; }

Error queue_does_not_exist() { return {ErrorKind::queue_does_not_exist, "The specified queue does not exist."}; }

Error invalid_value(std::string_view value, std::string_view parameter, std::string_view reason) {
    std::string message = "Value ";
    message.append(value.substr(0, 256)).append(" for parameter ").append(parameter).append(" is invalid. Reason: ").append(reason);
    return {ErrorKind::invalid_parameter_value, std::move(message)};
}

Error missing_parameter(std::string_view name) {
    return {ErrorKind::missing_parameter, "The request must contain the parameter " + std::string(name) + "."};
}

Error unknown_attribute(std::string_view name) {
    return {ErrorKind::invalid_attribute_name, "Unknown Attribute " + std::string(name.substr(0, 256)) + "."};
}

Error no_such_resource(std::string_view parameter) {
    return {ErrorKind::resource_not_found,
            "The resource that you specified for the " + std::string(parameter) + " parameter doesn't exist."};
}

Error invalid_handle(std::string_view handle) {
    return {ErrorKind::receipt_handle_is_invalid,
            "The input receipt handle \"" + std::string(handle.substr(0, 1024)) + "\" is not a valid receipt handle."};
}

Error expired_handle(std::string_view handle) { return invalid_value(handle, "ReceiptHandle", "The receipt handle has expired."); }

Error message_too_long(std::uint64_t limit, bool in_batch) {
    return {ErrorKind::invalid_parameter_value, std::string("One or more parameters ") +
                                                    (in_batch ? "cannot be validated" : "are invalid") +
                                                    ". Reason: Message must be shorter than " + std::to_string(limit) + " bytes."};
}

Error error_of(broker::Refusal refusal) {
    using broker::Refusal;
    switch (refusal) {
        case Refusal::no_such_queue:
            return queue_does_not_exist();
        case Refusal::queue_exists:
            return {ErrorKind::queue_name_exists, "A queue already exists with the same name and different attributes."};
        case Refusal::queue_is_declared:
            return {ErrorKind::unsupported_operation,
                    "This queue is declared in the configuration of Forebay and carries records: it cannot be deleted, purged or changed "
                    "through the API."};
        case Refusal::queue_keeps_records:
            return {ErrorKind::unsupported_operation,
                    "This queue was declared in the configuration of Forebay and is not any more: what it holds is kept. It can be deleted "
                    "once it is empty, and is not purged or changed through the API."};
        case Refusal::queue_deleted_recently:
            return {ErrorKind::queue_deleted_recently,
                    "You must wait 60 seconds after deleting a queue before you can create another with the same name."};
        case Refusal::purge_in_progress:
            return {ErrorKind::purge_queue_in_progress, "Only one PurgeQueue operation is allowed every 60 seconds."};
        case Refusal::message_too_long:
            return message_too_long(1048576, false);
        case Refusal::too_many_in_flight:
            return {ErrorKind::over_limit, "Too many messages in flight: the limit is 120000."};
        case Refusal::invalid_receipt:
            return {ErrorKind::receipt_handle_is_invalid, "The input receipt handle is not a valid receipt handle of this queue."};
        case Refusal::not_in_flight:
            return {ErrorKind::message_not_inflight, "The message referred to isn't in flight."};
        case Refusal::visibility_too_long:
            return {ErrorKind::invalid_parameter_value,
                    "Value for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit "
                    "[43200 seconds]."};
        case Refusal::receipt_expired:
            return {ErrorKind::invalid_parameter_value,
                    "Value for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."};
        case Refusal::group_missing:
            return missing_parameter("MessageGroupId");
        case Refusal::deduplication_missing:
            return {ErrorKind::invalid_parameter_value,
                    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"};
        case Refusal::deduplication_full:
            return {ErrorKind::service_unavailable,
                    "More deduplication ids within five minutes than the queue remembers. Nothing was changed: try again."};
        case Refusal::invalid_attribute:
            return {ErrorKind::invalid_parameter_value,
                    "Value for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist."};
        case Refusal::overloaded:
            return {ErrorKind::service_unavailable, "The queue has more requests waiting than it takes. Nothing was changed: try again."};
        case Refusal::no_room:
            return {ErrorKind::service_unavailable,
                    "The disk is full: nothing can be added until there is room. Nothing was changed: try again later."};
        case Refusal::not_a_dead_letter_queue:
            return {ErrorKind::invalid_parameter_value, "Source queue must be configured as a Dead Letter Queue."};
        case Refusal::same_queue:
            return {ErrorKind::invalid_parameter_value, "Source queue arn and destination queue arn cannot be the same."};
        case Refusal::no_such_destination:
            return no_such_resource("DestinationArn");
        case Refusal::other_kind_of_queue:
            return {ErrorKind::invalid_parameter_value, "The source queue and destination queue must be of the same queue type."};
        case Refusal::would_lose_records:
            return {ErrorKind::unsupported_operation,
                    "The source queue carries records of Forebay and the destination queue does not: what is there may expire or be "
                    "purged. An operator may move them: forebay queue redrive."};
        case Refusal::move_is_running:
            return {ErrorKind::unsupported_operation,
                    "There is already a task running. Only one active task is allowed for a source queue arn at a given time."};
        case Refusal::too_many_moves:
            return {ErrorKind::over_limit, "Too many message move tasks are running: the limit is 100."};
        case Refusal::no_such_move:
            return {ErrorKind::resource_not_found, "Task does not exist."};
        case Refusal::move_has_ended:
            return {ErrorKind::resource_not_found, "Task does not exist or is not running: only a running task can be cancelled."};
        case Refusal::stopping:
            return {ErrorKind::service_unavailable, "The queue is stopping. Nothing was changed: try again."};
        case Refusal::journal_fault:
            return {ErrorKind::service_unavailable, "The log could not be made durable; whether this was done is unknown: try again."};
    }
    return {};
}

}  // namespace forebay::sqs
