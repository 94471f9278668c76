#include "worker/worker.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <stdexcept>

#include "tests/unit/worker/scripted_source.h"
#include "worker/attempt.h"
#include "worker/heartbeat.h"
#include "worker/settlement.h"

namespace forebay::worker {
namespace {

/// Answers as it is told, by the text of the record's `name`.
class ScriptedHandler final : public Handler {
  public:
    std::vector<Outcome> run(std::span<const Job> jobs, const Limits& limits) override {
        runs.push_back(jobs.size());
        std::vector<Outcome> out;
        for (auto& job : jobs) {
            auto name = job.envelope.fields["name"].text();
            ran.push_back(name);
            if (job.decided) {
                out.push_back(*job.decided);
                continue;
            }
            out.push_back(answer ? answer(name, limits) : Outcome::done());
        }
        return out;
    }
    void note(std::span<const Job> jobs, std::span<const Settlement> settlements) override {
        for (std::size_t i = 0; i < jobs.size(); ++i) noted.push_back(settlements[i]);
        if (while_noting) while_noting();
    }
    std::vector<std::optional<Wait>> waits(std::span<const Job> jobs) override {
        std::vector<std::optional<Wait>> out;
        for (auto& job : jobs) {
            asked_for_wait.push_back(job.envelope.fields["name"].text());
            auto known = wait_of.find(asked_for_wait.back());
            out.push_back(known == wait_of.end() ? std::nullopt : std::optional(known->second));
        }
        return out;
    }
    bool has_probe() const override { return can_probe; }
    Result<void, std::string> probe() override {
        ++probes;
        if (probe_failures-- > 0) return Failure{std::string("still away")};
        return {};
    }
    Duration time_limit(std::size_t, Duration timeout) const override { return timeout; }
    Result<void, std::string> note_sent(std::span<const Sent> sent) override {
        for (auto& one : sent)
            for (auto& target : one.targets) steps->push_back("note " + target);
        if (note_failures-- > 0) return Failure{std::string("database is locked")};
        return {};
    }

    std::vector<std::string>* steps = nullptr;  ///< of the source
    int note_failures = 0;
    std::function<Outcome(const std::string&, const Limits&)> answer;
    std::function<void()> while_noting;
    std::vector<std::size_t> runs;
    std::vector<std::string> ran;
    std::vector<Settlement> noted;
    std::map<std::string, Wait> wait_of;
    std::vector<std::string> asked_for_wait;
    bool can_probe = false;
    int probe_failures = 0;
    int probes = 0;
};

/// A wall clock that is set by hand; durations are real.
class SetClock final : public Clock {
  public:
    Timestamp wall() override { return wall_at; }
    Instant now() override { return real_.now(); }
    Timestamp wall_at;

  private:
    SystemClock real_;
};

class Work : public ::testing::Test {
  protected:
    Work() {
        options.worker = "store";
        options.group = "core";
        options.queue = "leads";
        options.dead_letter = "leads-dead";
        options.poll = 5ms;
        options.probe = 5ms;
        options.retry = {{1s, 5s}, 0};
        source.when_empty = [this] { controls.stop = true; };
        handler.steps = &source.steps;
    }
    void put(const std::string& name, std::uint32_t attempts = 0) { source.put(name, R"({"name":")" + name + R"("})", attempts); }
    Ended run() { return Worker(options, {source, heartbeat, handler, clock, entropy, controls}).run(); }

    Options options;
    ScriptedSource source, heartbeat;
    ScriptedHandler handler;
    SystemClock clock;
    SystemEntropy entropy;
    Controls controls;
};

TEST_F(Work, what_the_condition_leaves_out_is_skipped_and_spends_no_attempt) {
    metrics::Registry registry;
    options.when = *condition::Condition::parse("name in ['a', 'c']");
    put("a");
    put("b", 2);
    put("c");
    Worker(options, {source, heartbeat, handler, clock, entropy, controls, &registry}).run();
    ASSERT_EQ(handler.noted.size(), 3u);
    EXPECT_EQ(handler.noted[0].kind, Outcome::Kind::skipped) << "those that were tried come first";
    EXPECT_EQ(handler.noted[0].why, "when: name in ['a', 'c']");
    EXPECT_EQ(handler.noted[0].attempts, 2u);
    EXPECT_EQ(handler.noted[1].kind, Outcome::Kind::done);
    EXPECT_EQ(source.settled, (std::vector<std::string>{"b", "a", "c"})) << "all are deleted";
    EXPECT_TRUE(source.sent.empty());
    EXPECT_NE(registry.prometheus_text().find(R"(forebay_effects_total{worker="store",outcome="skipped"} 1)"), std::string::npos);
}

TEST_F(Work, an_operators_word_counts_more_than_the_condition) {
    options.when = *condition::Condition::parse("name == 'z'");
    source.put(
        "order",
        R"({"v":1,"id":"01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11","endpoint":"lead","received_at":"2026-09-20T14:03:11.482Z","fields":{"name":"a"},"flags":[],"discard":"a test post"})");
    run();
    EXPECT_EQ(handler.noted.at(0).kind, Outcome::Kind::discarded);
}

TEST_F(Work, what_is_discarded_is_deleted_and_neither_dead_nor_a_failure) {
    metrics::Registry registry;
    source.put(
        "order",
        R"({"v":1,"id":"01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11","endpoint":"lead","received_at":"2026-09-20T14:03:11.482Z","fields":{"name":"a"},"flags":[],"discard":"a test post"})",
        0);
    Worker(options, {source, heartbeat, handler, clock, entropy, controls, &registry}).run();
    ASSERT_EQ(handler.noted.size(), 1u);
    EXPECT_EQ(handler.noted[0].kind, Outcome::Kind::discarded);
    EXPECT_EQ(handler.noted[0].why, "a test post");
    EXPECT_EQ(handler.noted[0].attempts, 0u);
    EXPECT_EQ(source.settled, std::vector<std::string>{"order"});
    EXPECT_TRUE(source.sent.empty());
    EXPECT_NE(registry.prometheus_text().find(R"(forebay_effects_total{worker="store",outcome="discarded"} 1)"), std::string::npos)
        << registry.prometheus_text();
}

TEST_F(Work, a_wait_longer_than_a_message_can_be_hidden_is_taken_in_parts) {
    options.retry = {{20h}, 0};
    handler.answer = [](const std::string&, const Limits&) { return Outcome::retry("busy"); };
    put("a");
    auto before = clock.wall();
    run();
    ASSERT_EQ(source.extended.size(), 1u);
    EXPECT_EQ(source.extended[0].timeout, hidden_most);
    EXPECT_EQ(source.extended[0].attempts, 1u);
    EXPECT_GE(handler.noted.at(0).next, before + 20h) << "the effect's row knows the whole wait";
}

TEST_F(Work, a_record_that_comes_before_it_is_due_is_hidden_again_and_spends_no_attempt) {
    put("early", 3);
    put("fresh");
    put("tried", 1);
    put("almost", 1);
    auto now = clock.wall();
    handler.wait_of = {{"early", {now - 11h, now + 9h}}, {"almost", {now - 11h, now + 1s}}};
    run();
    EXPECT_EQ(handler.asked_for_wait, (std::vector<std::string>{"early", "tried", "almost"})) << "a first attempt waits for nothing";
    EXPECT_EQ(handler.ran, (std::vector<std::string>{"tried", "almost", "fresh"}));
    ASSERT_EQ(source.extended.size(), 1u);
    EXPECT_EQ(source.extended[0].handle, "early");
    EXPECT_GT(source.extended[0].timeout, 8h);
    EXPECT_LE(source.extended[0].timeout, 9h);
    EXPECT_FALSE(source.extended[0].attempts) << "those spent stay as they are";
    EXPECT_EQ(source.settled, (std::vector<std::string>{"tried", "almost", "fresh"}));
}

TEST_F(Work, a_wait_that_a_handler_asks_for_ends_before_the_queue_gives_the_record_up) {
    options.retry = {{1s, 5s, 5s}, 0};
    options.deliveries_max = 10;
    handler.answer = [](const std::string&, const Limits&) { return Outcome::retry("busy", 24h * 10); };
    put("a", 1);
    auto before = clock.wall();
    run();
    EXPECT_GE(handler.noted.at(0).next, before + 7 * hidden_most) << "it was received twice, and needs one after this wait";
    EXPECT_LT(handler.noted.at(0).next, before + 7 * hidden_most + 1min);
}

TEST_F(Work, a_clock_that_was_set_back_does_not_hide_a_record_again_that_the_queue_has_hidden_long_enough) {
    auto ahead = clock.wall() + 6h;
    handler.wait_of = {{"a", {ahead, ahead + 30s}}};
    put("a", 1);
    run();
    EXPECT_EQ(handler.ran, std::vector<std::string>{"a"});
    EXPECT_TRUE(source.extended.empty());
}

TEST_F(Work, a_clock_that_is_set_back_during_an_attempt_does_not_stretch_its_wait) {
    SetClock set;
    set.wall_at = clock.wall() + 6h;
    handler.answer = [](auto&, auto&) { return Outcome::retry("busy"); };
    handler.while_noting = [&] { set.wall_at = set.wall_at - 6h; };
    put("a");
    Worker(options, {source, heartbeat, handler, set, entropy, controls}).run();
    ASSERT_EQ(source.extended.size(), 1u);
    EXPECT_EQ(source.extended[0].timeout, Duration(1s));
}

TEST_F(Work, what_is_done_is_deleted) {
    put("a");
    put("b");
    EXPECT_EQ(run(), Ended::asked);
    EXPECT_EQ(source.settled, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(handler.noted.size(), 2u);
}

TEST_F(Work, a_batch_is_filled_from_several_receives) {
    options.batch = {25, 0ms};
    for (int i = 0; i < 25; ++i) put("m" + std::to_string(i));
    run();
    EXPECT_EQ(handler.runs, std::vector<std::size_t>{25});
    EXPECT_EQ(source.batches, (std::vector<std::size_t>{10, 10, 5}));
}

TEST_F(Work, a_retry_hides_the_message_and_notes_the_attempt_with_it) {
    handler.answer = [](auto&, auto&) { return Outcome::retry("exit 1"); };
    put("a", 1);
    run();
    ASSERT_EQ(source.extended.size(), 1u);
    EXPECT_EQ(source.extended[0].attempts, 2u);
    EXPECT_LE(source.extended[0].timeout, Duration(5s));
    EXPECT_GT(source.extended[0].timeout, Duration(4s));
    EXPECT_TRUE(source.settled.empty());
    EXPECT_EQ(handler.noted.at(0).kind, Outcome::Kind::retry);
}

TEST_F(Work, what_is_out_of_attempts_goes_to_the_dead_letters_with_its_reason_and_is_then_deleted) {
    handler.answer = [](auto&, auto&) { return Outcome::retry("exit 1"); };
    put("a", 2);
    run();
    ASSERT_EQ(source.sent.size(), 1u);
    EXPECT_EQ(source.sent[0].queue, "leads-dead");
    EXPECT_EQ(source.sent[0].body, R"({"name":"a"})");
    EXPECT_EQ(source.sent[0].attributes[0], (queue::MessageAttribute{"forebay-reason", "String", "out of attempts (3): exit 1"}));
    EXPECT_EQ(source.sent[0].attributes[1], (queue::MessageAttribute{"forebay-effect", "String", "store"}));
    EXPECT_EQ(source.sent[0].attributes[2], (queue::MessageAttribute{"forebay-attempts", "Number", "3"}));
    EXPECT_EQ(source.sent[0].attributes[3].name, "record-id");
    EXPECT_EQ(source.steps, (std::vector<std::string>{"send leads-dead", "delete a"}));
}

TEST_F(Work, a_body_that_is_no_record_is_dead_at_once_and_the_others_are_not_held_up) {
    source.put("bad", "hello");
    put("good");
    run();
    EXPECT_EQ(handler.ran, std::vector<std::string>{"good"});
    ASSERT_EQ(source.sent.size(), 1u);
    EXPECT_TRUE(source.sent[0].attributes[0].value.starts_with("not a record: "));
    EXPECT_EQ(source.settled, (std::vector<std::string>{"bad", "good"}));
}

TEST_F(Work, a_dead_letter_that_cannot_be_sent_is_not_deleted) {
    handler.answer = [](auto&, auto&) { return Outcome::dead("no zip"); };
    source.send_refusals = 1;
    put("a");
    run();
    EXPECT_TRUE(source.settled.empty());
}

TEST_F(Work, without_a_dead_letter_queue_what_is_dead_stays_hidden_for_an_hour) {
    options.dead_letter.clear();
    handler.answer = [](auto&, auto&) { return Outcome::dead("no zip"); };
    put("a");
    run();
    ASSERT_EQ(source.extended.size(), 1u);
    EXPECT_EQ(source.extended[0].timeout, Duration(1h));
    EXPECT_TRUE(source.settled.empty());
}

Outcome done_with(const std::vector<FollowUp>& follow_ups) {
    auto outcome = Outcome::done();
    outcome.follow_ups = follow_ups;
    return outcome;
}

TEST_F(Work, follow_ups_are_queued_then_noted_and_then_the_message_is_deleted) {
    handler.answer = [](auto&, auto&) { return done_with({{"mail", "hello", "mail#1"}, {"stats", "{}", "stats"}}); };
    put("a");
    run();
    EXPECT_EQ(source.steps, (std::vector<std::string>{"send mail", "send stats", "note mail#1", "note stats", "delete a"}));
    EXPECT_EQ(source.sent[0].body, "hello");
}

TEST_F(Work, without_follow_ups_nothing_is_noted) {
    put("a");
    run();
    EXPECT_EQ(source.steps, std::vector<std::string>{"delete a"});
}

TEST_F(Work, a_message_whose_follow_up_was_refused_is_not_deleted_and_holds_up_no_other) {
    source.send_refusals = 1;
    handler.answer = [](const std::string& name, auto&) {
        if (name == "b") return done_with({{"stats", "{}", "stats"}});
        return done_with({{"mail", "hello", "mail"}, {"stats", "{}", "stats"}});
    };
    put("a");
    put("b");
    run();
    EXPECT_EQ(source.settled, std::vector<std::string>{"b"});
    EXPECT_EQ(source.steps, (std::vector<std::string>{"send stats", "send stats", "note stats", "note stats", "delete b"}))
        << "what got through is noted, for when the other comes again";
}

TEST_F(Work, a_message_whose_follow_ups_could_not_be_noted_is_given_back) {
    source.comes_back = false;
    handler.note_failures = 1;
    handler.answer = [](const std::string& name, auto&) {
        if (name == "b") return Outcome::done();
        return done_with({{"stats", "{}", "stats"}});
    };
    put("a");
    put("b");
    run();
    EXPECT_EQ(source.settled, std::vector<std::string>{"b"});
    EXPECT_EQ(source.released, std::vector<std::string>{"a"});
}

TEST_F(Work, a_queue_that_is_away_for_a_moment_gets_its_deletes_all_the_same) {
    source.settle_failures = 2;
    put("a");
    run();
    EXPECT_EQ(source.settled, std::vector<std::string>{"a"});
}

TEST_F(Work, a_stopping_worker_does_not_wait_for_a_queue_that_is_away) {
    source.settle_failures = 1000;
    handler.answer = [&](auto&, auto&) {
        controls.stop = true;
        return Outcome::done();
    };
    put("a");
    auto began = clock.now();
    EXPECT_EQ(run(), Ended::asked);
    EXPECT_LT(clock.now() - began, Duration(5s));
    EXPECT_EQ(source.settle_failures, 999);
}

TEST_F(Work, effects_are_counted_by_their_outcome) {
    metrics::Registry registry;
    handler.answer = [](const std::string& name, auto&) {
        return name == "a" ? Outcome::dead("no zip") : name == "b" ? Outcome::retry("busy") : Outcome::done();
    };
    for (auto* name : {"a", "b", "c", "d"}) put(name);
    source.put("bad", "hello");
    Worker(options, {source, heartbeat, handler, clock, entropy, controls, &registry}).run();
    auto count = [&](const char* outcome) {
        return registry.counter("forebay_effects_total", {{"worker", "store"}, {"outcome", outcome}}).value();
    };
    EXPECT_EQ(count("done"), 2u);
    EXPECT_EQ(count("retry"), 1u);
    EXPECT_EQ(count("dead"), 2u);
}

TEST_F(Work, a_queue_that_cannot_be_reached_is_asked_again) {
    source.receive_failures = 2;
    put("a");
    run();
    EXPECT_EQ(source.settled, std::vector<std::string>{"a"});
}

TEST_F(Work, a_held_worker_receives_nothing_until_its_probe_says_that_the_database_is_back) {
    handler.can_probe = true;
    handler.probe_failures = 3;
    bool away = true;
    handler.answer = [&](auto&, auto&) { return std::exchange(away, false) ? Outcome::hold("locked") : Outcome::done(); };
    put("a");
    source.when_empty = [&] {
        if (handler.probes > 3) controls.stop = true;
    };
    run();
    EXPECT_EQ(handler.probes, 4);
    EXPECT_EQ(source.released, std::vector<std::string>{"a"}) << "its receive does not count";
    EXPECT_EQ(source.settled, std::vector<std::string>{"a"});
    EXPECT_TRUE(source.extended.empty()) << "no attempt is spent";
}

TEST_F(Work, after_a_hold_one_record_goes_first_and_then_the_rest) {
    handler.can_probe = true;
    handler.answer = [&](auto&, auto&) { return handler.runs.size() == 1 ? Outcome::hold("locked") : Outcome::done(); };
    for (auto* name : {"a", "b", "c"}) put(name);
    run();
    EXPECT_EQ(handler.runs, (std::vector<std::size_t>{3, 1, 2}));
    EXPECT_EQ(source.settled.size(), 3u);
}

TEST_F(Work, what_of_a_batch_was_done_before_the_outage_is_deleted) {
    source.comes_back = false;
    handler.can_probe = true;
    handler.answer = [](const std::string& name, auto&) { return name == "a" ? Outcome::done() : Outcome::hold("locked"); };
    put("a");
    put("b");
    run();
    EXPECT_EQ(source.settled, std::vector<std::string>{"a"});
    EXPECT_EQ(source.released, std::vector<std::string>{"b"});
}

TEST_F(Work, a_failed_trial_holds_again_without_receiving_more) {
    handler.can_probe = true;
    handler.answer = [&](auto&, auto&) { return handler.runs.size() <= 2 ? Outcome::hold("locked") : Outcome::done(); };
    for (auto* name : {"a", "b"}) put(name);
    run();
    EXPECT_EQ(handler.runs, (std::vector<std::size_t>{2, 1, 1, 1})) << "held, a trial that fails, one that works, the other";
}

TEST_F(Work, a_handler_that_cannot_be_asked_keeps_one_record_in_hand_and_tries_that) {
    int away = 3;  // for both of the first batch, and once more
    handler.answer = [&](auto&, auto&) { return away-- > 0 ? Outcome::hold("exit 69") : Outcome::done(); };
    put("a");
    put("b");
    run();
    EXPECT_EQ(handler.ran, (std::vector<std::string>{"a", "b", "a", "a", "b"}));
    EXPECT_EQ(source.released, std::vector<std::string>{"b"});
    EXPECT_EQ(source.settled, (std::vector<std::string>{"a", "b"}));
}

TEST_F(Work, a_handler_that_knows_its_effect_is_down_keeps_one_record_in_hand_though_it_can_be_asked) {
    handler.can_probe = true;
    int away = 2;
    handler.answer = [&](auto&, auto&) {
        auto outcome = away-- > 0 ? Outcome::hold("exit 69") : Outcome::done();
        outcome.is_of_effect = outcome.kind == Outcome::Kind::hold;
        return outcome;
    };
    put("a");
    run();
    EXPECT_EQ(handler.ran, (std::vector<std::string>{"a", "a", "a"}));
    EXPECT_EQ(source.released, std::vector<std::string>{});
    EXPECT_EQ(source.settled, std::vector<std::string>{"a"});
}

TEST_F(Work, a_stop_during_a_hold_gives_back_what_is_in_hand) {
    source.comes_back = false;
    handler.answer = [&](auto&, auto&) {
        controls.stop = true;
        return Outcome::hold("exit 69");
    };
    put("a");
    EXPECT_EQ(run(), Ended::asked);
    EXPECT_EQ(source.released, std::vector<std::string>{"a"});
}

TEST_F(Work, a_stop_lets_the_batch_finish) {
    handler.answer = [&](auto&, const Limits& limits) {
        controls.stop = true;
        return limits.stopping() ? Outcome::done() : Outcome::retry("the handler was not told");
    };
    put("a");
    put("b");
    run();
    EXPECT_EQ(source.settled.size(), 2u);
}

TEST_F(Work, what_was_not_begun_is_given_back) {
    source.comes_back = false;
    handler.answer = [](const std::string& name, auto&) { return name == "a" ? Outcome::done() : Outcome::untouched(); };
    put("a");
    put("b");
    run();
    EXPECT_EQ(source.settled, std::vector<std::string>{"a"});
    EXPECT_EQ(source.released, std::vector<std::string>{"b"});
}

TEST_F(Work, a_quiet_worker_takes_nothing) {
    controls.quiet = true;
    put("a");
    std::thread later([&] {
        ::usleep(30'000);
        EXPECT_EQ(source.receives, 0);
        controls.quiet = false;
    });
    run();
    later.join();
    EXPECT_EQ(source.settled, std::vector<std::string>{"a"});
}

TEST_F(Work, a_worker_recycles_after_its_jobs_its_age_or_its_size) {
    options.batch.size = 1;
    for (int i = 0; i < 5; ++i) put("m" + std::to_string(i));
    options.recycle.jobs = 3;
    EXPECT_EQ(run(), Ended::recycled);
    EXPECT_EQ(source.settled.size(), 3u);
    options.recycle = {};
    options.recycle.rss_bytes = 1;
    EXPECT_EQ(run(), Ended::recycled);
    options.recycle = {};
    options.recycle.after = 10ms;
    source.when_empty = nullptr;
    EXPECT_EQ(run(), Ended::recycled);
}

TEST_F(Work, what_a_handler_throws_is_a_retry_of_its_batch) {
    handler.answer = [](auto&, auto&) -> Outcome { throw std::runtime_error("out of cheese"); };
    put("a");
    run();
    EXPECT_EQ(handler.noted.at(0).why, "the handler threw: out of cheese");
    EXPECT_EQ(source.extended.size(), 1u);
}

TEST(Attempt, too_few_outcomes_are_a_retry_of_all) {
    struct Forgetful final : Handler {
        std::vector<Outcome> run(std::span<const Job>, const Limits&) override { return {Outcome::done()}; }
    } handler;
    std::vector<Job> jobs(2);
    auto outcomes = attempt(handler, jobs, {});
    ASSERT_EQ(outcomes.size(), 2u);
    EXPECT_EQ(outcomes[0].kind, Outcome::Kind::retry);
    EXPECT_EQ(outcomes[0].why, "the handler gave 1 outcomes for 2 records");
}

TEST(Heartbeats, long_work_is_renewed_until_it_is_over) {
    ScriptedSource source;
    {
        Heartbeat heartbeat(source, "leads", 60ms, [] {});
        heartbeat.watch({"a", "b"}, std::nullopt);
        while (true) {
            std::lock_guard lock(source.mutex);
            if (source.extended.size() >= 4) break;
        }
        heartbeat.forget();
        auto so_far = source.extended.size();
        ::usleep(60'000);
        EXPECT_EQ(source.extended.size(), so_far);
    }
    EXPECT_EQ(source.extended[0], (ScriptedSource::Extension{"a", 60ms, std::nullopt}));
    EXPECT_EQ(source.extended[1].handle, "b");
}

TEST(Heartbeats, work_beyond_its_limit_is_reported_once) {
    ScriptedSource source;
    std::atomic<int> overran{0};
    Heartbeat heartbeat(source, "leads", 60ms, [&] { ++overran; });
    heartbeat.watch({"a"}, Duration(10ms));
    while (overran == 0) ::usleep(1000);
    ::usleep(30'000);
    EXPECT_EQ(overran, 1);
}

TEST(Overrun, a_worker_whose_handler_hangs_ends_its_process) {
    struct Hanging final : Handler {
        std::vector<Outcome> run(std::span<const Job>, const Limits&) override {
            ::pause();
            return {};
        }
    };
    pid_t child = ::fork();
    if (child == 0) {
        ScriptedSource source, heartbeat;
        Hanging handler;
        SystemClock clock;
        SystemEntropy entropy;
        Controls controls;
        Options options;
        options.queue = "leads";
        options.timeout = 10ms;
        options.overrun_grace = 10ms;
        options.visibility = 60ms;
        source.put("a", "{}");
        Worker(options, {source, heartbeat, handler, clock, entropy, controls}).run();
        ::_exit(1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 75);
}

TEST(Signals, term_stops_tstp_quiets_cont_goes_on_and_a_second_term_leaves) {
    pid_t child = ::fork();
    if (child == 0) {
        static Controls controls;
        obey_signals(controls);
        ::raise(SIGTSTP);
        if (!controls.quiet) ::_exit(1);
        ::raise(SIGCONT);
        if (controls.quiet) ::_exit(2);
        for (int others : {SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) ::raise(others);
        ::raise(SIGTERM);
        if (!controls.stop) ::_exit(3);
        ::raise(SIGTERM);  // at once: the kernel says the same once more
        for (auto end = SystemClock().now() + 10s; SystemClock().now() < end; ::usleep(10'000)) ::raise(SIGTERM);
        ::_exit(4);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace forebay::worker
