#pragma once
// The broker without a thread: takes a batch of commands, decides each in queue/, appends what follows to the
// journal, applies it, makes it durable with one sync, then runs the answers. Deterministic: the same commands,
// disk, clock and entropy give the same run, so the simulator drives it as it is.
//
// What it promises (storage design, D5): an answer runs after everything it depends on is durable; a receive
// hands out only what is durable; receives and visibility changes are written before their answer and durable
// within `sync_within`. After a failed `run` nothing may be asked of it any more.

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/entropy.h"
#include "base/result.h"
#include "base/time.h"
#include "broker/broker.h"
#include "broker/options.h"
#include "disk/disk.h"
#include "journal/journal.h"

namespace forebay::metrics {
class Registry;
}

namespace forebay::broker {

using OpenError = journal::OpenError;

/// The slow half of a checkpoint: syncs and renames files, touches no state of the turn. Run once, on any thread.
class CheckpointJob {
  public:
    virtual ~CheckpointJob() = default;
    virtual void run() = 0;
    virtual bool is_done() const = 0;
};

class Turn {
  public:
    /// Opens or creates the store under `disk`: the newest valid checkpoint, then the log after it; without a valid
    /// checkpoint the whole log. The references outlive the turn.
    static Result<std::unique_ptr<Turn>, OpenError> open(disk::Disk& disk, Clock& clock, Entropy& entropy, BrokerOptions options,
                                                         metrics::Registry* metrics = nullptr);
    virtual ~Turn() = default;

    /// One turn. The commands are moved from; each answer runs once, in this call or a later one (long polls). An empty
    /// batch only does what is due by now. On a failure every waiting answer has run with Refusal::journal_fault and
    /// the process must end (exit code 74) or, in the simulator, open again.
    virtual Result<void, disk::Error> run(std::span<Command> batch) = 0;
    /// When `run` has something to do without a command: now at the earliest; nothing = only when commands come.
    virtual std::optional<Instant> next_due() const = 0;
    /// Makes durable what was written, and says how far the log reaches. Its segments stay as they are for `at_most`; zero lets go.
    /// A failure is that of `run`.
    virtual Result<journal::Extent, disk::Error> hold_log(Duration at_most) = 0;
    /// The same, and what was written until now lies in sealed segments.
    virtual Result<journal::Extent, disk::Error> seal_log(Duration at_most) = 0;
    /// Journal::replace.
    virtual Result<bool, disk::Error> replace_segment(journal::SegmentNumber segment) = 0;
    /// Answers every waiting receive with nothing, syncs, and takes a last checkpoint.
    virtual Result<void, disk::Error> stop() = 0;

    /// Takes over the slow half of checkpoints (a thread of its own); without it they run inside `run`. The job is
    /// shared: the turn asks whether it is done, the runner may outlive the turn.
    using JobRunner = UniqueFunction<void(std::shared_ptr<CheckpointJob>)>;
    virtual void set_job_runner(JobRunner runner) = 0;

    virtual std::string handle_of(const queue::Receipt& receipt) const = 0;
    virtual std::optional<queue::Receipt> receipt_of(std::string_view handle) const = 0;

    /// What opening found, what the log holds: for status, history and tests.
    virtual journal::Journal& journal() = 0;
    virtual bool opened_from_checkpoint() const = 0;
    struct Counters {
        std::uint64_t checkpoints = 0;
        std::uint64_t once_forgotten = 0;  ///< keys forgotten before their window ended (the bound was reached)
        std::uint64_t stragglers_copied = 0;
        std::uint64_t page_reads = 0, page_writes = 0;
        std::uint64_t body_cache_hits = 0, body_reads = 0;
        std::uint64_t damaged_messages = 0;  ///< bodies that could not be read back
        std::uint64_t messages_lost = 0;     ///< given up because of damage, so that the log can go on
    };
    virtual Counters counters() const = 0;
    /// The longest sync since this was last asked.
    virtual std::chrono::nanoseconds take_slowest_sync() = 0;
};

}  // namespace forebay::broker
