// `start`, `stop`, `restart`: what the supervising parent is asked.
#include <algorithm>

#include "cli/process/paths.h"
#include "cli/similar.h"
#include "cli/verb.h"
#include "cli/verbs/processes.h"
#include "cli/verbs/verbs.h"

namespace forebay::cli {
namespace {

using supervisor::ControlAnswer;
using supervisor::ControlRequest;
using supervisor::ProcessStatus;

void print(Terminal& terminal, const std::vector<ProcessStatus>& processes) {
    for (const auto& process : processes)
        terminal.result(process.name + ": " + std::string(supervisor::name_of(process.state)) +
                        (process.why.empty() || process.state == supervisor::State::running ? "" : " (" + process.why + ")") + "\n");
}

struct Act {
    supervisor::Verb verb;
    std::string_view word;
    bool asks = false;  ///< something stops working by it
};

int act(Invocation& invocation, Act act) {
    auto path = control_path(invocation.whatever_is_configured().node.data_dir);
    auto& terminal = invocation.terminal();
    auto before = ask_supervisor(invocation, path, {});
    if (!before) return before.error();
    if (auto name = unknown_name(invocation.words(), before->processes)) return refuse_name(invocation, *name, before->processes);
    auto chosen = chosen_of(before->processes, invocation.words());
    if (invocation.has("dry-run")) {
        if (terminal.wants_json())
            terminal.result_json(processes_json(chosen).set("would", act.word));
        else
            terminal.result("Would " + std::string(act.word) + " " + names_of(chosen) + ".\n");
        return exit_code::done;
    }
    if (act.asks && !invocation.is_agreed(std::string(act.word) + " " + names_of(chosen) + "?")) return exit_code::done;
    ControlRequest request{act.verb, invocation.words(), invocation.has("all-at-once"), true, 0, invocation.value("reason").value_or("")};
    auto after = ask_supervisor(invocation, path, request);
    if (!after) return after.error();
    if (terminal.wants_json())
        terminal.result_json(processes_json(after->processes));
    else
        print(terminal, chosen_of(after->processes, invocation.words()));
    if (after->ok) return exit_code::done;
    terminal.complain(after->error);
    return exit_code::check_failed;
}

}  // namespace

std::optional<std::string> unknown_name(const std::vector<std::string>& names, const std::vector<ProcessStatus>& processes) {
    for (const auto& name : names) {
        bool is_known =
            std::any_of(processes.begin(), processes.end(), [&](const auto& process) { return supervisor::matches(name, process); });
        if (!is_known) return name;
    }
    return std::nullopt;
}

int refuse_name(Invocation& invocation, const std::string& name, const std::vector<ProcessStatus>& processes) {
    std::vector<std::string> known;
    for (const auto& process : processes) known.insert(known.end(), {process.worker, process.name, process.group + ":*"});
    auto meant = nearest(name, known);
    invocation.terminal().complain("no process is called \"" + name + "\"" + (meant.empty() ? "" : "; did you mean \"" + meant + "\"?"));
    return exit_code::usage;
}

std::string no_supervisor(const std::string& path, const std::string& why) {
    return "no supervisor answers at " + path + " (" + why + "). Is it running? forebay dev, forebay serve";
}

Result<ControlAnswer, int> ask_supervisor(Invocation& invocation, const std::string& path, const ControlRequest& request) {
    auto answer = invocation.world().control(path, request);
    if (answer) return std::move(*answer);
    auto what = answer.error().what;
    if (answer.error().unreachable) what = no_supervisor(path, what);
    invocation.terminal().complain(what);
    return Failure{answer.error().unreachable ? exit_code::unreachable : exit_code::bug};
}

std::vector<ProcessStatus> chosen_of(const std::vector<ProcessStatus>& processes, const std::vector<std::string>& names) {
    std::vector<ProcessStatus> chosen;
    for (const auto& process : processes) {
        bool is_chosen =
            names.empty() || std::any_of(names.begin(), names.end(), [&](const auto& name) { return supervisor::matches(name, process); });
        if (is_chosen) chosen.push_back(process);
    }
    return chosen;
}

std::string names_of(const std::vector<ProcessStatus>& processes) {
    std::string out;
    for (const auto& process : processes) out += (out.empty() ? "" : ", ") + process.name;
    return out;
}

json::Value processes_json(const std::vector<ProcessStatus>& processes) {
    auto list = json::Value::array();
    for (const auto& process : processes) list.push(supervisor::to_json(process));
    return json::Value().set("processes", std::move(list));
}

int run_start(Invocation& invocation) { return act(invocation, {supervisor::Verb::start, "start"}); }
int run_stop(Invocation& invocation) { return act(invocation, {supervisor::Verb::stop, "stop", true}); }
int run_restart(Invocation& invocation) { return act(invocation, {supervisor::Verb::restart, "restart", true}); }

}  // namespace forebay::cli
