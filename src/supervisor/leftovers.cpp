#include "supervisor/leftovers.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/json.h"
#include "base/log_line.h"

namespace forebay::supervisor {
namespace {

constexpr Duration look_again_at_leftovers = 50ms;
constexpr std::size_t runs_kept = 16;

std::string whole_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Of another boot of the machine nothing is left.
std::string boot_id() {
    auto id = whole_file("/proc/sys/kernel/random/boot_id");
    while (!id.empty() && id.back() == '\n') id.pop_back();
    return id;
}

std::vector<std::string> runs_in(const std::string& path) {
    std::vector<std::string> runs;
    auto noted = json::parse(whole_file(path));
    if (!noted || (*noted)["boot_id"].text() != boot_id()) return runs;
    for (auto& run : (*noted)["runs"].elements()) runs.push_back(run.text());
    if (runs.size() > runs_kept) runs.erase(runs.begin(), runs.end() - runs_kept);
    return runs;
}

/// This process, those it was started by, which may themselves have been started by the run before, and those it has started.
std::set<pid_t> own_family(const std::vector<SeenPid>& all) {
    std::set<pid_t> family;
    for (pid_t at = ::getpid(); at > 0 && family.insert(at).second;) {
        auto seen = std::find_if(all.begin(), all.end(), [&](auto& one) { return one.pid == at; });
        at = seen == all.end() ? 0 : seen->parent;
    }
    for (auto& below : descendants(all, ::getpid())) family.insert(below.pid);
    return family;
}

}  // namespace

Leftovers::Leftovers(std::string path, std::string run_id, Clock& clock)
    : path_(std::move(path)), run_id_(std::move(run_id)), clock_(clock), began_(clock.now()), next_look_(began_) {
    if (path_.empty()) return;
    earlier_ = runs_in(path_);
    std::erase(earlier_, run_id_);
    note();
}

/// Earlier ones stay noted until they are gone: this parent may be killed meanwhile too.
void Leftovers::note() {
    auto runs = json::Value::array();
    for (auto& run : earlier_) runs.push(run);
    runs.push(run_id_);
    json::Value value;
    value.set("boot_id", boot_id()).set("runs", std::move(runs));
    auto fresh = path_ + ".new";
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    file << json::to_text(value) << '\n';
    file.close();
    std::error_code error;
    if (file) std::filesystem::rename(fresh, path_, error);
    if (!file || error) log_warn("run.not_noted").with("path", path_).with("next", "if forebay is killed, what it started may stay");
}

void Leftovers::end_run() {
    if (!path_.empty() && earlier_.empty()) ::unlink(path_.c_str());
}

std::vector<Leftovers::Left> Leftovers::find() const {
    std::vector<Left> found;
    auto all = all_pids();
    auto ours = own_family(all);
    for (auto& seen : all) {
        if (seen.is_zombie || ours.contains(seen.pid)) continue;
        auto run = variable_of(seen.pid, "FOREBAY_RUN");
        if (!run || std::find(earlier_.begin(), earlier_.end(), *run) == earlier_.end()) continue;
        found.push_back({seen, variable_of(seen.pid, "FOREBAY_PROCESS").value_or("")});
    }
    return found;
}

bool Leftovers::are_gone(const WaitOf& wait_of) {
    if (earlier_.empty()) return true;
    if (clock_.now() < next_look_) return false;
    next_look_ = clock_.now() + look_again_at_leftovers;
    auto found = find();
    auto is_found = [&](pid_t pid) { return std::any_of(found.begin(), found.end(), [&](auto& one) { return one.seen.pid == pid; }); };
    for (auto& left : found) take_up(left, !is_found(left.seen.parent), wait_of);
    is_first_look_ = false;
    bool is_over = clock_.now() >= began_ + wait_most + killed_wait;
    if (!found.empty() && !is_over) return false;
    for (auto& left : found) log_error("leftover.stays").with("pid", left.seen.pid).with("name", left.seen.name);
    earlier_.clear();
    note();
    return true;
}

void Leftovers::take_up(const Left& left, bool is_root, const WaitOf& wait_of) {
    pid_t pid = left.seen.pid;
    auto [known, is_new] = ends_.emplace(pid, std::min(clock_.now() + wait_of(left.process), began_ + wait_most));
    if (is_new) {
        auto line = log_warn("leftover.ends");
        line.with("pid", pid).with("name", left.seen.name).with("process", left.process);
        line.with("why", "the forebay that started it was killed");
    }
    if (clock_.now() >= known->second && killed_.insert(pid).second) {
        log_warn("leftover.killed").with("pid", pid).with("name", left.seen.name).with("process", left.process);
        ::kill(pid, SIGKILL);
        return;
    }
    // The children of the killed parent have had their signal from the kernel, and a second one could mean something else to them.
    // What they had started hears it when they are gone.
    if (is_first_look_ && left.seen.group == pid && left.seen.session != pid) told_.insert(pid);
    if (is_root && told_.insert(pid).second) ::kill(pid, SIGTERM);
}

}  // namespace forebay::supervisor
