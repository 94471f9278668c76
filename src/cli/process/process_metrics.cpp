#include "cli/process/process_metrics.h"

#include <algorithm>
#include <cctype>

#include "supervisor/control.h"

namespace forebay::cli {
namespace {

constexpr Duration answer_within = 200ms;
constexpr supervisor::State all_states[] = {supervisor::State::stopped, supervisor::State::starting, supervisor::State::running,
                                            supervisor::State::backoff, supervisor::State::stopping, supervisor::State::exited,
                                            supervisor::State::fatal};

std::string label_of(supervisor::State state) {
    std::string out(supervisor::name_of(state));
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

}  // namespace

ProcessMetrics::ProcessMetrics(std::string control_path, metrics::Registry& registry)
    : control_path_(std::move(control_path)), registry_(registry) {
    registry.describe("forebay_worker_processes", "Processes of a worker by their state; the node is a worker of its own here.");
    registry.describe("forebay_worker_restarts_total",
                      "Starts after the first: recycle = it ended well, crash = it did not, deploy = somebody asked for it.");
}

void ProcessMetrics::refresh() {
    auto answer = supervisor::ask(control_path_, {}, answer_within);
    if (answer.ok() && answer->ok) return take(answer->processes);
    if (answer.ok() || !answer.error().unreachable) return;
    for (auto& [key, gauge] : processes_) gauge->set(0);
}

void ProcessMetrics::take(const std::vector<supervisor::ProcessStatus>& processes) {
    std::map<std::pair<std::string, std::string>, double> counts;
    for (const auto& process : processes) {
        for (auto state : all_states) counts[{process.worker, label_of(state)}] += process.state == state ? 1 : 0;
        count_restarts(process, "recycle", process.restarts_by.recycle);
        count_restarts(process, "crash", process.restarts_by.crash);
        count_restarts(process, "deploy", process.restarts_by.deploy);
    }
    for (auto& [key, gauge] : processes_)
        if (!counts.contains(key)) gauge->set(0);
    for (const auto& [key, count] : counts) {
        auto& gauge = processes_[key];
        if (gauge == nullptr) gauge = &registry_.gauge("forebay_worker_processes", {{"worker", key.first}, {"state", key.second}});
        gauge->set(count);
    }
}

/// A process counts from zero when its parent was started anew, or when it was scaled away and back.
void ProcessMetrics::count_restarts(const supervisor::ProcessStatus& process, const char* reason, std::uint64_t count) {
    auto& seen = seen_[{process.name, reason}];
    auto& counter = registry_.counter("forebay_worker_restarts_total", {{"worker", process.worker}, {"reason", reason}});
    counter.add(count >= seen ? count - seen : count);
    seen = count;
}

}  // namespace forebay::cli
