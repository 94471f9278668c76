// sim --seeds N [--from S] [--jobs J]   plays seeds S to S+N-1 and prints one line of what they added up to
// sim --seed S [-v]                     plays one seed twice and compares the runs; -v prints every step of the first
// sim --bugs [--seeds N]                breaks the engine in each known way; each must be found within N seeds
// --bug NAME                            plays with that bug
// --all-rare                            fails unless every rare state was reached

#include <fcntl.h>
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/log_line.h"
#include "sim/series.h"

namespace forebay::sim {
namespace {

struct Arguments {
    Series series;
    std::optional<std::uint64_t> seed;
    bool verbose = false, bugs = false, all_rare = false;
};

[[noreturn]] void refuse(std::string_view why) {
    fmt::print(stderr,
               "sim: {}\nusage: sim --seeds N [--from S] [--jobs J] [--all-rare] | --seed S [-v] | --bugs [--seeds N]; --bug NAME\n", why);
    std::exit(2);
}

std::uint64_t number(std::string_view text) {
    std::uint64_t out = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end != text.data() + text.size()) refuse(fmt::format("'{}' is not a number", text));
    return out;
}

Arguments read(int count, char** texts) {
    Arguments out;
    auto next = [&](int& i) -> std::string_view {
        if (i + 1 >= count) refuse(fmt::format("{} needs a value", texts[i]));
        return texts[++i];
    };
    for (int i = 1; i < count; ++i) {
        std::string_view text = texts[i];
        if (text == "--seeds") {
            out.series.seeds = number(next(i));
        } else if (text == "--from") {
            out.series.from = number(next(i));
        } else if (text == "--jobs") {
            out.series.jobs = static_cast<unsigned>(std::clamp<std::uint64_t>(number(next(i)), 1, 64));
        } else if (text == "--seed") {
            out.seed = number(next(i));
        } else if (text == "--bug") {
            auto name = next(i);
            auto bug = bug_named(name);
            if (!bug) refuse(fmt::format("no bug is named '{}'", name));
            out.series.bug = *bug;
        } else if (text == "--bugs") {
            out.bugs = true;
        } else if (text == "--all-rare") {
            out.all_rare = true;
        } else if (text == "-v") {
            out.verbose = true;
        } else {
            refuse(fmt::format("what is '{}'?", text));
        }
    }
    return out;
}

std::string summary(const Tally& t) {
    std::size_t rare = 0;
    std::string missing;
    for (std::size_t i = 0; i < static_cast<std::size_t>(Rare::count_of_rare); ++i) {
        auto state = static_cast<Rare>(i);
        if (t.rare[state] > 0)
            ++rare;
        else
            missing += fmt::format("{}{}", missing.empty() ? "" : ", ", name_of(state));
    }
    return fmt::format(
        "{} seeds, {} operations, {} deliveries, {} crash-recoveries ({} power cuts, {} kills, {} after a fault), {} clean stops, faults: "
        "{} writes "
        "dropped, {} torn, {} reordered, {} failed syncs, {} no space, {} other call errors, {} clock jumps, {} lies of the device; {} "
        "simulated hours; "
        "rare states {} of {}{}",
        t.seeds, t.operations, t.deliveries, t.crash_recoveries(), t.power_cuts, t.kills, t.fault_exits, t.stops, t.faults.dropped,
        t.faults.torn, t.faults.reordered, t.rare[Rare::sync_failed], t.faults.no_space,
        t.rare[Rare::read_failed] + t.rare[Rare::write_failed], t.clock_jumps, t.lies, t.simulated_ms / 3'600'000, rare,
        static_cast<std::size_t>(Rare::count_of_rare), missing.empty() ? "" : " (not: " + missing + ")");
}

std::string replay_of(std::uint64_t seed, Bug bug) {
    auto with = bug == Bug::none ? std::string() : fmt::format(" --bug {}", name_of(bug));
    return fmt::format("sim --seed {}{} -v", seed, with);
}

int play_one(const Arguments& arguments) {
    Tally tally;
    auto finding = play_seed(*arguments.seed, arguments.series.bug, true, arguments.verbose, tally);
    if (finding) fmt::print("seed {} failed: {}\n", *arguments.seed, *finding);
    fmt::print("{}\n", summary(tally));
    return finding ? 1 : 0;
}

int play_many(const Arguments& arguments) {
    auto result = play(arguments.series);
    fmt::print("{}\n", summary(result.tally));
    if (result.failed_seed) {
        fmt::print("seed {} failed: {}; replay with: {}\n", *result.failed_seed, result.finding,
                   replay_of(*result.failed_seed, arguments.series.bug));
        return 1;
    }
    bool all = true;
    for (std::size_t i = 0; i < static_cast<std::size_t>(Rare::count_of_rare); ++i)
        all = all && result.tally.rare[static_cast<Rare>(i)] > 0;
    return arguments.all_rare && !all ? 1 : 0;
}

int find_bugs(const Arguments& arguments) {
    int missed = 0;
    for (auto bug : all_bugs()) {
        auto series = arguments.series;
        series.bug = bug;
        auto result = play(series);
        if (result.failed_seed)
            fmt::print("{}: found after {} seeds, seed {}: {}\n", name_of(bug), result.tally.seeds, *result.failed_seed, result.finding);
        else
            fmt::print("{}: NOT FOUND in {} seeds\n", name_of(bug), result.tally.seeds);
        missed += !result.failed_seed;
    }
    return missed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace forebay::sim

int main(int count, char** texts) {
    using namespace forebay::sim;
    auto arguments = read(count, texts);
    // Thousands of starts after a crash would be thousands of warnings.
    forebay::set_log_descriptor(arguments.verbose ? 2 : ::open("/dev/null", O_WRONLY | O_CLOEXEC));
    if (arguments.seed) return play_one(arguments);
    return arguments.bugs ? find_bugs(arguments) : play_many(arguments);
}
