// What a worker process says of itself to `forebay status`.
#include "worker/standing.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/worker/scripted_source.h"
#include "worker/worker.h"

namespace forebay::worker {
namespace {

using Kind = Outcome::Kind;
constexpr Timestamp noon{1'789'992'000'000};

class TurnedClock final : public Clock {
  public:
    Timestamp wall() override { return at; }
    Instant now() override { return {at.ms}; }
    Timestamp at = noon;
};

TEST(Recent, the_rate_is_of_the_last_minute_and_failures_are_of_the_last_hour) {
    Recent recent;
    for (int i = 0; i < 9; ++i) recent.settled(Kind::done, 3ms, noon);
    recent.settled(Kind::discarded, 3ms, noon);
    recent.settled(Kind::retry, 3ms, noon);
    recent.settled(Kind::dead, 3ms, noon);
    EXPECT_EQ(recent.settled_in_last_minute(noon + 30s), 12u);
    EXPECT_EQ(recent.failed_in_last_hour(noon + 30s), 2u);
    EXPECT_EQ(recent.settled_in_last_minute(noon + 61s), 0u);
    EXPECT_EQ(recent.failed_in_last_hour(noon + 59min), 2u);
    EXPECT_EQ(recent.failed_in_last_hour(noon + 61min), 0u);
}

TEST(Recent, p95_is_what_nineteen_of_twenty_did_not_exceed) {
    Recent recent;
    EXPECT_FALSE(recent.p95(noon));
    for (int i = 0; i < 95; ++i) recent.settled(Kind::done, 10ms, noon);
    for (int i = 0; i < 5; ++i) recent.settled(Kind::done, 4s, noon);
    auto p95 = recent.p95(noon);
    ASSERT_TRUE(p95);
    EXPECT_GE(*p95, 10ms);
    EXPECT_LE(*p95, 11ms) << "to the next tenth";
    recent.settled(Kind::done, 4s, noon);
    EXPECT_GE(*recent.p95(noon), 4s);
}

TEST(Recent, those_of_several_processes_add_up_and_survive_a_file) {
    Recent one, other;
    one.settled(Kind::done, 10ms, noon);
    other.settled(Kind::retry, 20ms, noon + 1s);
    one.add(Recent::from_json(other.to_json()));
    EXPECT_EQ(one.settled_in_last_minute(noon + 2s), 2u);
    EXPECT_EQ(one.failed_in_last_hour(noon + 2s), 1u);
    EXPECT_GE(*one.p95(noon + 2s), 20ms);
}

TEST(Recent, what_a_clock_that_ran_ahead_left_counts_for_nothing) {
    Recent recent;
    for (int i = 0; i < 20; ++i) recent.settled(Kind::retry, 4s, noon + 6h);
    EXPECT_EQ(recent.settled_in_last_minute(noon), 0u);
    EXPECT_EQ(recent.failed_in_last_hour(noon), 0u);
    EXPECT_FALSE(recent.p95(noon));
    recent.settled(Kind::done, 10ms, noon);
    EXPECT_EQ(recent.settled_in_last_minute(noon), 1u);
    EXPECT_LE(*recent.p95(noon), 11ms);
}

TEST(Recent, what_is_of_a_later_time_is_forgotten_with_the_next_record) {
    Recent recent;
    recent.settled(Kind::retry, 4s, noon + 6h);
    recent.settled(Kind::done, 10ms, noon);
    EXPECT_EQ(recent.settled_in_last_minute(noon + 6h), 0u);
    EXPECT_EQ(recent.failed_in_last_hour(noon + 6h), 0u);
}

TEST(Recent, keeps_no_more_than_its_windows) {
    Recent recent;
    for (int minute = 0; minute < 600; ++minute) recent.settled(Kind::retry, 10ms, noon + std::chrono::minutes(minute));
    EXPECT_LT(json::to_text(recent.to_json()).size(), 3000u);
}

class Standings : public ::testing::Test {
  protected:
    Standings() {
        std::string pattern = (std::filesystem::temp_directory_path() / "forebay-standing-XXXXXX").string();
        folder = ::mkdtemp(pattern.data());
        path = folder + "/workers/store-1.json";
    }
    ~Standings() override { std::filesystem::remove_all(folder); }
    std::string folder, path;
    TurnedClock clock;
};

TEST_F(Standings, a_hold_is_written_at_once_with_its_reason_and_since_when) {
    StandingFile file(path, clock);
    EXPECT_FALSE(read_standing(path)->held);
    file.hold("main: database is locked", noon, 2s);
    clock.at = noon + 5s;
    file.hold("main: disk I/O error", noon, 2s);
    auto standing = read_standing(path);
    ASSERT_TRUE(standing && standing->held);
    EXPECT_EQ(standing->pid, ::getpid());
    EXPECT_EQ(standing->held->why, "main: disk I/O error");
    EXPECT_EQ(standing->held->since, noon) << "it began with the first reason";
    EXPECT_EQ(standing->held->next_probe, noon + 7s);
    file.go_on();
    EXPECT_FALSE(read_standing(path)->held);
}

TEST_F(Standings, the_next_process_of_the_number_goes_on_with_what_was_settled) {
    {
        StandingFile file(path, clock);
        file.settled(Kind::dead, 5ms);
        file.hold("main: away", noon, 2s);
    }
    StandingFile next(path, clock);
    auto standing = read_standing(path);
    EXPECT_EQ(standing->recent.failed_in_last_hour(noon), 1u);
    EXPECT_FALSE(standing->held) << "a fresh process is not held before it has tried";
}

TEST_F(Standings, a_busy_worker_writes_twice_a_second_at_most) {
    StandingFile file(path, clock);
    file.settled(Kind::done, 5ms);
    file.keep_up();
    EXPECT_EQ(read_standing(path)->recent.settled_in_last_minute(noon), 0u);
    clock.at = noon + StandingFile::write_every;
    file.keep_up();
    EXPECT_EQ(read_standing(path)->recent.settled_in_last_minute(clock.at), 1u);
}

TEST_F(Standings, what_it_worked_for_is_counted_from_its_start) {
    StandingFile file(path, clock);
    file.worked(10, 30ms);
    file.worked(0, 5s);
    file.worked(1, 4ms);
    clock.at = noon + StandingFile::write_every;
    file.keep_up();
    EXPECT_EQ(read_standing(path)->worked, 11u);
    EXPECT_EQ(read_standing(path)->busy, 34ms) << "an attempt that met an outage tells nothing of how fast it is";
    StandingFile next(path, clock);
    EXPECT_EQ(read_standing(path)->worked, 0u);
}

TEST_F(Standings, what_is_no_standing_is_none) {
    std::filesystem::create_directories(folder + "/workers");
    EXPECT_FALSE(read_standing(path));
    std::ofstream(path) << "not JSON";
    EXPECT_FALSE(read_standing(path));
}

/// Away for two attempts and one probe, each with a reason of its own.
class AwayHandler final : public Handler {
  public:
    explicit AwayHandler(std::string path) : path_(std::move(path)) {}
    std::vector<Outcome> run(std::span<const Job> jobs, const Limits&) override {
        bool is_away = ++runs_ == 1;
        return std::vector<Outcome>(jobs.size(), is_away ? Outcome::hold("main: database is locked") : Outcome::done());
    }
    bool has_probe() const override { return true; }
    Result<void, std::string> probe() override {
        seen.push_back(read_standing(path_)->held->why);
        if (++probes_ < 3) return Failure{"main: still away"};
        return {};
    }
    std::vector<std::string> seen;

  private:
    std::string path_;
    int runs_ = 0, probes_ = 0;
};

TEST_F(Standings, a_worker_says_why_it_is_held_and_that_it_goes_on) {
    Options options;
    options.queue = "leads";
    options.poll = options.probe = 5ms;
    options.standing_path = path;
    ScriptedSource source, heartbeat;
    AwayHandler handler(path);
    SystemClock real;
    SystemEntropy entropy;
    Controls controls;
    source.when_empty = [&] { controls.stop = true; };
    source.put("a", R"({"name":"a"})");
    Worker(options, {source, heartbeat, handler, real, entropy, controls}).run();
    EXPECT_EQ(handler.seen, (std::vector<std::string>{"main: database is locked", "main: still away", "main: still away"}));
    EXPECT_FALSE(read_standing(path)->held);
}

}  // namespace
}  // namespace forebay::worker
