// How many processes a worker gets. The loads are drawn from fixed seeds; the table of docs/autoscaling.md is what
// `test_worker --gtest_filter='Autoscale.keeps_its_promise*'` prints.
#include "worker/autoscale.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <random>

#include "tests/unit/worker/scale_simulation.h"

namespace forebay::worker {
namespace {

constexpr ScaleOptions usual{2, 24, 10s, 2, 15s};

/// A worker that is looked at once a second.
class Watched {
  public:
    explicit Watched(ScaleOptions options) : autoscale(options) { look.wanted = options.min; }
    /// So many seconds, in each of which so much comes; each process settles `speed` in a second while something waits.
    ScaleDecision pass(int seconds, std::uint64_t came) {
        ScaleDecision decision;
        for (int i = 0; i < seconds; ++i) {
            look.now = look.now + 1s;
            look.sent += came;
            look.ready += came;
            auto settled = look.is_held ? 0 : std::min(look.ready, speed * look.wanted);
            look.deleted += settled;
            look.ready -= settled;
            if (tells) look.worked = Worked{settled, Duration(speed == 0 ? 0 : settled * 1000 / speed / boast)};
            look.oldest = look.ready > 0 ? std::optional(look.now - Instant{0}) : std::nullopt;
            decision = autoscale.look(look);
            look.wanted = decision.processes;
        }
        return decision;
    }
    Autoscale autoscale;
    ScaleLook look;
    std::uint64_t speed = 10;
    unsigned boast = 1;  ///< so many times as fast as they are, they say
    bool tells = true;
};

TEST(Autoscale, begins_at_its_least_and_stays_there_while_nothing_comes) {
    Watched worker(usual);
    EXPECT_EQ(worker.pass(3600, 0).processes, 2u);
}

TEST(Autoscale, grows_at_once_to_what_empties_the_queue_within_the_time_while_as_much_goes_on_coming) {
    Watched worker(usual);
    worker.pass(60, 10);
    worker.look.ready += 910;
    auto decision = worker.pass(1, 10);
    // 90 a second for what waits, and 10 for what comes.
    EXPECT_EQ(decision.processes, 10u) << decision.why;
    EXPECT_NE(decision.why.find("empty the queue within 10s"), std::string::npos) << decision.why;
}

TEST(Autoscale, never_has_more_than_its_most_and_says_how_many_were_needed) {
    Watched worker(usual);
    worker.pass(60, 10);
    worker.look.ready += 100'000;
    auto decision = worker.pass(1, 10);
    EXPECT_EQ(decision.processes, 24u);
    EXPECT_NE(decision.why.find("24 is the most"), std::string::npos) << decision.why;
}

TEST(Autoscale, does_not_ask_for_more_new_processes_than_messages_wait) {
    Watched worker({1, 24, 10s, 2, 15s});
    worker.speed = 0;
    worker.pass(300, 0);
    worker.look.worked = Worked{2, 120s};  // each takes a minute
    worker.look.now = worker.look.now + 1s;
    worker.autoscale.look(worker.look);
    worker.look.ready = 3;
    worker.look.sent += 3;
    EXPECT_EQ(worker.pass(1, 0).processes, 4u);
}

TEST(Autoscale, grows_by_steps_while_it_does_not_know_how_fast_a_process_is) {
    Watched worker(usual);
    worker.speed = 0;
    worker.look.ready = 50;
    EXPECT_EQ(worker.pass(4, 0).processes, 2u) << "not before half of the time is over";
    EXPECT_EQ(worker.pass(3, 0).processes, 4u);
    EXPECT_EQ(worker.pass(14, 0).processes, 4u) << "and one step in a cooldown";
    EXPECT_EQ(worker.pass(3, 0).processes, 6u);
}

TEST(Autoscale, learns_from_what_leaves_the_queue_where_processes_do_not_tell) {
    Watched worker(usual);
    worker.tells = false;
    worker.look.ready = 1000;
    worker.pass(1, 20);
    auto decision = worker.pass(1, 20);
    EXPECT_EQ(decision.processes, 12u) << "two do 20 a second: " << decision.why;
}

TEST(Autoscale, shrinks_by_a_step_in_a_cooldown_once_fewer_have_been_enough_for_one) {
    Watched worker(usual);
    worker.look.wanted = 10;
    worker.pass(1, 0);
    EXPECT_EQ(worker.pass(14, 0).processes, 10u);
    EXPECT_EQ(worker.pass(2, 0).processes, 8u);
    EXPECT_EQ(worker.pass(14, 0).processes, 8u);
    EXPECT_EQ(worker.pass(300, 0).processes, 2u) << "and never below its least";
}

TEST(Autoscale, keeps_what_it_has_while_nothing_is_received) {
    Watched worker(usual);
    worker.look.wanted = 7;
    worker.look.is_held = true;
    auto decision = worker.pass(3600, 50);
    EXPECT_EQ(decision.processes, 7u) << decision.why;
    worker.look.is_held = false;
    EXPECT_GT(worker.pass(30, 50).processes, 7u) << "and grows when it is over";
}

TEST(Autoscale, takes_up_other_bounds_at_the_next_look) {
    Watched worker(usual);
    worker.pass(10, 0);
    worker.autoscale.take({5, 30, 10s, 2, 15s});
    EXPECT_EQ(worker.pass(1, 0).processes, 5u);
    worker.autoscale.take({1, 3, 10s, 2, 15s});
    EXPECT_EQ(worker.pass(1, 0).processes, 3u);
}

TEST(Autoscale, goes_on_where_counts_begin_anew_as_after_a_restart_of_the_node) {
    Watched worker(usual);
    worker.pass(60, 10);
    worker.look.sent = worker.look.deleted = 0;
    EXPECT_EQ(worker.pass(60, 10).processes, 2u);
}

TEST(Autoscale, gets_there_although_processes_say_that_they_are_faster_than_they_are) {
    Watched worker(usual);
    worker.boast = 4;
    worker.pass(600, 100);
    EXPECT_GE(worker.look.wanted, 10u);
    EXPECT_LT(worker.look.ready, 1000u);
}

TEST(Autoscale, stays_between_its_bounds_whatever_it_is_told) {
    std::mt19937_64 random(7);
    for (int run = 0; run < 200; ++run) {
        Autoscale autoscale(usual);
        ScaleLook look;
        auto any = [&](std::uint64_t most) { return random() % 4 == 0 ? 0 : random() % (most + 1); };
        for (int i = 0; i < 50; ++i) {
            look.now = {look.now.ms + static_cast<std::int64_t>(any(100'000))};
            look.ready = any(random() % 2 == 0 ? 10 : UINT64_MAX / 2);
            look.oldest = random() % 3 == 0 ? std::nullopt : std::optional(Duration(any(1'000'000'000)));
            look.sent = any(1'000'000);
            look.deleted = any(1'000'000);
            look.worked = random() % 3 == 0 ? std::nullopt : std::optional(Worked{any(10'000), Duration(any(100'000))});
            look.wanted = 2 + static_cast<unsigned>(any(22));
            look.is_held = random() % 8 == 0;
            auto decision = autoscale.look(look);
            ASSERT_GE(decision.processes, usual.min);
            ASSERT_LE(decision.processes, usual.max);
        }
    }
}

TEST(Autoscale, keeps_its_promise_under_every_load_without_going_to_and_fro) {
    std::printf("%-45s %9s %9s %9s %8s %7s %7s %6s\n", "", "promised", "kept", "longest", "changes", "to&fro", "used", "needed");
    for (auto& load : loads()) {
        auto got = simulate(load, 11);
        std::printf("%-45s %5u/%-5u %6.2f %% %7.1fs %8u %7u %7.2f %6.2f\n", load.name.c_str(), got.allowed, got.minutes,
                    100.0 * got.good / got.allowed, got.longest_wait, got.changes, got.reversals, got.used, got.needed);
        EXPECT_GE(got.good, 0.95 * got.allowed) << load.name;
        EXPECT_EQ(got.reversals, 0u) << load.name;
        EXPECT_LE(got.used, 1.5 * got.needed) << load.name;
    }
}

}  // namespace
}  // namespace forebay::worker
