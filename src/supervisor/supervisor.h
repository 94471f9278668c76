#pragma once
// The parent process: starts the node and the numbered workers, watches them, starts again what dies,
// keeps their output in log files, and obeys signals and the control socket. It does not know what its
// children do; all it knows of a program is its ProgramSpec. One thread, one poll loop.
//
// Signals: TERM and INT stop everything, highest priority number first, so that workers finish before
// the node goes (a second one kills at once: safe, nothing acknowledged is only in memory); USR1
// reopens the log files; HUP is passed on to forebay's own processes, TSTP and CONT to its workers; QUIT
// logs the state of every process.

#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "supervisor/lifecycle.h"

namespace forebay::supervisor {

/// How a child's output lines are written to its log file.
enum class LogStyle {
    plain,  ///< as they come
    guide,  ///< `unixtime:n:message`
};

/// One program of `count` numbered processes, or one without a number (the node).
struct ProgramSpec {
    std::string group;     ///< "core"; the node's is "node"
    std::string name;      ///< "store", "node"
    unsigned count = 1;    ///< numbered from 1: `store:1`
    bool numbered = true;  ///< false: one process, named `node`, its n is 0
    /// Argument vector; the first is looked up in PATH. `{n}`, `{worker}` and `{node}` are replaced in each.
    std::vector<std::string> command;
    std::vector<std::pair<std::string, std::string>> environment;  ///< added to the parent's own; same replacements
    std::string directory;                                         ///< working directory, empty = the parent's
    std::string log_path;                                          ///< same replacements; empty = the parent's standard error
    LogStyle log_style = LogStyle::plain;
    bool autostart = true;
    bool autorestart = true;
    Duration startsecs = 1s;      ///< lives so long: RUNNING
    unsigned startretries = 3;    ///< failed starts in a row, then FATAL
    Duration stopwaitsecs = 10s;  ///< after stop_signal, before KILL
    int stop_signal = SIGTERM;
    int priority = 999;           ///< lower starts earlier and stops later
    Duration fatal_retry = 1min;  ///< FATAL is tried again after this; 0 = stays FATAL
    /// The node: FATAL never applies, and each start gets FOREBAY_STARTS (1 for the first) in its environment.
    bool never_fatal = false;
    /// A forebay process, which knows what HUP, TSTP and CONT mean. Programs of others are not sent them.
    bool ours = true;
};

struct Options {
    std::string node_name = "forebay";  ///< `{node}`
    std::string control_path;           ///< unix socket, mode 0600; empty = none. At most 107 bytes
    /// Also copies every line of a child with a log file to standard error, as `store:1 | line`.
    bool echo = false;
    /// Takes TERM, INT, HUP, USR1, TSTP, CONT and QUIT of this process. Tests leave it off.
    bool take_signals = true;
    /// Called at HUP, before the children get theirs.
    std::function<void()> on_hup;
    Duration backoff_most = 30s;
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
    std::string log;
    std::string why;  ///< how the last one ended: "exit 1", "signal 9 (Killed)", "cannot execute php: …"
};

class Supervisor {
  public:
    /// Refuses empty commands, doubled process names and a control path that is too long or answered by another.
    static Result<std::unique_ptr<Supervisor>, std::string> open(Options options, std::vector<ProgramSpec> programs);
    virtual ~Supervisor() = default;

    /// Runs until everything has been stopped by a signal, `shutdown` on the control socket, or stop().
    /// Children still alive when it returns: none. Returns the exit code for the process.
    virtual int run() = 0;
    /// Any thread: as TERM.
    virtual void stop() = 0;
};

/// Whether `pattern` names the process: `all`, `*`, `core:*`, `core:store`, `store`, `store:*`, `store:1`, `node`.
bool matches(std::string_view pattern, const ProcessStatus& process);

}  // namespace forebay::supervisor
