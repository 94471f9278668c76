#pragma once
// What can be seen of a log line whoever wrote it: ours as JSON, logfmt or text, a program's in the guide's form, or anything.

#include <optional>
#include <string_view>

#include "base/time.h"

namespace forebay::cli {

/// When it was written, if it says so.
std::optional<Timestamp> time_of_line(std::string_view line);
/// Whether it tells that something went wrong: level warn or error, outcome retry or dead.
bool tells_failure(std::string_view line);

}  // namespace forebay::cli
