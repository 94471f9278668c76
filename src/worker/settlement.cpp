#include "worker/settlement.h"

#include <algorithm>

namespace forebay::worker {
namespace {

Settlement settle_retry(const Outcome& outcome, std::uint32_t spent, const RetrySchedule& schedule, Timestamp now, std::uint64_t random) {
    auto wait = next_wait(schedule, spent, random);
    if (!wait) return {Outcome::Kind::dead, "out of attempts (" + std::to_string(spent) + "): " + outcome.why, spent, {}};
    return {Outcome::Kind::retry, outcome.why, spent, now + std::max(outcome.after.value_or(*wait), Duration::zero())};
}

}  // namespace

Duration left_of(const Wait& wait, Timestamp now) {
    bool was_split = wait.until - wait.since > hidden_most;
    if (!was_split || now < wait.since) return Duration::zero();
    return std::max(wait.until - now, Duration::zero());
}

Settlement settle(const Outcome& outcome, std::uint32_t attempts, const RetrySchedule& schedule, Timestamp now, std::uint64_t random) {
    switch (outcome.kind) {
        case Outcome::Kind::done:
        case Outcome::Kind::dead:
            return {outcome.kind, outcome.why, attempts + 1, {}};
        case Outcome::Kind::retry:
            return settle_retry(outcome, attempts + 1, schedule, now, random);
        case Outcome::Kind::hold:
        case Outcome::Kind::untouched:
            break;
    }
    return {outcome.kind, outcome.why, attempts, {}};
}

}  // namespace forebay::worker
