#pragma once
// A checkpoint: the state at one position of the log, so that opening need not read what lies before. A cache:
// losing it costs time, never a message. FORMAT.md §3.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/state.h"
#include "broker/turn.h"
#include "disk/disk.h"
#include "journal/journal.h"

namespace forebay::broker {

inline constexpr const char* checkpoint_directory = "checkpoint";
inline constexpr const char* page_file_path = "checkpoint/pages";
inline constexpr const char* distrusted_path = "checkpoint/distrusted";

struct CheckpointMark {
    std::uint64_t number = 0;
    journal::Position position;  ///< replay begins here
    std::uint32_t segment = 0;   ///< the active segment then
    std::uint32_t first = 0;     ///< segments below this are dropped once it is durable
};

/// The text of a checkpoint of `state`. The pool has begun the checkpoint: every page has a slot.
std::string encode_checkpoint(const CheckpointMark& mark, Timestamp now, const State& state);

/// The newest whole checkpoint put into `state`, whose pool has its file open; nothing if there is none. Bad ones
/// are renamed and described in `notes`. The slots of the checkpoint before it are kept from being overwritten.
struct LoadedCheckpoint {
    CheckpointMark newest;
    std::optional<CheckpointMark> older;
};
Result<std::optional<LoadedCheckpoint>, disk::Error> load_checkpoint(disk::Disk& disk, State& state, std::vector<std::string>& notes);

/// Makes sure that no checkpoint is used at the next opening.
Result<void, disk::Error> distrust_checkpoints(disk::Disk& disk);
/// Removes all checkpoints, as asked for by distrust_checkpoints.
Result<void, disk::Error> remove_checkpoints(disk::Disk& disk);

/// Makes a checkpoint durable: page file, file, name. Touches nothing but the disk.
class WriteCheckpoint final : public CheckpointJob {
  public:
    WriteCheckpoint(disk::Disk& disk, disk::File& pages, CheckpointMark mark, std::optional<std::uint64_t> superseded, std::string text)
        : disk_(disk), pages_(pages), mark_(mark), superseded_(superseded), text_(std::move(text)) {}
    void run() override;
    bool is_done() const override { return done_.load(std::memory_order_acquire); }

    /// After is_done().
    const std::optional<disk::Error>& error() const { return error_; }
    const CheckpointMark& mark() const { return mark_; }
    std::size_t bytes() const { return text_.size(); }

  private:
    Result<void, disk::Error> write();
    disk::Disk& disk_;
    disk::File& pages_;
    CheckpointMark mark_;
    std::optional<std::uint64_t> superseded_;  ///< the second-but-last, which goes
    std::string text_;
    std::optional<disk::Error> error_;
    std::atomic<bool> done_{false};
};

}  // namespace forebay::broker
