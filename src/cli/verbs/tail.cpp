// `tail WORKER[:N] [-f]`: the last lines of a process's log, and those to come.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <fstream>
#include <map>

#include "base/json.h"
#include "cli/process/paths.h"
#include "cli/verb.h"
#include "cli/verbs/processes.h"
#include "cli/verbs/verbs.h"

namespace forebay::cli {
namespace {

constexpr useconds_t look_again = 200'000;
constexpr std::size_t lines_usual = 20;
constexpr std::size_t lines_max = 100'000;

/// One log file, read on from where it was left; a file that became shorter is read from its start.
class Followed {
  public:
    explicit Followed(std::string path) : path_(std::move(path)) {}

    /// The last lines; the next call of fresh_lines() goes on behind them.
    std::string last_lines(std::size_t most) {
        std::ifstream file(path_, std::ios::binary);
        std::deque<std::string> lines;
        for (std::string line; std::getline(file, line);) {
            lines.push_back(std::move(line));
            if (lines.size() > most) lines.pop_front();
        }
        file.clear();
        file.seekg(0, std::ios::end);
        seen_ = file ? static_cast<std::uint64_t>(file.tellg()) : 0;
        std::string out;
        for (const auto& line : lines) out += line + "\n";
        return out;
    }

    const std::string& path() const { return path_; }

    /// Whole lines; one that is still being written comes when it is complete.
    std::string fresh_lines() {
        std::ifstream file(path_, std::ios::binary);
        file.seekg(0, std::ios::end);
        if (!file) return {};
        auto size = static_cast<std::uint64_t>(file.tellg());
        if (size < seen_) seen_ = 0;
        std::string text(size - seen_, '\0');
        file.seekg(static_cast<std::streamoff>(seen_));
        file.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(file.gcount()));
        text.resize(text.rfind('\n') + 1);  // none: npos + 1 is 0
        seen_ += text.size();
        return text;
    }

  private:
    std::string path_;
    std::uint64_t seen_ = 0;
};

std::optional<std::size_t> lines_wanted(const Invocation& invocation) {
    auto given = invocation.value("lines");
    if (!given) return lines_usual;
    char* end = nullptr;
    auto lines = std::strtoul(given->c_str(), &end, 10);
    if (given->empty() || *end != '\0' || lines > lines_max) return std::nullopt;
    return lines;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) text.replace(at, what.size(), with);
    return text;
}

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
            process.log = replaced(replaced(replaced(worker.process.log_path, "{worker}", worker.name), "{n}", std::to_string(n)), "{node}",
                                   configuration.node.name);
            processes.push_back(std::move(process));
        }
    }
    return processes;
}

/// With --json each line of a log is an object on a line of its own; otherwise it is printed as it stands.
void print(Terminal& terminal, const std::string& path, std::string_view text) {
    if (!terminal.wants_json()) return terminal.result(std::string(text));
    while (!text.empty()) {
        auto end = text.find('\n');
        auto line = json::Value().set("log", path).set("line", std::string(text.substr(0, end)));
        terminal.result(json::to_text(line) + "\n");
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
}

/// The log files of the processes that are meant, each once.
std::vector<std::string> files_of(const std::vector<supervisor::ProcessStatus>& processes) {
    std::vector<std::string> files;
    for (const auto& process : processes)
        if (!process.log.empty() && std::find(files.begin(), files.end(), process.log) == files.end()) files.push_back(process.log);
    return files;
}

}  // namespace

int run_tail(Invocation& invocation) {
    auto& terminal = invocation.terminal();
    auto lines = lines_wanted(invocation);
    if (!lines) return invocation.misused("--lines must be a number from 0 to " + std::to_string(lines_max));
    auto configuration = invocation.whatever_is_configured();
    auto answer = invocation.world().control(control_path(configuration.node.data_dir), {});
    auto known = answer ? answer->processes : configured_processes(configuration);
    auto chosen = chosen_of(known, invocation.words());
    if (!answer && configuration.workers.empty()) {
        terminal.complain(no_supervisor(control_path(configuration.node.data_dir), answer.error().what));
        return exit_code::unreachable;
    }
    if (chosen.empty()) return refuse_name(invocation, invocation.word(0), known);
    auto files = files_of(chosen);
    if (files.empty()) {
        terminal.complain(chosen[0].name + " has no log file: it writes to the terminal of its parent");
        return exit_code::data;
    }
    std::vector<Followed> followed(files.begin(), files.end());
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (files.size() > 1) terminal.talk("==> " + files[i]);
        print(terminal, files[i], followed[i].last_lines(*lines));
    }
    terminal.flush();
    while (invocation.has("follow")) {
        for (auto& file : followed) print(terminal, file.path(), file.fresh_lines());
        terminal.flush();
        ::usleep(look_again);
    }
    return exit_code::done;
}

}  // namespace forebay::cli
