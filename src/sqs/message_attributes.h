#pragma once
// A message's own attributes on the wire: reading them with SQS's rules, their digest, choosing the ones a
// receiver asked for, and writing them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "queue/message.h"
#include "sqs/arguments.h"

namespace forebay::sqs {

using MessageAttributes = std::vector<queue::MessageAttribute>;

/// Errors: invalid_parameter_value with AWS's sentences, invalid_message_contents, serialization.
Result<MessageAttributes, Error> read_message_attributes(Arguments& of);
/// Only AWSTraceHeader, a String, can be sent.
Result<MessageAttributes, Error> read_system_attributes(Arguments& of);

/// AWS's digest of attributes: each, in order of names, as name, type (u32 big-endian length before each), 1 for text or
/// 2 for bytes, and the value with its length. Hexadecimal; nothing if there are none.
std::optional<std::string> md5_of(const MessageAttributes& attributes);
/// What attributes count for in a message's size: names, types and values.
std::uint64_t bytes_of(const MessageAttributes& attributes);

/// Whether a receiver who asked for `names` wants it: `All`, `.*`, a name, or `prefix.*`.
bool is_asked_for(std::string_view attribute, const std::vector<std::string>& names);
json::Value to_json(const MessageAttributes& attributes);

}  // namespace forebay::sqs
