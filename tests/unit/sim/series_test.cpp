#include "sim/series.h"

#include <gtest/gtest.h>

#include "base/log_line.h"

namespace forebay::sim {
namespace {

TEST(Series, forty_seeds_keep_the_promise_and_play_the_same_twice) {
    set_log(LogLevel::error, LogFormat::logfmt);
    Tally tally;
    for (std::uint64_t seed = 1; seed <= 40; ++seed)
        EXPECT_EQ(play_seed(seed, Bug::none, seed % 10 == 0, false, tally), std::nullopt) << seed;
    EXPECT_GT(tally.crash_recoveries(), 300u);
}

TEST(Series, an_answer_before_the_sync_is_found) {
    Tally tally;
    bool is_found = false;
    for (std::uint64_t seed = 1; seed <= 20 && !is_found; ++seed)
        is_found = play_seed(seed, Bug::answer_before_sync, false, false, tally).has_value();
    EXPECT_TRUE(is_found);
}

}  // namespace
}  // namespace forebay::sim
