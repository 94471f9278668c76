#include "supervisor/orphans.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>
#include <utility>

#include "base/log_line.h"
#include "supervisor/proc.h"

namespace forebay::supervisor {
namespace {

constexpr Duration look_again_at_orphans = 10ms;
constexpr Duration killed_patience = 5s;  ///< what the kernel does not let go of, a dead disk's for example, holds up nobody

/// Whether this very thread would be the one to wait for it.
bool is_of_this_thread(pid_t pid) {
    siginfo_t ignored{};
    return ::waitid(P_PID, static_cast<id_t>(pid), &ignored, WEXITED | WNOHANG | WNOWAIT | __WNOTHREAD) == 0;
}

std::vector<SeenPid> living_descendants() {
    auto all = all_pids();
    std::vector<SeenPid> out;
    for (auto& child : all) {
        if (child.parent != ::getpid() || !is_of_this_thread(child.pid)) continue;
        out.push_back(child);
        auto below = descendants(all, child.pid);
        out.insert(out.end(), below.begin(), below.end());
    }
    std::erase_if(out, [](auto& one) { return one.is_zombie; });
    return out;
}

}  // namespace

void take_orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

void collect_ended(const std::function<bool(int pid)>& is_known) {
    for (pid_t last = 0;;) {
        siginfo_t ended{};
        if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT | __WNOTHREAD) != 0 || ended.si_pid == 0) return;
        if (std::exchange(last, ended.si_pid) == ended.si_pid) return;  // its owner has left it for later
        if (is_known(ended.si_pid)) continue;
        if (::waitpid(ended.si_pid, nullptr, WNOHANG) <= 0) return;
        log_debug("orphan.collected").with("pid", ended.si_pid);
    }
}

void end_descendants(Duration patience, Clock& clock) {
    std::set<pid_t> told;
    auto end = clock.now() + patience;
    for (;;) {
        collect_ended([](int) { return false; });
        auto left = living_descendants();
        if (left.empty()) return;
        bool is_over = clock.now() >= end;
        if (clock.now() >= end + killed_patience)
            return void(log_error("orphan.stays").with("pid", left[0].pid).with("name", left[0].name));
        for (auto& one : left) {
            bool is_new = told.insert(one.pid).second;
            if (is_new) log_warn("orphan.ended").with("pid", one.pid).with("name", one.name);
            if (is_new || is_over) ::kill(one.pid, is_over ? SIGKILL : SIGTERM);
        }
        ::poll(nullptr, 0, static_cast<int>(look_again_at_orphans.count()));
    }
}

}  // namespace forebay::supervisor
