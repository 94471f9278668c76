#pragma once
// What the queue port says no with: AWS's shapes, codes and statuses as one table, and its sentences.

#include <string>
#include <string_view>

#include "base/result.h"
#include "broker/broker.h"

namespace forebay::sqs {

enum class ErrorKind {
    queue_does_not_exist,
    queue_name_exists,
    queue_deleted_recently,
    purge_queue_in_progress,
    batch_entry_ids_not_distinct,
    batch_request_too_long,
    empty_batch_request,
    invalid_batch_entry_id,
    too_many_entries_in_batch_request,
    message_not_inflight,
    unsupported_operation,
    over_limit,
    resource_not_found,
    receipt_handle_is_invalid,
    invalid_attribute_name,
    invalid_attribute_value,
    invalid_message_contents,
    invalid_parameter_value,
    missing_parameter,
    invalid_action,
    unknown_operation,
    serialization,
    access_denied,
    missing_authentication_token,
    incomplete_signature,
    signature_does_not_match,
    invalid_client_token_id,
    request_expired,
    service_unavailable,
    internal_error,
};

/// One row of the table.
struct ErrorRow {
    ErrorKind kind;
    std::string_view shape;       ///< `__type` without its namespace
    std::string_view query_code;  ///< Query's <Code>, JSON's x-amzn-query-error
    unsigned status;
    bool is_modelled;    ///< its namespace is com.amazonaws.sqs, else com.amazon.coral.service
    bool senders_fault;  ///< Sender, or Receiver
};
const ErrorRow& row_of(ErrorKind kind);

struct Error {
    ErrorKind kind = ErrorKind::internal_error;
    std::string message;
};

Error queue_does_not_exist();
/// "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: …"
Error invalid_value(std::string_view value, std::string_view parameter, std::string_view reason);
Error missing_parameter(std::string_view name);
/// "Unknown Attribute X."
Error unknown_attribute(std::string_view name);
/// "The resource that you specified for the SourceArn parameter doesn't exist."
Error no_such_resource(std::string_view parameter);
Error invalid_handle(std::string_view handle);
/// Of a FIFO queue's message, whose lease has ended.
Error expired_handle(std::string_view handle);
Error message_too_long(std::uint64_t limit, bool in_batch);

/// What a broker's refusal is called here. `message_too_long` needs the queue's limit: see action/send.cpp.
Error error_of(broker::Refusal refusal);

}  // namespace forebay::sqs
