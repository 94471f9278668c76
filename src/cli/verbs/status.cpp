// `status`: the node, its processes and queues on one screen. Exit code 3: something is not RUNNING, 4: it
// cannot be told.
#include <algorithm>
#include <map>

#include "cli/admin_client.h"
#include "cli/process/paths.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "cli/verbs/pauses.h"
#include "cli/verbs/processes.h"
#include "cli/verbs/seen_outage.h"
#include "cli/verbs/status.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"
#include "intake/intake.h"

namespace forebay::cli {
Seen look(Invocation& invocation, const Configuration& configuration) {
    Seen seen;
    AdminClient admin(invocation);
    if (auto node = admin.get("/api/node"))
        seen.node = std::move(*node);
    else
        seen.why_no_node = node.error().what;
    if (seen.node) {
        if (auto queues = admin.get("/api/queues")) seen.queues = std::move(*queues);
        if (auto audit = admin.get("/api/audit")) seen.audit = std::move(*audit);
    }
    seen.is_elsewhere = !invocation.globals().node.empty();
    if (seen.is_elsewhere) return seen;
    for (const auto& database : configuration.databases) seen.databases.push_back(look_at(database, invocation.world().clock));
    auto path = control_path(configuration.node.data_dir);
    auto answer = invocation.world().control(path, {});
    if (answer && answer->ok) {
        seen.processes = with_standings(answer->processes, configuration.node.data_dir);
        seen.pools = std::move(answer->pools);
    } else {
        seen.why_no_processes = answer ? answer->error
                                : seen.node
                                    ? "no supervisor answers at " + path + " (" + answer.error().what +
                                          "). The node runs without one: supervisorctl status or systemctl status tells of processes"
                                    : no_supervisor(path, answer.error().what);
    }
    return seen;
}

namespace {

const json::Value* queue_called(const Seen& seen, const std::string& name) {
    if (!seen.queues || name.empty()) return nullptr;
    for (const auto& queue : (*seen.queues)["queues"].elements())
        if (queue["name"].text() == name) return &queue;
    return nullptr;
}

std::string oldest_of(const json::Value& queue) {
    auto oldest = queue["oldest_age_ms"].integer();
    return oldest ? age_text(Duration(*oldest)) : "-";
}

std::uint64_t number(const json::Value& value) { return static_cast<std::uint64_t>(value.integer().value_or(0)); }

/// One of them speaks for all: the first that does not simply run, if there is one.
const SeenProcess& spokesman(const std::vector<SeenProcess>& processes) {
    auto other = std::find_if(processes.begin(), processes.end(), [](const auto& seen) { return !seen.is_running(); });
    return other == processes.end() ? processes.front() : *other;
}

std::string node_state(const json::Value& node, Timestamp now) {
    if (auto drained = pause_of(node["drained"])) return "drained for " + pause_text(*drained, now);
    std::string state = node["draining"].boolean() ? "draining" : node["ready"].boolean() ? "ready" : "not ready";
    return node["why_not_ready"].text().empty() ? state : state + " (" + node["why_not_ready"].text() + ")";
}

std::string node_line(const json::Value& node, Timestamp now, const Terminal& terminal) {
    bool is_ready = node["ready"].boolean();
    auto state = node_state(node, now);
    return "NODE " + node["name"].text() + "  up " + age_text(std::chrono::seconds(node["uptime_s"].integer().value_or(0))) + "  " +
           terminal.painted(state, is_ready ? Colour::good : Colour::bad) + "  disk " + about_size(number(node["disk_free"])) +
           " free  journal " + about_size(number(node["journal_bytes"])) + "  ack " + node["ack"].text() + "\n";
}

void add_queue(std::vector<Cell>& row, const std::string& name, const Seen& seen) {
    const auto* queue = queue_called(seen, name);
    if (queue == nullptr)
        row.insert(row.end(), {name.empty() ? "-" : name, "-", "-", "-"});
    else
        row.insert(row.end(), {name, grouped(number((*queue)["ready"])), grouped(number((*queue)["in_flight"])), oldest_of(*queue)});
}

/// What all processes of a worker settled lately; programs do not tell.
void add_work(std::vector<Cell>& row, const std::vector<SeenProcess>& processes, Timestamp now) {
    worker::Recent all;
    bool is_told = false;
    for (const auto& seen : processes) {
        if (!seen.standing) continue;
        is_told = true;
        all.add(seen.standing->recent);
    }
    if (is_told)
        row.insert(row.end(),
                   {rate_text(all.settled_in_last_minute(now)), latency_text(all.p95(now)), grouped(all.failed_in_last_hour(now))});
    else
        row.insert(row.end(), {"-", "-", "-"});
}

/// `12m03s ago (2)`: the youngest of the processes that were started again, and how often that happened.
std::string recycled(const std::vector<SeenProcess>& processes, Timestamp now) {
    std::uint64_t restarts = 0;
    Timestamp since;
    for (const auto& seen : processes) {
        restarts += seen.process.restarts;
        if (seen.process.restarts > 0) since = std::max(since, seen.process.since);
    }
    return restarts == 0 ? "-" : age_text(now - since) + " ago (" + grouped(restarts) + ")";
}

/// `4/2-24` running, of so many at least and at most; `8/8 by hand`.
std::string counts_of(const Seen& seen, const std::string& worker, std::size_t running, std::size_t processes) {
    auto pool = std::find_if(seen.pools.begin(), seen.pools.end(), [&](const auto& one) { return one.worker == worker; });
    auto out = std::to_string(running) + "/";
    if (pool == seen.pools.end()) return out + std::to_string(processes);
    if (pool->is_by_hand) return out + std::to_string(pool->count) + " by hand";
    if (pool->count_max <= pool->count_min) return out + std::to_string(pool->count);
    return out + std::to_string(pool->count_min) + "-" + std::to_string(pool->count_max);
}

std::vector<Cell> worker_row(const std::vector<SeenProcess>& processes, const Configuration& configuration, const Seen& seen,
                             Timestamp now) {
    const auto& first = processes[0].process;
    auto running =
        static_cast<std::size_t>(std::count_if(processes.begin(), processes.end(), [](const auto& one) { return one.is_running(); }));
    const auto& loudest = spokesman(processes);
    const auto* worker = configuration.find_worker(first.worker);
    std::vector<Cell> row = {first.n == 0 ? first.name : first.group + ":" + first.worker,
                             counts_of(seen, first.worker, running, processes.size()),
                             {loudest.state(), loudest.colour()}};
    add_queue(row, worker == nullptr ? "" : worker->queue, seen);
    add_work(row, processes, now);
    auto remark = loudest.remark(now);
    row.push_back(remark.empty() ? recycled(processes, now) : remark);
    return row;
}

std::string worker_table(const Seen& seen, const Configuration& configuration, Timestamp now, const Terminal& terminal) {
    std::vector<std::string> order;
    std::map<std::string, std::vector<SeenProcess>> by_worker;
    for (const auto& one : *seen.processes) {
        auto name = one.process.group + ":" + one.process.worker;
        if (!by_worker.contains(name)) order.push_back(name);
        by_worker[name].push_back(one);
    }
    Table table({"GROUP:WORKER", "PROCS", "STATE", "QUEUE", ">READY", ">FLIGHT", ">OLDEST", ">RATE", ">P95", ">FAILED/1h", "RECYCLED"});
    for (const auto& name : order) table.add(worker_row(by_worker[name], configuration, seen, now));
    return table.text(terminal);
}

/// One line a process, in supervisorctl's columns.
std::string process_lines(const std::vector<SeenProcess>& processes, Timestamp now, const Terminal& terminal) {
    std::size_t name_width = 30, state_width = 10;
    for (const auto& seen : processes) name_width = std::max(name_width, width_of(seen.full_name()) + 2);
    std::string out;
    for (const auto& seen : processes) {
        auto name = seen.full_name(), state = seen.state();
        out += name + std::string(name_width - width_of(name), ' ') + "  " + terminal.painted(state, seen.colour()) +
               std::string(state_width - std::min(state_width, state.size()), ' ') + " " + seen.description(now) + "\n";
    }
    return out;
}

/// Queues that hand out nothing because somebody said so.
std::string paused_queues(const Seen& seen, Timestamp now, const Terminal& terminal) {
    std::string out;
    if (!seen.queues) return out;
    for (const auto& queue : (*seen.queues)["queues"].elements())
        if (auto pause = pause_of(queue["paused"]))
            out += terminal.painted("PAUSED", Colour::warn) + " queue." + queue["name"].text() + "  for " + pause_text(*pause, now) + ", " +
                   counted(number(queue["ready"]), "message") + (number(queue["ready"]) == 1 ? " waits\n" : " wait\n");
    return out;
}

bool has_paused_queue(const Seen& seen) {
    if (!seen.queues) return false;
    const auto& queues = (*seen.queues)["queues"].elements();
    return std::any_of(queues.begin(), queues.end(), [](const auto& queue) { return queue["paused"].is_object(); });
}

std::vector<SeenOutage> outages_of(const Seen& seen, const Configuration& configuration) {
    if (!seen.processes) return {};
    return seen_outages(configuration, *seen.processes, seen.queues ? (*seen.queues)["queues"] : json::Value());
}

/// Dead-letter queues and those that no worker of ours empties, where something waits.
std::string other_queues(const Seen& seen, const Configuration& configuration) {
    std::string out;
    if (!seen.queues) return out;
    for (const auto& queue : (*seen.queues)["queues"].elements()) {
        const auto& name = queue["name"].text();
        auto messages = number(queue["ready"]) + number(queue["in_flight"]) + number(queue["delayed"]);
        bool is_served = std::any_of(configuration.workers.begin(), configuration.workers.end(),
                                     [&](const auto& worker) { return worker.queue == name; });
        bool is_dead = std::any_of(configuration.queues.begin(), configuration.queues.end(),
                                   [&](const auto& q) { return q.settings.redrive && q.settings.redrive->dead_letter == name; });
        if (messages == 0 || is_served || name == intake::quarantine_queue) continue;
        out +=
            std::string(is_dead ? "DEAD " : "QUEUE ") + name + "  " + counted(messages, "message") + "  oldest " + oldest_of(queue) + "\n";
    }
    return out;
}

std::string counts_line(const Seen& seen) {
    const auto* quarantine = queue_called(seen, std::string(intake::quarantine_queue));
    std::string out =
        "SINCE START  accepted " + grouped(number((*seen.node)["accepted"])) + "  refused " + grouped(number((*seen.node)["refused"]));
    if (quarantine != nullptr) out += "  kept in quarantine " + grouped(number((*quarantine)["ready"]));
    return out + "\n";
}

/// What the last audit found; nothing before the first.
std::string balance_line(const Seen& seen, Timestamp now, const Terminal& terminal) {
    if (!seen.audit || (*seen.audit)["last"].is_null()) return {};
    const auto& last = (*seen.audit)["last"];
    auto ago = "  counted " + age_text(now - Timestamp{last["at"].integer().value_or(0)}) + " ago\n";
    if (last["verdict"].text() == "incomplete")
        return "BALANCE  " + terminal.painted("INCOMPLETE", Colour::warn) + ": " + printable(last["why"].text()) + ago;
    const auto& today = (*seen.audit)["today"];
    std::string sum;
    for (auto term : {"settled", "open", "dead", "discarded", "erased", "missing"})
        if (auto n = number(today[term]); n > 0 || sum.empty()) sum += (sum.empty() ? "" : " + ") + std::string(term) + " " + grouped(n);
    auto difference = number(last["difference"]);
    auto word = difference == 0 ? "" : "  " + terminal.painted("difference " + grouped(difference) + ": forebay audit", Colour::bad);
    return "BALANCE today  accepted " + grouped(number(today["accepted"])) + " = " + sum + word + ago;
}

}  // namespace

std::string screen_of(const Seen& seen, const Configuration& configuration, Timestamp now, const Terminal& terminal) {
    std::string out;
    if (seen.node) out += node_line(*seen.node, now, terminal);
    if (seen.processes) out += worker_table(seen, configuration, now, terminal);
    for (const auto& database : seen.databases)
        if (seen.node || seen.processes) out += database.line(terminal);
    for (const auto& outage : outages_of(seen, configuration)) out += outage.line(now, terminal);
    out += paused_queues(seen, now, terminal) + other_queues(seen, configuration);
    if (seen.node) out += counts_line(seen) + balance_line(seen, now, terminal);
    return out;
}

std::vector<SeenProcess> chosen_of(const Seen& seen, const std::vector<std::string>& names) {
    std::vector<SeenProcess> chosen;
    for (const auto& one : seen.processes.value_or(std::vector<SeenProcess>()))
        if (names.empty() || std::any_of(names.begin(), names.end(), [&](auto& name) { return supervisor::matches(name, one.process); }))
            chosen.push_back(one);
    return chosen;
}

std::vector<supervisor::ProcessStatus> processes_of(const Seen& seen) {
    std::vector<supervisor::ProcessStatus> processes;
    for (const auto& one : *seen.processes) processes.push_back(one.process);
    return processes;
}

namespace {

int exit_code_of(const Seen& seen, const std::vector<SeenProcess>& chosen, bool is_everything) {
    bool is_running = std::all_of(chosen.begin(), chosen.end(), [](const auto& one) { return one.is_running(); });
    if (seen.processes && !is_running) return exit_code::not_running;
    bool is_down = std::any_of(seen.databases.begin(), seen.databases.end(),
                               [](const auto& database) { return database.state == SeenDatabase::State::down; });
    if (is_everything && (is_down || has_paused_queue(seen))) return exit_code::not_running;
    if (!seen.node || (!seen.processes && !seen.is_elsewhere)) return exit_code::cannot_tell;
    return (*seen.node)["ready"].boolean() ? exit_code::done : exit_code::not_running;
}

void print_json(Terminal& terminal, const Seen& seen, const Configuration& configuration, const std::vector<SeenProcess>& chosen,
                Timestamp now) {
    auto processes = json::Value::array();
    for (const auto& one : chosen) processes.push(to_json(one, now));
    json::Value out;
    out.set("node", seen.node ? *seen.node : json::Value());
    out.set("queues", seen.queues ? (*seen.queues)["queues"] : json::Value());
    auto databases = json::Value::array();
    for (const auto& database : seen.databases) databases.push(database.to_json());
    out.set("databases", std::move(databases));
    out.set("audit", seen.audit ? *seen.audit : json::Value());
    auto outages = json::Value::array();
    for (const auto& outage : outages_of(seen, configuration)) outages.push(outage.to_json());
    out.set("outages", std::move(outages));
    out.set("processes", seen.processes ? std::move(processes) : json::Value());
    terminal.result_json(out);
}

}  // namespace

int run_status(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    auto configuration = invocation.whatever_is_configured();
    auto seen = look(invocation, configuration);
    auto now = invocation.world().clock.wall();
    auto chosen = chosen_of(seen, invocation.words());
    if (seen.processes)
        if (auto processes = processes_of(seen); auto name = unknown_name(invocation.words(), processes))
            return refuse_name(invocation, *name, processes);
    bool is_everything = invocation.words().empty();
    int code = exit_code_of(seen, chosen, is_everything);
    if (terminal.wants_json()) {
        print_json(terminal, seen, configuration, chosen, now);
        return code;
    }
    if (!seen.node) terminal.complain(seen.why_no_node);
    if (!seen.processes && !seen.is_elsewhere) terminal.complain(seen.why_no_processes);
    if (is_everything) terminal.result(screen_of(seen, configuration, now, terminal));
    bool one_by_one = !is_everything || terminal.verbosity() > 0;
    if (one_by_one && seen.processes) terminal.result(process_lines(chosen, now, terminal));
    if (!is_everything)
        for (const auto& outage : outages_of(seen, configuration)) terminal.result(outage.line(now, terminal));
    return code;
}

}  // namespace forebay::cli
