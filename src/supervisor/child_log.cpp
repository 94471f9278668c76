#include "supervisor/child_log.h"

#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace forebay::supervisor {
namespace {

void write_to_standard_error(std::string_view bytes) {
    while (!bytes.empty()) {
        auto n = ::write(2, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

}  // namespace

ChildLog::ChildLog(std::shared_ptr<LogFile> file, LogStyle style, unsigned n, std::string label, bool echo)
    : file_(std::move(file)), style_(style), n_(n), label_(std::move(label)), echo_(echo || file_ == nullptr) {}

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

void ChildLog::reopen() {
    if (file_ != nullptr) file_->reopen();
}

void ChildLog::write(std::string_view line) {
    if (echo_) write_to_standard_error(label_ + " | " + std::string(line) + "\n");
    if (file_ == nullptr) return;
    std::string whole;
    if (style_ == LogStyle::guide) whole = std::to_string(std::time(nullptr)) + ":" + std::to_string(n_) + ":";
    file_->write(whole.append(line).append("\n"));
}

}  // namespace forebay::supervisor
