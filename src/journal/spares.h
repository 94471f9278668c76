#pragma once
// Space for the next segment, ready before it is needed: dropped segments kept for another life, and,
// until there are any, files written with zeros in small steps. Also reserve.bin, which is given back
// when the disk is full. Synced names are the caller's business only where it says so.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "disk/disk.h"

namespace forebay::journal {

class Spares {
  public:
    struct Limits {
        std::uint64_t segment_bytes = 0;
        std::uint64_t reserve_bytes = 0;
        unsigned wanted = 1;
    };
    /// A file of segment_bytes that no segment uses.
    struct Space {
        std::unique_ptr<disk::File> file;
        std::string name;
        bool recycled = false;
    };

    Spares(disk::Disk& disk, Limits limits) : disk_(disk), limits_(limits) {}
    /// Takes stock of the names in the root directory: keeps whole spares, removes unfinished ones.
    Result<void, disk::Error> load(const std::vector<std::string>& names);

    /// A spare, or a new file (claimed, not written). With no space left the reserve is given back first.
    Result<Space, disk::Error> take();
    /// Makes a dropped segment a spare, or removes it if there are enough or it is not whole. The caller syncs the directory.
    Result<void, disk::Error> adopt(const std::string& segment_file);

    bool is_making() const { return making_.has_value(); }
    bool is_ready() const { return !ready_.empty(); }
    bool wants_more() const { return ready_.size() < limits_.wanted; }
    bool has_reserve() const { return has_reserve_; }
    /// Writes the next part of a spare in the making; the last one syncs it. True if there is more to do.
    Result<bool, disk::Error> prepare_some();
    /// Gives reserve.bin back; durable when it returns.
    Result<void, disk::Error> release_reserve();
    /// The same, but when no spare is ready the reserve becomes one, and only what it holds beyond that is given back: what is
    /// free for a moment another process may take, and without a segment neither the log nor a start goes on. A reserve no
    /// larger than a segment is given back whole.
    Result<void, disk::Error> release_reserve_but_a_spare();
    /// Claims reserve.bin again.
    Result<void, disk::Error> claim_reserve();
    std::uint64_t recycled_count() const { return recycled_; }

  private:
    struct InTheMaking {
        std::unique_ptr<disk::File> file;
        std::string name;
        std::uint64_t written = 0;
    };
    Result<std::unique_ptr<disk::File>, disk::Error> create(const std::string& name);
    Result<std::unique_ptr<disk::File>, disk::Error> create_claimed(const std::string& name, std::uint64_t size);
    bool is_whole(const std::string& name, std::uint64_t size);
    Result<bool, disk::Error> prepare_next_part();
    Result<bool, disk::Error> begin_making();
    Result<bool, disk::Error> finish_making();
    void abandon_making();

    disk::Disk& disk_;
    Limits limits_;
    std::vector<std::string> ready_;
    std::optional<InTheMaking> making_;
    std::uint64_t next_number_ = 1;
    std::uint64_t recycled_ = 0;
    bool has_reserve_ = false;
};

}  // namespace forebay::journal
