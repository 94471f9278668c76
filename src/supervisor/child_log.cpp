#include "supervisor/child_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "base/log_line.h"

namespace forebay::supervisor {
namespace {

void write_whole(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        auto n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

}  // namespace

ChildLog::ChildLog(std::string path, LogStyle style, unsigned n, std::string label, bool echo)
    : path_(std::move(path)), style_(style), n_(n), label_(std::move(label)), echo_(echo || path_.empty()) {}

void ChildLog::add(std::string_view bytes) {
    for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
        unfinished_.append(bytes.substr(0, end));
        write(unfinished_);
        unfinished_.clear();
        bytes.remove_prefix(end + 1);
    }
    unfinished_.append(bytes);
    if (unfinished_.size() >= line_bytes_max) finish();
}

void ChildLog::finish() {
    if (!unfinished_.empty()) write(unfinished_);
    unfinished_.clear();
}

void ChildLog::write(std::string_view line) {
    if (echo_) write_whole(2, label_ + " | " + std::string(line) + "\n");
    if (path_.empty() || !opened()) return;
    std::string whole;
    if (style_ == LogStyle::guide) whole = std::to_string(std::time(nullptr)) + ":" + std::to_string(n_) + ":";
    write_whole(file_.get(), whole.append(line).append("\n"));
}

bool ChildLog::opened() {
    if (file_) return true;
    std::error_code ignored;
    auto directory = std::filesystem::path(path_).parent_path();
    if (!directory.empty()) std::filesystem::create_directories(directory, ignored);
    file_ = Descriptor(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640));
    if (!file_ && !complained_) log_error("log.unwritable").with("path", path_).with("why", std::strerror(errno)).with("process", label_);
    complained_ = !file_;
    return static_cast<bool>(file_);
}

}  // namespace forebay::supervisor
