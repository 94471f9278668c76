#include "journal/frame.h"

#include <cstring>

#include "base/codec.h"
#include "base/crc32c.h"

namespace forebay::journal {

std::uint32_t seed_of(std::uint64_t salt, std::uint64_t offset) {
    char bytes[16];
    std::memcpy(bytes, &salt, 8);
    std::memcpy(bytes + 8, &offset, 8);
    return crc32c({bytes, 16});
}

std::optional<FrameHeader> parse_frame_header(std::string_view bytes, std::uint64_t offset) {
    if (bytes.size() < frame_header_bytes) return {};
    Reader reader(bytes);
    if (reader.take<std::uint32_t>() != frame_magic) return {};
    auto crc = reader.take<std::uint32_t>();
    FrameHeader header;
    header.first = reader.take<std::uint64_t>();
    header.count = reader.take<std::uint32_t>();
    header.payload_bytes = reader.take<std::uint32_t>();
    header.durable_upto = reader.take<std::uint64_t>();
    header.previous_crc = reader.take<std::uint32_t>();
    header.payload_crc = reader.take<std::uint32_t>();
    header.written_at.ms = reader.take<std::int64_t>();
    header.boot_epoch = reader.take<std::uint32_t>();
    header.segment = reader.take<std::uint32_t>();
    header.salt = reader.take<std::uint64_t>();
    if (crc32c(bytes.substr(8, frame_header_bytes - 8), seed_of(header.salt, offset)) != crc) return {};
    return header;
}

bool payload_holds(const FrameHeader& header, std::string_view payload, std::uint64_t offset) {
    return payload.size() == header.payload_bytes && crc32c(payload, seed_of(header.salt, offset)) == header.payload_crc;
}

std::optional<RecordHeader> parse_record_header(std::string_view bytes) {
    if (bytes.size() < record_header_bytes) return {};
    Reader reader(bytes.substr(4));
    RecordHeader header;
    header.body_bytes = reader.take<std::uint32_t>();
    header.index = reader.take<std::uint32_t>();
    header.type = reader.take<std::uint8_t>();
    header.flags = reader.take<std::uint8_t>();
    header.codec = reader.take<std::uint8_t>();
    header.marks = reader.take<std::uint8_t>();
    header.key_id = reader.take<std::uint64_t>();
    if (header.bytes() > bytes.size()) return {};
    return header;
}

bool record_holds(const RecordHeader& header, std::string_view bytes, std::uint64_t salt, std::uint64_t offset) {
    auto crc = Reader(bytes).take<std::uint32_t>();
    return crc32c(bytes.substr(4, header.bytes() - 4), seed_of(salt, offset)) == crc;
}

void FrameBuilder::begin(std::uint64_t salt, std::uint32_t segment, std::uint64_t base, std::uint64_t offset, std::uint64_t first) {
    salt_ = salt;
    segment_ = segment;
    base_ = base;
    offset_ = offset;
    first_ = first;
    count_ = 0;
    buffer_.assign(frame_header_bytes, '\0');
}

std::uint64_t FrameBuilder::append(std::uint8_t type, std::uint8_t flags, bool salvaged, std::string_view body) {
    auto at = put_record(type, flags, salvaged ? 1 : 0, body);
    ++count_;
    return at;
}

void FrameBuilder::append_preamble(std::string_view body) { put_record(0, 0, 0, body); }

std::uint64_t FrameBuilder::put_record(std::uint8_t type, std::uint8_t flags, std::uint8_t marks, std::string_view body) {
    std::size_t at = buffer_.size();
    put(buffer_, std::uint32_t{0});
    put(buffer_, static_cast<std::uint32_t>(body.size()));
    put(buffer_, static_cast<std::uint32_t>(next() - base_));
    put(buffer_, type);
    put(buffer_, flags);
    put(buffer_, std::uint8_t{0});
    put(buffer_, marks);
    put(buffer_, std::uint64_t{0});
    buffer_.append(body);
    put_at(buffer_, at, crc32c(std::string_view(buffer_).substr(at + 4), seed_of(salt_, offset_ + at)));
    buffer_.resize(round_up(buffer_.size(), 8), '\0');
    return offset_ + at;
}

std::string_view FrameBuilder::finish(std::uint64_t durable_upto, std::uint32_t previous_crc, Timestamp wall, std::uint32_t boot_epoch) {
    auto payload = std::string_view(buffer_).substr(frame_header_bytes);
    payload_crc_ = crc32c(payload, seed_of(salt_, offset_));
    put_at(buffer_, 0, frame_magic);
    put_at(buffer_, 8, first_);
    put_at(buffer_, 16, count_);
    put_at(buffer_, 20, static_cast<std::uint32_t>(payload.size()));
    put_at(buffer_, 24, durable_upto);
    put_at(buffer_, 32, previous_crc);
    put_at(buffer_, 36, payload_crc_);
    put_at(buffer_, 40, wall.ms);
    put_at(buffer_, 48, boot_epoch);
    put_at(buffer_, 52, segment_);
    put_at(buffer_, 56, salt_);
    put_at(buffer_, 4, crc32c(std::string_view(buffer_).substr(8, frame_header_bytes - 8), seed_of(salt_, offset_)));
    buffer_.resize(round_up(offset_ + buffer_.size(), page_bytes) - offset_, '\0');
    return buffer_;
}

}  // namespace forebay::journal
