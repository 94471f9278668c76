#include "worker/settlement.h"

#include <algorithm>

namespace forebay::worker {
namespace {

/// Into how many a wait is split, each of which ends with a delivery.
std::uint64_t parts_of(Duration wait) {
    return 1 + static_cast<std::uint64_t>(std::max<std::int64_t>(wait.count() - 1, 0) / hidden_most.count());
}

Duration longest_after(const RetrySchedule& schedule, std::uint32_t spent, std::uint64_t deliveries_left) {
    auto others = deliveries_of(schedule, spent) - 1;  // without the one that ends this wait's last part
    auto room = deliveries_left > others ? deliveries_left - others : 1;
    return room < parts_of(after_most) ? hidden_most * static_cast<std::int64_t>(room) : after_most;
}

Settlement settle_retry(const Outcome& outcome, std::uint32_t spent, const RetrySchedule& schedule, Timestamp now, std::uint64_t random,
                        std::uint64_t deliveries_left) {
    auto wait = next_wait(schedule, spent, random);
    if (!wait) return {Outcome::Kind::dead, "out of attempts (" + std::to_string(spent) + "): " + outcome.why, spent, {}};
    if (!outcome.after) return {Outcome::Kind::retry, outcome.why, spent, now + *wait};
    auto longest = longest_after(schedule, spent, deliveries_left);
    auto asked = *outcome.after > longest ? outcome.after : std::nullopt;
    return {Outcome::Kind::retry, outcome.why, spent, now + std::clamp(*outcome.after, Duration::zero(), longest), asked};
}

}  // namespace

std::uint64_t deliveries_of(const RetrySchedule& schedule, std::uint32_t spent) {
    std::uint64_t deliveries = 1;
    for (std::size_t i = spent; i < schedule.after.size(); ++i)
        deliveries += parts_of(with_jitter(schedule.after[i], schedule.jitter, UINT64_MAX));
    return deliveries;
}

Duration left_of(const Wait& wait, Timestamp now) {
    bool was_split = wait.until - wait.since > hidden_most;
    if (!was_split || now < wait.since) return Duration::zero();
    return std::max(wait.until - now, Duration::zero());
}

Settlement settle(const Outcome& outcome, std::uint32_t attempts, const RetrySchedule& schedule, Timestamp now, std::uint64_t random,
                  std::uint64_t deliveries_left) {
    switch (outcome.kind) {
        case Outcome::Kind::done:
        case Outcome::Kind::dead:
            return {outcome.kind, outcome.why, attempts + 1, {}};
        case Outcome::Kind::retry:
            return settle_retry(outcome, attempts + 1, schedule, now, random, deliveries_left);
        case Outcome::Kind::skipped:
        case Outcome::Kind::discarded:
        case Outcome::Kind::hold:
        case Outcome::Kind::untouched:
            break;
    }
    return {outcome.kind, outcome.why, attempts, {}};
}

}  // namespace forebay::worker
