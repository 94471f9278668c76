#pragma once
// The time the broker lives by: the wall clock as long as it agrees with the clock that counts since boot, never
// going back and never standing still. A wall clock that jumps is not followed until it has agreed for ten minutes; meanwhile time runs on
// by the other clock and is called suspect: nothing expires (D7).

#include <algorithm>

#include "base/time.h"

namespace forebay::broker {

class TimeKeeper {
  public:
    static constexpr Duration jump = 5s;
    static constexpr Duration agreement = 10min;

    /// `at_least`: the latest time the log speaks of.
    TimeKeeper(Clock& clock, Timestamp at_least);

    struct Now {
        Timestamp wall;
        Instant instant;
    };
    Now now();
    bool is_suspect() const { return suspect_; }

  private:
    void doubt(std::int64_t offset, Instant at);
    /// The wall clock is believed. Where it went back, our time goes on at its pace, ahead of it.
    void follow(std::int64_t offset);

    Clock& clock_;
    std::int64_t offset_ = 0;   ///< wall minus instant, as believed
    std::int64_t lead_ = 0;     ///< how far our time is before the wall clock, so as not to go back
    std::int64_t doubted_ = 0;  ///< the offset that is not believed yet
    Instant agreed_since_;
    bool suspect_ = false;
    Timestamp last_;
};

/// The clock of the journal: the keeper's time, so that what is looked up in the log by when it was written is found by when it
/// was sent. While the store is being opened there is no keeper yet: then no earlier than what was read so far.
class LogClock final : public Clock {
  public:
    LogClock(Clock& clock, const Timestamp& read_so_far) : clock_(clock), read_so_far_(read_so_far) {}
    void follow(TimeKeeper& keeper) { keeper_ = &keeper; }

    Timestamp wall() override { return keeper_ != nullptr ? keeper_->now().wall : std::max(clock_.wall(), read_so_far_); }
    Instant now() override { return clock_.now(); }

  private:
    Clock& clock_;
    const Timestamp& read_so_far_;
    TimeKeeper* keeper_ = nullptr;
};

}  // namespace forebay::broker
