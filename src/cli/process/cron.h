#pragma once
// `cron = "0 6 * * 1-5"`: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday) as the clocks of a time zone show
// them. Each is `*`, a number, a name (`MON`, `JAN`), a range `1-5`, any of these with commas between them, or with steps `*/15`.
// Where both days are given, either will do, as in crontab(5). `@hourly`, `@daily`, `@weekly`, `@monthly` and `@yearly` stand for all five.

#include <bitset>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "cli/process/time_zone.h"

namespace forebay::cli {

class Cron {
  public:
    /// The error is the end of a sentence: `has no minute "61": 0 to 59`.
    static Result<Cron, std::string> parse(std::string_view text);
    /// The first moment after `at`; nothing if there is none within five years (30 February). A time that clocks leave out is due at
    /// the first moment after the gap. A time that comes twice is due once; with `*` as the hour every hour that passes counts, so twice.
    std::optional<Timestamp> next(Timestamp at, const TimeZone& zone = {}) const;

  private:
    bool is_day(LocalMinute minute) const;
    std::optional<LocalMinute> first_match(LocalMinute from, LocalMinute to) const;
    std::bitset<60> minutes_;
    std::bitset<24> hours_;
    std::bitset<32> days_;
    std::bitset<13> months_;
    std::bitset<8> weekdays_;
    bool any_hour_ = false, any_day_ = false, any_weekday_ = false;
};

}  // namespace forebay::cli
