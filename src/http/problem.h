#pragma once
// Errors as clients get them: application/problem+json (RFC 9457) with a plain sentence.

#include <string_view>

#include "http/message.h"

namespace forebay::http {

/// `code` is a word for programs, `detail` a sentence for people; both are escaped.
Response problem(unsigned status, std::string_view code, std::string_view detail);

}  // namespace forebay::http
