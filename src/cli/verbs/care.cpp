// `pid`, `signal`, `clear`, `avail`, `maintail`, `shutdown`: what supervisorctl's users do with processes besides.
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <set>

#include "base/spawn.h"
#include "cli/process/paths.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "cli/verbs/parent_process.h"
#include "cli/verbs/processes.h"
#include "cli/verbs/seen_process.h"
#include "cli/verbs/tail.h"
#include "cli/verbs/verbs.h"

namespace forebay::cli {
namespace {

using supervisor::ControlRequest;
using supervisor::ProcessStatus;

constexpr std::pair<std::string_view, int> signals_sent[] = {{"HUP", SIGHUP},   {"USR1", SIGUSR1}, {"USR2", SIGUSR2},
                                                             {"QUIT", SIGQUIT}, {"TSTP", SIGTSTP}, {"CONT", SIGCONT}};

std::string control_path_of(Invocation& invocation) { return control_path(invocation.whatever_is_configured().node.data_dir); }

/// The processes that the names mean, or after a complaint the exit code.
Result<std::vector<ProcessStatus>, int> chosen_by(Invocation& invocation, const std::vector<std::string>& names) {
    TRY_ASSIGN(auto answer, ask_supervisor(invocation, control_path_of(invocation), {}));
    if (auto name = unknown_name(names, answer.processes)) return Failure{refuse_name(invocation, *name, answer.processes)};
    return chosen_of(answer.processes, names);
}

/// `HUP` of `hup` and `SIGHUP`.
std::string signal_name(std::string word) {
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return word.starts_with("SIG") ? word.substr(3) : word;
}

std::optional<int> signal_of(const std::string& word) {
    for (const auto& [name, signal] : signals_sent)
        if (name == signal_name(word)) return signal;
    return std::nullopt;
}

bool ends_processes(const std::string& word) {
    static const std::set<std::string> enders = {"TERM", "KILL", "INT", "STOP", "ABRT"};
    return enders.contains(signal_name(word));
}

void tell_each(Terminal& terminal, const std::vector<ProcessStatus>& processes, std::string_view what) {
    if (terminal.wants_json()) return terminal.result_json(processes_json(processes));
    for (const auto& process : processes) terminal.result(process.name + ": " + std::string(what) + "\n");
}

Result<int, int> parent_of(Invocation& invocation) {
    auto path = control_path_of(invocation);
    if (auto pid = pid_of_parent(path)) return *pid;
    invocation.terminal().complain(no_supervisor(path, std::strerror(errno)));
    return Failure{int{exit_code::unreachable}};
}

}  // namespace

int run_pid(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    if (invocation.words().empty()) {
        auto parent = parent_of(invocation);
        if (!parent) return parent.error();
        if (terminal.wants_json())
            terminal.result_json(json::Value().set("pid", *parent));
        else
            terminal.result(std::to_string(*parent) + "\n");
        return exit_code::done;
    }
    auto chosen = chosen_by(invocation, invocation.words());
    if (!chosen) return chosen.error();
    if (terminal.wants_json()) terminal.result_json(processes_json(*chosen));
    for (const auto& process : *chosen)
        if (!terminal.wants_json()) terminal.result(std::to_string(process.pid) + "\n");
    bool all_run = std::all_of(chosen->begin(), chosen->end(), [](const auto& process) { return process.pid != 0; });
    return all_run ? exit_code::done : exit_code::not_running;
}

int run_signal(Invocation& invocation) {
    auto words = invocation.words();
    // supervisorctl has the signal first; last is as good.
    if (!signal_of(words.front()) && !ends_processes(words.front())) std::rotate(words.begin(), words.end() - 1, words.end());
    auto word = words.front();
    words.erase(words.begin());
    if (ends_processes(word))
        return invocation.misused(
            "what ends a process is a matter of stop, restart and pause, so that it is not started again behind your back: forebay stop " +
            words[0]);
    auto signal = signal_of(word);
    if (!signal) return invocation.misused("which signal? HUP, USR1, USR2, QUIT, TSTP (take nothing new) or CONT (go on)");
    auto chosen = chosen_by(invocation, words);
    if (!chosen) return chosen.error();
    auto& terminal = invocation.terminal();
    if (invocation.has("dry-run")) {
        terminal.result("Would send " + signal_name(word) + " to " + names_of(*chosen) + ".\n");
        return exit_code::done;
    }
    ControlRequest request;
    request.verb = supervisor::Verb::signal;
    request.names = words;
    request.signal = *signal;
    request.reason = invocation.value("reason").value_or("");
    auto answer = ask_supervisor(invocation, control_path_of(invocation), request);
    if (!answer) return answer.error();
    if (!answer->ok) {
        terminal.complain(answer->error);
        return exit_code::check_failed;
    }
    auto sent = *chosen, missed = *chosen;
    std::erase_if(sent, [](const auto& process) { return process.pid == 0; });
    std::erase_if(missed, [](const auto& process) { return process.pid != 0; });
    tell_each(terminal, sent, "got " + signal_name(word));
    for (const auto& process : missed)
        terminal.complain(process.name + " is not running: there is nobody to send " + signal_name(word) + " to");
    return missed.empty() ? exit_code::done : exit_code::not_running;
}

int run_clear(Invocation& invocation) {
    auto chosen = chosen_by(invocation, invocation.words());
    if (!chosen) return chosen.error();
    auto& terminal = invocation.terminal();
    std::erase_if(*chosen, [](const auto& process) { return process.log.empty(); });
    if (chosen->empty()) {
        terminal.complain("there is no log file to clear: what it writes goes to the standard error of its parent");
        return exit_code::data;
    }
    if (invocation.has("dry-run")) {
        terminal.result("Would empty the logs of " + names_of(*chosen) + ".\n");
        return exit_code::done;
    }
    if (!invocation.is_agreed("empty the logs of " + names_of(*chosen) + "?")) return exit_code::done;
    int worst = exit_code::done;
    for (const auto& process : *chosen) {
        if (::truncate(process.log.c_str(), 0) == 0 || errno == ENOENT) continue;
        terminal.complain(process.log + ": " + std::strerror(errno));
        worst = exit_code::io;
    }
    if (worst == exit_code::done) tell_each(terminal, *chosen, "cleared");
    return worst;
}

int run_avail(Invocation& invocation) {
    auto configuration = invocation.whatever_is_configured();
    auto answer = ask_supervisor(invocation, control_path(configuration.node.data_dir), {});
    if (!answer) return answer.error();
    auto& terminal = invocation.terminal();
    Table table({"PROCESS", "USE", "START", ">PRIORITY"});
    auto list = json::Value::array();
    auto add = [&](const std::string& name, std::string_view use, std::string_view start, const std::string& priority) {
        table.add({name, std::string(use), std::string(start), priority});
        list.push(json::Value().set("name", name).set("use", use).set("start", start));
    };
    std::set<std::string> in_use;
    for (const auto& process : answer->processes) {
        const auto* worker = configuration.find_worker(process.worker);
        in_use.insert(process.worker);
        auto name = SeenProcess{process, {}, {}}.full_name();
        if (process.n != 0 && worker == nullptr)
            add(name, "in use", "not in the files any more: forebay reload", "-");
        else
            add(name, "in use", worker == nullptr || worker->process.autostart ? "auto" : "manual",
                worker == nullptr ? "1" : std::to_string(worker->process.priority));
    }
    for (const auto& worker : configuration.workers)
        if (!in_use.contains(worker.name))
            add(worker.process.group + ":" + worker.name, "avail", "after forebay reload", std::to_string(worker.process.priority));
    if (terminal.wants_json())
        terminal.result_json(json::Value().set("processes", std::move(list)));
    else
        terminal.result(table.text(terminal));
    return exit_code::done;
}

int run_maintail(Invocation& invocation) {
    auto parent = parent_of(invocation);
    if (!parent) return parent.error();
    auto& terminal = invocation.terminal();
    auto where = standard_error_of(*parent);
    auto who = "the parent (pid " + std::to_string(*parent) + ")";
    if (!where) {
        terminal.complain(who + " writes its log to its standard error, and where that goes only its user may see");
        return exit_code::permission;
    }
    if (where->file.empty()) {
        terminal.complain(who + " writes its log to its standard error, which is " + where->what + ", not a file: look there");
        return exit_code::data;
    }
    return tail_logs(invocation, {{where->file, "parent"}});
}

int run_shutdown(Invocation& invocation) {
    auto path = control_path_of(invocation);
    auto before = ask_supervisor(invocation, path, {});
    if (!before) return before.error();
    auto& terminal = invocation.terminal();
    if (invocation.has("dry-run")) {
        terminal.result("Would stop " + names_of(before->processes) + ", and the parent.\n");
        return exit_code::done;
    }
    if (!invocation.is_agreed("stop " + names_of(before->processes) + ", and the parent?")) return exit_code::done;
    ControlRequest request;
    request.verb = supervisor::Verb::shutdown;
    request.reason = invocation.value("reason").value_or("");
    auto answer = ask_supervisor(invocation, path, request);
    if (!answer) return answer.error();
    if (terminal.wants_json())
        terminal.result_json(json::Value().set("shutting_down", true));
    else
        terminal.result("Shutting down: each process finishes what it has in hand, the node stops last, then the parent ends.\n");
    return exit_code::done;
}

}  // namespace forebay::cli
