// Cron in a time zone beside a brute force that knows neither: the C library's clocks, minute by minute over two years.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <random>

#include "cli/process/cron.h"

using namespace forebay;
using namespace forebay::cli;

namespace {

constexpr std::int64_t two_years = 2 * 365 * 24 * 60;

/// What the clocks of a place show, by the C library.
class Clocks {
  public:
    Clocks(const char* zone, int year) {
        const char* before = std::getenv("TZ");
        std::string kept = before == nullptr ? "" : before;
        ::setenv("TZ", zone, 1);
        ::tzset();
        std::tm beginning{};
        beginning.tm_year = year - 1900;
        beginning.tm_mday = 3;
        begin_ = ::timegm(&beginning) / 60;
        shown_.reserve(two_years);
        for (auto minute = begin_; minute < begin_ + two_years; ++minute) {
            std::time_t seconds = minute * 60;
            std::tm shown{};
            ::localtime_r(&seconds, &shown);
            shown_.push_back(minute + shown.tm_gmtoff / 60);
        }
        if (before != nullptr)
            ::setenv("TZ", kept.c_str(), 1);
        else
            ::unsetenv("TZ");
        ::tzset();
    }
    std::int64_t begin() const { return begin_; }
    const std::vector<LocalMinute>& shown() const { return shown_; }

  private:
    std::int64_t begin_ = 0;
    std::vector<LocalMinute> shown_;
};

/// A line of five sets, and the same as text.
class Line {
  public:
    explicit Line(std::mt19937& random) {
        auto chance = [&](unsigned n) { return random() % n == 0; };
        text_ = field(random, minutes_, 60, 0, 1 + random() % 4);
        is_every_hour_ = chance(3);
        text_ += " " + (is_every_hour_ ? all(hours_, 24) : field(random, hours_, 24, 0, 1 + random() % 4));
        any_day_ = !chance(4);
        any_weekday_ = !chance(4);
        text_ += " " + (any_day_ ? all(days_, 32) : field(random, days_, 31, 1, 12));
        text_ += " " + (chance(4) ? field(random, months_, 12, 1, 6) : all(months_, 13));
        text_ += " " + (any_weekday_ ? all(weekdays_, 7) : field(random, weekdays_, 7, 0, 2));
    }
    const std::string& text() const { return text_; }

    std::vector<std::int64_t> moments(const Clocks& clocks) const {
        std::vector<std::int64_t> due;
        auto latest = clocks.shown().front() - 1;
        auto last = latest;
        for (std::size_t i = 0; i < clocks.shown().size(); ++i) {
            auto shown = clocks.shown()[i];
            bool is_due = (shown > latest || is_every_hour_) && has(shown);
            for (auto skipped = last + 1; skipped < shown && !is_due; ++skipped) is_due = has(skipped);
            if (is_due) due.push_back(clocks.begin() + static_cast<std::int64_t>(i));
            latest = std::max(latest, shown);
            last = shown;
        }
        return due;
    }

  private:
    using Set = std::vector<char>;

    static std::string all(Set& set, unsigned size) {
        set.assign(size, 1);
        return "*";
    }

    static std::string field(std::mt19937& random, Set& set, unsigned values, unsigned least, unsigned count) {
        set.assign(values + least, 0);
        std::string text;
        for (unsigned i = 0; i < count; ++i) {
            auto value = least + static_cast<unsigned>(random() % values);
            set[value] = 1;
            text += (i == 0 ? "" : ",") + std::to_string(value);
        }
        return text;
    }

    bool has(LocalMinute shown) const {
        auto of_day = static_cast<std::size_t>(shown % 1440);
        if (minutes_[of_day % 60] == 0 || hours_[of_day / 60] == 0) return false;
        std::time_t seconds = shown * 60;
        std::tm date{};
        ::gmtime_r(&seconds, &date);
        if (months_[static_cast<std::size_t>(date.tm_mon + 1)] == 0) return false;
        bool day = days_[static_cast<std::size_t>(date.tm_mday)] != 0, weekday = weekdays_[static_cast<std::size_t>(date.tm_wday)] != 0;
        return any_day_ || any_weekday_ ? day && weekday : day || weekday;
    }

    std::string text_;
    Set minutes_, hours_, days_, months_, weekdays_;
    bool is_every_hour_ = false, any_day_ = false, any_weekday_ = false;
};

struct Place {
    const char* zone;
    int year;
};

class Zones : public testing::TestWithParam<Place> {};

TEST_P(Zones, cron_is_due_when_a_look_at_every_minute_says_so) {
    Clocks clocks(GetParam().zone, GetParam().year);
    auto zone = TimeZone::find(GetParam().zone).value();
    std::string_view name = GetParam().zone;
    std::seed_seq seed(name.begin(), name.end());
    std::mt19937 random(seed);
    for (int i = 0; i < 8; ++i) {
        Line line(random);
        auto cron = Cron::parse(line.text());
        ASSERT_TRUE(cron.ok()) << line.text() << " " << cron.error();
        auto end = clocks.begin() + two_years;
        std::vector<std::int64_t> due;
        for (auto at = cron->next({clocks.begin() * 60'000 - 1}, zone); at && at->ms < end * 60'000; at = cron->next(*at, zone))
            due.push_back(at->ms / 60'000);
        ASSERT_EQ(due, line.moments(clocks)) << line.text() << " in " << GetParam().zone;
    }
}

// Half-hour daylight saving, offsets of odd minutes, summer time that is the winter's, gaps at midnight and at 00:01, a day left out.
INSTANTIATE_TEST_SUITE_P(, Zones,
                         testing::Values(Place{"America/Chicago", 2026}, Place{"Asia/Kathmandu", 2026}, Place{"Australia/Lord_Howe", 2026},
                                         Place{"America/St_Johns", 2009}, Place{"Africa/Casablanca", 2026}, Place{"Africa/Cairo", 2026},
                                         Place{"Europe/Dublin", 2026}, Place{"Pacific/Apia", 2011}));

}  // namespace
