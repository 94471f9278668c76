#pragma once
// Sealed segments with some bytes replaced by others that have the same checksum: how a record is erased. A copy is written beside the
// segment; the owner of the log then gives it the segment's name (Journal::replace), so a crash leaves the one or the other.

#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_function.h"
#include "disk/disk.h"
#include "journal/journal.h"

namespace forebay::journal {

struct Patch {
    std::uint64_t offset = 0;
    std::string bytes;
};

/// Every record in the files of the log, live and history, oldest segment first: also those that do not count any more, since a
/// later segment holds them again. `visit` says whether to go on.
Result<void, disk::Error> visit_everything(disk::Disk& disk, UniqueFunction<bool(const Entry&)> visit);

/// Writes the copy, durable when it returns. What lies behind the last record becomes zeros, so that nothing of an earlier life of the
/// file is left. The segment must not be the active one, nor be dropped meanwhile.
Result<void, disk::Error> write_replacement(disk::Disk& disk, SegmentNumber segment, const std::vector<Patch>& patches);

/// Where the copy lies: beside the segment in `directory` ("" or "history").
std::string replacement_path(std::string_view directory, std::uint64_t number);

}  // namespace forebay::journal
