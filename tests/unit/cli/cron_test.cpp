#include "cli/process/cron.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cli/process/schedule.h"
#include "cli/process/timetable.h"

using namespace forebay;
using namespace forebay::cli;

namespace {

std::string next(std::string_view cron, std::string_view after, const std::string& zone = "UTC") {
    auto read = Cron::parse(cron);
    if (!read.ok()) return read.error();
    auto at = read->next(*parse_timestamp(after), TimeZone::find(zone).value());
    return at ? to_rfc3339(*at).substr(0, 16) : "never";
}

std::string problem(std::string_view cron) {
    auto read = Cron::parse(cron);
    return read.ok() ? "" : read.error();
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

TEST(Cron, months_weekdays_and_whole_lines_have_names) {
    EXPECT_EQ(next("0 6 * jan,MAR mon-fri", "2026-09-20 07:00"), "2027-01-01T06:00");
    EXPECT_EQ(next("0 6 * * SAT-SUN", "2026-09-18 07:00"), "2026-09-19T06:00");
    EXPECT_EQ(next("0 6 * * SAT-SUN", "2026-09-19 07:00"), "2026-09-20T06:00");
    EXPECT_EQ(next("0 6 * * SUN-MON", "2026-09-20 07:00"), "2026-09-21T06:00");
    EXPECT_EQ(next("@hourly", "2026-09-20 14:03"), "2026-09-20T15:00");
    EXPECT_EQ(next("@daily", "2026-09-20 14:03"), "2026-09-21T00:00");
    EXPECT_EQ(next("@weekly", "2026-09-20 14:03"), "2026-09-27T00:00");
    EXPECT_EQ(next("@monthly", "2026-09-20 14:03"), "2026-10-01T00:00");
    EXPECT_EQ(next(" @Yearly ", "2026-09-20 14:03"), "2027-01-01T00:00");
    EXPECT_EQ(next("0\t6  * * *", "2026-09-20 14:03"), "2026-09-21T06:00");
}

TEST(Cron, each_wrong_field_is_told_with_what_it_may_be) {
    const std::pair<const char*, const char*> rows[] = {
        {"60 * * * *", "has no minute \"60\": 0 to 59"},
        {"-1 * * * *", "has no minute \"\": 0 to 59"},
        {"0 24 * * *", "has no hour \"24\": 0 to 23"},
        {"0 22-6 * * *", "has the hours \"22-6\" backwards: write \"22-23,0-6\""},
        {"0 0 0 * *", "has no day \"0\": 1 to 31"},
        {"0 0 L * *", "has no day \"L\": 1 to 31"},
        {"0 0 * 13 *", "has no month \"13\": 1 to 12, JAN to DEC"},
        {"0 0 * JANUARY *", "has no month \"JANUARY\": 1 to 12, JAN to DEC"},
        {"0 0 * * 8", "has no weekday \"8\": 0 to 7, MON to SUN"},
        {"0 0 * * FRI-MON", "has the weekdays \"FRI-MON\" backwards: write \"5-7,0-1\""},
        {"*/0 * * * *", "has the minutes \"*/0\": a step is 1 to 59"},
        {"*/x * * * *", "has the minutes \"*/x\": a step is 1 to 59"},
        {"5/15 * * * *", "has the minutes \"5/15\": steps are for * or a range, such as \"5-59/15\""},
        {"0,,5 * * * *", "has no minute \"\": 0 to 59"},
        {"0 0 * *", "must have five fields, minute hour day month weekday, such as \"0 6 * * 1-5\""},
        {"0 0 0 * * *", "must have five fields, minute hour day month weekday, such as \"0 6 * * 1-5\""},
        {"@dayly", "has no \"@dayly\": @hourly, @daily, @weekly, @monthly, @yearly"},
    };
    for (const auto& [cron, what] : rows) EXPECT_EQ(problem(cron), what);
}

TEST(Cron, clocks_are_those_of_the_time_zone) {
    EXPECT_EQ(next("0 6 * * *", "2026-01-10 00:00", "America/Chicago"), "2026-01-10T12:00");
    EXPECT_EQ(next("0 6 * * *", "2026-07-10 00:00", "America/Chicago"), "2026-07-10T11:00");
    EXPECT_EQ(next("30 0 1 * *", "2026-07-10 00:00", "Asia/Kathmandu"), "2026-07-31T18:45");
    EXPECT_EQ(next("0 12 * 7 *", "2049-01-01 00:00", "Europe/Berlin"), "2049-07-01T10:00");
}

// On 2026-03-08 clocks in Chicago go from 02:00 CST (08:00 UTC) to 03:00 CDT, on 2026-11-01 from 02:00 CDT (07:00 UTC) to 01:00 CST.
TEST(Cron, a_time_that_clocks_leave_out_is_at_the_first_moment_after_the_gap) {
    EXPECT_EQ(next("30 2 * * *", "2026-03-08 00:00", "America/Chicago"), "2026-03-08T08:00");
    EXPECT_EQ(next("30 2 * * *", "2026-03-08 08:00", "America/Chicago"), "2026-03-09T07:30");
    EXPECT_EQ(next("0 3 * * *", "2026-03-08 00:00", "America/Chicago"), "2026-03-08T08:00");
    // Samoa left out the whole 30 December 2011.
    EXPECT_EQ(next("0 12 30 12 *", "2011-06-01 00:00", "Pacific/Apia"), "2011-12-30T10:00");
}

TEST(Cron, a_time_that_comes_twice_is_once_unless_every_hour_is_meant) {
    EXPECT_EQ(next("30 1 * * *", "2026-11-01 00:00", "America/Chicago"), "2026-11-01T06:30");
    EXPECT_EQ(next("30 1 * * *", "2026-11-01 06:30", "America/Chicago"), "2026-11-02T07:30");
    EXPECT_EQ(next("*/30 1,2 * * *", "2026-11-01 06:30", "America/Chicago"), "2026-11-01T08:00");
    EXPECT_EQ(next("30 * * * *", "2026-11-01 06:30", "America/Chicago"), "2026-11-01T07:30");
    EXPECT_EQ(next("*/30 * * * *", "2026-11-01 06:30", "America/Chicago"), "2026-11-01T07:00");
}

TEST(TimeZone, names_are_those_of_the_system) {
    for (const char* name : {"UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "EST5EDT"}) EXPECT_TRUE(TimeZone::find(name)) << name;
    for (const char* name : {"", "America", "America/Chikago", "america/chicago", "/etc/localtime", "../zoneinfo/UTC", "right/UTC",
                             "posixrules", "localtime", "Fixed/UTC+01:00:00", "file:America/Chicago"})
        EXPECT_FALSE(TimeZone::find(name)) << name;
    auto names = time_zone_names();
    EXPECT_NE(std::find(names.begin(), names.end(), "America/Argentina/Buenos_Aires"), names.end());
    EXPECT_EQ(std::find(names.begin(), names.end(), "America/Argentina"), names.end());
    for (const auto& name : names) EXPECT_TRUE(TimeZone::find(name)) << name;
}

TEST(TimeZone, a_moment_is_shown_as_its_clocks_show_it) {
    auto chicago = TimeZone::find("America/Chicago").value();
    EXPECT_EQ(chicago.text(*parse_timestamp("2026-11-29 12:00")), "2026-11-29 06:00 CST");
    EXPECT_EQ(chicago.text(*parse_timestamp("2026-07-29 12:00:07")), "2026-07-29 07:00:07 CDT");
    EXPECT_EQ(TimeZone::find("Asia/Kathmandu")->text(*parse_timestamp("2026-07-29 12:00")), "2026-07-29 17:45 +0545");
}

ScheduleConfiguration every_of(Duration every) {
    ScheduleConfiguration schedule;
    schedule.name = "proof";
    schedule.every = every;
    return schedule;
}

ScheduleConfiguration cron_of(std::string cron, std::string zone = "UTC") {
    ScheduleConfiguration schedule;
    schedule.name = "proof";
    schedule.cron = std::move(cron);
    schedule.timezone = std::move(zone);
    return schedule;
}

Timestamp at(std::string_view text) { return *parse_timestamp(text); }

TEST(Timetable, every_is_at_its_whole_multiples_whatever_clocks_show) {
    auto schedule = every_of(15min);
    schedule.timezone = "Australia/Lord_Howe";
    Timetable times(schedule);
    EXPECT_EQ(times.next(at("2026-09-20 14:03")), at("2026-09-20 14:15"));
    EXPECT_EQ(times.next(at("2026-09-20 14:15")), at("2026-09-20 14:30"));
    EXPECT_EQ(times.between(at("2026-01-01"), at("2027-01-01"))->count, 365U * 24 * 4);
    EXPECT_EQ(Timetable(cron_of("0 6 * * *")).next(at("2026-09-20 14:15")), at("2026-09-21 06:00"));
}

TEST(Timetable, times_that_have_passed_are_counted) {
    Timetable daily(cron_of("0 6 * * *", "America/Chicago"));
    EXPECT_FALSE(daily.between(at("2026-11-29 12:00"), at("2026-11-30 11:59")));
    auto week = daily.between(at("2026-11-29 12:00"), at("2026-12-06 12:00"));
    ASSERT_TRUE(week);
    EXPECT_EQ(week->count, 7U);
    EXPECT_EQ(week->first, at("2026-11-30 12:00"));
    EXPECT_EQ(week->last, at("2026-12-06 12:00"));
    EXPECT_EQ(daily.between(at("1990-01-01"), at("2026-12-06 12:00"))->count, 400U);
    EXPECT_FALSE(Timetable(cron_of("0 0 30 2 *")).between(at("2026-01-01"), at("2026-12-01")));
}

/// `run` or not, how many missed, and up to where nothing is left to decide.
std::string decided(const Timetable& times, std::string_view seen, std::string_view now, bool is_busy = false, bool catch_up = false) {
    auto due = due_now(times, at(seen), at(now), is_busy, catch_up);
    return std::string(due.is_run ? "run" : "wait") + ", missed " + std::to_string(due.missed.count) + ", " +
           to_rfc3339(due.seen).substr(11, 5);
}

TEST(Schedule, a_time_is_run_when_it_comes_and_up_to_a_minute_late) {
    Timetable hourly(every_of(1h));
    EXPECT_EQ(decided(hourly, "2026-09-20 05:00", "2026-09-20 05:59:59"), "wait, missed 0, 05:00");
    EXPECT_EQ(decided(hourly, "2026-09-20 05:00", "2026-09-20 06:00"), "run, missed 0, 06:00");
    EXPECT_EQ(decided(hourly, "2026-09-20 06:00", "2026-09-20 06:00"), "wait, missed 0, 06:00");
    EXPECT_EQ(decided(hourly, "2026-09-20 05:00", "2026-09-20 06:01"), "run, missed 0, 06:00");
}

TEST(Schedule, what_passed_while_nothing_could_run_is_missed_or_made_up_for_once) {
    Timetable hourly(every_of(1h));
    EXPECT_EQ(decided(hourly, "2026-09-20 05:00", "2026-09-20 09:30"), "wait, missed 4, 09:00");
    EXPECT_EQ(decided(hourly, "2026-09-20 05:00", "2026-09-20 09:00:30"), "run, missed 3, 09:00");
    EXPECT_EQ(decided(hourly, "2026-09-20 05:00", "2026-09-20 09:30", false, true), "run, missed 4, 09:00");
    EXPECT_EQ(decided(hourly, "2026-09-20 05:00", "2026-09-20 06:00", true), "wait, missed 1, 06:00");
    EXPECT_EQ(decided(hourly, "2026-09-20 05:00", "2026-09-20 09:30", true, true), "wait, missed 4, 09:00");
}

TEST(Schedule, a_clock_that_is_set_back_makes_times_come_again_but_not_by_a_few_seconds) {
    Timetable hourly(every_of(1h));
    EXPECT_EQ(decided(hourly, "2026-09-20 09:00", "2026-09-20 08:59:58"), "wait, missed 0, 09:00");
    EXPECT_EQ(decided(hourly, "2026-09-20 09:00", "2026-09-20 06:30"), "wait, missed 0, 06:30");
    EXPECT_EQ(decided(hourly, "2026-09-20 06:30", "2026-09-20 07:00"), "run, missed 0, 07:00");
}

TEST(Schedule, nobody_is_asked_and_a_reason_is_given_where_one_is_wanted) {
    auto words = [](std::vector<std::string> given, std::string zone = "UTC") {
        auto schedule = every_of(1h);
        schedule.timezone = std::move(zone);
        schedule.words = std::move(given);
        std::string out;
        for (const auto& word : words_to_run(schedule, at("2026-11-29 02:05:07"))) out += (out.empty() ? "" : "|") + word;
        return out;
    };
    EXPECT_EQ(words({"restart", "api:*"}), "restart|api:*|--reason|schedule proof|--no-interaction");
    EXPECT_EQ(words({"restart", "api:*", "--reason", "fresh"}), "restart|api:*|--reason|fresh|--no-interaction");
    EXPECT_EQ(words({"audit"}), "audit|--no-interaction");
    EXPECT_EQ(words({"audit", "--repair"}), "audit|--repair|--reason|schedule proof|--no-interaction");
    EXPECT_EQ(words({"backup", "/b/{date}-{time}"}), "backup|/b/2026-11-29-0205|--no-interaction");
    EXPECT_EQ(words({"backup", "/b/{date}-{time}"}, "America/Chicago"), "backup|/b/2026-11-28-2005|--no-interaction");
}

}  // namespace
