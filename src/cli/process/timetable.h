#pragma once
// When a schedule is due: `every` at whole multiples of it since 1970, so in time that passes, whatever clocks show; `cron` as the clocks
// of the schedule's time zone show it.

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "cli/config/configuration.h"
#include "cli/process/cron.h"
#include "cli/process/time_zone.h"

namespace forebay::cli {

class Timetable {
  public:
    /// Of a configuration that was checked; where something cannot be read it is never due.
    explicit Timetable(const ScheduleConfiguration& schedule);

    /// The first time after `at`.
    std::optional<Timestamp> next(Timestamp at) const;

    struct Times {
        std::uint64_t count = 0;
        Timestamp first, last;
    };
    /// The times after `from` up to and with `to`; with cron those of the last `look_back_most`.
    std::optional<Times> between(Timestamp from, Timestamp to) const;

    const TimeZone& zone() const { return zone_; }

    static constexpr Duration look_back_most = 400 * 24h;

  private:
    Duration every_;
    std::optional<Cron> cron_;
    TimeZone zone_;
};

/// What is to be done about the times that have come.
struct Due {
    Timestamp seen;           ///< nothing up to here is left to decide
    bool is_run = false;      ///< one run, now
    Timetable::Times missed;  ///< those that nothing is run at, if `count` is not 0
};
/// `seen` is what the call before answered. Within `late_most` a time is not missed yet: the newest of several is run. A later one, as
/// after the machine slept or the parent was down, is run only where `catch_up` says so, and `is_busy` misses them all. A clock that
/// was set back by more than `set_back_least` makes times come again.
Due due_now(const Timetable& times, Timestamp seen, Timestamp now, bool is_busy, bool catch_up);
inline constexpr Duration late_most = 1min;
inline constexpr Duration set_back_least = 5s;

/// What its times are: `cron 0 6 * * * America/Chicago`, `every 1h`.
std::string times_text(const ScheduleConfiguration& schedule);

}  // namespace forebay::cli
