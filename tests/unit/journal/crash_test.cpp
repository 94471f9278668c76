// Power cuts and failing calls at every place, against the model in life.h. FOREBAY_TEST_SCALE=20 runs that many times
// the seeds (the long tests do).

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "tests/unit/journal/life.h"

namespace forebay::journal {
namespace {

Options tiny() {
    Options options;
    options.segment_bytes = 16_KiB;
    options.reserve_bytes = 0;
    options.min_free_bytes = 0;
    return options;
}

/// The same few acts for the same seed: open, use, close.
bool use(Life& life, int acts) {
    if (!life.open()) return false;
    for (int i = 0; i < acts; ++i)
        if (!life.act()) return false;
    return life.sync();
}

std::uint64_t scaled(std::uint64_t seeds) {
    const char* scale = std::getenv("FOREBAY_TEST_SCALE");
    return seeds * (scale == nullptr ? 1 : std::max(1, std::atoi(scale)));
}

bool has_failed() { return ::testing::Test::HasFailure(); }

struct Crash {
    std::uint64_t seed;
    int acts;
    std::uint64_t call;  ///< power goes at this call
    Survival survival;
    std::uint64_t chosen;
};

/// Runs to the crash, restarts, checks. With `second` the power goes again at that call of the start.
/// Returns whether that second cut was reached.
bool crash_and_check(const Crash& crash, std::uint64_t second = 0, Survival second_survival = Survival::chance) {
    SCOPED_TRACE(::testing::Message() << "seed " << crash.seed << " acts " << crash.acts << " call " << crash.call << " survival "
                                      << static_cast<int>(crash.survival) << " chosen " << crash.chosen << " second " << second);
    Life life(crash.seed, tiny());
    life.disk.cut_power_at(crash.call);
    use(life, crash.acts);
    life.disk.cut_power();
    life.close();
    life.disk.restart(crash.survival, crash.chosen);
    bool reached = false;
    if (second > 0) {
        life.disk.cut_power_at(second);
        reached = !life.open();
        life.disk.cut_power();
        life.close();
        life.disk.restart(second_survival);
    }
    EXPECT_TRUE(life.open());
    if (life.is_open()) life.check_everything();
    return reached;
}

std::uint64_t calls_of(std::uint64_t seed, int acts) {
    Life life(seed, tiny());
    EXPECT_TRUE(use(life, acts));
    return life.disk.calls();
}

std::size_t pending_at(std::uint64_t seed, int acts, std::uint64_t call) {
    Life life(seed, tiny());
    life.disk.cut_power_at(call);
    use(life, acts);
    return life.disk.pending_operations();
}

TEST(JournalCrash, nothing_acknowledged_is_lost_whichever_operations_survive_a_cut_at_any_call) {
    std::uint64_t states = 0;
    for (std::uint64_t seed = 1; seed <= scaled(20) && !has_failed(); ++seed) {
        auto calls = calls_of(seed, 14);
        for (std::uint64_t call = 1; call <= calls && !has_failed(); ++call) {
            auto pending = pending_at(seed, 14, call);
            auto subsets = pending <= 6 ? 1ull << pending : 0;
            for (std::uint64_t chosen = 0; chosen < subsets; ++chosen) crash_and_check({seed, 14, call, Survival::chosen, chosen});
            for (auto survival : {Survival::none, Survival::all, Survival::chance}) crash_and_check({seed, 14, call, survival, 0});
            states += subsets + 3;
        }
    }
    EXPECT_GT(states, 5000u);
}

TEST(JournalCrash, a_cut_during_the_start_after_a_cut_loses_nothing_either) {
    for (std::uint64_t seed = 20; seed <= 20 + scaled(6) && !has_failed(); ++seed) {
        auto calls = calls_of(seed, 25);
        for (std::uint64_t call = 3; call <= calls && !has_failed(); call += 3)
            for (std::uint64_t second = 1; crash_and_check({seed, 25, call, Survival::chance, 0}, second) && !has_failed(); ++second) {
            }
    }
}

TEST(JournalCrash, many_lives_with_cuts_and_kills_keep_what_was_acknowledged) {
    std::uint64_t acknowledged = 0;
    for (std::uint64_t seed = 100; seed < 100 + scaled(60) && !has_failed(); ++seed) {
        SCOPED_TRACE(::testing::Message() << "seed " << seed);
        Life life(seed, tiny());
        for (int round = 0; round < 20 && !has_failed(); ++round) {
            bool cut_may_meet_the_start = life.random.one_in(2);
            if (cut_may_meet_the_start) life.disk.cut_power_at(1 + life.random.below(60));
            if (life.open()) {
                if (!cut_may_meet_the_start) life.check_everything();
                if (!cut_may_meet_the_start) life.disk.cut_power_at(1 + life.random.below(300));
                while (life.act()) {
                }
            }
            bool is_kill = life.random.one_in(3);
            if (!is_kill) life.disk.cut_power();
            life.close();
            if (is_kill)
                life.disk.kill_process();
            else
                life.disk.restart(static_cast<Survival>(life.random.below(3)));
        }
        ASSERT_TRUE(life.open());
        life.check_everything();
        acknowledged += life.acknowledged();
    }
    EXPECT_GT(acknowledged, 5000u);
}

/// Fails call n for n = 1, 2, … until a run meets no fault; after each the process starts again.
void sweep(std::uint64_t seed, int error, bool forever, SyncFailure model) {
    for (std::uint64_t n = 1; !has_failed(); ++n) {
        SCOPED_TRACE(::testing::Message() << "seed " << seed << " error " << error << " forever " << forever << " call " << n);
        Life life(seed, tiny(), {.sync_failure = model});
        life.disk.fail_at(n, error, forever);
        bool fine = use(life, 20);
        bool was_hit = life.disk.faults().injected > 0;
        ASSERT_TRUE(fine || was_hit);
        life.disk.stop_failing();
        bool power_goes_too = n % 2 == 0;
        if (power_goes_too) life.disk.cut_power();
        life.close();
        if (power_goes_too)
            life.disk.restart(Survival::chance);
        else
            life.disk.kill_process();
        ASSERT_TRUE(life.open());
        life.check_everything();
        if (!was_hit) return;
    }
}

TEST(JournalFaults, any_call_may_fail_once_and_nothing_acknowledged_is_lost) {
    for (auto model : {SyncFailure::new_in_cache, SyncFailure::old_restored})
        for (std::uint64_t seed = 40; seed < 40 + scaled(4); ++seed) sweep(seed, EIO, false, model);
}

TEST(JournalFaults, any_call_may_fail_from_then_on_and_nothing_acknowledged_is_lost) {
    for (int error : {EIO, ENOSPC, EROFS})
        for (std::uint64_t seed = 50; seed < 50 + scaled(2); ++seed) sweep(seed, error, true, SyncFailure::new_in_cache);
}

TEST(JournalFaults, any_call_of_a_start_after_a_crash_may_fail_and_the_next_start_finds_everything) {
    for (int error : {EIO, ENOSPC}) {
        for (std::uint64_t seed = 60; seed < 60 + scaled(10); ++seed) {
            bool was_hit = true;
            for (std::uint64_t n = 1; was_hit && !has_failed(); ++n) {
                SCOPED_TRACE(::testing::Message() << "seed " << seed << " error " << error << " call " << n);
                Life life(seed, tiny());
                life.disk.cut_power_at(100 + seed);
                use(life, 60);
                life.disk.cut_power();
                life.close();
                life.disk.restart(Survival::chance);
                life.disk.fail_at(n, error);
                life.may_be_damaged = true;  // a page that could not be read is reported as damage
                bool opened = life.open();
                was_hit = life.disk.faults().injected > 0;
                ASSERT_TRUE(opened || was_hit);
                life.may_be_damaged = false;
                life.disk.stop_failing();
                life.close();
                life.disk.kill_process();
                ASSERT_TRUE(life.open());
                life.check_everything();
            }
        }
    }
}

TEST(JournalFaults, equal_seeds_make_equal_runs) {
    auto hash = [](std::uint64_t seed) {
        Life life(seed, tiny());
        use(life, 200);
        return life.disk.run_hash();
    };
    EXPECT_EQ(hash(5), hash(5));
    EXPECT_NE(hash(5), hash(6));
}

}  // namespace
}  // namespace forebay::journal
