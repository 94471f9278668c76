#pragma once
// The file system as the log needs it, as a port: PosixDisk is the real one, testing/SimulatedDisk
// the one that forgets, tears and fails. Paths are relative to one directory. Nothing here knows
// what the bytes mean. Every call may fail; no call retries by itself except after EINTR and short
// transfers.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace forebay::disk {

/// What went wrong, by errno; `text()` is for people.
struct Error {
    int number = 0;         ///< errno
    std::string operation;  ///< "write", "sync", …
    std::string path;
    bool is_no_space() const;
    std::string text() const;
};

class File {
  public:
    virtual ~File() = default;
    /// Reads up to `size` bytes at `offset` into `out` (replaced). Fewer only at the end of the file.
    virtual Result<void, Error> read(std::uint64_t offset, std::size_t size, std::string& out) = 0;
    /// Writes all bytes at `offset`. After a failure the range holds anything.
    virtual Result<void, Error> write(std::uint64_t offset, std::string_view bytes) = 0;
    /// Makes the data (and the size needed to read it) durable: fdatasync. A failure is final for this
    /// file: the caller must not try again on it (storage design §6).
    virtual Result<void, Error> sync() = 0;
    /// Claims space so that writing below `size` cannot fail for want of it: fallocate.
    virtual Result<void, Error> allocate(std::uint64_t size) = 0;
    virtual Result<void, Error> truncate(std::uint64_t size) = 0;
    virtual Result<std::uint64_t, Error> size() = 0;
    /// Asks the cache to forget clean pages, so that what is read next comes from the device.
    virtual void forget_cache() = 0;
};

enum class OpenMode { read, read_write, create_new };

class Disk {
  public:
    virtual ~Disk() = default;
    virtual Result<std::unique_ptr<File>, Error> open(const std::string& path, OpenMode mode) = 0;
    /// Names in a directory ("" = the root), sorted, without "." and "..". A missing directory is empty.
    virtual Result<std::vector<std::string>, Error> list(const std::string& directory) = 0;
    virtual Result<void, Error> make_directory(const std::string& path) = 0;
    virtual Result<void, Error> rename(const std::string& from, const std::string& to) = 0;
    virtual Result<void, Error> remove(const std::string& path) = 0;
    virtual bool exists(const std::string& path) = 0;
    /// Makes names created, renamed or removed in the directory durable.
    virtual Result<void, Error> sync_directory(const std::string& directory) = 0;
    virtual Result<std::uint64_t, Error> free_bytes() = 0;
    /// Takes the one lock of this directory until the Disk is destroyed; fails if another process has it.
    virtual Result<void, Error> lock() = 0;
};

}  // namespace forebay::disk
