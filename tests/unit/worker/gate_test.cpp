// Who asks whether an outage is over, who waits for the answer, and what is one.
#include "worker/gate.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "testing/manual_clock.h"
#include "testing/seeded_entropy.h"
#include "tests/unit/worker/scripted_source.h"

namespace forebay::worker {
namespace {

using Phase = Hold::Phase;

/// Something that is up or down, and how often it was asked.
struct Dependency {
    bool is_up = true;
    int probes = 0;
};

class AskingHandler final : public Handler {
  public:
    AskingHandler(Dependency& dependency, bool can_probe) : dependency_(dependency), can_probe_(can_probe) {}
    std::vector<Outcome> run(std::span<const Job> jobs, const Limits&) override { return std::vector<Outcome>(jobs.size()); }
    bool has_probe() const override { return can_probe_; }
    Result<void, std::string> probe() override {
        ++dependency_.probes;
        if (!dependency_.is_up) return Failure{std::string("main: connection refused")};
        return {};
    }

  private:
    Dependency& dependency_;
    bool can_probe_;
};

/// One worker process of the host, as far as its gate goes.
class Process {
  public:
    Process(const std::string& folder, const std::string& worker, Dependency& dependency, testing::ManualClock& clock,
            bool can_probe = true)
        : handler_(dependency, can_probe), entropy_(++seed_), parts_{source, source, handler_, clock, entropy_, controls, nullptr, {}} {
        parts_.rest = [&clock](Duration wait) { clock.advance(wait); };
        options_.worker = worker;
        options_.group = "core";
        options_.queue = worker + "-queue";
        options_.depends_on = can_probe ? "db.main" : "";
        options_.dependents = {{"core:store", "store-queue"}, {"core:stats", "stats-queue"}};
        options_.outages_folder = folder;
        standing_.emplace("", clock);
        gate.emplace(options_, parts_, *standing_);
    }
    void end() { gate.reset(); }

    ScriptedSource source;
    Controls controls;
    std::optional<Gate> gate;

  private:
    static inline std::uint64_t seed_ = 0;
    AskingHandler handler_;
    testing::SeededEntropy entropy_;
    Options options_;
    Parts parts_;
    std::optional<StandingFile> standing_;
};

class Gates : public ::testing::Test {
  protected:
    Gates() {
        std::string pattern = (std::filesystem::temp_directory_path() / "forebay-gates-XXXXXX").string();
        folder = ::mkdtemp(pattern.data());
    }
    ~Gates() override { std::filesystem::remove_all(folder); }
    OutageNote note(const std::string& what = "db.main") const { return read_outage(outage_path(folder, what)); }
    std::string folder;
    testing::ManualClock clock;
    Dependency database;
};

TEST_F(Gates, while_a_database_is_down_one_process_asks_and_all_that_depend_on_it_wait) {
    Process store(folder, "store", database, clock), stats(folder, "stats", database, clock);
    database.is_up = false;
    store.gate->shut("main: connection refused");
    EXPECT_EQ(database.probes, 1) << "it is asked at once whether it is down";
    EXPECT_EQ(store.gate->phase(), Phase::held);
    EXPECT_TRUE(store.gate->is_prober());
    EXPECT_EQ(stats.gate->phase(), Phase::held) << "without an attempt of its own";
    EXPECT_FALSE(stats.gate->is_prober());
    for (int i = 0; i < 10; ++i) stats.gate->wait();
    EXPECT_EQ(database.probes, 1) << "who is not the prober looks only";
    store.gate->wait();
    EXPECT_EQ(database.probes, 2);
    EXPECT_EQ(store.gate->phase(), Phase::held);
    EXPECT_EQ(note().down->why, "main: connection refused");
}

TEST_F(Gates, when_it_is_back_one_record_goes_first_and_then_all_processes) {
    Process store(folder, "store", database, clock), stats(folder, "stats", database, clock);
    database.is_up = false;
    store.gate->shut("main: connection refused");
    EXPECT_EQ(stats.gate->phase(), Phase::held);
    database.is_up = true;
    store.gate->wait();
    EXPECT_EQ(store.gate->phase(), Phase::trial);
    stats.gate->wait();
    EXPECT_EQ(stats.gate->phase(), Phase::held) << "the trial is not over";
    store.gate->answered(0);
    EXPECT_EQ(store.gate->phase(), Phase::open);
    stats.gate->wait();
    EXPECT_EQ(stats.gate->phase(), Phase::open);
    EXPECT_FALSE(note().down);
}

TEST_F(Gates, what_is_known_to_be_the_effects_own_trouble_asks_no_database_and_holds_no_other_worker) {
    Process mail(folder, "mail", database, clock), stats(folder, "stats", database, clock);
    mail.gate->shut("exit 69", true);
    EXPECT_EQ(database.probes, 0);
    EXPECT_TRUE(mail.gate->is_prober());
    EXPECT_EQ(note("worker.mail").down->why, "exit 69");
    EXPECT_FALSE(note().down);
    EXPECT_EQ(stats.gate->phase(), Phase::open);
    // The database goes down too, and comes back: its trial meets the effect, which is still down.
    database.is_up = false;
    mail.gate->wait();
    EXPECT_TRUE(note().down);
    EXPECT_FALSE(note("worker.mail").down);
    EXPECT_EQ(stats.gate->phase(), Phase::held);
    database.is_up = true;
    mail.gate->wait();
    EXPECT_EQ(mail.gate->phase(), Phase::trial);
    mail.gate->shut("exit 69", true);
    EXPECT_FALSE(note().down);
    EXPECT_TRUE(note("worker.mail").down);
    stats.gate->wait();
    EXPECT_EQ(stats.gate->phase(), Phase::open);
}

TEST_F(Gates, a_trial_that_fails_shuts_again) {
    Process store(folder, "store", database, clock);
    database.is_up = false;
    store.gate->shut("main: connection refused");
    database.is_up = true;
    store.gate->wait();
    database.is_up = false;
    store.gate->shut("main: server has gone away");
    EXPECT_EQ(store.gate->phase(), Phase::held);
    EXPECT_EQ(note().down->why, "main: server has gone away");
}

TEST_F(Gates, when_the_prober_ends_another_process_asks) {
    Process store(folder, "store", database, clock), stats(folder, "stats", database, clock);
    database.is_up = false;
    store.gate->shut("main: connection refused");
    auto since = note().down->since;
    EXPECT_EQ(stats.gate->phase(), Phase::held);
    store.end();
    stats.gate->wait();
    EXPECT_TRUE(stats.gate->is_prober());
    stats.gate->wait();
    EXPECT_EQ(database.probes, 2);
    EXPECT_EQ(note().down->since, since) << "it is the same outage";
}

TEST_F(Gates, a_process_that_starts_during_an_outage_takes_nothing_and_asks_at_once_where_nobody_does) {
    database.is_up = false;
    {
        Process store(folder, "store", database, clock);
        store.gate->shut("main: connection refused");
    }
    auto since = note().down->since;
    clock.advance(2h);
    Process again(folder, "store", database, clock);
    EXPECT_EQ(again.gate->phase(), Phase::held);
    auto before = clock.now();
    again.gate->wait();
    EXPECT_EQ(clock.now(), before);
    EXPECT_EQ(database.probes, 2);
    EXPECT_EQ(note().down->since, since);
}

TEST_F(Gates, what_is_held_is_counted_over_all_outages_and_processes) {
    for (auto* name : {"store", "stats"}) {
        Process process(folder, name, database, clock);
        database.is_up = false;
        process.gate->shut("main: connection refused");
        clock.advance(10min);
        EXPECT_GE(note().held(clock.wall()), 10min) << "while it lasts too";
        database.is_up = true;
        process.gate->wait();
        process.gate->answered(0);
    }
    EXPECT_GE(note().held(clock.wall()), 20min);
    EXPECT_LT(note().held(clock.wall()), 21min);
    EXPECT_FALSE(note().down);
}

TEST_F(Gates, an_error_of_a_database_that_answers_is_no_outage_until_the_breaker_opens) {
    Process store(folder, "store", database, clock), other(folder, "stats", database, clock), second(folder, "store", database, clock);
    for (unsigned i = 0; i + 1 < Breaker::in_a_row_max; ++i) {
        store.gate->shut("main: no such table: leads");
        EXPECT_EQ(store.gate->phase(), Phase::trial) << "one record goes first";
        EXPECT_FALSE(note().down);
    }
    store.gate->shut("main: no such table: leads");
    EXPECT_EQ(store.gate->phase(), Phase::held);
    EXPECT_EQ(other.gate->phase(), Phase::open) << "the database is not down: others go on";
    EXPECT_EQ(second.gate->phase(), Phase::held) << "the effect is, in all its processes";
    EXPECT_EQ(note("worker.store").down->why, "main: no such table: leads");
    store.gate->wait();
    EXPECT_EQ(store.gate->phase(), Phase::trial);
    store.gate->shut("main: no such table: leads");
    EXPECT_EQ(store.gate->phase(), Phase::held) << "no five more";
    store.gate->wait();
    store.gate->answered(0);
    second.gate->wait();
    EXPECT_EQ(second.gate->phase(), Phase::open);
}

TEST_F(Gates, an_outage_of_the_database_that_turns_out_to_be_our_own_trouble_lets_the_others_go) {
    Process store(folder, "store", database, clock), stats(folder, "stats", database, clock);
    database.is_up = false;
    store.gate->shut("main: connection refused");
    EXPECT_EQ(stats.gate->phase(), Phase::held);
    database.is_up = true;
    store.gate->wait();
    for (unsigned i = 1; i < Breaker::in_a_row_max; ++i) store.gate->shut("main: no such table: leads");
    EXPECT_EQ(store.gate->phase(), Phase::held);
    stats.gate->wait();
    EXPECT_EQ(stats.gate->phase(), Phase::open);
    EXPECT_FALSE(note().down);
    EXPECT_TRUE(note("worker.store").down);
}

TEST_F(Gates, a_database_that_goes_away_while_an_effect_is_held_is_an_outage_for_all) {
    Process store(folder, "store", database, clock), stats(folder, "stats", database, clock);
    for (unsigned i = 0; i < Breaker::in_a_row_max; ++i) store.gate->shut("main: no such table: leads");
    database.is_up = false;
    store.gate->wait();
    EXPECT_EQ(store.gate->phase(), Phase::held);
    EXPECT_EQ(stats.gate->phase(), Phase::held);
    EXPECT_FALSE(note("worker.store").down);
    EXPECT_EQ(note().down->why, "main: connection refused");
}

TEST_F(Gates, where_only_an_attempt_can_tell_it_holds_at_once_and_one_process_tries) {
    Process first(folder, "mail", database, clock, false), second(folder, "mail", database, clock, false);
    first.gate->shut("exit 69");
    second.gate->shut("exit 69");
    EXPECT_TRUE(first.gate->is_prober());
    EXPECT_FALSE(second.gate->is_prober());
    first.gate->wait();
    EXPECT_EQ(first.gate->phase(), Phase::trial);
    second.gate->wait();
    EXPECT_EQ(second.gate->phase(), Phase::held);
    first.gate->answered(1);
    second.gate->wait();
    EXPECT_EQ(second.gate->phase(), Phase::open);
}

TEST_F(Gates, a_prober_that_is_told_to_be_quiet_lets_another_ask) {
    Process store(folder, "store", database, clock), stats(folder, "stats", database, clock);
    database.is_up = false;
    store.gate->shut("main: connection refused");
    EXPECT_EQ(stats.gate->phase(), Phase::held);
    store.gate->stand_aside();
    stats.gate->wait();
    EXPECT_TRUE(stats.gate->is_prober());
    EXPECT_FALSE(store.gate->is_prober());
    store.gate->wait();
    EXPECT_FALSE(store.gate->is_prober());
}

TEST_F(Gates, a_file_that_says_nothing_readable_is_no_outage) {
    std::ofstream(outage_path(folder, "db.main")) << "{\"down\":";
    Process store(folder, "store", database, clock);
    EXPECT_EQ(store.gate->phase(), Phase::open);
    EXPECT_FALSE(note().down);
}

TEST_F(Gates, without_a_folder_that_can_be_written_each_process_asks_for_itself) {
    Process store("/proc/none", "store", database, clock), stats("/proc/none", "stats", database, clock);
    database.is_up = false;
    store.gate->shut("main: connection refused");
    stats.gate->shut("main: connection refused");
    EXPECT_TRUE(store.gate->is_prober());
    EXPECT_TRUE(stats.gate->is_prober());
    database.is_up = true;
    for (auto* process : {&store, &stats}) {
        process->gate->wait();
        process->gate->answered(0);
        EXPECT_EQ(process->gate->phase(), Phase::open);
    }
}

}  // namespace
}  // namespace forebay::worker
