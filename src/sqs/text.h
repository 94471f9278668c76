#pragma once
// Which characters a message may hold: those XML 1.0 can. Source: SendMessage in the SQS API reference.

#include <string_view>

namespace forebay::sqs {

/// Whether UTF-8 text holds only #x9 #xA #xD #x20–#xD7FF #xE000–#xFFFD #x10000–#x10FFFF.
bool is_sendable(std::string_view utf8);

}  // namespace forebay::sqs
