#include "disk/posix_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/bytes.h"

namespace forebay::disk {
namespace {

Failure<Error> failure(const char* operation, const std::string& path, int number = errno) {
    return Failure{Error{number, operation, path}};
}

/// Repeats a call that a signal interrupted.
template <class Call>
auto uninterrupted(Call call) {
    auto result = call();
    while (result == -1 && errno == EINTR) result = call();
    return result;
}

/// From here on a write is sent on its way to the device at once, so that the sync after it, or after many, has less to wait for.
constexpr std::size_t large_write_bytes = 256_KiB;

class PosixFile final : public File {
  public:
    PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
    ~PosixFile() override { ::close(fd_); }

    Result<void, Error> read(std::uint64_t offset, std::size_t size, std::string& out) override {
        out.resize(size);
        std::size_t done = 0;
        while (done < size) {
            auto n = uninterrupted([&] { return ::pread(fd_, out.data() + done, size - done, static_cast<off_t>(offset + done)); });
            if (n < 0) return failure("read", path_);
            if (n == 0) break;
            done += static_cast<std::size_t>(n);
        }
        out.resize(done);
        return {};
    }

    Result<void, Error> write(std::uint64_t offset, std::string_view bytes) override {
        auto begin = offset;
        auto size = bytes.size();
        while (!bytes.empty()) {
            auto n = uninterrupted([&] { return ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
            if (n < 0) return failure("write", path_);
            if (n == 0) return failure("write", path_, EIO);
            bytes.remove_prefix(static_cast<std::size_t>(n));
            offset += static_cast<std::uint64_t>(n);
        }
        // Does not wait, so it neither reports nor swallows what the next sync must report.
        if (size >= large_write_bytes) ::sync_file_range(fd_, static_cast<off_t>(begin), static_cast<off_t>(size), SYNC_FILE_RANGE_WRITE);
        return {};
    }

    Result<void, Error> sync() override {
        // Not repeated after EINTR: what the first call did not report may never be reported again.
        if (::fdatasync(fd_) != 0) return failure("sync", path_);
        return {};
    }

    Result<void, Error> allocate(std::uint64_t size) override {
        if (size == 0) return {};
        if (uninterrupted([&] { return ::fallocate(fd_, 0, 0, static_cast<off_t>(size)); }) == 0) return {};
        if (errno != EOPNOTSUPP) return failure("allocate", path_);
        // Says what went wrong by what it returns; errno stays what it was.
        int error = ::posix_fallocate(fd_, 0, static_cast<off_t>(size));
        if (error != 0) return failure("allocate", path_, error);
        return {};
    }

    Result<void, Error> truncate(std::uint64_t size) override {
        if (uninterrupted([&] { return ::ftruncate(fd_, static_cast<off_t>(size)); }) != 0) return failure("truncate", path_);
        return {};
    }

    Result<std::uint64_t, Error> size() override {
        struct stat status{};
        if (::fstat(fd_, &status) != 0) return failure("stat", path_);
        return static_cast<std::uint64_t>(status.st_size);
    }

    void forget_cache() override { ::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED); }

  private:
    int fd_;
    std::string path_;
};

int flags_of(OpenMode mode) {
    switch (mode) {
        case OpenMode::read:
            return O_RDONLY;
        case OpenMode::read_write:
            return O_RDWR;
        case OpenMode::create_new:
            return O_RDWR | O_CREAT | O_EXCL;
    }
    return O_RDONLY;
}

int sync_path(const std::string& directory) {
    int fd = uninterrupted([&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0) return -1;
    int failed = ::fsync(fd);
    int number = errno;
    ::close(fd);
    errno = number;
    return failed;
}

std::string parent_of(const std::string& path) {
    auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

/// The new name is durable: all that is ever synced below it hangs on it.
int make_one(const std::string& path) { return ::mkdir(path.c_str(), 0700) == 0 ? sync_path(parent_of(path)) : -1; }

/// Makes a directory and those above it; one that exists is fine.
int make_path(const std::string& path) {
    if (make_one(path) == 0 || errno == EEXIST) return 0;
    auto slash = path.rfind('/');
    if (errno != ENOENT || slash == std::string::npos || slash == 0) return -1;
    if (make_path(path.substr(0, slash)) != 0) return -1;
    return make_one(path) == 0 || errno == EEXIST ? 0 : -1;
}

/// "" means the root itself.
const char* or_dot(const std::string& path) { return path.empty() ? "." : path.c_str(); }

}  // namespace

Result<std::unique_ptr<PosixDisk>, Error> PosixDisk::open(const std::string& directory) {
    if (make_path(directory) != 0) return failure("make_directory", directory);
    return open_existing(directory);
}

Result<std::unique_ptr<PosixDisk>, Error> PosixDisk::open_existing(const std::string& directory) {
    int fd = uninterrupted([&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0) return failure("open", directory);
    return std::unique_ptr<PosixDisk>(new PosixDisk(fd));
}

PosixDisk::~PosixDisk() {
    if (lock_ >= 0) ::close(lock_);
    ::close(root_);
}

Result<std::unique_ptr<File>, Error> PosixDisk::open(const std::string& path, OpenMode mode) {
    int fd = uninterrupted([&] { return ::openat(root_, path.c_str(), flags_of(mode) | O_CLOEXEC, 0600); });
    if (fd < 0) return failure("open", path);
    return std::unique_ptr<File>(new PosixFile(fd, path));
}

Result<std::vector<std::string>, Error> PosixDisk::list(const std::string& directory) {
    int fd = uninterrupted([&] { return ::openat(root_, or_dot(directory), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0 && errno == ENOENT) return std::vector<std::string>{};
    if (fd < 0) return failure("list", directory);
    DIR* stream = ::fdopendir(fd);
    if (stream == nullptr) return failure("list", directory);
    std::vector<std::string> names;
    errno = 0;
    while (auto* entry = ::readdir(stream)) {
        std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(std::move(name));
        errno = 0;
    }
    int number = errno;
    ::closedir(stream);
    if (number != 0) return failure("list", directory, number);
    std::sort(names.begin(), names.end());
    return names;
}

Result<void, Error> PosixDisk::make_directory(const std::string& path) {
    if (::mkdirat(root_, path.c_str(), 0700) != 0 && errno != EEXIST) return failure("make_directory", path);
    return {};
}

Result<void, Error> PosixDisk::rename(const std::string& from, const std::string& to) {
    if (::renameat(root_, from.c_str(), root_, to.c_str()) != 0) return failure("rename", from);
    return {};
}

Result<void, Error> PosixDisk::remove(const std::string& path) {
    if (::unlinkat(root_, path.c_str(), 0) != 0) return failure("remove", path);
    return {};
}

bool PosixDisk::exists(const std::string& path) { return ::faccessat(root_, path.c_str(), F_OK, 0) == 0; }

Result<void, Error> PosixDisk::sync_directory(const std::string& directory) {
    int fd = uninterrupted([&] { return ::openat(root_, or_dot(directory), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0) return failure("sync_directory", directory);
    int failed = ::fsync(fd);
    int number = errno;
    ::close(fd);
    if (failed != 0) return failure("sync_directory", directory, number);
    return {};
}

Result<std::uint64_t, Error> PosixDisk::free_bytes() {
    struct statvfs status{};
    if (uninterrupted([&] { return ::fstatvfs(root_, &status); }) != 0) return failure("free_bytes", "");
    return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

Result<void, Error> PosixDisk::lock() {
    if (lock_ >= 0) return {};
    int fd = uninterrupted([&] { return ::openat(root_, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600); });
    if (fd < 0) return failure("lock", "lock");
    if (uninterrupted([&] { return ::flock(fd, LOCK_EX | LOCK_NB); }) != 0) {
        int number = errno;
        ::close(fd);
        return failure("lock", "lock", number);
    }
    lock_ = fd;
    return {};
}

}  // namespace forebay::disk
