#include "supervisor/lifecycle.h"

#include <gtest/gtest.h>

#include <random>

#include "supervisor/supervisor.h"
#include "supervisor/surroundings.h"
#include "testing/seeded_entropy.h"

namespace forebay::supervisor {
namespace {

using S = State;
using E = Event;
using A = Action;

constexpr Policy usual{Autorestart::always, true};
constexpr Policy no_retries{Autorestart::always, false};
constexpr Policy no_restart{Autorestart::never, true};
constexpr Policy if_unexpected{Autorestart::unexpected, true};
constexpr Policy at_once{Autorestart::always, true, true};

TEST(Lifecycle, every_row_of_the_table_is_as_supervisord_has_it) {
    struct {
        S state;
        E event;
        Policy policy;
        S next;
        A action;
    } rows[] = {
        {S::stopped, E::start_asked, usual, S::starting, A::spawn},
        {S::stopped, E::stop_asked, usual, S::stopped, A::none},
        {S::stopped, E::retry_due, usual, S::stopped, A::none},
        {S::stopped, E::exited_badly, usual, S::stopped, A::none},
        {S::starting, E::spawned, usual, S::starting, A::none},
        {S::starting, E::start_asked, usual, S::starting, A::none},
        {S::starting, E::start_due, usual, S::running, A::none},
        {S::starting, E::spawn_failed, usual, S::backoff, A::wait_and_retry},
        {S::starting, E::spawn_failed, no_retries, S::fatal, A::give_up},
        {S::starting, E::exited_badly, usual, S::backoff, A::wait_and_retry},
        {S::starting, E::exited_badly, no_retries, S::fatal, A::give_up},
        {S::starting, E::exited_well, usual, S::backoff, A::wait_and_retry},
        {S::starting, E::stop_asked, usual, S::stopping, A::send_stop},
        {S::starting, E::kill_due, usual, S::starting, A::none},
        {S::running, E::start_asked, usual, S::running, A::none},
        {S::running, E::exited_badly, usual, S::starting, A::spawn},
        {S::running, E::exited_well, usual, S::starting, A::spawn},
        {S::running, E::exited_well, no_restart, S::exited, A::none},
        {S::running, E::exited_badly, no_restart, S::exited, A::none},
        {S::running, E::exited_well, if_unexpected, S::exited, A::none},
        {S::running, E::exited_badly, if_unexpected, S::starting, A::spawn},
        {S::running, E::exited_badly, at_once, S::backoff, A::wait_and_retry},
        {S::starting, E::exited_well, if_unexpected, S::backoff, A::wait_and_retry},
        {S::running, E::stop_asked, usual, S::stopping, A::send_stop},
        {S::stopping, E::exited_badly, usual, S::stopped, A::none},
        {S::stopping, E::exited_well, usual, S::stopped, A::none},
        {S::stopping, E::kill_due, usual, S::stopping, A::send_kill},
        {S::stopping, E::start_asked, usual, S::stopping, A::none},
        {S::stopping, E::stop_asked, usual, S::stopping, A::none},
        {S::backoff, E::retry_due, usual, S::starting, A::spawn},
        {S::backoff, E::start_asked, usual, S::starting, A::spawn},
        {S::backoff, E::stop_asked, usual, S::stopped, A::none},
        {S::exited, E::start_asked, usual, S::starting, A::spawn},
        {S::exited, E::retry_due, usual, S::exited, A::none},
        {S::fatal, E::start_asked, usual, S::starting, A::spawn},
        {S::fatal, E::retry_due, usual, S::starting, A::spawn},
        {S::fatal, E::stop_asked, usual, S::stopped, A::none},
    };
    for (auto& row : rows) {
        auto got = step(row.state, row.event, row.policy);
        EXPECT_EQ(got.next, row.next) << name_of(row.state) << " event " << static_cast<int>(row.event);
        EXPECT_EQ(got.action, row.action) << name_of(row.state) << " event " << static_cast<int>(row.event);
    }
}

/// One process as the supervisor drives it, with what the table asked of it.
struct Driven {
    State state = S::stopped;
    bool is_alive = false, lived_for_startsecs = false, was_asked_to_stop = false;
    unsigned failed_starts = 0, retries;

    void on(Event event, Autorestart autorestart) {
        if (event == E::exited_well || event == E::exited_badly) {
            if (!is_alive) return;  // what is not there cannot end
            is_alive = false;
        }
        if (event == E::start_due && state == S::starting) lived_for_startsecs = true;
        if (event == E::start_due || event == E::start_asked || event == E::stop_asked) failed_starts = 0;
        auto before = state;
        auto now = step(state, event, {autorestart, failed_starts + 1 <= retries, false});
        state = now.next;
        EXPECT_FALSE(before != S::running && state == S::running && !lived_for_startsecs) << "RUNNING before start_due";
        if (now.action == A::wait_and_retry || now.action == A::give_up) ++failed_starts;
        EXPECT_FALSE(now.action == A::give_up && failed_starts <= retries) << "FATAL after " << failed_starts << " of " << retries;
        EXPECT_EQ(now.action == A::give_up, before != S::fatal && state == S::fatal);
        if (now.action == A::spawn) {
            EXPECT_FALSE(is_alive) << "two processes at once";
            is_alive = true;
            lived_for_startsecs = was_asked_to_stop = false;
        }
        if (now.action == A::send_stop) was_asked_to_stop = true;
        EXPECT_FALSE(now.action == A::send_kill && !was_asked_to_stop) << "KILL before the stop signal";
        if (before == S::starting && event == E::spawn_failed) is_alive = false;
        EXPECT_EQ(has_process(state), is_alive) << name_of(before) << " -> " << name_of(state);
    }
};

TEST(Lifecycle, whatever_happens_in_whatever_order_the_rules_hold) {
    constexpr E events[] = {E::start_asked, E::stop_asked,   E::spawned,   E::spawn_failed, E::start_due,
                            E::exited_well, E::exited_badly, E::retry_due, E::kill_due};
    constexpr Autorestart policies[] = {Autorestart::never, Autorestart::unexpected, Autorestart::always};
    for (std::uint32_t seed = 0; seed < 2000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        Driven process;
        process.retries = random() % 4;
        auto autorestart = policies[random() % 3];
        for (int i = 0; i < 100; ++i) process.on(events[random() % std::size(events)], autorestart);
        // And a stop always comes to an end: the process ends on its own, or by KILL.
        process.on(E::stop_asked, autorestart);
        process.on(E::kill_due, autorestart);
        process.on(E::exited_badly, autorestart);
        EXPECT_EQ(process.state, S::stopped);
        if (HasFailure()) return;
    }
}

TEST(Lifecycle, waits_are_up_to_a_fifth_longer_or_shorter) {
    forebay::testing::SeededEntropy entropy(7);
    Duration least = 1h, most{};
    for (int i = 0; i < 2000; ++i) {
        auto wait = jittered(10s, entropy);
        least = std::min(least, wait);
        most = std::max(most, wait);
    }
    EXPECT_GE(least, Duration(8s));
    EXPECT_LT(least, Duration(8100ms));
    EXPECT_LE(most, Duration(12s));
    EXPECT_GT(most, Duration(11900ms));
}

TEST(Lifecycle, the_wait_after_failed_starts_grows_to_its_bound) {
    EXPECT_EQ(backoff_wait(1, false), Duration(1s));
    EXPECT_EQ(backoff_wait(3, false), Duration(3s));
    EXPECT_EQ(backoff_wait(99, false), Duration(30s));
    EXPECT_EQ(backoff_wait(99, false, 5s), Duration(5s));
}

TEST(Lifecycle, what_may_never_give_up_is_tried_again_sooner) {
    EXPECT_EQ(backoff_wait(1, true), Duration(100ms));
    EXPECT_EQ(backoff_wait(4, true), Duration(800ms));
    EXPECT_EQ(backoff_wait(1000, true), Duration(5s));
    EXPECT_EQ(backoff_wait(1000, true, 1s), Duration(1s));
}

TEST(Names, patterns_name_processes_groups_and_workers) {
    ProcessStatus store{"store:1", "core", "store", 1, 0, S::stopped, {}, 0, {}, {}, {}};
    for (auto* pattern : {"all", "*", "store:1", "store", "store:*", "core:*", "core:store", "core:store:1", "core:store:*"})
        EXPECT_TRUE(matches(pattern, store)) << pattern;
    for (auto* pattern : {"", "store:2", "core", "core:score", "partner:*", "store:", "core:store:2", ":*"})
        EXPECT_FALSE(matches(pattern, store)) << pattern;
    ProcessStatus node{"node", "node", "node", 0, 0, S::stopped, {}, 0, {}, {}, {}};
    EXPECT_TRUE(matches("node", node));
    EXPECT_TRUE(matches("node:*", node));
}

TEST(Surroundings, children_learn_where_everything_is) {
    ChildSurroundings s;
    s.worker = "score";
    s.queue = "score-in";
    s.queues = {{"score-in", "http://q/score-in"}, {"leads", "http://q/leads"}};
    s.databases = {{"main", "sqlite", "/d/w.db", "/d/r.db", ""}};
    s.statsd = "10.0.3.5:8125";
    s.access_key_id = "AK";
    std::vector<std::pair<std::string, std::string>> expected{
        {"FOREBAY_WORKER", "score"},
        {"FOREBAY_N", "{n}"},
        {"FOREBAY_QUEUE", "score-in"},
        {"FOREBAY_QUEUE_URL", "http://q/score-in"},
        {"FOREBAY_QUEUE_URL_SCORE_IN", "http://q/score-in"},
        {"FOREBAY_QUEUE_URL_LEADS", "http://q/leads"},
        {"FOREBAY_DB_MAIN_DRIVER", "sqlite"},
        {"FOREBAY_DB_MAIN_WRITER", "/d/w.db"},
        {"FOREBAY_DB_MAIN_READER", "/d/r.db"},
        {"FOREBAY_STATSD", "10.0.3.5:8125"},
        {"AWS_ACCESS_KEY_ID", "AK"},
        {"AWS_SESSION_TOKEN", ""},
    };
    EXPECT_EQ(to_environment(s), expected);
}

}  // namespace
}  // namespace forebay::supervisor
