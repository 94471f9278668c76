#pragma once
// A time zone by its IANA name, out of the system's zoneinfo (package tzdata): what the clocks of a place show at a moment, and at
// which moments they show a time. Knows daylight saving; past the years that a file lists its rule goes on.

#include <cctz/time_zone.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace forebay::cli {

/// What clocks show, as minutes since they showed 1970-01-01 00:00.
using LocalMinute = std::int64_t;

class TimeZone {
  public:
    /// UTC.
    TimeZone() = default;
    /// Nothing: there is no such zone, or no tzdata.
    static std::optional<TimeZone> find(const std::string& name);

    LocalMinute local(Timestamp at) const;

    struct Moments {
        Timestamp first;                  ///< of a time that does not exist: the first moment after the gap
        std::optional<Timestamp> second;  ///< of a time that comes twice
    };
    Moments moments_of(LocalMinute minute) const;

    /// `2026-11-29 06:00 CST`, with seconds where there are any.
    std::string text(Timestamp at) const;

  private:
    explicit TimeZone(cctz::time_zone zone) : zone_(zone) {}
    cctz::time_zone zone_;
};

/// Every name that `find` knows, in no order; empty where there is no tzdata.
std::vector<std::string> time_zone_names();

}  // namespace forebay::cli
