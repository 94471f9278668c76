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
/// What --since and --from take: `2h` ago, or a date with or without time.
std::optional<Timestamp> parse_moment(std::string_view text, Timestamp now);

}  // namespace forebay::cli
