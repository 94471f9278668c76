#pragma once
// What one process goes through, as a table: state x event -> next state and what to do. Pure: no
// clock, no process, no signal. States and their meaning are supervisord's, so that its users know them.

#include <cstdint>
#include <string_view>

#include "base/time.h"

namespace forebay::supervisor {

enum class State : std::uint8_t { stopped, starting, running, backoff, stopping, exited, fatal };

enum class Event : std::uint8_t {
    start_asked,   ///< somebody wants it to run
    stop_asked,    ///< somebody wants it not to run
    spawned,       ///< the command was executed
    spawn_failed,  ///< it could not be executed
    start_due,     ///< it has lived for startsecs: it counts as started
    exited_well,   ///< it ended by itself with exit code 0: planned, as when a worker recycles
    exited_badly,  ///< it ended by itself otherwise, or was killed
    retry_due,     ///< the wait of BACKOFF or of fatal_retry is over
    kill_due,      ///< stopwaitsecs are over and it is still there
};

enum class Action : std::uint8_t {
    none,
    spawn,           ///< execute the command now
    send_stop,       ///< send stopsignal; kill_due comes after stopwaitsecs
    send_kill,       ///< KILL to the whole process group
    wait_and_retry,  ///< BACKOFF: ask again after a wait that grows with each failed start
    give_up,         ///< FATAL, unless the program may never give up: then as wait_and_retry
};

struct Step {
    State next;
    Action action;
    bool operator==(const Step&) const = default;
};

/// What the policy of the program decides when the table alone cannot.
struct Policy {
    bool autorestart = true;   ///< a process that ends is started again
    bool retries_left = true;  ///< fewer than startretries failed starts in a row, or never_fatal
};

/// The one table. Events that mean nothing in a state leave it as it is.
Step step(State state, Event event, Policy policy);

/// The wait after `failures` failed starts in a row: 1, 2, 3 … seconds as supervisord; for a program that may
/// never give up 0.1, 0.2, 0.4 … 5 seconds, since a node that is away is what visitors see. At most `most`.
Duration backoff_wait(unsigned failures, bool never_fatal, Duration most = 30s);

/// `RUNNING`
std::string_view name_of(State state);
/// Whether there is a process of the operating system in this state.
bool has_process(State state);

}  // namespace forebay::supervisor
