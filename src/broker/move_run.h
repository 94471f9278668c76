#pragma once
// How far a move task has come in this process: it looks through its source from the oldest message on, again and again,
// until none that it may move is left. What is kept here is not in the log: a restart looks from the oldest on.

#include <cstdint>
#include <unordered_set>

#include "base/time.h"
#include "broker/move_pace.h"
#include "queue/message.h"

namespace forebay::broker {

struct MoveRun {
    MoveRun(unsigned rate, Instant now) : pace(rate, now), next(now), pass_began(now) {}

    MovePace pace;
    Instant next;  ///< nothing to do before

    // Of the pass through the source that is under way.
    Instant pass_began;
    queue::Sequence at;                ///< goes on from this message
    std::uint64_t hidden = 0;          ///< messages that are in somebody's hands, or delayed
    std::uint64_t without_source = 0;  ///< nobody knows where they came from
    std::uint64_t unreadable = 0;
    std::unordered_set<std::uint64_t> closed_groups;  ///< FIFO: one before is hidden, so those after it wait

    void begin_pass(Instant now) {
        pass_began = now;
        at = {};
        hidden = without_source = unreadable = 0;
        closed_groups.clear();
    }
};

}  // namespace forebay::broker
