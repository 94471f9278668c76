#pragma once
// How often and for how long something is tried again, and the pauses between. A pause is drawn from nothing to a
// bound that doubles (full jitter): many who failed at once do not come back at once.

#include <cstdint>

#include "base/entropy.h"
#include "base/time.h"

namespace forebay::sqs::client {

struct TryLimits {
    unsigned tries_max = 3;
    Duration total_max = 60s;  ///< from the first try; no later one begins after it, or lasts longer
    Duration pause_first = 100ms;
    Duration pause_max = 5s;
};

/// The longest pause after try number `tried` (from 1).
Duration pause_bound(unsigned tried, const TryLimits& limits);

class Tries {
  public:
    Tries(const TryLimits& limits, Clock& clock, Entropy& entropy)
        : limits_(limits), clock_(clock), entropy_(entropy), until_(clock.now() + limits.total_max) {}
    /// Pauses before another try, on this thread; false, at once, when there may be none.
    bool pause();
    bool is_first() const { return tried_ == 1; }
    Duration left() const { return until_ - clock_.now(); }

  private:
    const TryLimits& limits_;
    Clock& clock_;
    Entropy& entropy_;
    Instant until_;
    unsigned tried_ = 1;
};

}  // namespace forebay::sqs::client
