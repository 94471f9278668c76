#pragma once
// What can happen to a queue's messages. Events carry the resulting state, never a difference, so that
// applying one twice is the same as once: replay after a crash needs no bookkeeping.

#include <cstdint>
#include <vector>

#include "queue/message.h"
#include "queue/page.h"

namespace forebay::queue {

struct Enqueued {
    Sequence sequence;
    Place place;
    Timestamp sent_at;
    Timestamp visible_at;
    std::uint64_t group = 0;
};
/// A message received before, with all that is known of it: a dead letter, or a straggler copied forward.
struct Restored {
    Sequence sequence;
    Slot state;
};
/// The newest state of a message that was received or whose visibility changed.
struct Touched {
    Sequence sequence;
    std::int64_t visible_at = 0;
    std::int64_t first_received_at = 0;
    std::uint32_t generation = 0;
    std::uint32_t epoch = 0;
    std::uint32_t received_s = 0;
    std::uint16_t receives = 0;
    std::uint8_t attempts = 0;
};
struct Deleted {
    Sequence sequence;
};
/// Everything below is gone: purge and expiry.
struct Purged {
    Sequence below;
};

}  // namespace forebay::queue
