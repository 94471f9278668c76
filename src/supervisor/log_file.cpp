#include "supervisor/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <type_traits>
#include <utility>

#include "base/log_line.h"

namespace forebay::supervisor {
namespace {

std::string backup(const std::string& path, std::uint32_t n) { return path + "." + std::to_string(n); }

/// Which file it is, by name or by descriptor; two that are the same compare equal.
template <class Which>
std::pair<dev_t, ino_t> file_at(const Which& which) {
    struct stat found{};
    int failed = 0;
    if constexpr (std::is_same_v<Which, int>)
        failed = ::fstat(which, &found);
    else
        failed = ::stat(which.c_str(), &found);
    return failed == 0 ? std::pair(found.st_dev, found.st_ino) : std::pair<dev_t, ino_t>();
}

}  // namespace

void LogFile::write(std::string_view line) {
    if (!opened()) return lose(errno);
    if (rotation_.bytes_max > 0 && is_regular_ && bytes_ + line.size() > rotation_.bytes_max) rotate();
    if (!opened()) return lose(errno);
    ssize_t written = 0;
    while ((written = ::write(file_.get(), line.data(), line.size())) < 0 && errno == EINTR) {
    }
    if (written == static_cast<ssize_t>(line.size())) {
        bytes_ += line.size();
        if (lost_ > 0) log_warn("log.written_again").with("path", path_).with("lines_lost", lost_);
        lost_ = 0;
        return;
    }
    int why = written < 0 ? errno : ENOSPC;
    // Half a line would be joined with the next one, maybe another process's.
    if (written > 0 && is_regular_) {
        look();
        (void)!::ftruncate(file_.get(), static_cast<off_t>(bytes_ - static_cast<std::uint64_t>(written)));
        look();
    }
    lose(why);
}

void LogFile::lose(int why) {
    if (lost_++ > 0) return;
    log_error("log.unwritable").with("path", path_).with("why", std::strerror(why)).with("next", "lines are lost until it can be written");
}

bool LogFile::opened() {
    if (file_) return true;
    std::error_code ignored;
    auto directory = std::filesystem::path(path_).parent_path();
    if (!directory.empty()) std::filesystem::create_directories(directory, ignored);
    // Without O_NONBLOCK a pipe that nobody reads would hold up everything.
    file_ = Descriptor(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640));
    if (file_) look();
    return static_cast<bool>(file_);
}

/// The file's true size: somebody may have cut it.
void LogFile::look() {
    struct stat found{};
    is_regular_ = ::fstat(file_.get(), &found) == 0 && S_ISREG(found.st_mode);
    bytes_ = is_regular_ ? static_cast<std::uint64_t>(found.st_size) : 0;
}

void LogFile::rotate() {
    auto counted = bytes_;
    look();
    if (bytes_ < counted || bytes_ == 0) return;
    bool is_moved_away = file_at(path_) != file_at(file_.get());
    file_.close();
    if (is_moved_away) return;
    for (auto n = rotation_.backups; n > 1; --n) std::rename(backup(path_, n - 1).c_str(), backup(path_, n).c_str());
    bool is_rotated = rotation_.backups > 0 ? std::rename(path_.c_str(), backup(path_, 1).c_str()) == 0 : ::unlink(path_.c_str()) == 0;
    if (is_rotated) return;
    log_error("log.not_rotated").with("path", path_).with("why", std::strerror(errno)).with("next", "it grows until forebay is restarted");
    rotation_.bytes_max = 0;
}

std::shared_ptr<LogFile> LogFiles::at(const std::string& path, Rotation rotation) {
    std::erase_if(files_, [](const auto& one) { return one.second.expired(); });
    auto& known = files_[path];
    auto file = known.lock();
    if (file == nullptr)
        known = file = std::make_shared<LogFile>(path, rotation);
    else
        file->set_rotation(rotation);
    return file;
}

}  // namespace forebay::supervisor
