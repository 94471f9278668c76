#include "worker/hold.h"

#include "worker/retry.h"

namespace forebay::worker {

void Hold::begin(std::string why, Instant now, std::uint64_t random) {
    why_ = std::move(why);
    wait(now, random);
}

void Hold::probed(bool is_back, Instant now, std::uint64_t random) {
    if (is_back)
        phase_ = Phase::trial;
    else
        wait(now, random);
}

bool Hold::blame(std::string why) {
    if (why == why_) return false;
    why_ = std::move(why);
    return true;
}

void Hold::wait(Instant now, std::uint64_t random) {
    phase_ = Phase::held;
    next_probe_ = now + with_jitter(probe_, 0.5, random);
}

}  // namespace forebay::worker
