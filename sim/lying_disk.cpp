#include "sim/lying_disk.h"

#include <fmt/format.h>

#include <algorithm>

#include "journal/frame.h"

namespace forebay::sim {
namespace {

bool is_segment(std::string_view path) { return path.starts_with("log-") && path.ends_with(".seg"); }

}  // namespace

class LyingFile final : public disk::File {
  public:
    LyingFile(LyingDisk& disk, std::unique_ptr<disk::File> file, std::string path)
        : disk_(disk), file_(std::move(file)), path_(std::move(path)) {}
    Result<void, disk::Error> read(std::uint64_t offset, std::size_t size, std::string& out) override {
        return file_->read(offset, size, out);
    }
    Result<void, disk::Error> write(std::uint64_t offset, std::string_view bytes) override {
        if (disk_.countdown_ == 0 || offset == 0 || --disk_.countdown_ > 0) return file_->write(offset, bytes);
        disk_.has_lied_ = true;
        disk_.hit(bytes);
        disk_.what_ = fmt::format("write of {} bytes at {} of {}", bytes.size(), offset, path_);
        if (disk_.how_ == Lie::lost_write) return {};
        auto to = journal::page_bytes + disk_.chance_.below(std::max<std::uint64_t>(1, offset / 512)) * 512;
        disk_.hit(path_, to, to + bytes.size());
        return file_->write(to, bytes);
    }
    Result<void, disk::Error> sync() override { return file_->sync(); }
    Result<void, disk::Error> allocate(std::uint64_t size) override { return file_->allocate(size); }
    Result<void, disk::Error> truncate(std::uint64_t size) override { return file_->truncate(size); }
    Result<std::uint64_t, disk::Error> size() override { return file_->size(); }
    void forget_cache() override { file_->forget_cache(); }

  private:
    LyingDisk& disk_;
    std::unique_ptr<disk::File> file_;
    std::string path_;
};

Result<std::unique_ptr<disk::File>, disk::Error> LyingDisk::open(const std::string& path, disk::OpenMode mode) {
    TRY_ASSIGN(auto file, disk_.open(path, mode));
    if (!is_segment(path)) return file;
    return std::unique_ptr<disk::File>(std::make_unique<LyingFile>(*this, std::move(file), path));
}

void LyingDisk::hit(std::string_view bytes) {
    for (auto at = bytes.find("<m"); at != bytes.npos; at = bytes.find("<m", at + 1)) {
        auto end = bytes.find('>', at);
        if (end != bytes.npos && end - at < 16) hit_.emplace_back(bytes.substr(at, end - at + 1));
    }
}

void LyingDisk::hit(const std::string& path, std::uint64_t from, std::uint64_t to) {
    auto content = disk_.content(path);
    for (std::uint64_t at = journal::page_bytes; at < content.size(); at += journal::frame_alignment) {
        auto bytes = std::string_view(content).substr(at);
        auto frame = journal::parse_frame_header(bytes, at);
        if (frame && at < to && at + frame->bytes() > from) hit(bytes.substr(0, frame->bytes()));
    }
}

void LyingDisk::rot() {
    std::vector<std::string> paths;
    for (auto* directory : {"", "checkpoint", "history"}) {
        auto names = disk_.list(directory);
        if (!names) return;
        for (auto& name : *names) {
            auto path = *directory == '\0' ? name : std::string(directory) + "/" + name;
            if (is_segment(name) || chance_.one_in(4)) paths.push_back(path);
        }
    }
    if (paths.empty()) return;
    auto& path = paths[chance_.below(paths.size())];
    auto content = disk_.content(path);
    auto used = content.find_last_not_of('\0');
    if (used == content.npos) return;
    auto at = chance_.below(used + 1);
    // More often than not where a message lies.
    if (auto label = content.find("<m", at); label != content.npos && !chance_.one_in(4)) at = label;
    auto bytes = chance_.one_in(2) ? 1 : 512 - at % 512;
    hit(path, at, at + bytes);
    for (std::uint64_t i = 0; i < bytes; ++i) disk_.rot(path, at + i, static_cast<unsigned char>(1 + chance_.below(255)));
    has_lied_ = true;
    what_ = fmt::format("{} bytes at {} of {}", bytes, at, path);
}

}  // namespace forebay::sim
