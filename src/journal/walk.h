#pragma once
// Goes through one segment the way a start does: which records count, which are missing, which of the
// missing were acknowledged, and what behind a hole may only be salvaged (FORMAT.md, "What a start does").

#include <cstdint>
#include <limits>

#include "base/unique_function.h"
#include "journal/scanner.h"

namespace forebay::journal {

struct WalkBounds {
    std::uint64_t from = 0;                                           ///< records below are not wanted
    std::uint64_t durable = 0;                                        ///< records below must be there
    std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();  ///< records from here on are void
};

/// Something that should be a valid frame and is not.
struct Hole {
    std::uint64_t from_offset = 0;
    std::uint64_t to_offset = 0;
    std::uint64_t missing_from = 0;  ///< positions; equal when none is known to be missing
    std::uint64_t missing_to = 0;
    bool acknowledged = false;  ///< some of it had been proven durable
};

struct WalkedRecord {
    ScannedRecord record;
    std::uint64_t position = 0;
    Timestamp written_at;
    bool salvaged = false;
};

struct WalkEnd {
    std::uint64_t offset = page_bytes;  ///< where the last valid frame ends
    std::uint64_t position = 0;         ///< above everything seen
    std::uint32_t last_crc = 0;
    std::uint64_t unreadable_pages = 0;
    bool has_holes = false;
};

/// False = enough: the walk ends there.
using OnRecord = UniqueFunction<bool(const WalkedRecord&)>;
using OnHole = UniqueFunction<void(const Hole&)>;

/// `size` is the length of the file. Nothing outside `bounds` is reported.
WalkEnd walk(disk::File& file, const SegmentHeader& segment, std::uint64_t size, WalkBounds bounds, OnRecord on_record, OnHole on_hole);

/// What the frame headers of a segment prove.
struct Proof {
    std::uint64_t durable_upto = 0;
    std::uint64_t seen_upto = 0;  ///< above every position in a header that holds
};
Proof survey(disk::File& file, const SegmentHeader& segment, std::uint64_t size);

}  // namespace forebay::journal
