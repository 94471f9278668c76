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

void add_new(std::vector<Process*>& all, const std::vector<Process*>& more) {
    for (auto* process : more)
        if (std::find(all.begin(), all.end(), process) == all.end()) all.push_back(process);
}

}  // namespace

bool Task::advance() {
    for (; at_ < stages_.size(); ++at_, begun_ = false)
        if (!advance(stages_[at_])) return false;
    return true;
}

bool Task::advance(Stage& stage) {
    bool is_new = !std::exchange(begun_, true);
    if (stage.hands_over != nullptr) {
        if (is_new) stage.hands_over->begin_succession();
        if (stage.hands_over->is_succeeding()) return false;
        if (failure_.empty()) failure_ = stage.hands_over->failed_succession();
        return true;
    }
    if (stage.takes_up) {
        if (is_new)
            for (auto* process : stage.processes) process->ask_to_take_up();
        return std::none_of(stage.processes.begin(), stage.processes.end(), [](Process* p) { return p->is_taking_up(); });
    }
    if (is_new)
        for (auto* process : stage.processes) process->on(stage.ask);
    return std::all_of(stage.processes.begin(), stage.processes.end(), [&](Process* p) { return has_settled(*p, stage.ask); });
}

std::vector<Pool*> Task::pools() const {
    std::vector<Pool*> out;
    for (auto& stage : stages_)
        if (stage.hands_over != nullptr) out.push_back(stage.hands_over);
    return out;
}

bool Task::names(const Process& process) const {
    auto named = processes();
    return std::find(named.begin(), named.end(), &process) != named.end();
}

std::vector<Process*> Task::processes() const {
    std::vector<Process*> all;
    for (auto& stage : stages_) add_new(all, stage.processes);
    return all;
}

std::vector<Process*> Task::started() const {
    std::vector<Process*> all;
    for (auto& stage : stages_)
        if (stage.ask == Event::start_asked && !stage.takes_up) add_new(all, stage.processes);
    return all;
}

std::vector<Stage> start_stages(const std::vector<Process*>& processes) { return {{Event::start_asked, processes, nullptr, false}}; }
std::vector<Stage> stop_stages(const std::vector<Process*>& processes) { return {{Event::stop_asked, processes, nullptr, false}}; }

std::vector<Stage> restart_stages(const std::vector<Process*>& processes, bool all_at_once) {
    if (all_at_once) return {{Event::stop_asked, processes, nullptr, false}, {Event::start_asked, processes, nullptr, false}};
    std::vector<Stage> stages;
    for (auto* process : processes) {
        stages.push_back({Event::stop_asked, {process}, nullptr, false});
        stages.push_back({Event::start_asked, {process}, nullptr, false});
    }
    return stages;
}

Stage taking_up_stage(const std::vector<Process*>& processes) { return {Event::start_asked, processes, nullptr, true}; }
Stage succession_stage(Pool& pool) { return {Event::start_asked, {}, &pool, false}; }

std::vector<Stage> shutdown_stages(const std::vector<Process*>& processes) {
    std::map<int, std::vector<Process*>, std::greater<>> by_priority;
    for (auto* process : processes) by_priority[process->spec().priority].push_back(process);
    std::vector<Stage> stages;
    for (auto& [priority, equal] : by_priority) stages.push_back({Event::stop_asked, equal, nullptr, false});
    return stages;
}

}  // namespace forebay::supervisor
