#pragma once
// How fast a move task moves, pure: so many a second as it was told to, or as it comes, a bounded number at a time
// either way, so that whoever sends and receives meanwhile hardly waits for it.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace forebay::broker {

class MovePace {
  public:
    static constexpr std::size_t batch_max = 64;          ///< messages at a time
    static constexpr std::size_t bytes_max = 256 * 1024;  ///< of bodies at a time, or one message
    static constexpr std::size_t looked_at_max = 512;     ///< messages at a time, moved or not
    static constexpr Duration batch_every{100};           ///< a rate is kept in batches, not one by one

    /// `rate` is messages a second; 0 = none is set.
    MovePace(unsigned rate, Instant now) : rate_(rate), next_us_(now.ms * 1000) {}

    /// How many may be moved now.
    std::size_t allowed(Instant now) const {
        if (rate_ == 0) return batch_max;
        if (now.ms * 1000 < next_us_) return 0;
        return std::min<std::size_t>(batch_max, 1 + static_cast<std::size_t>((now.ms * 1000 - begun_at(now)) / us_each()));
    }
    void moved(std::size_t messages, Instant now) {
        if (rate_ > 0) next_us_ = begun_at(now) + static_cast<std::int64_t>(messages) * us_each();
    }
    /// When there is something to do again, if there are messages.
    Instant next(Instant now) const {
        if (rate_ == 0) return now;
        return std::max(Instant{(next_us_ + 999) / 1000}, now + batch_every);
    }

  private:
    std::int64_t us_each() const { return (1'000'000 + rate_ - 1) / rate_; }
    /// What was not used long ago is not kept: after a pause the rate is the rate.
    std::int64_t begun_at(Instant now) const { return std::max(next_us_, (now.ms - batch_every.count()) * 1000); }
    unsigned rate_;
    std::int64_t next_us_;  ///< when the next message may go
};

}  // namespace forebay::broker
