#pragma once
// From a handler's outcome to what is noted and done with the message. Pure.

#include <cstdint>

#include "worker/handler.h"
#include "worker/retry.h"

namespace forebay::worker {

/// The longest a message is hidden at once: SQS allows 12 hours from its receive on, the attempt included. A longer
/// wait of the schedule is taken in parts: the message comes, is not yet due by its effect's row, and is hidden again.
inline constexpr Duration hidden_most = 11h;

/// How much is left of a wait when its record has come. Zero of one that fits in one hiding: the queue has kept that
/// time, on a clock that nobody sets. Zero too where the wall clock is before the wait's begin: it was set back, and
/// would hide the record for as long as that.
Duration left_of(const Wait& wait, Timestamp now);

/// `attempts` are those spent before. Done, retry and dead spend one; hold and untouched do not. A retry
/// whose schedule is used up is dead.
Settlement settle(const Outcome& outcome, std::uint32_t attempts, const RetrySchedule& schedule, Timestamp now, std::uint64_t random);

}  // namespace forebay::worker
