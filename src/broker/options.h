#pragma once
// What the broker can be told, each bound with its name. cli/ fills this in from the configuration.

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/bytes.h"
#include "base/time.h"
#include "journal/journal.h"
#include "queue/limits.h"

namespace forebay::broker {

struct BrokerOptions {
    journal::Options journal;

    std::size_t page_memory = 24_MiB;       ///< pages of message states kept in memory, claimed when opening
    std::size_t body_memory = 8_MiB;        ///< newest bodies kept in memory, claimed when opening
    std::size_t once_keys_max = 2'000'000;  ///< idempotency keys remembered (8 to 16 bytes of memory, 48 on disk each)
    /// Deduplication ids of FIFO queues remembered, of all queues together: five minutes of sends. The same memory. More are refused,
    /// none is forgotten.
    std::size_t deduplication_ids_max = 4'000'000;
    std::size_t receive_attempts_max = 10'000;  ///< ReceiveRequestAttemptIds remembered, the newest
    std::size_t waiting_receives_max = 20'000;
    std::size_t queues_max = 10'000;
    std::uint32_t in_flight_max = queue::limits::in_flight_max;  ///< of one queue

    /// A checkpoint is taken when the log has grown by this much, or holds this many changes of messages to replay, or so many pages
    /// were read as replay would have to read again, or this long after the first change that no checkpoint holds.
    std::uint64_t checkpoint_bytes = 64_MiB;
    std::uint64_t checkpoint_records = 400'000;
    std::uint64_t checkpoint_page_reads = 8'192;
    Duration checkpoint_every = 30s;

    /// How long a deleted queue's name cannot be used again, and a purged queue not be purged again; zero: SQS's pause is not kept.
    /// A restart ends it.
    Duration cool_off{0};
    Duration sync_within = 10ms;       ///< receives and visibility changes are durable at the latest after this
    Duration history_keep = 14 * 24h;  ///< how long segments with records stay as history; zero: they do not
    /// Whether history of that time may go at all (D2); empty: by its age alone.
    std::function<bool(Timestamp from, Timestamp to)> may_forget{};
    /// The oldest segment is emptied by copying when the log holds this much that is not needed, and either less than
    /// the ratio of that segment is alive or the log is larger than twice what lives.
    std::uint64_t straggler_slack = 256_MiB;
    double straggler_ratio = 0.25;

    std::size_t mailbox_commands = 16'384;  ///< more than this waiting: overloaded
    std::size_t mailbox_bytes = 48_MiB;     ///< bodies waiting in the mailbox
};

}  // namespace forebay::broker
