#include "journal/segment.h"

#include <charconv>
#include <cstdio>
#include <cstring>

#include "base/codec.h"
#include "base/crc32c.h"
#include "journal/frame.h"

namespace forebay::journal {
namespace {

constexpr std::string_view magic = "FBSEG001";
constexpr std::uint16_t version = 1;
constexpr std::size_t copy_bytes = 128;
constexpr std::uint64_t second_copy = 2048;

std::uint32_t copy_crc(std::string_view bytes, std::uint64_t copy_offset) {
    char offset[8];
    std::memcpy(offset, &copy_offset, 8);
    return crc32c(bytes.substr(0, copy_bytes - 4), crc32c({offset, 8}));
}

std::string header_copy(const SegmentHeader& header, std::uint64_t copy_offset) {
    std::string out(magic);
    put(out, version);
    put(out, static_cast<std::uint16_t>(header.recycled ? 1 : 0));
    put(out, header.boot_epoch);
    out.append(reinterpret_cast<const char*>(header.store.bytes.data()), header.store.bytes.size());
    put(out, header.number);
    put(out, header.salt);
    put(out, header.base);
    put(out, header.resumes_at);
    put(out, header.proven_upto);
    put(out, header.created_at.ms);
    put(out, header.previous_crc);
    put(out, std::uint32_t{0});
    put(out, header.segment_bytes);
    out.resize(copy_bytes - 4, '\0');
    put(out, copy_crc(out, copy_offset));
    return out;
}

bool has_newer_version(std::string_view page) {
    return page.size() >= 10 && page.substr(0, magic.size()) == magic && Reader(page.substr(8)).take<std::uint16_t>() > version;
}

/// The first frame repeats what the header says; it lies in another page and may have survived it.
std::optional<SegmentHeader> header_from_first_frame(disk::File& file) {
    std::string bytes;
    if (!file.read(page_bytes, frame_header_bytes, bytes).ok()) return {};
    auto frame = parse_frame_header(bytes, page_bytes);
    if (!frame) return {};
    if (!file.read(page_bytes + frame_header_bytes, frame->payload_bytes, bytes).ok()) return {};
    if (!payload_holds(*frame, bytes, page_bytes)) return {};
    SegmentHeader header;
    header.boot_epoch = frame->boot_epoch;
    header.number = frame->segment;
    header.salt = frame->salt;
    header.base = frame->first;
    header.resumes_at = frame->durable_upto;
    header.proven_upto = frame->end();
    header.created_at = frame->written_at;
    header.recycled = true;
    header.rebuilt = true;
    return header;
}

}  // namespace

std::string to_hex16(std::uint64_t number) {
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(number));
    return digits;
}

std::optional<std::uint64_t> number_in(std::string_view name, std::string_view prefix, std::string_view suffix) {
    if (name.size() != prefix.size() + 16 + suffix.size() || !name.starts_with(prefix) || !name.ends_with(suffix)) return {};
    std::uint64_t number = 0;
    auto digits = name.substr(prefix.size(), 16);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
    if (error != std::errc{} || end != digits.data() + digits.size()) return {};
    return number;
}

std::string segment_name(std::uint64_t number) { return "log-" + to_hex16(number) + ".seg"; }
std::optional<std::uint64_t> segment_number(std::string_view name) { return number_in(name, "log-", ".seg"); }
std::string spare_name(std::uint64_t number) { return "spare-" + to_hex16(number) + ".seg"; }
std::optional<std::uint64_t> spare_number(std::string_view name) { return number_in(name, "spare-", ".seg"); }

std::string header_page(const SegmentHeader& header) {
    std::string page = header_copy(header, 0);
    page.resize(second_copy, '\0');
    page += header_copy(header, second_copy);
    page.resize(page_bytes, '\0');
    return page;
}

std::optional<SegmentHeader> parse_header_copy(std::string_view bytes, std::uint64_t copy_offset) {
    if (bytes.size() < copy_bytes || bytes.substr(0, magic.size()) != magic) return {};
    if (Reader(bytes.substr(copy_bytes - 4)).take<std::uint32_t>() != copy_crc(bytes, copy_offset)) return {};
    Reader reader(bytes.substr(magic.size()));
    if (reader.take<std::uint16_t>() != version) return {};
    SegmentHeader header;
    header.recycled = (reader.take<std::uint16_t>() & 1) != 0;
    header.boot_epoch = reader.take<std::uint32_t>();
    auto store = reader.take_raw(header.store.bytes.size());
    std::memcpy(header.store.bytes.data(), store.data(), store.size());
    header.number = reader.take<std::uint64_t>();
    header.salt = reader.take<std::uint64_t>();
    header.base = reader.take<std::uint64_t>();
    header.resumes_at = reader.take<std::uint64_t>();
    header.proven_upto = reader.take<std::uint64_t>();
    header.created_at.ms = reader.take<std::int64_t>();
    header.previous_crc = reader.take<std::uint32_t>();
    reader.take<std::uint32_t>();
    header.segment_bytes = reader.take<std::uint64_t>();
    return header;
}

namespace {

/// A page that cannot be read as a whole may be readable in part: each copy lies in sectors of its own.
std::string read_header_page(disk::File& file) {
    std::string page;
    if (file.read(0, page_bytes, page).ok()) return page;
    page.assign(page_bytes, '\0');
    std::string copy;
    for (std::uint64_t at : {std::uint64_t{0}, second_copy})
        if (file.read(at, copy_bytes, copy).ok()) page.replace(at, copy.size(), copy);
    return page;
}

}  // namespace

Result<SegmentHeader, UnreadableSegment> read_header(disk::File& file) {
    auto page = read_header_page(file);
    for (std::uint64_t at : {std::uint64_t{0}, second_copy})
        if (page.size() > at)
            if (auto header = parse_header_copy(std::string_view(page).substr(at), at)) return *header;
    if (has_newer_version(page)) return Failure{UnreadableSegment{"was written by a newer version", true}};
    if (auto header = header_from_first_frame(file)) return *header;
    return Failure{UnreadableSegment{"both header copies and the first frame are damaged", false}};
}

}  // namespace forebay::journal
