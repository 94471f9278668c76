#include "broker/time_keeper.h"

#include <algorithm>
#include <cstdlib>

namespace forebay::broker {

TimeKeeper::TimeKeeper(Clock& clock, Timestamp at_least) : clock_(clock), last_(at_least) {
    auto wall = clock.wall();
    auto instant = clock.now();
    offset_ = wall.ms - instant.ms;
    doubted_ = offset_;
    agreed_since_ = instant;
    lead_ = std::max<std::int64_t>(0, (at_least - wall).count());
    suspect_ = lead_ > jump.count();
}

TimeKeeper::Now TimeKeeper::now() {
    auto wall = clock_.wall();
    auto instant = clock_.now();
    auto offset = wall.ms - instant.ms;
    if (std::abs(offset - offset_) > jump.count()) {
        doubt(offset, instant);
    } else {
        follow(offset);
        if (std::abs(offset - doubted_) > 1000) agreed_since_ = instant;
        doubted_ = offset;
        if (instant - agreed_since_ >= agreement) suspect_ = false;
    }
    last_ = std::max(last_, Timestamp{instant.ms + offset_ + lead_});
    return {last_, instant};
}

void TimeKeeper::doubt(std::int64_t offset, Instant at) {
    suspect_ = true;
    if (std::abs(offset - doubted_) > 1000) {
        doubted_ = offset;
        agreed_since_ = at;
    }
    if (at - agreed_since_ < agreement) return;
    follow(doubted_);
    suspect_ = false;
}

void TimeKeeper::follow(std::int64_t offset) {
    lead_ = std::max<std::int64_t>(0, lead_ + offset_ - offset);
    offset_ = offset;
}

}  // namespace forebay::broker
