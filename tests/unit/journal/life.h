#pragma once
// A log in use, next to a model that knows what must still be there whatever happened: every record that
// was acknowledged (synced), unless its segment was dropped, once, in order, with its bytes.

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "journal/history_reader.h"
#include "journal/journal.h"
#include "testing/manual_clock.h"
#include "testing/seeded_entropy.h"
#include "testing/simulated_disk.h"

namespace forebay::journal {

using forebay::testing::ManualClock;
using forebay::testing::Random;
using forebay::testing::SeededEntropy;
using forebay::testing::SimulatedDisk;
using forebay::testing::Survival;
using forebay::testing::SyncFailure;

class Life {
  public:
    Life(std::uint64_t seed, Options options, SimulatedDisk::Options disk_options = {})
        : disk(seed * 3 + 1, disk_options), entropy(seed * 5 + 2), random(seed), options_(options) {}

    /// Opens and checks what came back. False if the disk did not let it (power, fault); then the log is closed.
    bool open();
    /// One act of its user, by chance. False if the log failed.
    bool act();
    bool append_one(std::size_t bytes);
    bool sync();
    bool write();
    bool drop_some();
    void close() { log_.reset(); }
    bool is_open() const { return log_ != nullptr; }
    /// What the log says now, through read, scan and the history reader, against the model.
    void check_everything();
    std::uint64_t acknowledged() const { return acknowledged_; }
    const OpenReport& report() const { return log_->report(); }
    Journal& log() { return *log_; }
    /// Damage is expected: records may be missing, but only with a report.
    bool may_be_damaged = false;

    SimulatedDisk disk;
    ManualClock clock;
    SeededEntropy entropy;
    Random random;

  private:
    enum class State { pending, acknowledged, maybe_dropped, dropped };
    struct Record {
        std::string body;
        State state = State::pending;
        bool kept = false;  ///< went to history rather than away
        Location location;
        std::uint64_t position = 0;
        std::uint32_t seen = 0;  ///< times in the replay being checked
    };
    std::string new_body(std::size_t bytes);
    std::optional<std::size_t> index_of(std::string_view body) const;
    void take(const Entry& entry);
    void check_replay();
    void acknowledge_all();

    Options options_;
    std::unique_ptr<Journal> log_;
    std::vector<Record> records_;
    std::uint64_t acknowledged_ = 0;
    std::uint64_t highest_position_ = 0;  ///< above everything that was ever durable
    std::uint32_t last_epoch_ = 0;
    std::optional<std::size_t> last_in_order_;
    std::optional<std::uint64_t> last_position_;
};

}  // namespace forebay::journal
