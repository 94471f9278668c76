#include "cli/verbs/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <iterator>

namespace forebay::cli {
namespace {

constexpr std::size_t block_bytes = 64 * 1024;

std::uint64_t bytes_in(int file) {
    struct stat found{};
    return ::fstat(file, &found) == 0 ? static_cast<std::uint64_t>(found.st_size) : 0;
}

ino_t inode_of(const std::string& path) {
    struct stat found{};
    return ::stat(path.c_str(), &found) == 0 ? found.st_ino : 0;
}

std::string read_at(int file, std::uint64_t offset, std::size_t most) {
    std::string bytes(most, '\0');
    ssize_t n = 0;
    do n = ::pread(file, bytes.data(), most, static_cast<off_t>(offset));
    while (n < 0 && errno == EINTR);
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return bytes;
}

/// Lines gathered from the end of a file on.
class LastLines {
  public:
    LastLines(std::size_t most, const LogReader::Wants& wants) : most_(most), wants_(wants) {}
    void add(std::string_view line) {
        if (is_full() || !wants_(line)) return;
        bytes_ += line.size();
        lines_.emplace_front(line);
    }
    bool is_full() const { return lines_.size() >= most_ || bytes_ >= LogReader::lines_bytes_max; }
    std::vector<std::string> take() { return {std::make_move_iterator(lines_.begin()), std::make_move_iterator(lines_.end())}; }

  private:
    std::size_t most_;
    const LogReader::Wants& wants_;
    std::deque<std::string> lines_;
    std::size_t bytes_ = 0;
};

}  // namespace

bool LogReader::open(const std::string& path) {
    file_ = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat found{};
    inode_ = file_ && ::fstat(file_.get(), &found) == 0 ? found.st_ino : 0;
    offset_ = 0;
    return is_there();
}

std::vector<std::string> LogReader::last_lines(std::size_t most, const Wants& wants, bool unfinished) {
    if (!open(path_)) return {};
    const auto file_size = bytes_in(file_.get());
    auto at = file_size;
    offset_ = at;
    LastLines lines(most, wants);
    std::string rest;  // from `at` to the newline behind it, which was seen
    bool has_seen_end = false;
    while (at > 0 && !(has_seen_end && lines.is_full())) {
        auto size = std::min<std::uint64_t>(at, block_bytes);
        at -= size;
        auto text = read_at(file_.get(), at, size) + rest;
        for (auto end = text.rfind('\n'); end != std::string::npos; end = text.rfind('\n')) {
            if (has_seen_end) {
                lines.add(std::string_view(text).substr(end + 1));
            } else {
                auto open_line = std::string_view(text).substr(end + 1);
                if (unfinished && !open_line.empty()) lines.add(open_line);
                if (!unfinished) offset_ = at + end + 1;
            }
            has_seen_end = true;
            text.resize(end);
        }
        rest = text.size() <= line_bytes_max ? std::move(text) : text.substr(text.size() - line_bytes_max);
    }
    if (at == 0 && !rest.empty() && (has_seen_end || unfinished)) lines.add(rest);
    if (at == 0 && !has_seen_end && !unfinished) offset_ = 0;
    return lines.take();
}

std::string LogReader::last_bytes(std::size_t most) {
    if (!open(path_)) return {};
    auto size = bytes_in(file_.get());
    auto from = size - std::min<std::uint64_t>(size, most);
    auto bytes = read_at(file_.get(), from, static_cast<std::size_t>(size - from));
    offset_ = from + bytes.size();
    return bytes;
}

void LogReader::fresh_lines(const Take& take) {
    if (!is_there() && !open(path_)) return;
    if (bytes_in(file_.get()) < offset_) offset_ = 0;
    drain(take);
    if (is_renamed()) go_on_to_next(take);
}

void LogReader::drain(const Take& take) {
    for (;;) {
        auto bytes = read_at(file_.get(), offset_, block_bytes);
        if (bytes.empty()) return;
        offset_ += bytes.size();
        emit(bytes, take);
    }
}

void LogReader::emit(std::string_view bytes, const Take& take) {
    for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
        unfinished_.append(bytes.substr(0, end));
        take(unfinished_);
        unfinished_.clear();
        bytes.remove_prefix(end + 1);
    }
    unfinished_.append(bytes);
    if (unfinished_.size() < line_bytes_max) return;
    take(unfinished_);
    unfinished_.clear();
}

void LogReader::finish(const Take& take) {
    if (!unfinished_.empty()) emit("\n", take);
}

bool LogReader::is_renamed() const {
    auto inode = inode_of(path_);
    return inode != 0 && inode != inode_;
}

void LogReader::go_on_to_next(const Take& take) {
    drain(take);  // what was written after the last look and before it was renamed
    finish(take);
    int behind = 0;
    for (int n = 1; n <= rotated_max && behind == 0; ++n)
        if (inode_of(path_ + "." + std::to_string(n)) == inode_) behind = n;
    for (int n = behind - 1; n >= 0; --n) {
        if (open(n == 0 ? path_ : path_ + "." + std::to_string(n))) drain(take);
        if (n > 0) finish(take);
    }
    if (behind == 0 && open(path_)) drain(take);
}

}  // namespace forebay::cli
