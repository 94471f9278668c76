#include "journal/scanner.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace forebay::journal {
namespace {

constexpr std::uint64_t read_ahead_bytes = 1_MiB;

bool begins_with_magic(std::string_view bytes) {
    std::uint32_t magic = 0;
    if (bytes.size() < sizeof magic) return false;
    std::memcpy(&magic, bytes.data(), sizeof magic);
    return magic == frame_magic;
}

void visit_intact(const ScannedFrame& frame, UniqueFunction<void(const ScannedRecord&)>& visit) {
    std::uint64_t at = 0;
    while (auto header = parse_record_header(frame.payload.substr(at))) {
        visit({*header, frame.offset + frame_header_bytes + at, frame.payload.substr(at, header->bytes())});
        at = std::min<std::uint64_t>(at + header->padded_bytes(), frame.payload.size());
    }
}

void visit_damaged(const ScannedFrame& frame, std::uint64_t base, UniqueFunction<void(const ScannedRecord&)>& visit) {
    std::uint64_t expected = frame.header.first - base;
    std::uint64_t end = std::max(frame.header.end() - base, expected + 1);
    std::uint64_t at = 0;
    while (at < frame.payload.size()) {
        auto rest = frame.payload.substr(at);
        auto offset = frame.offset + frame_header_bytes + at;
        auto header = parse_record_header(rest);
        if (header && header->index >= expected && header->index < end && record_holds(*header, rest, frame.header.salt, offset)) {
            visit({*header, offset, rest.substr(0, header->bytes())});
            expected = header->index + 1;
            at += header->padded_bytes();
        } else {
            at += 8;
        }
    }
}

}  // namespace

Scanner::Scanner(disk::File& file, const SegmentHeader& segment, std::uint64_t size)
    : file_(file), salt_(segment.salt), size_(size), expected_(segment.base) {}

std::optional<ScannedFrame> Scanner::next(std::uint64_t unwanted_below) {
    ScannedFrame frame;
    frame.gap_from = cursor_;
    frame.offset = cursor_;
    auto header = header_at(cursor_);
    if (!header) {
        auto found = search(cursor_ + frame_alignment);
        if (!found) return {};
        frame.offset = *found;
        header = header_at(*found);
    }
    frame.header = *header;
    if (header->end() > unwanted_below || header->count == 0) {
        frame.payload = view(frame.offset + frame_header_bytes, header->payload_bytes);
        frame.intact = payload_holds(*header, frame.payload, frame.offset);
    }
    cursor_ = frame.end_offset();
    expected_ = header->end();
    return frame;
}

std::optional<FrameHeader> Scanner::header_at(std::uint64_t offset) {
    auto header = parse_frame_header(view(offset, frame_header_bytes), offset);
    if (!header || header->salt != salt_ || header->first < expected_) return {};
    return header;
}

std::optional<std::uint64_t> Scanner::search(std::uint64_t from) {
    for (auto offset = from; offset + frame_header_bytes <= size_; offset += frame_alignment)
        if (begins_with_magic(view(offset, frame_header_bytes)) && header_at(offset)) return offset;
    return {};
}

/// The bytes at `offset`, fewer at the end of the file. Valid until the next call.
std::string_view Scanner::view(std::uint64_t offset, std::uint64_t size) {
    if (offset >= size_) return {};
    size = std::min(size, size_ - offset);
    if (offset < window_at_ || offset + size > window_at_ + window_.size()) {
        auto wanted = std::min(std::max(size, read_ahead_bytes), size_ - offset);
        window_at_ = offset;
        if (!file_.read(offset, wanted, window_).ok()) read_page_by_page(offset, wanted);
    }
    auto have = std::string_view(window_);
    return offset - window_at_ < have.size() ? have.substr(offset - window_at_, size) : std::string_view();
}

void Scanner::read_page_by_page(std::uint64_t offset, std::uint64_t size) {
    window_.clear();
    for (std::uint64_t done = 0; done < size;) {
        auto part = std::min(size - done, page_bytes - (offset + done) % page_bytes);
        if (!file_.read(offset + done, part, page_).ok()) {
            ++unreadable_;
            page_.clear();
        }
        page_.resize(part, '\0');
        window_ += page_;
        done += part;
    }
}

void for_each_record(const ScannedFrame& frame, std::uint64_t base, UniqueFunction<void(const ScannedRecord&)> visit) {
    if (frame.intact) return visit_intact(frame, visit);
    visit_damaged(frame, base, visit);
}

}  // namespace forebay::journal
