#pragma once
// Personal data on a screen: enough to recognise, not enough to read.

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace forebay::cli {

/// `j***@example.com`, `***4567`, `J***`.
std::string masked(std::string_view text);

/// The members of a record's fields, those named in `names` masked.
json::Value mask_fields(const json::Value& fields, const std::vector<std::string>& names);

}  // namespace forebay::cli
