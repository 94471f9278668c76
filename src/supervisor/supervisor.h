#pragma once
// The parent process: starts the node and the numbered workers, watches them, starts again what dies,
// keeps their output in log files, and obeys signals and the control socket. It does not know what its
// children do; all it knows of a program is its ProgramSpec. One thread, one poll loop.
//
// Signals: TERM and INT stop everything, highest priority number first, so that workers finish before
// the node goes (a second one kills at once: safe, nothing acknowledged is only in memory); HUP reloads;
// USR1 reopens the log files; USR2 asks for the upgrade to a new binary; TSTP and CONT are passed on to
// forebay's own workers; QUIT logs the state of every process.

#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/entropy.h"
#include "base/json.h"
#include "base/result.h"
#include "base/spawn.h"
#include "base/time.h"
#include "supervisor/lifecycle.h"
#include "supervisor/log_file.h"

namespace forebay::supervisor {

/// How a child's output lines are written to its log file.
enum class LogStyle {
    plain,  ///< as they come
    guide,  ///< `unixtime:n:message`
};

/// What a program is lent by its parent at each start, and what the parent keeps open between starts: listening sockets.
class Provision {
  public:
    virtual ~Provision() = default;
    /// Adds descriptors and variables. An error is a start that failed.
    virtual Result<void, std::string> lend(SpawnOptions& to) = 0;
    /// Somebody wants the program stopped: nothing may wait for it any more.
    virtual void withdraw() = 0;
};

/// One program of `count` numbered processes, or one without a number (the node).
struct ProgramSpec {
    std::string group;       ///< "core"; the node's is "node"
    std::string name;        ///< "store", "node"
    unsigned count = 1;      ///< numbered from 1: `store:1`
    unsigned count_max = 0;  ///< how many somebody may scale it to; 0 = count is the only number
    bool numbered = true;    ///< false: one process, named `node`, its n is 0
    /// Argument vector; the first is looked up in PATH. `{n}`, `{worker}` and `{node}` are replaced in each.
    std::vector<std::string> command;
    std::vector<std::pair<std::string, std::string>> environment;  ///< added to the parent's own; same replacements
    std::string directory;                                         ///< working directory, empty = the parent's
    std::string log_path;                                          ///< same replacements; empty = the parent's standard error
    /// Same replacements; empty = where the output goes. Otherwise standard error has this log of its own.
    std::string error_log_path;
    LogStyle log_style = LogStyle::plain;
    Rotation log_rotation;  ///< of both
    std::optional<unsigned> umask;
    bool autostart = true;
    Autorestart autorestart = Autorestart::always;
    std::vector<int> exitcodes{0};  ///< with which it ends well
    Duration startsecs = 1s;        ///< lives so long: RUNNING
    unsigned startretries = 3;      ///< failed starts in a row, then FATAL
    Duration stopwaitsecs = 10s;    ///< after stop_signal, before KILL
    int stop_signal = SIGTERM;
    bool stopasgroup = false;     ///< the stop signal goes to the process's whole group; KILL always does
    int priority = 999;           ///< lower starts earlier and stops later
    Duration fatal_retry = 1min;  ///< FATAL is tried again after this; 0 = stays FATAL
    /// The node: FATAL never applies, and each start gets FOREBAY_STARTS (1 for the first) in its environment.
    bool never_fatal = false;
    /// A forebay process, which knows what TSTP and CONT mean and has a channel to its parent (channel.h). Programs of
    /// others are sent neither.
    bool ours = true;
    /// A restart starts its successor first, which takes over from it (channel.h): nobody it serves notices.
    bool hands_over = false;
    /// Whatever else its processes are made from: when it changes at a reload, they are started anew.
    std::string version{};
    std::shared_ptr<Provision> provision{};

    bool operator==(const ProgramSpec&) const = default;
};

/// What a reload comes to: the programs from now on, and what is different, for people.
struct Reload {
    std::vector<ProgramSpec> programs;
    std::string text;
};

struct Options {
    std::string node_name = "forebay";  ///< `{node}`
    std::string control_path;           ///< unix socket, mode 0600; empty = none. At most 107 bytes
    /// Also copies every line of a child with a log file to standard error, as `store:1 | line`.
    bool echo = false;
    /// Takes TERM, INT, HUP, USR1, TSTP, CONT and QUIT of this process. Tests leave it off.
    bool take_signals = true;
    /// Reads the configuration again, at HUP and when `reload` is asked; the error says why nothing changes. With `dry_run`
    /// nothing else may be taken up either. Then unnumbered programs of ours get HUP. Empty = nothing to reload.
    std::function<Result<Reload, std::string>(bool dry_run)> on_reload{};
    /// Whether the binary that is there now would run; the error is told to whoever asked for the upgrade. Empty = no upgrades.
    std::function<Result<void, std::string>()> before_upgrade{};
    /// What the binary before left behind (Supervisor::leave_behind): its processes go on under this one.
    std::optional<json::Value> left_behind{};
    Duration backoff_most = 30s;
    /// In the environment of every child as FOREBAY_RUN, and of what they start: by it the next parent finds what this one leaves
    /// behind when it is killed. Empty = a fresh one.
    std::string run_id;
    /// Where the run id is kept; empty = nowhere, and nothing is looked for.
    std::string run_path;
    /// This process collects whatever descends from it and lost its parent, and ends it at last (orphans.h). One such per process,
    /// on its main thread.
    bool takes_orphans = false;
    std::shared_ptr<LogFiles> logs = std::make_shared<LogFiles>();         ///< of all processes
    std::shared_ptr<Entropy> entropy = std::make_shared<SystemEntropy>();  ///< used on the supervisor's thread
};

/// Starts after the first, by what led to them.
struct Restarts {
    std::uint64_t recycle = 0;  ///< it ended well
    std::uint64_t crash = 0;    ///< it ended badly, or could not be started
    std::uint64_t deploy = 0;   ///< somebody asked for it
};

struct ProcessStatus {
    std::string name;    ///< "store:1", "node"
    std::string group;   ///< "core"
    std::string worker;  ///< "store"
    unsigned n = 0;
    int pid = 0;  ///< 0 = none
    State state = State::stopped;
    Timestamp since;             ///< of the state
    std::uint64_t restarts = 0;  ///< starts after the first
    Timestamp next{};            ///< BACKOFF, FATAL: when it is started again; zero = not by itself
    std::string log;
    std::string why;  ///< how the last one ended: "exit 1", "signal 9 (Killed)", "cannot execute php: …"
    Restarts restarts_by{};
};

/// One program as it is run now.
struct PoolStatus {
    std::string worker, group;
    unsigned count = 0;                     ///< wanted
    unsigned count_min = 0, count_max = 0;  ///< between which it may be scaled
    bool is_by_hand = false;                ///< somebody fixed the count
};

enum class Ended {
    stopped,  ///< everything has been stopped
    upgrade,  ///< the processes run on, and the new binary is to take over
};

class Supervisor {
  public:
    /// Refuses empty commands, doubled process names and a control path that is too long or answered by another.
    static Result<std::unique_ptr<Supervisor>, std::string> open(Options options, std::vector<ProgramSpec> programs);
    virtual ~Supervisor() = default;

    /// Runs until everything has been stopped by a signal, `shutdown` on the control socket, or stop(): then no child
    /// is alive; or until an upgrade was asked and nothing that was asked before is still going on. After `upgrade` it can
    /// be called again, as if nothing had been.
    virtual Ended run() = 0;
    /// Any thread: as TERM.
    virtual void stop() = 0;
    /// Any thread: so many processes of this program, within its bounds, unless somebody fixed their number. Those above it finish
    /// what they have in hand.
    virtual void scale(std::string worker, unsigned count) = 0;
    /// For the binary that this process is about to become: Options::left_behind. The descriptors in it survive execve from
    /// here until the next call of run().
    virtual json::Value leave_behind() = 0;
};

/// Whether `pattern` names the process: `all`, `*`, `core:*`, `core:store`, `store`, `store:*`, `store:1`, `node`.
bool matches(std::string_view pattern, const ProcessStatus& process);

}  // namespace forebay::supervisor
