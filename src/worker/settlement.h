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

/// How often a queue delivers a record that spends its attempts from `spent` on: one for each, and one more for each
/// part of a wait at its longest. All of a record's deliveries are those from 0 on.
std::uint64_t deliveries_of(const RetrySchedule& schedule, std::uint32_t spent);

/// The longest wait that a handler may ask for instead of the schedule's.
inline constexpr Duration after_most = 7 * 24h;
inline constexpr std::uint64_t any_number = UINT64_MAX;

/// `attempts` are those spent before. Done, retry and dead spend one; the others do not. A retry
/// whose schedule is used up is dead. A handler's own wait is cut to `after_most`, and to as many parts as
/// `deliveries_left` (until the queue moves the message to its dead letters, untried) has besides those that
/// the rest of the schedule needs; one part it has always.
Settlement settle(const Outcome& outcome, std::uint32_t attempts, const RetrySchedule& schedule, Timestamp now, std::uint64_t random,
                  std::uint64_t deliveries_left = any_number);

}  // namespace forebay::worker
