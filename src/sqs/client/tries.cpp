#include "sqs/client/tries.h"

#include <algorithm>
#include <thread>

namespace forebay::sqs::client {

Duration pause_bound(unsigned tried, const TryLimits& limits) {
    auto bound = limits.pause_first;
    for (unsigned i = 1; i < tried && bound < limits.pause_max; ++i) bound *= 2;
    return std::min(bound, limits.pause_max);
}

bool Tries::pause() {
    if (tried_ >= limits_.tries_max) return false;
    const auto bound = static_cast<std::uint64_t>(pause_bound(tried_, limits_).count());
    const Duration pause(entropy_.u64() % (bound + 1));
    if (pause >= left()) return false;
    std::this_thread::sleep_for(pause);
    ++tried_;
    return true;
}

}  // namespace forebay::sqs::client
