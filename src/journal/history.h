#pragma once
// Segments that hold nothing live: in history/, as they were or compressed (FORMAT.md, "Compressed history").
// Listing and opening is for anybody; compressing and removing is for the owner of the log.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "disk/disk.h"

namespace forebay::journal {

struct HistorySegment {
    std::uint64_t number = 0;
    bool compressed = false;
};
/// Oldest first; a segment that is there in both forms is listed once, compressed.
Result<std::vector<HistorySegment>, disk::Error> list_history(disk::Disk& disk);
/// Highest number in history/, 0 if none.
Result<std::uint64_t, disk::Error> highest_history(disk::Disk& disk);
/// Opens a history segment for reading, as the bytes it had when it was live.
Result<std::unique_ptr<disk::File>, disk::Error> open_history(disk::Disk& disk, std::uint64_t number);
/// Removes a history segment in whatever form; durable when it returns.
Result<void, disk::Error> remove_history(disk::Disk& disk, std::uint64_t number);
std::string raw_history_path(std::uint64_t number);
std::string compressed_history_path(std::uint64_t number);

/// Compresses history segments a block (256 KiB) at a time.
class HistoryCompressor {
  public:
    explicit HistoryCompressor(disk::Disk& disk);
    ~HistoryCompressor();
    /// Looks for segments that are not compressed yet and removes what an earlier process left unfinished.
    Result<void, disk::Error> load();
    void add(std::uint64_t number) { waiting_.push_back(number); }
    bool has_work() const { return job_ != nullptr || !waiting_.empty(); }
    /// A bounded piece of work; true if there is more. After a failure the segment stays as it is until the next start, after
    /// one for want of space until the others had their turn.
    Result<bool, disk::Error> compress_some();
    /// The segment goes: nothing is made of it any more.
    void forget(std::uint64_t number);

  private:
    struct Job;
    Result<bool, disk::Error> compress_next_part();
    void abandon();
    Result<void, disk::Error> begin(std::uint64_t number);
    Result<void, disk::Error> compress_block();
    Result<void, disk::Error> finish();

    disk::Disk& disk_;
    std::deque<std::uint64_t> waiting_;
    std::unique_ptr<Job> job_;
};

}  // namespace forebay::journal
