#include "cli/import/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace forebay::cli {
namespace {
constexpr std::size_t read_bytes = 256_KiB;
}

Result<std::unique_ptr<Input>, std::string> Input::open(const std::string& path) {
    int descriptor = path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return Failure{path + ": " + std::strerror(errno)};
    std::unique_ptr<Input> input(new Input(descriptor, path == "-" ? "standard input" : path));
    struct stat found{};
    if (::fstat(descriptor, &found) != 0) return Failure{path + ": " + std::strerror(errno)};
    if (S_ISDIR(found.st_mode)) return Failure{path + " is a folder; name a file"};
    input->is_seekable_ = S_ISREG(found.st_mode) && path != "-";
    if (S_ISREG(found.st_mode)) input->size_ = static_cast<std::uint64_t>(found.st_size);
    return input;
}

Input::~Input() { ::close(descriptor_); }

Result<void, std::string> Input::seek(std::uint64_t offset) {
    if (::lseek(descriptor_, static_cast<off_t>(offset), SEEK_SET) < 0) return Failure{name_ + ": " + std::strerror(errno)};
    offset_ = offset;
    buffer_.clear();
    used_ = 0;
    ended_ = false;
    return {};
}

std::string_view Input::look(std::size_t wanted) {
    while (buffer_.size() - used_ < wanted && !ended_) read_more();
    return std::string_view(buffer_).substr(used_);
}

void Input::use(std::size_t bytes) {
    used_ += bytes;
    offset_ += bytes;
}

void Input::read_more() {
    // What is used goes only when it is most of the buffer, so that each byte is moved about once.
    if (used_ > buffer_.size() / 2) {
        buffer_.erase(0, used_);
        used_ = 0;
    }
    auto before = buffer_.size();
    buffer_.resize(before + read_bytes);
    ssize_t n = 0;
    do n = ::read(descriptor_, buffer_.data() + before, read_bytes);
    while (n < 0 && errno == EINTR);
    if (n < 0) failure_ = name_ + ": " + std::strerror(errno);
    ended_ = n <= 0;
    buffer_.resize(before + (n > 0 ? static_cast<std::size_t>(n) : 0));
}

std::string why_no_text(std::string_view beginning, const std::string& name) {
    if (beginning.starts_with("\xff\xfe") || beginning.starts_with("\xfe\xff"))
        return name + " is UTF-16: iconv -f UTF-16 -t UTF-8 " + name + " | forebay import - …";
    if (beginning.starts_with("\x1f\x8b")) return name + " is compressed: zcat " + name + " | forebay import - …";
    if (beginning.starts_with("PK\x03\x04")) return name + " is a spreadsheet or another ZIP file: save it as CSV";
    if (beginning.find('\0') != std::string_view::npos) return name + " is no text: there is a NUL in its first bytes";
    return {};
}

}  // namespace forebay::cli
