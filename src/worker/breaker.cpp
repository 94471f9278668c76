#include "worker/breaker.h"

namespace forebay::worker {
namespace {

std::int64_t second_of(Instant at) { return at.ms / 1000; }

}  // namespace

Breaker::Slot& Breaker::slot(Instant now) {
    seconds_.erase(seconds_.begin(), seconds_.upper_bound(second_of(now) - window / 1s));
    return seconds_[second_of(now)];
}

void Breaker::failed(Instant now) {
    ++in_a_row_;
    auto& here = slot(now);
    ++here.runs;
    ++here.failed;
}

void Breaker::answered(Instant now) {
    in_a_row_ = 0;
    ++slot(now).runs;
}

bool Breaker::is_open(Instant now) const {
    if (in_a_row_ >= in_a_row_max) return true;
    Slot all;
    for (auto at = seconds_.upper_bound(second_of(now) - window / 1s); at != seconds_.end(); ++at) {
        all.runs += at->second.runs;
        all.failed += at->second.failed;
    }
    return all.runs >= runs_least && all.failed * 2 > all.runs;
}

void Breaker::reset() {
    in_a_row_ = 0;
    seconds_.clear();
}

}  // namespace forebay::worker
