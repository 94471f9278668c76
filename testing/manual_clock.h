#pragma once
// A clock that stands still until it is told. Wall clock and monotonic clock can be moved apart.

#include "base/time.h"

namespace forebay::testing {

class ManualClock final : public Clock {
  public:
    explicit ManualClock(Timestamp wall = {1'790'000'000'000}, Instant now = {1'000'000}) : wall_(wall), now_(now) {}
    Timestamp wall() override { return wall_; }
    Instant now() override { return now_; }

    /// Both clocks go on.
    void advance(Duration by) {
        wall_ = wall_ + by;
        now_ = now_ + by;
    }
    /// Somebody sets the wall clock; may go back.
    void jump_wall(Duration by) { wall_ = wall_ + by; }
    /// The machine starts again: the monotonic clock begins anew.
    void reboot(Duration down = Duration(0)) {
        wall_ = wall_ + down;
        now_ = Instant{1000};
    }

  private:
    Timestamp wall_;
    Instant now_;
};

}  // namespace forebay::testing
