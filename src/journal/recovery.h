#pragma once
// What a start does with what it finds (FORMAT.md): reads the headers, replays what is durable, collects
// what is doubtful, sets damage aside, and says where the new segment must begin. Writes nothing but
// quarantine/.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "disk/disk.h"
#include "journal/commit_mark.h"
#include "journal/journal.h"
#include "journal/segment.h"

namespace forebay::journal {

struct LiveSegment {
    SegmentHeader header;
    std::uint64_t bytes = 0;  ///< length of the file
};

/// A valid record that was never proven durable; goes into the new segment.
struct Doubtful {
    std::uint8_t type = 0;
    std::uint8_t flags = 0;
    bool salvaged = false;
    std::string body;
};

struct Recovered {
    std::map<std::uint64_t, LiveSegment> live;
    std::vector<std::uint64_t> leftovers;  ///< below the caller's first segment: still to be dropped
    std::vector<std::uint64_t> unreadable;
    std::optional<Uuid> store;
    std::uint32_t boot_epoch = 1;  ///< of this start
    std::uint64_t next_segment = 1;
    std::uint64_t resumes_at = 0;     ///< D: everything below is durable where it is
    std::uint64_t next_position = 0;  ///< above everything seen anywhere
    std::uint32_t previous_crc = 0;
    std::vector<Doubtful> doubtful;
    std::optional<std::uint64_t> shorten_last_to;  ///< the last segment has nothing behind this that is worth keeping
    OpenReport report;
};

struct RecoveryRequest {
    std::uint64_t from = 0;
    std::uint64_t first_segment = 0;
    std::uint64_t unsynced_bytes_max = 0;  ///< how far an un-acknowledged tail can reach
    std::optional<Mark> mark;
};

/// `replay` gets every durable record from `from` on.
Result<Recovered, OpenError> recover(disk::Disk& disk, const RecoveryRequest& request, Journal::Replay& replay);

}  // namespace forebay::journal
