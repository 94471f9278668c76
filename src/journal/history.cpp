#include "journal/history.h"

#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>

#include "base/bytes.h"
#include "base/check.h"
#include "base/codec.h"
#include "base/crc32c.h"
#include "journal/frame.h"
#include "journal/segment.h"

namespace forebay::journal {
namespace {

constexpr const char* directory = "history";
constexpr std::string_view magic = "FBHIST01";
constexpr std::uint16_t version = 1;
constexpr std::uint32_t block_bytes = 256_KiB;
constexpr int compression_level = 1;  // a block is done between two commits
constexpr std::size_t header_bytes = 64;
constexpr std::uint64_t raw_bytes_max = 4_GiB;

struct BlockPlace {
    std::uint64_t offset = 0;
    std::uint32_t length = 0;
    std::uint32_t crc = 0;
};
constexpr std::size_t place_bytes = 16;

struct Outline {
    std::uint64_t number = 0;
    std::uint64_t raw_bytes = 0;
    std::vector<BlockPlace> blocks;
};

std::string index_text(const std::vector<BlockPlace>& blocks) {
    std::string out;
    for (const auto& block : blocks) {
        put(out, block.offset);
        put(out, block.length);
        put(out, block.crc);
    }
    return out;
}

std::string header_text(const Outline& outline) {
    std::string out(magic);
    put(out, version);
    put(out, std::uint16_t{0});
    put(out, block_bytes);
    put(out, outline.number);
    put(out, outline.raw_bytes);
    put(out, static_cast<std::uint32_t>(outline.blocks.size()));
    put(out, crc32c(index_text(outline.blocks)));
    out.resize(header_bytes - 4, '\0');
    put(out, crc32c(out));
    return out;
}

std::uint64_t blocks_of(std::uint64_t raw_bytes) { return (raw_bytes + block_bytes - 1) / block_bytes; }

/// Header and index, checked; nothing if either does not hold.
std::optional<Outline> read_outline(disk::File& file) {
    std::string text;
    if (!file.read(0, header_bytes, text).ok() || text.size() < header_bytes || !text.starts_with(magic)) return {};
    if (Reader(std::string_view(text).substr(header_bytes - 4)).take<std::uint32_t>() !=
        crc32c(std::string_view(text).substr(0, header_bytes - 4)))
        return {};
    Reader reader(std::string_view(text).substr(magic.size()));
    if (reader.take<std::uint16_t>() != version) return {};
    reader.take<std::uint16_t>();
    if (reader.take<std::uint32_t>() != block_bytes) return {};
    Outline outline;
    outline.number = reader.take<std::uint64_t>();
    outline.raw_bytes = reader.take<std::uint64_t>();
    auto count = reader.take<std::uint32_t>();
    auto index_crc = reader.take<std::uint32_t>();
    if (outline.raw_bytes > raw_bytes_max || count != blocks_of(outline.raw_bytes)) return {};
    if (!file.read(page_bytes, count * place_bytes, text).ok() || text.size() < count * place_bytes || crc32c(text) != index_crc) return {};
    Reader index(text);
    for (std::uint32_t i = 0; i < count; ++i) {
        BlockPlace place;
        place.offset = index.take<std::uint64_t>();
        place.length = index.take<std::uint32_t>();
        place.crc = index.take<std::uint32_t>();
        outline.blocks.push_back(place);
    }
    return outline;
}

/// A compressed segment as the file it was. A block that does not hold reads as zeros.
class CompressedFile final : public disk::File {
  public:
    CompressedFile(std::unique_ptr<disk::File> file, Outline outline) : file_(std::move(file)), outline_(std::move(outline)) {}

    Result<void, disk::Error> read(std::uint64_t offset, std::size_t size, std::string& out) override {
        out.clear();
        auto end = std::min<std::uint64_t>(offset + size, outline_.raw_bytes);
        while (offset < end) {
            load(offset / block_bytes);
            auto inside = offset % block_bytes;
            auto part = std::min<std::uint64_t>(end - offset, block_.size() - inside);
            out.append(block_, inside, part);
            offset += part;
        }
        return {};
    }
    Result<std::uint64_t, disk::Error> size() override { return outline_.raw_bytes; }
    void forget_cache() override { file_->forget_cache(); }
    Result<void, disk::Error> write(std::uint64_t, std::string_view) override { return read_only("write"); }
    Result<void, disk::Error> sync() override { return read_only("sync"); }
    Result<void, disk::Error> allocate(std::uint64_t) override { return read_only("allocate"); }
    Result<void, disk::Error> truncate(std::uint64_t) override { return read_only("truncate"); }

  private:
    Failure<disk::Error> read_only(const char* operation) {
        return Failure{disk::Error{EROFS, operation, compressed_history_path(outline_.number)}};
    }

    void load(std::uint64_t number) {
        if (loaded_ && *loaded_ == number) return;
        loaded_ = number;
        block_.resize(std::min<std::uint64_t>(block_bytes, outline_.raw_bytes - number * block_bytes));
        if (!decompress(outline_.blocks[number])) std::fill(block_.begin(), block_.end(), '\0');
    }

    bool decompress(const BlockPlace& place) {
        if (place.length > ZSTD_compressBound(block_bytes)) return false;
        if (!file_->read(place.offset, place.length, packed_).ok() || packed_.size() != place.length) return false;
        if (crc32c(packed_) != place.crc) return false;
        auto n = ZSTD_decompress(block_.data(), block_.size(), packed_.data(), packed_.size());
        return ZSTD_isError(n) == 0 && n == block_.size();
    }

    std::unique_ptr<disk::File> file_;
    Outline outline_;
    std::optional<std::uint64_t> loaded_;
    std::string block_;
    std::string packed_;
};

std::string unfinished_path(std::uint64_t number) { return compressed_history_path(number) + ".tmp"; }

}  // namespace

std::string raw_history_path(std::uint64_t number) { return std::string(directory) + "/" + segment_name(number); }
std::string compressed_history_path(std::uint64_t number) { return std::string(directory) + "/log-" + to_hex16(number) + ".fbz"; }

Result<std::vector<HistorySegment>, disk::Error> list_history(disk::Disk& disk) {
    TRY_ASSIGN(auto names, disk.list(directory));
    std::map<std::uint64_t, bool> found;
    for (const auto& name : names) {
        if (auto number = segment_number(name)) found.emplace(*number, false);
        if (auto number = number_in(name, "log-", ".fbz")) found[*number] = true;
    }
    std::vector<HistorySegment> out;
    for (auto [number, compressed] : found) out.push_back({number, compressed});
    return out;
}

Result<std::uint64_t, disk::Error> highest_history(disk::Disk& disk) {
    TRY_ASSIGN(auto segments, list_history(disk));
    return segments.empty() ? 0 : segments.back().number;
}

Result<std::unique_ptr<disk::File>, disk::Error> open_history(disk::Disk& disk, std::uint64_t number) {
    auto compressed = disk.open(compressed_history_path(number), disk::OpenMode::read);
    if (compressed.ok()) {
        if (auto outline = read_outline(**compressed)) {
            std::unique_ptr<disk::File> file = std::make_unique<CompressedFile>(std::move(compressed).value(), std::move(*outline));
            return file;
        }
        if (!disk.exists(raw_history_path(number))) return Failure{disk::Error{EBADMSG, "read", compressed_history_path(number)}};
    }
    return disk.open(raw_history_path(number), disk::OpenMode::read);
}

Result<void, disk::Error> remove_history(disk::Disk& disk, std::uint64_t number) {
    for (const auto& path : {raw_history_path(number), compressed_history_path(number)})
        if (disk.exists(path)) TRY(disk.remove(path));
    return disk.sync_directory(directory);
}

struct HistoryCompressor::Job {
    Outline outline;
    std::unique_ptr<disk::File> in;
    std::unique_ptr<disk::File> out;
    std::uint64_t next_offset = 0;
    std::string raw;
    std::string packed;
};

HistoryCompressor::HistoryCompressor(disk::Disk& disk) : disk_(disk) {}
HistoryCompressor::~HistoryCompressor() = default;

Result<void, disk::Error> HistoryCompressor::load() {
    TRY_ASSIGN(auto names, disk_.list(directory));
    for (const auto& name : names)
        if (name.ends_with(".tmp")) TRY(disk_.remove(std::string(directory) + "/" + name));
    for (const auto& name : names)
        if (auto number = segment_number(name)) waiting_.push_back(*number);
    return {};
}

Result<bool, disk::Error> HistoryCompressor::compress_some() {
    if (!has_work()) return false;
    auto more = compress_next_part();
    if (more.ok()) return more;
    auto number = waiting_.front();
    abandon();
    if (more.error().is_no_space()) waiting_.push_back(number);
    return more;
}

/// A file whose sync failed once is not trusted again: the next attempt begins with a new one.
void HistoryCompressor::abandon() {
    if (job_) (void)disk_.remove(unfinished_path(waiting_.front()));
    job_.reset();
    waiting_.pop_front();
}

void HistoryCompressor::forget(std::uint64_t number) {
    if (job_ && waiting_.front() == number) return abandon();
    std::erase(waiting_, number);
}

Result<bool, disk::Error> HistoryCompressor::compress_next_part() {
    if (!job_) {
        TRY(begin(waiting_.front()));
        if (!job_) waiting_.pop_front();
        return has_work();
    }
    if (job_->outline.blocks.size() < blocks_of(job_->outline.raw_bytes)) TRY(compress_block());
    if (job_->outline.blocks.size() < blocks_of(job_->outline.raw_bytes)) return true;
    TRY(finish());
    return has_work();
}

Result<void, disk::Error> HistoryCompressor::begin(std::uint64_t number) {
    if (!disk_.exists(raw_history_path(number))) return {};
    auto job = std::make_unique<Job>();
    job->outline.number = number;
    TRY_ASSIGN(job->in, disk_.open(raw_history_path(number), disk::OpenMode::read));
    TRY_ASSIGN(job->outline.raw_bytes, job->in->size());
    if (disk_.exists(unfinished_path(number))) TRY(disk_.remove(unfinished_path(number)));
    TRY_ASSIGN(job->out, disk_.open(unfinished_path(number), disk::OpenMode::create_new));
    job->next_offset = round_up(page_bytes + blocks_of(job->outline.raw_bytes) * place_bytes, page_bytes);
    job_ = std::move(job);
    return {};
}

Result<void, disk::Error> HistoryCompressor::compress_block() {
    auto at = job_->outline.blocks.size() * std::uint64_t{block_bytes};
    TRY(job_->in->read(at, std::min<std::uint64_t>(block_bytes, job_->outline.raw_bytes - at), job_->raw));
    job_->packed.resize(ZSTD_compressBound(job_->raw.size()));
    auto n = ZSTD_compress(job_->packed.data(), job_->packed.size(), job_->raw.data(), job_->raw.size(), compression_level);
    CHECK(ZSTD_isError(n) == 0, "compressing into a buffer of the bound cannot fail");
    job_->packed.resize(n);
    TRY(job_->out->write(job_->next_offset, job_->packed));
    job_->outline.blocks.push_back({job_->next_offset, static_cast<std::uint32_t>(n), crc32c(job_->packed)});
    job_->next_offset += n;
    return {};
}

Result<void, disk::Error> HistoryCompressor::finish() {
    auto number = job_->outline.number;
    TRY(job_->out->write(page_bytes, index_text(job_->outline.blocks)));
    TRY(job_->out->write(0, header_text(job_->outline)));
    TRY(job_->out->sync());
    TRY(disk_.rename(unfinished_path(number), compressed_history_path(number)));
    TRY(disk_.sync_directory(directory));
    TRY(disk_.remove(raw_history_path(number)));
    TRY(disk_.sync_directory(directory));
    job_.reset();
    waiting_.pop_front();
    return {};
}

}  // namespace forebay::journal
