#pragma once
// Walks over the frames of one segment, oldest first, and over whatever lies between them: where no
// valid frame is, it searches on in steps of 512 bytes. Reads ahead in bounded memory. It states what
// is there; what a gap means is for recovery to say.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/unique_function.h"
#include "disk/disk.h"
#include "journal/frame.h"
#include "journal/segment.h"

namespace forebay::journal {

struct ScannedFrame {
    FrameHeader header;
    std::uint64_t offset = 0;
    std::uint64_t gap_from = 0;  ///< where it was expected; less than offset if something else lies before it
    std::string_view payload;    ///< empty when not asked for; valid until the next call
    bool intact = false;         ///< the payload was asked for and matches its checksum

    std::uint64_t end_offset() const { return round_up(offset + header.bytes(), frame_alignment); }
};

class Scanner {
  public:
    /// `size` is where to stop: the length of the file.
    Scanner(disk::File& file, const SegmentHeader& segment, std::uint64_t size);

    /// The next frame whose header holds, or nothing. Frames that end at or below `unwanted_below` come without payload.
    std::optional<ScannedFrame> next(std::uint64_t unwanted_below = 0);
    /// Where the last frame that was returned ends.
    std::uint64_t offset() const { return cursor_; }
    /// Pages that the device refused to read so far; they count as zeros.
    std::uint64_t unreadable_pages() const { return unreadable_; }

  private:
    std::optional<FrameHeader> header_at(std::uint64_t offset);
    std::optional<std::uint64_t> search(std::uint64_t from);
    std::string_view view(std::uint64_t offset, std::uint64_t size);
    void read_page_by_page(std::uint64_t offset, std::uint64_t size);

    disk::File& file_;
    std::uint64_t salt_;
    std::uint64_t size_;
    std::uint64_t cursor_ = page_bytes;
    std::uint64_t expected_;  ///< positions do not go back
    std::uint64_t unreadable_ = 0;
    std::uint64_t window_at_ = 0;
    std::string window_;
    std::string page_;
};

/// A record inside a frame: its header, where it lies, and its bytes from the header on (without padding).
struct ScannedRecord {
    RecordHeader header;
    std::uint64_t offset = 0;
    std::string_view bytes;
    std::string_view body() const { return bytes.substr(record_header_bytes); }
};

/// Calls `visit` for every record of the frame in order. In a frame that is not intact every record is checked by
/// itself, and the search goes on behind one that fails; records that hold are visited.
void for_each_record(const ScannedFrame& frame, std::uint64_t base, UniqueFunction<void(const ScannedRecord&)> visit);

}  // namespace forebay::journal
