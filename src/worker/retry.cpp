#include "worker/retry.h"

namespace forebay::worker {

Duration with_jitter(Duration wait, double jitter, std::uint64_t random) {
    double unit = static_cast<double>(random >> 11) / static_cast<double>(std::uint64_t{1} << 53);  // [0, 1)
    double scale = 1.0 - jitter + 2.0 * jitter * unit;
    return Duration(static_cast<std::int64_t>(static_cast<double>(wait.count()) * scale));
}

std::optional<Duration> next_wait(const RetrySchedule& schedule, std::uint32_t spent, std::uint64_t random) {
    if (spent == 0 || spent > schedule.after.size()) return std::nullopt;
    return with_jitter(schedule.after[spent - 1], schedule.jitter, random);
}

}  // namespace forebay::worker
