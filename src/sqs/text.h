#pragma once
// Texts as SQS reads them: which characters a message may hold (those XML 1.0 can; source: SendMessage in the SQS API
// reference), numbers, and names in lower case.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace forebay::sqs {

/// Whether UTF-8 text holds only #x9 #xA #xD #x20–#xD7FF #xE000–#xFFFD #x10000–#x10FFFF.
bool is_sendable(std::string_view utf8);

/// The whole text as a number; nothing if it is none.
std::optional<std::int64_t> integer_of(std::string_view text);

/// Letters of ASCII only.
std::string lower(std::string_view text);

}  // namespace forebay::sqs
