#pragma once
// How records and frames lie in a segment (FORMAT.md): building a frame in one reused buffer, and
// checking headers, payloads and single records. Knows no files.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace forebay::journal {

constexpr std::uint64_t page_bytes = 4096;
constexpr std::uint64_t frame_alignment = 512;
constexpr std::size_t frame_header_bytes = 64;
constexpr std::size_t record_header_bytes = 24;
constexpr std::uint32_t frame_magic = 0x54424246;  // "FBBT"

constexpr std::uint64_t round_up(std::uint64_t n, std::uint64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

/// What makes a checksum belong to one place of one life of one file.
std::uint32_t seed_of(std::uint64_t salt, std::uint64_t offset);

struct FrameHeader {
    std::uint64_t first = 0;  ///< position of the first record
    std::uint32_t count = 0;
    std::uint32_t payload_bytes = 0;
    std::uint64_t durable_upto = 0;
    std::uint32_t previous_crc = 0;
    std::uint32_t payload_crc = 0;
    Timestamp written_at;
    std::uint32_t boot_epoch = 0;
    std::uint32_t segment = 0;
    std::uint64_t salt = 0;

    std::uint64_t end() const { return first + count; }
    std::uint64_t bytes() const { return frame_header_bytes + payload_bytes; }
};

/// The header at `offset`, if its magic and checksum hold for the salt that the header itself names.
/// Whether that is the salt of the segment is for the caller to ask.
std::optional<FrameHeader> parse_frame_header(std::string_view bytes, std::uint64_t offset);
bool payload_holds(const FrameHeader& header, std::string_view payload, std::uint64_t offset);

struct RecordHeader {
    std::uint32_t body_bytes = 0;
    std::uint32_t index = 0;  ///< position minus the segment's base
    std::uint8_t type = 0;
    std::uint8_t flags = 0;
    std::uint8_t codec = 0;
    std::uint8_t marks = 0;
    std::uint64_t key_id = 0;

    bool is_salvaged() const { return (marks & 1) != 0; }
    bool is_readable() const { return codec == 0 && key_id == 0; }
    std::uint64_t bytes() const { return record_header_bytes + body_bytes; }
    std::uint64_t padded_bytes() const { return round_up(bytes(), 8); }
};

/// The header at the start of `bytes`, unchecked; nothing if it or its body does not fit in them.
std::optional<RecordHeader> parse_record_header(std::string_view bytes);
/// Whether header and body match their checksum; `offset` is where the record lies in its file.
bool record_holds(const RecordHeader& header, std::string_view bytes, std::uint64_t salt, std::uint64_t offset);

/// The frame that is being filled. One buffer, reused from frame to frame.
class FrameBuilder {
  public:
    /// An empty frame at `offset` of the segment with this salt and base.
    void begin(std::uint64_t salt, std::uint32_t segment, std::uint64_t base, std::uint64_t offset, std::uint64_t first);
    /// Adds a record and returns its offset in the file.
    std::uint64_t append(std::uint8_t type, std::uint8_t flags, bool salvaged, std::string_view body);
    /// Adds the preamble: a record that has no position of its own.
    void append_preamble(std::string_view body);
    /// Completes the header and returns the bytes to write at offset(): the frame, then zeros to the end of the page.
    std::string_view finish(std::uint64_t durable_upto, std::uint32_t previous_crc, Timestamp wall, std::uint32_t boot_epoch);

    bool is_empty() const { return count_ == 0; }
    std::uint64_t offset() const { return offset_; }
    /// Bytes of header and records so far.
    std::size_t bytes() const { return buffer_.size(); }
    /// Offset at which the next frame begins once this one is written.
    std::uint64_t next_offset() const { return round_up(offset_ + buffer_.size(), frame_alignment); }
    std::uint64_t first() const { return first_; }
    std::uint64_t next() const { return first_ + count_; }
    std::uint32_t payload_crc() const { return payload_crc_; }
    /// Header and records as far as they are there, for reading what is not written yet.
    std::string_view view() const { return buffer_; }

  private:
    std::uint64_t put_record(std::uint8_t type, std::uint8_t flags, std::uint8_t marks, std::string_view body);
    std::uint64_t salt_ = 0, base_ = 0, offset_ = 0, first_ = 0;
    std::uint32_t segment_ = 0, count_ = 0, payload_crc_ = 0;
    std::string buffer_;
};

}  // namespace forebay::journal
