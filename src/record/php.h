#pragma once
// PHP's serialize() format, for arrays and scalars only. Objects and references are refused outright: a
// reader of somebody else's bytes must not be able to name a class. FORMAT.md says how JSON and PHP map.

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace forebay::record {

/// What serialize(json_decode($text, true)) gives for the same value.
std::string to_php(const json::Value& value);
/// The error is a sentence with the byte where reading stopped.
Result<json::Value, std::string> from_php(std::string_view text);

}  // namespace forebay::record
