#pragma once
// One segment file: its name and its header page (FORMAT.md, "Segment").

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "disk/disk.h"

namespace forebay::journal {

struct SegmentHeader {
    std::uint32_t boot_epoch = 0;
    Uuid store;
    std::uint64_t number = 0;
    std::uint64_t salt = 0;
    std::uint64_t base = 0;
    std::uint64_t resumes_at = 0;
    std::uint64_t proven_upto = 0;
    Timestamp created_at;
    std::uint32_t previous_crc = 0;
    std::uint64_t segment_bytes = 0;
    bool recycled = false;  ///< the unused end may hold bytes of an earlier life of the file
    bool rebuilt = false;   ///< both copies were bad: read from the first frame instead; `store` is unknown
};

/// `log-000000000000000c.seg` and back; other names are nothing.
std::string segment_name(std::uint64_t number);
std::optional<std::uint64_t> segment_number(std::string_view name);
std::string spare_name(std::uint64_t number);
std::optional<std::uint64_t> spare_number(std::string_view name);
/// Sixteen digits, so that names sort as numbers do.
std::string to_hex16(std::uint64_t number);
/// The number between `prefix` and `suffix`, written with sixteen digits.
std::optional<std::uint64_t> number_in(std::string_view name, std::string_view prefix, std::string_view suffix);

/// The header page: both copies and zeros, 4096 bytes.
std::string header_page(const SegmentHeader& header);
/// The copy that was written at `copy_offset`, if it holds.
std::optional<SegmentHeader> parse_header_copy(std::string_view bytes, std::uint64_t copy_offset);

struct UnreadableSegment {
    std::string why;  ///< a sentence for the report
    bool newer_version = false;
};
/// Reads the header of a segment: either copy, else what its first frame says.
Result<SegmentHeader, UnreadableSegment> read_header(disk::File& file);

}  // namespace forebay::journal
