#pragma once
// What a queue knows about its messages, without their bodies: one slot a message, 1,024 slots a page.
// Pages are what moves between memory and disk, so a queue costs memory for what is touched, not for
// what waits. A slot is plain data and lies on disk as it lies in memory.

#include <array>
#include <cstdint>
#include <limits>

#include "base/time.h"
#include "queue/message.h"

namespace forebay::queue {

/// Where the log holds a message: opaque to the queue.
struct Place {
    std::uint32_t segment = 0;
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
    bool operator==(const Place&) const = default;
};

/// The state of one message.
struct Slot {
    std::int64_t visible_at = 0;         ///< ms; may be handed out from then on
    std::int64_t first_received_at = 0;  ///< ms; 0 = never
    std::uint64_t group = 0;             ///< hash of the message group; 0 = none
    std::uint32_t segment = 0, offset = 0, length = 0;
    std::uint32_t generation = 0;  ///< of the newest receipt
    std::uint32_t epoch = 0;       ///< boot epoch of the newest receipt
    std::uint32_t received_s = 0;  ///< seconds: the newest receive, for the 12-hour bound
    std::uint32_t sent_s = 0;      ///< seconds: when it was sent, for retention and age
    std::uint16_t receives = 0;
    std::uint8_t attempts = 0;  ///< answers a worker has noted; stays at 255
    std::uint8_t flags = 0;

    static constexpr std::uint8_t live = 1;       ///< sent and not deleted
    static constexpr std::uint8_t in_flight = 2;  ///< counted as received and hidden
    static constexpr std::uint8_t delayed = 4;    ///< counted as not yet due for the first time
    static constexpr std::uint8_t offered = 8;    ///< stands in the ready list of this process
    bool is(std::uint8_t flag) const { return (flags & flag) != 0; }
    void set(std::uint8_t flag, bool on) { flags = static_cast<std::uint8_t>(on ? flags | flag : flags & ~flag); }
    Place place() const { return {segment, offset, length}; }
};
static_assert(sizeof(Slot) == 56);

inline constexpr std::uint64_t page_slots = 1024;

/// Messages `number * 1024` up to the next page's first. Slots of messages never sent are not live.
struct Page {
    std::array<Slot, page_slots> slots{};
};

inline std::uint64_t page_of(Sequence s) { return s.value() / page_slots; }
inline std::size_t index_of(Sequence s) { return s.value() % page_slots; }

/// The summary of a page that stays in memory. `due` is never later than the earliest visible_at of its
/// live, un-offered messages.
struct PageSummary {
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
    std::int64_t due = never;
    std::uint32_t live = 0;
    std::uint32_t in_flight = 0;
    std::uint32_t delayed = 0;
};

/// Where a queue's pages come from: memory in tests, a bounded pool over a file in the broker.
class Pages {
  public:
    virtual ~Pages() = default;
    /// The page, marked as changed when `for_change`. The reference holds until the next call.
    virtual Page& page(QueueId queue, std::uint64_t number, bool for_change) = 0;
    /// The page holds nothing live any more.
    virtual void forget(QueueId queue, std::uint64_t number) = 0;
    /// A message came to lie at a place, or does not any more.
    virtual void claimed(const Place& place) = 0;
    virtual void released(const Place& place) = 0;
};

}  // namespace forebay::queue
