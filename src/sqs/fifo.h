#pragma once
// What FIFO queues have on the wire: ids of groups, of deduplication and of receive attempts, and sequence numbers.

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "queue/message.h"
#include "sqs/arguments.h"
#include "sqs/error.h"

namespace forebay::sqs {

/// The id that member `name` gives; nothing if it is absent. 1 to 128 of ASCII's letters, digits and punctuation.
/// Errors: invalid_parameter_value.
Result<std::optional<std::string>, Error> read_id(Arguments& of, std::string_view name);

/// A member that queues of the other kind have.
Error not_for_this_queue_type(std::string_view value, std::string_view name);

/// 20 digits, as AWS's have, that grow with every message of a queue.
std::string sequence_number(queue::Sequence sequence);

}  // namespace forebay::sqs
