#pragma once
// When to take a checkpoint, taking it, and dropping the part of the log that no checkpoint and no message needs.

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>

#include "broker/checkpoint.h"
#include "broker/options.h"
#include "broker/state.h"
#include "broker/turn.h"

namespace forebay::broker {

class CheckpointKeeper {
  public:
    CheckpointKeeper(disk::Disk& disk, State& state, const BrokerOptions& options, std::optional<LoadedCheckpoint> loaded)
        : disk_(disk), state_(state), options_(options), loaded_(loaded) {}

    /// The log grew by events that the newest checkpoint does not hold.
    void note(std::uint64_t bytes, std::uint64_t events, Instant at);
    /// The log holds something that a checkpoint should hold by then.
    void hasten(Instant by) { due_by_ = std::min(due_by_.value_or(by), by); }
    bool is_due(Instant now) const;
    /// When it will be due if nothing more happens.
    std::optional<Instant> next_due() const;
    bool is_running() const { return job_ != nullptr; }

    /// Begins one. Everything in the journal must be durable. Without room on the disk the journal gives its reserve back for
    /// it; without that it is put off.
    Result<void, disk::Error> begin(journal::Journal& journal, Timestamp now, Instant at, Turn::JobRunner& runner);
    /// Looks whether the running one is done; true when one has just become durable.
    Result<bool, disk::Error> finish(journal::Journal& journal, Instant at);
    /// Drops the segments at the head that the newest durable checkpoint says nothing needs.
    Result<void, disk::Error> drop_segments(journal::Journal& journal, Instant at);
    /// Drops nothing before then: somebody reads the segments that are there now.
    void hold_segments(Instant until) { held_until_ = until; }
    /// Segments below this can be dropped after the next checkpoint, once nothing lives in them.
    std::uint32_t needed_from() const { return loaded_ ? loaded_->newest.segment : 0; }

    std::uint64_t taken() const { return taken_; }

  private:
    void put_off(journal::Journal& journal, const disk::Error& why, Instant at);
    std::uint32_t droppable_below(std::uint32_t active) const;
    journal::Fate fate_of(std::uint32_t segment) const;
    disk::Disk& disk_;
    State& state_;
    const BrokerOptions& options_;
    std::optional<LoadedCheckpoint> loaded_;
    std::shared_ptr<WriteCheckpoint> job_;
    std::uint64_t bytes_ = 0, events_ = 0, reads_before_ = 0;
    std::optional<Instant> changed_at_;
    std::optional<Instant> due_by_;
    std::optional<Instant> not_before_;
    std::optional<Instant> held_until_;
    std::uint64_t taken_ = 0;
};

}  // namespace forebay::broker
