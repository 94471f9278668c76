#pragma once
// What one process goes through, as a table: state x event -> next state and what to do. Pure: no
// clock, no process, no signal. States and their meaning are supervisord's, so that its users know them.
//
//             start_asked  stop_asked  spawn_failed    start_due  exited_*             retry_due  kill_due
//   STOPPED   STARTING !   ·           ·               ·          ·                    ·          ·
//   STARTING  ·            STOPPING t  BACKOFF, FATAL  RUNNING    BACKOFF, FATAL       ·          ·
//   RUNNING   ·            STOPPING t  ·               ·          STARTING !, EXITED,  ·          ·
//                                                                 BACKOFF
//   BACKOFF   STARTING !   STOPPED     ·               ·          ·                    STARTING ! ·
//   STOPPING  ·            ·           ·               ·          STOPPED              ·          · k
//   EXITED    STARTING !   STOPPED     ·               ·          ·                    ·          ·
//   FATAL     STARTING !   STOPPED     ·               ·          ·                    STARTING ! ·
//
//   ! the command is executed   t the stop signal is sent   k KILL is sent   · nothing
//
// Of a process that RUNS and ends: EXITED if autorestart says so; BACKOFF if it ended so soon that starting it at once would
// only burn the processor; else it is started at once. A start that fails, by whatever way, is BACKOFF, and FATAL when
// startretries are used up.

#include <cstdint>
#include <string_view>

#include "base/entropy.h"
#include "base/time.h"

namespace forebay::supervisor {

enum class State : std::uint8_t { stopped, starting, running, backoff, stopping, exited, fatal };

enum class Event : std::uint8_t {
    start_asked,   ///< somebody wants it to run
    stop_asked,    ///< somebody wants it not to run
    spawned,       ///< the command was executed
    spawn_failed,  ///< it could not be executed
    start_due,     ///< it has lived for startsecs: it counts as started
    exited_well,   ///< it ended by itself with one of exitcodes: planned, as when a worker recycles
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

/// Whether a process that ran and ended is started again.
enum class Autorestart : std::uint8_t {
    never,
    unexpected,  ///< unless it ended with one of exitcodes
    always,
};

/// What the policy of the program decides when the table alone cannot.
struct Policy {
    Autorestart autorestart = Autorestart::always;
    bool retries_left = true;    ///< fewer than startretries failed starts in a row, or never_fatal
    bool ended_at_once = false;  ///< it ran for less than restart_spacing, and startsecs did not notice
};

/// The one table. Events that mean nothing in a state leave it as it is.
Step step(State state, Event event, Policy policy);

/// How far apart the starts of a program with startsecs = 0 are, which counts as started whatever happens.
inline constexpr Duration restart_spacing = 1s;

/// The wait after `failures` failed starts in a row: 1, 2, 3 … seconds as supervisord; for a program that may
/// never give up 0.1, 0.2, 0.4 … 5 seconds, since a node that is away is what visitors see. At most `most`.
Duration backoff_wait(unsigned failures, bool never_fatal, Duration most = 30s);
/// Up to a fifth longer or shorter, so that many that failed together do not come back together.
Duration jittered(Duration wait, Entropy& entropy);

/// `RUNNING`
std::string_view name_of(State state);
/// Whether there is a process of the operating system in this state.
bool has_process(State state);

}  // namespace forebay::supervisor
