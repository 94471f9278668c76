#pragma once
// Bytes set aside for a person to look at: un-acknowledged tails, damaged ranges, damaged segments. At most sixteen
// tails are kept, and of the others as many as the bounds allow: the oldest goes first, and the log says so.

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "disk/disk.h"

namespace forebay::journal {

inline constexpr std::size_t damage_files_max = 64;
inline constexpr std::uint64_t damage_bytes_max = 1_GiB;

/// Highest segment number that a name in quarantine/ carries, 0 if none.
Result<std::uint64_t, disk::Error> highest_quarantined(disk::Disk& disk);

/// Copies [from, to) of a segment to quarantine/KIND-SEGMENT-OFFSET and syncs it; one that exists already is kept.
/// Bytes that cannot be read are zeros in the copy. Returns the path.
Result<std::string, disk::Error> set_aside(disk::Disk& disk, disk::File& file, const std::string& kind, std::uint64_t segment,
                                           std::uint64_t from, std::uint64_t to);

/// Removes the oldest damaged ranges and segments beyond the bounds, all but the newest, each with a line in the log; how many went.
Result<unsigned, disk::Error> bound_damage(disk::Disk& disk, std::size_t files_max = damage_files_max,
                                           std::uint64_t bytes_max = damage_bytes_max);

}  // namespace forebay::journal
