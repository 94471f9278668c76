#include "supervisor/task.h"

#include <algorithm>
#include <functional>
#include <map>

namespace forebay::supervisor {
namespace {

using Kind = Stage::Kind;

/// A start is over when the process runs or will not run soon; the node, which never gives up, when a start of it failed.
bool has_started(const Process& process) {
    auto state = process.state();
    return state != State::starting && state != State::stopping && (state != State::backoff || process.spec().never_fatal);
}

bool has_stopped(const Process& process) { return !has_process(process.state()) && process.state() != State::backoff; }

void add_new(std::vector<Process*>& all, const std::vector<Process*>& more) {
    for (auto* process : more)
        if (std::find(all.begin(), all.end(), process) == all.end()) all.push_back(process);
}

bool is_among(const std::vector<Process*>& all, const Process* one) { return std::find(all.begin(), all.end(), one) != all.end(); }

}  // namespace

bool Task::advance() {
    for (; at_ < stages_.size(); ++at_, begun_ = false)
        if (!advance(stages_[at_])) return false;
    return true;
}

bool Task::advance(Stage& stage) {
    if (stage.kind == Kind::succeed) return succeed(*stage.pool);
    if (stage.kind == Kind::take_up) return take_up(*stage.pool);
    if (stage.kind == Kind::start) std::erase_if(stage.processes, [](Process* one) { return !one->is_wanted(); });
    bool is_start = stage.kind == Kind::start;
    if (!std::exchange(begun_, true))
        for (auto* process : stage.processes) process->on(is_start ? Event::start_asked : Event::stop_asked);
    return std::all_of(stage.processes.begin(), stage.processes.end(),
                       [&](Process* one) { return is_start ? has_started(*one) : has_stopped(*one); });
}

/// One that is under way already is not this one: it may have begun with what was before.
bool Task::succeed(Pool& pool) {
    if (!begun_) {
        if (pool.is_succeeding()) return false;
        begun_ = true;
        pool.begin_succession();
    }
    if (pool.is_succeeding()) return false;
    if (failure_.empty()) failure_ = pool.failed_succession();
    return true;
}

bool Task::take_up(Pool& pool) {
    if (!begun_) {
        if (pool.is_succeeding()) return false;
        begun_ = true;
        for (auto* process : pool.processes()) process->ask_to_take_up();
    }
    auto processes = pool.processes();
    if (std::any_of(processes.begin(), processes.end(), [](Process* one) { return one->is_taking_up(); })) return false;
    for (auto* process : processes)
        if (failure_.empty()) failure_ = process->why_not_taken_up();
    return true;
}

std::vector<Pool*> Task::pools() const {
    std::vector<Pool*> out;
    for (auto& stage : stages_)
        if (stage.kind == Kind::succeed) out.push_back(stage.pool);
    return out;
}

bool Task::names(const Process& process) const { return is_among(processes(), &process); }

void Task::release(const std::vector<Process*>& processes) {
    for (auto& stage : stages_) std::erase_if(stage.processes, [&](Process* one) { return is_among(processes, one); });
}

std::vector<Process*> Task::processes() const {
    std::vector<Process*> all;
    for (auto& stage : stages_) add_new(all, stage.processes);
    return all;
}

std::vector<Process*> Task::started() const {
    std::vector<Process*> all;
    for (auto& stage : stages_)
        if (stage.kind == Kind::start) add_new(all, stage.processes);
    return all;
}

std::vector<Stage> start_stages(const std::vector<Process*>& processes) {
    Stage stop{Kind::stop, processes};
    std::erase_if(stop.processes, [](Process* one) { return one->state() != State::stopping; });
    if (stop.processes.empty()) return {{Kind::start, processes}};
    return {std::move(stop), {Kind::start, processes}};
}

std::vector<Stage> restart_stages(const std::vector<Process*>& processes, bool all_at_once) {
    if (all_at_once) return {{Kind::stop, processes}, {Kind::start, processes}};
    std::vector<Stage> stages;
    for (auto* process : processes) {
        stages.push_back({Kind::stop, {process}});
        stages.push_back({Kind::start, {process}});
    }
    return stages;
}

std::vector<Stage> shutdown_stages(const std::vector<Process*>& processes) {
    std::map<int, std::vector<Process*>, std::greater<>> by_priority;
    for (auto* process : processes) by_priority[process->spec().priority].push_back(process);
    std::vector<Stage> stages;
    for (auto& [priority, equal] : by_priority) stages.push_back({Kind::stop, equal});
    return stages;
}

}  // namespace forebay::supervisor
