#pragma once
// Processes that descend from this one and whose own parent has ended, a daemon's for example: the kernel gives them to us
// (PR_SET_CHILD_SUBREAPER), or to whoever is process 1. They are collected when they end, and ended with us. What other threads of this
// process started is theirs and left alone.

#include <functional>

#include "base/time.h"

namespace forebay::supervisor {

/// From now on orphans become children of this process, of its main thread. That stays so over execve.
void take_orphans();

/// Collects what has ended and is this thread's. `is_known` gets the pid of each before that; when it answers true it has collected it
/// itself.
void collect_ended(const std::function<bool(int pid)>& is_known);

/// TERM, and after `patience` KILL, to this thread's children and all that descends from them; returns when nothing is left that
/// can be killed.
void end_descendants(Duration patience, Clock& clock);

}  // namespace forebay::supervisor
