#include "sim/series.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "sim/run.h"

namespace forebay::sim {
namespace {

constexpr std::uint64_t twice_every = 50;

/// What a child tells its parent, in memory they share.
struct Report {
    std::atomic<std::uint64_t> seed;
    Tally tally;
    bool has_failed;
    char finding[2000];
};
static_assert(std::is_trivially_copyable_v<Tally>);

struct Shared {
    std::atomic<bool> stop;
    Report reports[64];
};

Shared* share() {
    auto* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED, "memory to share with children");
    return new (memory) Shared();
}

void play_share(const Series& series, unsigned job, Shared& shared) {
    auto& report = shared.reports[job];
    for (auto seed = series.from + job; seed < series.from + series.seeds && !shared.stop; seed += series.jobs) {
        report.seed = seed;
        auto finding = play_seed(seed, series.bug, seed % twice_every == 0, false, report.tally);
        if (!finding) continue;
        report.has_failed = true;
        std::strncpy(report.finding, finding->c_str(), sizeof report.finding - 1);
        shared.stop = true;
        return;
    }
}

void note_failure(SeriesResult& result, std::uint64_t seed, std::string finding) {
    if (result.failed_seed && *result.failed_seed <= seed) return;
    result.failed_seed = seed;
    result.finding = std::move(finding);
}

}  // namespace

std::optional<std::string> play_seed(std::uint64_t seed, Bug bug, bool twice, bool verbose, Tally& tally) {
    Run run(seed, bug, verbose);
    auto finding = run.play();
    tally.add(run.tally());
    if (finding || !twice) return finding;
    Run again(seed, bug, false);
    if (auto other = again.play()) return "played twice, the second time: " + *other;
    if (again.hash() != run.hash()) return "played twice, it was not the same run";
    return std::nullopt;
}

SeriesResult play(const Series& series) {
    auto* shared = share();
    std::vector<pid_t> children;
    for (unsigned job = 0; job < series.jobs; ++job) {
        auto child = ::fork();
        CHECK(child >= 0, "a child process");
        if (child == 0) {
            play_share(series, job, *shared);
            ::_exit(0);
        }
        children.push_back(child);
    }
    SeriesResult result;
    for (unsigned job = 0; job < series.jobs; ++job) {
        int status = 0;
        ::waitpid(children[job], &status, 0);
        auto& report = shared->reports[job];
        result.tally.add(report.tally);
        if (report.has_failed) note_failure(result, report.seed, report.finding);
        if (status != 0) {
            shared->stop = true;
            note_failure(result, report.seed, fmt::format("the process aborted (status {})", status));
        }
    }
    ::munmap(shared, sizeof(Shared));
    return result;
}

}  // namespace forebay::sim
