#pragma once
// Writing JSON text straight into one string, for the path every post takes.

#include <string>
#include <string_view>

#include "base/time.h"

namespace forebay::record {

/// `text` with quotes and escapes; the same bytes as json::append_string, faster for long texts.
void append_json_string(std::string& out, std::string_view text);
/// `2026-09-20T14:03:11.482Z`, as to_rfc3339 but without formatting machinery.
void append_timestamp(std::string& out, Timestamp at);
/// How many bytes from the start are neither a quote, a backslash nor a control character.
std::size_t plain_prefix(std::string_view text);
/// Whether `text` is a number as JSON writes it.
bool is_json_number(std::string_view text);

}  // namespace forebay::record
