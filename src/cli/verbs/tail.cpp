// `tail WORKER[:N]… [-f]`: the last lines of processes' logs, and those to come.
#include <algorithm>
#include <deque>
#include <thread>

#include "base/json.h"
#include "base/spawn.h"
#include "cli/interrupt.h"
#include "cli/process/paths.h"
#include "cli/verb.h"
#include "cli/verbs/log_line_seen.h"
#include "cli/verbs/log_reader.h"
#include "cli/verbs/processes.h"
#include "cli/verbs/tail.h"
#include "cli/verbs/verbs.h"

namespace forebay::cli {
namespace {

constexpr Duration fresh_lines_every = 200ms;
constexpr std::uint64_t lines_usual = 20, lines_max = 100'000;
constexpr std::uint64_t last_bytes_max = 64 * 1024 * 1024;

/// The processes as the configuration has them: when the supervisor is gone, its logs are what one wants to read.
std::vector<supervisor::ProcessStatus> configured_processes(const Configuration& configuration) {
    std::vector<supervisor::ProcessStatus> processes;
    for (const auto& worker : configuration.workers) {
        for (unsigned n = 1; n <= worker.process.count; ++n) {
            supervisor::ProcessStatus process;
            process.name = worker.name + ":" + std::to_string(n);
            process.group = worker.process.group;
            process.worker = worker.name;
            process.n = n;
            process.log = replace_names(worker.process.log_path,
                                        {{"worker", worker.name}, {"n", std::to_string(n)}, {"node", configuration.node.name}});
            processes.push_back(std::move(process));
        }
    }
    return processes;
}

/// The log files of the processes that are meant, each once; one that several write is its worker's.
std::vector<TailedLog> logs_of(const std::vector<supervisor::ProcessStatus>& processes) {
    std::vector<TailedLog> logs;
    for (const auto& process : processes) {
        if (process.log.empty()) continue;
        auto known = std::find_if(logs.begin(), logs.end(), [&](const auto& log) { return log.path == process.log; });
        if (known == logs.end())
            logs.push_back({process.log, process.name});
        else
            known->name = process.worker;
    }
    return logs;
}

struct TailOptions {
    std::size_t lines = lines_usual;
    std::optional<std::size_t> bytes;
    bool only_failures = false;
    bool follows = false;
};

class Tail {
  public:
    Tail(Terminal& terminal, std::vector<TailedLog> logs, TailOptions wanted)
        : terminal_(terminal),
          logs_(std::move(logs)),
          wanted_(wanted),
          wants_([this](std::string_view line) { return !wanted_.only_failures || tells_failure(line); }) {
        for (const auto& log : logs_) {
            readers_.emplace_back(log.path);
            label_width_ = std::max(label_width_, log.name.size());
        }
    }

    int run() {
        wanted_.bytes ? print_last_bytes() : print_last_lines();
        terminal_.flush();
        if (wanted_.follows) follow();
        if (!wanted_.follows && std::none_of(readers_.begin(), readers_.end(), [](const auto& reader) { return reader.is_there(); })) {
            terminal_.complain("there is no log yet at " + logs_[0].path);
            return exit_code::data;
        }
        return exit_code::done;
    }

  private:
    struct Line {
        Timestamp at;
        std::size_t log;
        std::string text;
    };

    void print_last_bytes() {
        for (std::size_t i = 0; i < readers_.size(); ++i) {
            if (readers_.size() > 1) terminal_.talk("==> " + logs_[i].name);
            auto bytes = readers_[i].last_bytes(*wanted_.bytes);
            if (!terminal_.wants_json()) {
                terminal_.result(bytes);
                continue;
            }
            for (std::string_view rest = bytes; !rest.empty();) {
                auto end = rest.find('\n');
                print(i, rest.substr(0, end));
                rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
            }
        }
    }

    /// Of several logs in the order of time; a line that does not tell its time belongs to the one before it.
    void print_last_lines() {
        std::vector<Line> lines;
        for (std::size_t i = 0; i < readers_.size(); ++i) {
            Timestamp at;
            for (auto& text : readers_[i].last_lines(wanted_.lines, wants_, !wanted_.follows)) {
                at = std::max(at, time_of_line(text).value_or(at));
                lines.push_back({at, i, std::move(text)});
            }
        }
        std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.at < b.at; });
        for (auto i = lines.size() - std::min(lines.size(), wanted_.lines); i < lines.size(); ++i) print(lines[i].log, lines[i].text);
    }

    void follow() {
        CatchInterrupt catching;
        while (!CatchInterrupt::came() && terminal_.is_readable()) {
            for (std::size_t i = 0; i < readers_.size(); ++i)
                readers_[i].fresh_lines([&](std::string_view line) {
                    if (wants_(line)) print(i, line);
                });
            terminal_.flush();
            std::this_thread::sleep_for(fresh_lines_every);
        }
    }

    /// With --json each line of a log is an object on a line of its own; otherwise it is printed as it stands.
    void print(std::size_t log, std::string_view line) {
        if (terminal_.wants_json()) {
            auto value = json::Value().set("log", logs_[log].path).set("line", line);
            return terminal_.result(json::to_text(value) + "\n");
        }
        std::string out;
        if (logs_.size() > 1) {
            auto blanks = std::string(label_width_ - logs_[log].name.size(), ' ');
            out = terminal_.painted(logs_[log].name, Colour::name) + blanks + " | ";
        }
        terminal_.result(out.append(line).append("\n"));
    }

    Terminal& terminal_;
    std::vector<TailedLog> logs_;
    TailOptions wanted_;
    LogReader::Wants wants_;
    std::deque<LogReader> readers_;
    std::size_t label_width_ = 0;
};

}  // namespace

int tail_logs(Invocation& invocation, std::vector<TailedLog> logs) {
    TailOptions wanted;
    auto lines = invocation.number("lines", lines_usual, 0, lines_max);
    if (!lines) return invocation.misused("--lines must be a number from 0 to " + std::to_string(lines_max));
    wanted.lines = *lines;
    if (invocation.has("bytes")) {
        auto bytes = invocation.number("bytes", 0, 0, last_bytes_max);
        if (!bytes) return invocation.misused("--bytes must be a number from 0 to " + std::to_string(last_bytes_max));
        wanted.bytes = *bytes;
    }
    wanted.only_failures = invocation.has("failed");
    wanted.follows = invocation.has("follow");
    if (wanted.bytes && wanted.only_failures) return invocation.misused("--failed chooses lines; give --lines instead of --bytes");
    return Tail(invocation.terminal(), std::move(logs), wanted).run();
}

int run_tail(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    auto configuration = invocation.whatever_is_configured();
    auto answer = invocation.world().control(control_path(configuration.node.data_dir), {});
    auto known = answer ? answer->processes : configured_processes(configuration);
    if (!answer && configuration.workers.empty()) {
        terminal.complain(no_supervisor(control_path(configuration.node.data_dir), answer.error().what));
        return exit_code::unreachable;
    }
    if (auto name = unknown_name(invocation.words(), known)) return refuse_name(invocation, *name, known);
    auto chosen = chosen_of(known, invocation.words());
    auto logs = logs_of(chosen);
    if (logs.empty()) {
        terminal.complain(chosen[0].name + " has no log file: it writes to the standard error of its parent (forebay ctl maintail)");
        return exit_code::data;
    }
    return tail_logs(invocation, std::move(logs));
}

}  // namespace forebay::cli
