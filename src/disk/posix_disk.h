#pragma once
// The real file system below one directory. Files are made with mode 0600, directories with 0700.
// Retries after EINTR and short transfers and nothing else; every other error is the caller's to judge.
// Knows nothing about what it stores. Use from one thread, except File::read, which any thread may call.

#include <memory>
#include <string>

#include "disk/disk.h"

namespace forebay::disk {

class PosixDisk final : public Disk {
  public:
    /// Opens the directory, making it (and its parents) when missing.
    static Result<std::unique_ptr<PosixDisk>, Error> open(const std::string& directory);
    /// Opens a directory that exists, to look only: makes nothing and is never locked.
    static Result<std::unique_ptr<PosixDisk>, Error> open_existing(const std::string& directory);
    ~PosixDisk() override;
    PosixDisk(const PosixDisk&) = delete;
    PosixDisk& operator=(const PosixDisk&) = delete;

    Result<std::unique_ptr<File>, Error> open(const std::string& path, OpenMode mode) override;
    Result<std::vector<std::string>, Error> list(const std::string& directory) override;
    Result<void, Error> make_directory(const std::string& path) override;
    Result<void, Error> rename(const std::string& from, const std::string& to) override;
    Result<void, Error> remove(const std::string& path) override;
    bool exists(const std::string& path) override;
    Result<void, Error> sync_directory(const std::string& directory) override;
    Result<std::uint64_t, Error> free_bytes() override;
    /// flock on the file `lock`; taking it twice is taking it once.
    Result<void, Error> lock() override;

  private:
    explicit PosixDisk(int root) : root_(root) {}
    int root_;  ///< descriptor of the directory: a rename of it above us changes nothing
    int lock_ = -1;
};

}  // namespace forebay::disk
