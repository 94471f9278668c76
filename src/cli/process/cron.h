#pragma once
// `cron = "0 6 * * 1-5"`: minute, hour, day of the month, month, day of the week (0 or 7 is Sunday), UTC. Each is `*`, a number,
// a range `1-5`, a list `0,30`, or with steps `*/15`. Where both days are given, either will do, as in crontab(5).

#include <bitset>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace forebay::cli {

class Cron {
  public:
    /// The error is the end of a sentence: `has no minute "61": 0 to 59`.
    static Result<Cron, std::string> parse(std::string_view text);
    /// The first moment after `at`; nothing if there is none within five years (30 February).
    std::optional<Timestamp> next(Timestamp at) const;

  private:
    bool is_day(Timestamp at) const;
    std::bitset<60> minutes_;
    std::bitset<24> hours_;
    std::bitset<32> days_;
    std::bitset<13> months_;
    std::bitset<8> weekdays_;
    bool any_day_ = false, any_weekday_ = false;
};

}  // namespace forebay::cli
