#include "supervisor/task.h"

#include <algorithm>
#include <functional>
#include <map>

namespace forebay::supervisor {
namespace {

/// A start is over when the process runs or will not run soon; the node, which never gives up, when a start of it failed.
bool has_settled(const Process& process, Event ask) {
    auto state = process.state();
    if (ask == Event::stop_asked) return !has_process(state) && state != State::backoff;
    return state != State::starting && state != State::stopping && (state != State::backoff || process.spec().never_fatal);
}

}  // namespace

bool Task::advance() {
    for (; at_ < stages_.size(); ++at_, begun_ = false) {
        auto& stage = stages_[at_];
        if (!std::exchange(begun_, true))
            for (auto* process : stage.processes) process->on(stage.ask);
        if (!std::all_of(stage.processes.begin(), stage.processes.end(), [&](Process* p) { return has_settled(*p, stage.ask); }))
            return false;
    }
    return true;
}

std::vector<Process*> Task::processes() const {
    std::vector<Process*> all;
    for (auto& stage : stages_)
        for (auto* process : stage.processes)
            if (std::find(all.begin(), all.end(), process) == all.end()) all.push_back(process);
    return all;
}

std::vector<Stage> start_stages(const std::vector<Process*>& processes) { return {{Event::start_asked, processes}}; }
std::vector<Stage> stop_stages(const std::vector<Process*>& processes) { return {{Event::stop_asked, processes}}; }

std::vector<Stage> restart_stages(const std::vector<Process*>& processes, bool all_at_once) {
    if (all_at_once) return {{Event::stop_asked, processes}, {Event::start_asked, processes}};
    std::vector<Stage> stages;
    for (auto* process : processes) {
        stages.push_back({Event::stop_asked, {process}});
        stages.push_back({Event::start_asked, {process}});
    }
    return stages;
}

std::vector<Stage> shutdown_stages(const std::vector<Process*>& processes) {
    std::map<int, std::vector<Process*>, std::greater<>> by_priority;
    for (auto* process : processes) by_priority[process->spec().priority].push_back(process);
    std::vector<Stage> stages;
    for (auto& [priority, equal] : by_priority) stages.push_back({Event::stop_asked, equal});
    return stages;
}

}  // namespace forebay::supervisor
