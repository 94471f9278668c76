#pragma once
// Figures as people read them in a table.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace forebay::cli {

/// `0.4s`, `42s`, `14m02s`, `6h04m`, `6d04h`.
std::string age_text(Duration age);
/// `41,882`
std::string grouped(std::uint64_t n);
/// `182GiB`, `41.2GiB`, `512B`: three digits at most.
std::string about_size(std::uint64_t bytes);
/// `1 record`, `2 records`
std::string counted(std::uint64_t n, std::string_view what);
/// `14:03:11` of today, else `2026-09-20 14:03:11` (UTC).
std::string moment_text(Timestamp at, Timestamp now);
/// Control characters written as \x1b: what a stranger posted must not move the cursor of who looks at it.
std::string printable(std::string_view text);
/// At most so many characters, the last one `…` where something was left out.
std::string shortened(std::string_view text, std::size_t most);
/// What --since and --from take: `2h` ago, or a date with or without time.
std::optional<Timestamp> parse_moment(std::string_view text, Timestamp now);

}  // namespace forebay::cli
