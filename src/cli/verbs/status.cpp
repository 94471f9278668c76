// `status`: the node, its processes and queues on one screen. Exit code 3: something is not RUNNING, 4: it
// cannot be told.
#include <algorithm>
#include <map>

#include "cli/admin_client.h"
#include "cli/process/paths.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "cli/verbs/processes.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"
#include "intake/intake.h"

namespace forebay::cli {
namespace {

using supervisor::ProcessStatus;
using supervisor::State;

/// Everything that was asked; what did not answer is empty.
struct Seen {
    std::optional<json::Value> node;
    std::optional<json::Value> queues;
    std::optional<std::vector<ProcessStatus>> processes;
    std::string why_no_node, why_no_processes;
    bool is_elsewhere = false;  ///< --node: the supervisor of another machine cannot be asked
};

Seen look(Invocation& invocation, const Configuration& configuration) {
    Seen seen;
    AdminClient admin(invocation);
    if (auto node = admin.get("/api/node"))
        seen.node = std::move(*node);
    else
        seen.why_no_node = node.error().what;
    if (seen.node)
        if (auto queues = admin.get("/api/queues")) seen.queues = std::move(*queues);
    seen.is_elsewhere = !invocation.globals().node.empty();
    if (seen.is_elsewhere) return seen;
    auto path = control_path(configuration.node.data_dir);
    auto answer = invocation.world().control(path, {});
    if (answer && answer->ok)
        seen.processes = std::move(answer->processes);
    else
        seen.why_no_processes = answer ? answer->error : "no supervisor answers at " + path + ": " + answer.error().what;
    return seen;
}

const json::Value* queue_called(const Seen& seen, const std::string& name) {
    if (!seen.queues || name.empty()) return nullptr;
    for (const auto& queue : (*seen.queues)["queues"].elements())
        if (queue["name"].text() == name) return &queue;
    return nullptr;
}

std::string oldest_of(const json::Value& queue, Timestamp now) {
    auto oldest = queue["oldest_ms"].integer();
    return oldest ? age_text(now - Timestamp{*oldest}) : "-";
}

std::uint64_t number(const json::Value& value) { return static_cast<std::uint64_t>(value.integer().value_or(0)); }

Colour colour_of(State state) {
    if (state == State::running) return Colour::good;
    return state == State::fatal || state == State::backoff ? Colour::bad : Colour::warn;
}

/// RUNNING only if all are; else the state of the first that is not.
State state_of(const std::vector<ProcessStatus>& processes) {
    auto other = std::find_if(processes.begin(), processes.end(), [](const auto& process) { return process.state != State::running; });
    return other == processes.end() ? State::running : other->state;
}

std::string node_line(const json::Value& node, const Terminal& terminal) {
    bool is_ready = node["ready"].boolean();
    std::string state = node["draining"].boolean() ? "draining" : is_ready ? "ready" : "not ready";
    if (!node["why_not_ready"].text().empty()) state += " (" + node["why_not_ready"].text() + ")";
    return "NODE " + node["name"].text() + "  up " + age_text(std::chrono::seconds(node["uptime_s"].integer().value_or(0))) + "  " +
           terminal.painted(state, is_ready ? Colour::good : Colour::bad) + "  disk " + about_size(number(node["disk_free"])) +
           " free  journal " + about_size(number(node["journal_bytes"])) + "  ack " + node["ack"].text() + "\n";
}

std::vector<Cell> worker_row(const std::vector<ProcessStatus>& processes, const Configuration& configuration, const Seen& seen,
                             Timestamp now) {
    const auto& first = processes[0];
    auto running = std::count_if(processes.begin(), processes.end(), [](const auto& process) { return process.state == State::running; });
    std::uint64_t restarts = 0;
    auto since = first.since;
    for (const auto& process : processes) {
        restarts += process.restarts;
        since = std::max(since, process.since);
    }
    auto state = state_of(processes);
    const auto* worker = configuration.find_worker(first.worker);
    const auto* queue = queue_called(seen, worker == nullptr ? "" : worker->queue);
    std::string name = first.n == 0 ? first.name : first.group + ":" + first.worker;
    std::vector<Cell> row = {name,
                             std::to_string(running) + "/" + std::to_string(processes.size()),
                             {std::string(supervisor::name_of(state)), colour_of(state)}};
    if (queue == nullptr)
        row.insert(row.end(), {worker == nullptr || worker->queue.empty() ? "-" : worker->queue, "-", "-", "-"});
    else
        row.insert(row.end(),
                   {worker->queue, grouped(number((*queue)["ready"])), grouped(number((*queue)["in_flight"])), oldest_of(*queue, now)});
    row.insert(row.end(), {age_text(now - since), grouped(restarts)});
    return row;
}

std::string worker_table(const Seen& seen, const Configuration& configuration, Timestamp now, const Terminal& terminal) {
    std::vector<std::string> order;
    std::map<std::string, std::vector<ProcessStatus>> by_worker;
    for (const auto& process : *seen.processes) {
        auto name = process.group + ":" + process.worker;
        if (!by_worker.contains(name)) order.push_back(name);
        by_worker[name].push_back(process);
    }
    Table table({"GROUP:WORKER", "PROCS", "STATE", "QUEUE", ">READY", ">FLIGHT", ">OLDEST", ">SINCE", ">RESTARTS"});
    for (const auto& name : order) table.add(worker_row(by_worker[name], configuration, seen, now));
    return table.text(terminal);
}

std::string process_table(const std::vector<ProcessStatus>& processes, Timestamp now, const Terminal& terminal) {
    Table table({"PROCESS", "GROUP", "STATE", ">PID", ">SINCE", ">RESTARTS", "WHY"});
    for (const auto& process : processes)
        table.add({process.name,
                   process.group,
                   {std::string(supervisor::name_of(process.state)), colour_of(process.state)},
                   process.pid == 0 ? "-" : std::to_string(process.pid),
                   age_text(now - process.since),
                   grouped(process.restarts),
                   process.why});
    return table.text(terminal);
}

/// Dead-letter queues and those that no worker of ours empties, where something waits.
std::string other_queues(const Seen& seen, const Configuration& configuration, Timestamp now) {
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
        out += std::string(is_dead ? "DEAD " : "QUEUE ") + name + "  " + counted(messages, "message") + "  oldest " +
               oldest_of(queue, now) + "\n";
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

int exit_code_of(const Seen& seen, const std::vector<ProcessStatus>& chosen) {
    bool is_running = std::all_of(chosen.begin(), chosen.end(), [](const auto& process) { return process.state == State::running; });
    if (seen.processes && !is_running) return exit_code::not_running;
    if (!seen.node || (!seen.processes && !seen.is_elsewhere)) return exit_code::cannot_tell;
    return (*seen.node)["ready"].boolean() ? exit_code::done : exit_code::not_running;
}

void print_json(Terminal& terminal, const Seen& seen, const std::vector<ProcessStatus>& chosen) {
    json::Value out;
    out.set("node", seen.node ? *seen.node : json::Value());
    out.set("queues", seen.queues ? (*seen.queues)["queues"] : json::Value());
    out.set("processes", seen.processes ? processes_json(chosen)["processes"] : json::Value());
    terminal.result_json(out);
}

}  // namespace

int run_status(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    auto configuration = invocation.whatever_is_configured();
    auto seen = look(invocation, configuration);
    auto now = invocation.world().clock.wall();
    auto chosen = seen.processes ? chosen_of(*seen.processes, invocation.words()) : std::vector<ProcessStatus>();
    if (seen.processes && chosen.empty() && !invocation.words().empty()) {
        terminal.complain("no process is called \"" + invocation.word(0) + "\"");
        return exit_code::usage;
    }
    int code = exit_code_of(seen, chosen);
    if (terminal.wants_json()) {
        print_json(terminal, seen, chosen);
        return code;
    }
    bool is_everything = invocation.words().empty();
    if (!seen.node) terminal.complain(seen.why_no_node);
    if (!seen.processes && !seen.is_elsewhere) terminal.complain(seen.why_no_processes);
    if (seen.node && is_everything) terminal.result(node_line(*seen.node, terminal));
    if (seen.processes) {
        bool one_by_one = !is_everything || terminal.verbosity() > 0;
        terminal.result(one_by_one ? process_table(chosen, now, terminal) : worker_table(seen, configuration, now, terminal));
    }
    if (is_everything) terminal.result(other_queues(seen, configuration, now));
    if (seen.node && is_everything) terminal.result(counts_line(seen));
    return code;
}

}  // namespace forebay::cli
