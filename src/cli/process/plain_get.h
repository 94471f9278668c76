#pragma once
// One GET over a connection of its own, for the parent, which asks its node every second: a whole client would cost it more memory
// than everything else it does.

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "cli/config/configuration.h"

namespace forebay::cli {

inline constexpr std::size_t plain_answer_bytes_max = 4 * 1024 * 1024;

/// The body of a 200. The error says why there is none: nobody listens, another status, no answer in time. An address that
/// means all of them is asked at this machine's own.
Result<std::string, std::string> plain_get(const Listen& from, std::string_view path, Duration at_most);

}  // namespace forebay::cli
