#include "journal/walk.h"

#include <algorithm>
#include <string>

#include "base/bytes.h"

namespace forebay::journal {
namespace {

constexpr std::uint64_t gap_bytes_max = 32_MiB;  ///< more than is ever written at once

class Walk {
  public:
    Walk(disk::File& file, const SegmentHeader& segment, std::uint64_t size, WalkBounds bounds, OnRecord& on_record, OnHole& on_hole)
        : file_(file),
          size_(size),
          scanner_(file, segment, size),
          segment_(segment),
          bounds_(bounds),
          on_record_(on_record),
          on_hole_(on_hole),
          expected_(segment.base),
          last_written_at_(segment.created_at) {}

    WalkEnd run() {
        while (auto frame = scanner_.next(bounds_.from)) {
            if (frame->header.first >= bounds_.limit && frame->header.count > 0) break;
            enter(*frame);
            if (expected_ >= bounds_.limit) break;
            if (is_enough_) return end_;
        }
        auto required = std::min(bounds_.durable, bounds_.limit);
        if (expected_ < required) {
            auto found = visit_gap(end_.offset, size_, required);
            hole({end_.offset, end_.offset, found == required - expected_ ? required : expected_, required, true});
        }
        end_.position = std::max(end_.position, expected_);
        end_.unreadable_pages = scanner_.unreadable_pages();
        return end_;
    }

  private:
    void enter(const ScannedFrame& frame) {
        note_gap_before(frame);
        const auto& header = frame.header;
        bool wanted = header.end() > bounds_.from || header.count == 0;
        if (wanted && frame.intact) visit(frame, is_behind_hole(header.first));
        if (wanted && !frame.intact) visit_damaged(frame);
        expected_ = header.end();
        last_written_at_ = header.written_at;
        end_.offset = frame.end_offset();
        end_.last_crc = header.payload_crc;
    }

    void note_gap_before(const ScannedFrame& frame) {
        auto missing_to = frame.header.first;
        if (frame.gap_from == frame.offset && missing_to <= expected_) return;
        auto found = visit_gap(frame.gap_from, frame.offset, missing_to);
        bool acknowledged = missing_to > expected_ ? expected_ < bounds_.durable : expected_ <= bounds_.durable;
        hole({frame.gap_from, frame.offset, found == missing_to - expected_ ? missing_to : expected_, missing_to, acknowledged});
    }

    /// Where a frame header is lost, its records may still hold, each by itself.
    std::uint64_t visit_gap(std::uint64_t from_offset, std::uint64_t to_offset, std::uint64_t missing_to) {
        if (missing_to <= expected_ || from_offset >= to_offset) return 0;
        std::string bytes;
        if (!file_.read(from_offset, std::min(to_offset - from_offset, gap_bytes_max), bytes).ok()) return 0;
        ScannedFrame gap;
        gap.header.first = expected_;
        gap.header.count = static_cast<std::uint32_t>(missing_to - expected_);
        gap.header.salt = segment_.salt;
        gap.header.written_at = last_written_at_;
        gap.offset = from_offset - frame_header_bytes;
        gap.payload = bytes;
        return visit(gap, true);
    }

    void visit_damaged(const ScannedFrame& frame) {
        const auto& header = frame.header;
        bool is_preamble = header.count == 0;
        // The preamble was synced before its segment had a name.
        bool acknowledged = is_preamble || header.first < bounds_.durable;
        auto found = visit(frame, true);
        auto missing_from = found < header.count ? header.first : header.end();
        hole({frame.offset, frame.end_offset(), missing_from, header.end(), acknowledged});
    }

    /// Records of a doubtful place that were never proven durable are salvaged.
    std::uint32_t visit(const ScannedFrame& frame, bool is_doubtful) {
        std::uint32_t found = 0;
        for_each_record(frame, segment_.base, [&](const ScannedRecord& record) {
            ++found;
            auto position = segment_.base + record.header.index;
            if (position < bounds_.from || (position >= bounds_.limit && frame.header.count > 0)) return;
            bool salvaged = is_doubtful && position >= bounds_.durable && frame.header.count > 0;
            if (!is_enough_) is_enough_ = !on_record_({record, position, frame.header.written_at, salvaged || record.header.is_salvaged()});
        });
        return found;
    }

    void hole(const Hole& hole) {
        end_.has_holes = true;
        if (hole.missing_to > bounds_.durable) first_doubt_ = std::min(first_doubt_, std::max(hole.missing_from, bounds_.durable));
        on_hole_(hole);
    }

    /// Whether something that was never proven durable is missing before this position.
    bool is_behind_hole(std::uint64_t position) const { return position >= bounds_.durable && first_doubt_ < position; }

    disk::File& file_;
    std::uint64_t size_;
    Scanner scanner_;
    const SegmentHeader& segment_;
    WalkBounds bounds_;
    OnRecord& on_record_;
    OnHole& on_hole_;
    std::uint64_t expected_;
    Timestamp last_written_at_;
    std::uint64_t first_doubt_ = std::numeric_limits<std::uint64_t>::max();
    bool is_enough_ = false;
    WalkEnd end_;
};

}  // namespace

WalkEnd walk(disk::File& file, const SegmentHeader& segment, std::uint64_t size, WalkBounds bounds, OnRecord on_record, OnHole on_hole) {
    return Walk(file, segment, size, bounds, on_record, on_hole).run();
}

Proof survey(disk::File& file, const SegmentHeader& segment, std::uint64_t size) {
    Scanner scanner(file, segment, size);
    Proof proof{segment.proven_upto, segment.base};
    while (auto frame = scanner.next(std::numeric_limits<std::uint64_t>::max())) {
        proof.durable_upto = std::max(proof.durable_upto, frame->header.durable_upto);
        proof.seen_upto = std::max(proof.seen_upto, frame->header.end());
    }
    return proof;
}

}  // namespace forebay::journal
