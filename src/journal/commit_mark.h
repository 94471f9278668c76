#pragma once
// The second witness of what was durable (FORMAT.md, "Commit mark"): two slots written in turn,
// never synced. Missing or damaged marks are no error; a valid one is true.

#include <cstdint>
#include <memory>
#include <optional>

#include "base/uuid.h"
#include "disk/disk.h"

namespace forebay::journal {

struct Mark {
    std::uint64_t count = 0;
    Uuid store;
    std::uint64_t durable_upto = 0;
    std::uint64_t next = 0;
    std::uint32_t boot_epoch = 0;
};

class CommitMark {
  public:
    /// Opens or makes the file and reads the newest valid slot. Without a file it works on, and writes nothing.
    explicit CommitMark(disk::Disk& disk);
    const std::optional<Mark>& found() const { return found_; }
    /// Writes the next slot; `count` is set here. A failure is ignored: the mark is a hint.
    void write(Mark mark);

  private:
    std::optional<Mark> read_slot(std::uint64_t offset);
    std::unique_ptr<disk::File> file_;
    std::optional<Mark> found_;
    std::uint64_t count_ = 0;
};

}  // namespace forebay::journal
