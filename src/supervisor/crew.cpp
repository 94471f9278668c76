#include "supervisor/crew.h"

#include <algorithm>

#include "base/log_line.h"
#include "supervisor/leftovers.h"

namespace forebay::supervisor {
namespace {

using Kind = Stage::Kind;

std::vector<ProcessStatus> statuses(const std::vector<Process*>& processes) {
    std::vector<ProcessStatus> out;
    for (auto* process : processes) out.push_back(process->status());
    return out;
}

void log_order(const ControlRequest& request, const std::vector<Process*>& named) {
    std::string names;
    for (auto* process : named) names += (names.empty() ? "" : ", ") + process->status().name;
    auto line = log_info("processes.asked");
    line.with("to", name_of(request.verb)).with("processes", names);
    if (!request.reason.empty()) line.with("reason", request.reason);
}

std::vector<Process*> running(Pool& pool) {
    auto processes = pool.processes();
    std::erase_if(processes, [&](Process* one) {
        return !pool.is_wanted(*one) || one->state() == State::stopped || one->state() == State::exited || one->state() == State::stopping;
    });
    return processes;
}

}  // namespace

Crew::Crew(const Options& options, std::vector<ProgramSpec> programs, Answer answer) : options_(options), answer_(std::move(answer)) {
    for (auto& program : programs) pools_.emplace_back(std::move(program), options_, clock_);
    if (options_.left_behind) adopt((*options_.left_behind)["pools"]);
}

std::vector<Process*> Crew::everything() {
    std::vector<Process*> out;
    for (auto& pool : pools_)
        for (auto* process : pool.all_processes()) out.push_back(process);
    return out;
}

std::vector<Process*> Crew::all() {
    std::vector<Process*> out;
    for (auto& pool : pools_)
        for (auto* process : pool.processes()) out.push_back(process);
    return out;
}

std::vector<Process*> Crew::in_start_order() {
    auto out = all();
    std::stable_sort(out.begin(), out.end(), [](Process* a, Process* b) { return a->spec().priority < b->spec().priority; });
    return out;
}

Pool* Crew::find_pool(std::string_view name) {
    auto at = std::find_if(pools_.begin(), pools_.end(), [&](const Pool& pool) { return pool.spec().name == name; });
    return at == pools_.end() ? nullptr : &*at;
}

bool Crew::is_busy() const {
    return !tasks_.empty() || std::any_of(pools_.begin(), pools_.end(), [](const Pool& pool) { return pool.is_in_transition(); });
}

bool Crew::has_processes() {
    auto processes = everything();
    return std::any_of(processes.begin(), processes.end(), [](auto* process) { return has_process(process->state()); });
}

Duration Crew::to_next_timer() {
    auto now = clock_.now();
    Duration soonest = 60s;
    for (auto* process : everything())
        if (process->timer()) soonest = std::min(soonest, process->timer()->at - now);
    for (auto& pool : pools_)
        if (pool.is_succeeding()) soonest = std::min<Duration>(soonest, 1s);
    return std::max<Duration>(soonest, Duration::zero());
}

ControlAnswer Crew::status() { return with_pools({true, {}, statuses(all())}); }

void Crew::begin() {
    if (options_.left_behind) return go_on_after_upgrade();
    for (auto* process : in_start_order())
        if (process->spec().autostart && process->spec().never_fatal) process->on(Event::start_asked);
}

void Crew::begin_others() {
    for (auto* process : in_start_order())
        if (process->spec().autostart && !process->spec().never_fatal) process->on(Event::start_asked);
}

Duration Crew::stop_wait(const std::string& name) {
    for (auto* process : all())
        if (process->status().name == name) return process->spec().never_fatal ? Duration::zero() : process->spec().stopwaitsecs;
    return Leftovers::wait_most;
}

void Crew::fire_timer(Process& process) {
    if (process.timer() && process.timer()->at <= clock_.now()) process.on(process.timer()->event);
}

void Crew::look_after() {
    for (auto& pool : pools_) pool.look_after_succession();
    advance_tasks();
    for (auto& pool : pools_) pool.forget_gone([&](const Process& process) { return is_in_hand(process); });
    pools_.remove_if([](Pool& pool) { return pool.is_leaving() && pool.all_processes().empty(); });
}

bool Crew::is_in_hand(const Process& process) const {
    return std::any_of(tasks_.begin(), tasks_.end(), [&](const Task& task) { return task.names(process); });
}

void Crew::hear(Process& process) {
    while (auto word = process.hear()) {
        if (word->text.starts_with(worn_out_word)) {
            wear_out(process, word->text.substr(worn_out_word.size()));
        } else if (auto* pool = pool_of(process)) {
            pool->hear(process, *word);
        }
    }
}

/// One at a time of each program: the next waits until the one before runs anew.
void Crew::wear_out(Process& process, const std::string& why) {
    if (process.state() != State::running || is_in_hand(process)) return;
    process.is_to_recycle();
    log_info("process.recycled").with("process", process.status().name).with("why", why.empty() ? "" : why.substr(1));
    for (auto& task : tasks_)
        if (task.recycles() == process.spec().name) return task.add(restart_stages({&process}, false));
    tasks_.emplace_back(restart_stages({&process}, false), std::nullopt);
    tasks_.back().set_recycles(process.spec().name);
}

void Crew::obey(const ControlRequest& request, Connection connection) {
    if (request.verb == Verb::scale) return scale_by_hand(request, connection);
    auto named = find(request.names);
    if (!named) return answer_(connection, {false, named.error(), {}});
    if (request.verb != Verb::signal) return act(request, *named, connection);
    for (auto* process : *named) process->send(request.signal);
    answer_(connection, {true, {}, statuses(*named)});
}

void Crew::act(const ControlRequest& request, const std::vector<Process*>& named, Connection connection) {
    log_order(request, named);
    std::vector<Stage> stages;
    if (request.verb == Verb::start) stages = start_stages(named);
    if (request.verb == Verb::stop) stages = {{Kind::stop, named}};
    if (request.verb == Verb::restart) stages = request.all_at_once ? restart_stages(named, true) : rolling_stages(named);
    if (request.verb == Verb::stop) withdraw(named);
    begin(std::move(stages), request.wait ? std::optional(connection) : std::nullopt);
    if (!request.wait) answer_(connection, {true, {}, statuses(named)});
}

/// Nothing is to take over from them, and nobody is to wait for them.
void Crew::withdraw(const std::vector<Process*>& processes) {
    for (auto* process : processes) {
        if (auto* pool = pool_of(*process)) pool->abandon_succession();
        if (process->spec().provision) process->spec().provision->withdraw();
    }
}

/// Of two orders for a process the later one counts.
void Crew::begin(std::vector<Stage> stages, std::optional<Connection> connection, std::string text) {
    for (auto& older : tasks_)
        for (auto& stage : stages) older.release(stage.processes);
    tasks_.emplace_back(std::move(stages), connection, std::move(text));
    tasks_.back().advance();
}

/// Those that can hand over do; the others end before they are started again.
std::vector<Stage> Crew::rolling_stages(const std::vector<Process*>& processes) {
    std::vector<Stage> stages;
    for (auto* process : processes) {
        auto* pool = pool_of(*process);
        if (pool != nullptr && process->spec().hands_over) {
            stages.push_back({Kind::succeed, {}, pool});
            continue;
        }
        auto one = restart_stages({process}, false);
        stages.insert(stages.end(), one.begin(), one.end());
    }
    return stages;
}

/// Every pattern must name somebody: a typing error must not pass as success.
Result<std::vector<Process*>, std::string> Crew::find(const std::vector<std::string>& patterns) {
    std::vector<Process*> named;
    for (auto& pattern : patterns) {
        bool known = false;
        for (auto* process : in_start_order()) {
            if (!matches(pattern, process->status())) continue;
            known = true;
            if (std::find(named.begin(), named.end(), process) == named.end()) named.push_back(process);
        }
        if (!known) return Failure{"no process is called " + pattern};
    }
    return named;
}

ControlAnswer Crew::with_pools(ControlAnswer answer) const {
    for (auto& pool : pools_) answer.pools.push_back(pool.status());
    return answer;
}

void Crew::advance_tasks() {
    for (auto task = tasks_.begin(); task != tasks_.end();) {
        if (!task->advance()) {
            ++task;
            continue;
        }
        if (task->connection()) answer_(*task->connection(), answer_of(*task));
        task = tasks_.erase(task);
    }
}

ControlAnswer Crew::answer_of(const Task& task) {
    ControlAnswer answer{true, {}, statuses(task.processes()), {}, task.text()};
    for (auto* pool : task.pools())
        for (auto* process : pool->processes()) answer.processes.push_back(process->status());
    if (!task.failure().empty()) {
        answer.ok = false;
        answer.error = task.failure();
    }
    for (auto& process : statuses(task.started())) {
        if (process.state == State::running) continue;
        answer.ok = false;
        answer.error = process.name + " is " + std::string(name_of(process.state)) + (process.why.empty() ? "" : ": " + process.why);
    }
    return with_pools(std::move(answer));
}

/// What brings a pool to the number of processes it wants.
std::vector<Stage> Crew::fitting_stages(Pool& pool) {
    std::vector<Process*> surplus, missing, leaving;
    for (auto* process : pool.processes()) {
        bool is_at_rest = !has_process(process->state()) && process->state() != State::backoff;
        if (!pool.is_wanted(*process))
            surplus.push_back(process);
        else if (process->state() == State::stopping)
            leaving.push_back(process);
        else if (is_at_rest)
            missing.push_back(process);
    }
    std::vector<Stage> stages;
    if (!surplus.empty()) stages.push_back({Kind::stop, surplus});
    if (!leaving.empty()) stages.push_back({Kind::stop, leaving});
    missing.insert(missing.end(), leaving.begin(), leaving.end());
    if (!missing.empty()) stages.push_back({Kind::start, missing});
    return stages;
}

void Crew::scale_to_load(const std::string& worker, unsigned count) {
    auto* pool = find_pool(worker);
    if (pool == nullptr || pool->is_leaving() || pool->status().is_by_hand || pool->status().count == count) return;
    auto before = all();
    pool->resize(count);
    begin(changed_stages(*pool, before), std::nullopt);
}

/// Of a pool that was resized: only what is new is started, so that what somebody stopped stays so.
std::vector<Stage> Crew::changed_stages(Pool& pool, const std::vector<Process*>& before) {
    auto stages = fitting_stages(pool);
    for (auto& stage : stages)
        if (stage.kind == Kind::start)
            std::erase_if(stage.processes, [&](Process* one) {
                bool was_there = std::find(before.begin(), before.end(), one) != before.end();
                return was_there && one->state() != State::stopping;
            });
    return stages;
}

void Crew::scale_by_hand(const ControlRequest& request, Connection connection) {
    std::vector<Stage> stages;
    for (auto& name : request.names) {
        auto* pool = find_pool(name);
        if (pool == nullptr || pool->is_leaving() || !pool->spec().numbered)
            return answer_(connection, {false, "no worker is called " + name, {}});
    }
    for (auto& name : request.names) {
        auto* pool = find_pool(name);
        auto before = pool->status();
        pool->fix(request.count);
        auto line = log_info("worker.scaled");
        line.with("worker", name).with("from", before.count).with("to", pool->status().count).with("why", "asked");
        if (!request.reason.empty()) line.with("reason", request.reason);
        auto more = fitting_stages(*pool);
        stages.insert(stages.end(), more.begin(), more.end());
    }
    begin(std::move(stages), request.wait ? std::optional(connection) : std::nullopt);
    if (!request.wait) answer_(connection, with_pools({true, {}, statuses(all())}));
}

void Crew::renew(std::vector<ProgramSpec> programs, std::optional<Connection> connection, std::string text) {
    auto stages = take(std::move(programs));
    for (auto& pool : pools_)
        if (pool.spec().ours && !pool.spec().numbered) stages.insert(stages.begin(), {Kind::take_up, {}, &pool});
    begin(std::move(stages), connection, std::move(text));
}

/// Makes these the programs, and says what it takes until the processes are theirs.
std::vector<Stage> Crew::take(std::vector<ProgramSpec> programs) {
    std::vector<Stage> stages;
    auto add = [&](std::vector<Stage> more) { stages.insert(stages.end(), more.begin(), more.end()); };
    for (auto& pool : pools_) {
        bool is_kept = std::any_of(programs.begin(), programs.end(), [&](auto& program) { return program.name == pool.spec().name; });
        if (is_kept || pool.is_leaving()) continue;
        pool.leave();
        add(fitting_stages(pool));
    }
    for (auto& program : programs) {
        auto* pool = find_pool(program.name);
        if (pool == nullptr) {
            auto& made = pools_.emplace_back(std::move(program), options_, clock_);
            if (made.spec().autostart) add({{Kind::start, made.processes()}});
            continue;
        }
        // Of one that was leaving nothing was stopped by somebody who wants it so.
        bool was_leaving = pool->is_leaving();
        auto before = was_leaving ? std::vector<Process*>() : all();
        auto count = pool->status().count;
        bool is_other = pool->take(std::move(program));
        if (was_leaving || pool->status().count != count) add(changed_stages(*pool, before));
        if (is_other) add(rolling_stages(running(*pool)));
    }
    return stages;
}

void Crew::shut_down() {
    for (auto& task : tasks_)
        if (task.connection()) answer_(*task.connection(), {false, "the supervisor is stopping", {}});
    tasks_.clear();
    withdraw(all());
    tasks_.emplace_back(shutdown_stages(everything()), std::nullopt);
}

void Crew::kill_all() {
    for (auto* process : everything()) {
        process->on(Event::stop_asked);
        process->kill_group();
    }
}

json::Value Crew::leave_behind(bool inheritable) {
    auto pools = json::Value::array();
    for (auto& pool : pools_) pools.push(pool.leave_behind(inheritable));
    return pools;
}

void Crew::adopt(const json::Value& left) {
    for (auto& one : left.elements()) {
        auto* pool = find_pool(one["name"].text());
        if (pool != nullptr) {
            pool->adopt(one);
            continue;
        }
        // It is no longer configured: its processes are ended as they were to be.
        ProgramSpec spec;
        spec.name = spec.group = one["name"].text();
        spec.command = {"true"};
        spec.count = 0;
        auto& first = one["processes"].elements();
        if (!first.empty()) {
            spec.ours = first[0]["ours"].boolean();
            spec.numbered = first[0]["numbered"].boolean();
            spec.log_path = first[0]["log_path"].text();
            spec.stop_signal = static_cast<int>(first[0]["stop_signal"].integer().value_or(SIGTERM));
            spec.stopwaitsecs = Duration(first[0]["stopwaitsecs_ms"].integer().value_or(spec.stopwaitsecs.count()));
        }
        auto& left_over = pools_.emplace_back(std::move(spec), options_, clock_);
        left_over.adopt(one);
        left_over.leave();
    }
}

/// Our own processes run the binary before still: they are renewed one by one. Programs of others are as good as new.
void Crew::go_on_after_upgrade() {
    std::vector<Stage> stages;
    auto add = [&](std::vector<Stage> more) { stages.insert(stages.end(), more.begin(), more.end()); };
    for (auto& pool : pools_) {
        auto fitting = fitting_stages(pool);
        for (auto& stage : fitting)  // what somebody stopped stays so; what is new in the configuration begins
            if (stage.kind == Kind::start)
                std::erase_if(stage.processes, [](Process* one) { return one->is_adopted() || !one->spec().autostart; });
        add(std::move(fitting));
        if (!pool.is_leaving() && pool.spec().ours) add(rolling_stages(running(pool)));
    }
    log_info("supervisor.upgraded").with("processes", all().size());
    begin(std::move(stages), std::nullopt);
}

}  // namespace forebay::supervisor
