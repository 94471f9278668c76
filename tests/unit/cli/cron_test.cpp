#include "cli/process/cron.h"

#include <gtest/gtest.h>

#include "cli/process/schedule.h"

using namespace forebay;
using namespace forebay::cli;

namespace {

std::string next(std::string_view cron, std::string_view after) {
    auto read = Cron::parse(cron);
    if (!read.ok()) return read.error();
    auto at = read->next(*parse_timestamp(after));
    return at ? to_rfc3339(*at).substr(0, 16) : "never";
}

TEST(Cron, the_next_moment_is_after_this_one) {
    EXPECT_EQ(next("0 * * * *", "2026-09-20 14:03"), "2026-09-20T15:00");
    EXPECT_EQ(next("0 * * * *", "2026-09-20 15:00"), "2026-09-20T16:00");
    EXPECT_EQ(next("*/20 * * * *", "2026-09-20 23:41"), "2026-09-21T00:00");
    EXPECT_EQ(next("5,10-12 3 * * *", "2026-09-20 03:10"), "2026-09-20T03:11");
    EXPECT_EQ(next("30 6 1 1 *", "2026-09-20 14:03"), "2027-01-01T06:30");
    EXPECT_EQ(next("0 0 29 2 *", "2026-09-20 14:03"), "2028-02-29T00:00");
    EXPECT_EQ(next("0 0 30 2 *", "2026-09-20 14:03"), "never");
}

TEST(Cron, a_weekday_counts_from_sunday_and_either_day_will_do_when_both_are_given) {
    // 2026-09-20 is a Sunday.
    EXPECT_EQ(next("0 6 * * 1-5", "2026-09-18 07:00"), "2026-09-21T06:00");
    EXPECT_EQ(next("0 6 * * 0", "2026-09-18 07:00"), "2026-09-20T06:00");
    EXPECT_EQ(next("0 6 * * 7", "2026-09-18 07:00"), "2026-09-20T06:00");
    EXPECT_EQ(next("0 6 22 * 0", "2026-09-20 07:00"), "2026-09-22T06:00");
    EXPECT_EQ(next("0 6 22 * 0", "2026-09-22 07:00"), "2026-09-27T06:00");
}

TEST(Cron, every_is_at_its_whole_multiples) {
    ScheduleConfiguration schedule;
    schedule.every = 15min;
    EXPECT_EQ(next_due(schedule, *parse_timestamp("2026-09-20 14:03")), parse_timestamp("2026-09-20 14:15"));
    EXPECT_EQ(next_due(schedule, *parse_timestamp("2026-09-20 14:15")), parse_timestamp("2026-09-20 14:30"));
    schedule.every = {};
    schedule.cron = "0 6 * * *";
    EXPECT_EQ(next_due(schedule, *parse_timestamp("2026-09-20 14:15")), parse_timestamp("2026-09-21 06:00"));
}

}  // namespace
