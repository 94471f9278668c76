#pragma once
// Many seeds, spread over processes, so that a seed that aborts is a finding and not the end of the series.

#include <cstdint>
#include <optional>
#include <string>

#include "sim/bug.h"
#include "sim/tally.h"

namespace forebay::sim {

struct Series {
    std::uint64_t from = 1;
    std::uint64_t seeds = 1;
    unsigned jobs = 1;
    Bug bug = Bug::none;
};

struct SeriesResult {
    Tally tally;
    std::optional<std::uint64_t> failed_seed;  ///< the smallest of those that were found
    std::string finding;
};

/// Plays the seed; with `twice`, once more, and compares every call and answer.
std::optional<std::string> play_seed(std::uint64_t seed, Bug bug, bool twice, bool verbose, Tally& tally);
/// Ends with the first finding of each process.
SeriesResult play(const Series& series);

}  // namespace forebay::sim
