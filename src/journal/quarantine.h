#pragma once
// Bytes set aside for a person to look at: un-acknowledged tails and damaged ranges. At most sixteen
// tails are kept, the oldest goes first; damage is kept until somebody removes it.

#include <cstdint>
#include <string>

#include "disk/disk.h"

namespace forebay::journal {

/// Highest segment number that a name in quarantine/ carries, 0 if none.
Result<std::uint64_t, disk::Error> highest_quarantined(disk::Disk& disk);

/// Copies [from, to) of a segment to quarantine/KIND-SEGMENT-OFFSET and syncs it; one that exists already is kept.
/// Bytes that cannot be read are zeros in the copy. Returns the path.
Result<std::string, disk::Error> set_aside(disk::Disk& disk, disk::File& file, const std::string& kind, std::uint64_t segment,
                                           std::uint64_t from, std::uint64_t to);

}  // namespace forebay::journal
