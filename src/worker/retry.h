#pragma once
// When a failed record is tried again: a list of waits, one per answer spent, with jitter. Pure.

#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"

namespace forebay::worker {

struct RetrySchedule {
    std::vector<Duration> after{1s, 5s, 30s, 5min, 30min, 2h, 5h, 10h, 14h, 20h};
    double jitter = 0.2;  ///< each wait is scaled by 1 - jitter … 1 + jitter
};

/// The wait before the next attempt when `spent` answers have been spent (1 after the first failure);
/// nothing when the schedule is used up and the effect is dead. `random` is any 64 bits.
std::optional<Duration> next_wait(const RetrySchedule& schedule, std::uint32_t spent, std::uint64_t random);

/// `wait` scaled by 1 - jitter … 1 + jitter.
Duration with_jitter(Duration wait, double jitter, std::uint64_t random);

}  // namespace forebay::worker
