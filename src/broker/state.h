#pragma once
// Everything the log says, applied: queues with their messages, the idempotency window, the use of segments.
// Replay and the turn change it through the same functions, so what is rebuilt after a crash is what was there.

#include <cstdint>

#include "broker/log_record.h"
#include "broker/move_book.h"
#include "broker/once_window.h"
#include "broker/options.h"
#include "broker/page_pool.h"
#include "broker/queue_book.h"
#include "broker/segment_use.h"
#include "journal/journal.h"

namespace forebay::broker {

struct State {
    explicit State(const BrokerOptions& options);
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    /// Applies one entry of the log. Entries may come twice.
    void apply(const journal::Entry& entry);

    // The same for the turn, which has just appended the record and knows what is in it.
    void enqueue(NamedQueue& queue, queue::Sequence sequence, const journal::Location& location, Timestamp sent_at, Timestamp visible_at,
                 std::uint64_t group, bool is_accepted_record);
    void restore(NamedQueue& queue, queue::Sequence sequence, const journal::Location& location, queue::Slot state);
    void remove(NamedQueue& queue, queue::Sequence sequence, bool is_lost);
    void purge(NamedQueue& queue, queue::Sequence below, bool by_expiry);
    void erase_queue(NamedQueue& queue);
    /// The body of the preamble that each segment begins with.
    std::string preamble() const;

    SegmentUse use;
    PagePool pages;
    OnceWindow once;
    OnceWindow deduplication;
    QueueBook queues;
    MoveBook moves;
    Timestamp latest;  ///< the latest time the broker is known to have lived by; not the wall clock's, which may have been doubted
    std::uint64_t undecodable = 0;  ///< records that were skipped

  private:
    void apply_queue(QueueRecord record);
    NamedQueue* queue_of(queue::QueueId id, const journal::Entry& entry);
    void apply_preamble(const Preamble& preamble);
    void apply_enqueued(const journal::Entry& entry);
    void apply_touched(std::string_view body);
    void apply_deleted(const journal::Entry& entry);
    void apply_moved(const journal::Entry& entry);
    void apply_copied(const journal::Entry& entry);
    void apply_removal_of_queue(std::string_view body);
    void apply_purged(const journal::Entry& entry);
    void apply_deduplication(const EnqueuedRecord& record, std::uint8_t flags);
    void skip() { undecodable += 1; }
};

queue::Place place_of(const journal::Location& location);

}  // namespace forebay::broker
