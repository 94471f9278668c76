#pragma once
// Whether errors of a dependency are more than a blip: five runs in a row that nobody answered, or more than half of at
// least five within ten seconds. Pure.

#include <cstdint>
#include <map>

#include "base/time.h"

namespace forebay::worker {

class Breaker {
  public:
    static constexpr unsigned in_a_row_max = 5;
    static constexpr Duration window = 10s;
    static constexpr std::uint64_t runs_least = 5;  ///< in the window, before their part counts

    void failed(Instant now);
    void answered(Instant now);
    bool is_open(Instant now) const;
    unsigned failed_in_a_row() const { return in_a_row_; }
    void reset();

  private:
    struct Slot {
        std::uint64_t runs = 0, failed = 0;
    };
    Slot& slot(Instant now);
    unsigned in_a_row_ = 0;
    std::map<std::int64_t, Slot> seconds_;
};

}  // namespace forebay::worker
