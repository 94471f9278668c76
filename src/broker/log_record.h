#pragma once
// The broker's records in the journal, written and read: FORMAT.md §1. Views in what is read point into the
// entry's body.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/broker.h"
#include "broker/move_record.h"
#include "queue/event.h"
#include "queue/message.h"

namespace forebay::broker {

enum class RecordType : std::uint8_t {
    preamble = 0,
    enqueued = 8,
    touched = 9,
    deleted = 10,
    moved = 11,
    copied = 12,
    queue_set = 13,
    queue_deleted = 14,
    purged = 15,
    move_set = 16,
};
inline constexpr std::uint8_t flag_accepted_record = 1;  ///< of enqueued
inline constexpr std::uint8_t flag_has_key = 2;          ///< of enqueued
inline constexpr std::uint8_t flag_has_about_key = 4;    ///< of enqueued
inline constexpr std::uint8_t flag_deduplicated = 8;     ///< of enqueued
inline constexpr std::uint8_t flag_within_group = 16;    ///< of enqueued
inline constexpr std::uint8_t flag_by_expiry = 1;        ///< of purged
inline constexpr std::uint8_t flag_lost = 1;             ///< of deleted

/// One entry of the idempotency window as it lies in records and in pages.
struct OnceEntry {
    Uuid key;
    std::array<unsigned char, 12> content{};
    Uuid record;
    std::uint32_t until_s = 0;
};
static_assert(sizeof(OnceEntry) == 48);

/// The part that is the same wherever a message is written. Everything is a view.
struct MessagePart {
    Uuid id;
    Timestamp sent_at;
    queue::QueueId source;
    std::string_view group;
    std::string_view deduplication;
    std::string_view attributes;         ///< as encoded, count included
    std::string_view system_attributes;  ///< as encoded, count included
    std::string_view body;
};
std::vector<queue::MessageAttribute> decode_attributes(std::string_view encoded);
/// What a slot knows of a message's group: 0 for none, else the first 8 bytes of the group's SHA-256. Two groups of one hash
/// would wait for each other, nothing worse.
std::uint64_t group_hash(std::string_view group);
/// Bytes that count against the queue's limit: body, and names, types and values of attributes.
std::uint64_t message_bytes(const queue::OutgoingMessage& message);

/// A queue as records and checkpoints describe it.
struct QueueRecord {
    queue::QueueId id;
    std::string name;
    Timestamp created_at, modified_at;
    bool declared = false;
    QueueSettings settings;
};

struct EnqueuedRecord {
    queue::QueueId queue;
    queue::Sequence sequence;
    Timestamp visible_at;
    std::optional<OnceEntry> once, about;
    MessagePart message;
};
struct TouchedRecord {
    queue::QueueId queue;
    Timestamp at;
    std::vector<queue::Touched> events;
};
struct DeletedRecord {
    queue::QueueId queue;
    std::vector<queue::Sequence> sequences;
};
struct MovedRecord {
    queue::QueueId from;
    queue::Sequence from_sequence;
    queue::QueueId to;
    queue::Sequence to_sequence;
    queue::Slot state;  ///< without place
    MessagePart message;
};
struct CopiedRecord {
    queue::QueueId queue;
    queue::Sequence sequence;
    queue::Slot state;  ///< without place
    MessagePart message;
};
struct PurgedRecord {
    queue::QueueId queue;
    queue::Sequence below;
};
struct PreambleQueue {
    QueueRecord queue;
    queue::Sequence next;
};
struct Preamble {
    queue::QueueId next_queue;
    std::vector<PreambleQueue> queues;
    std::vector<MoveTask> moves;
};

// Writing: each replaces `out` by the record's body.
void encode_enqueued(std::string& out, queue::QueueId queue, queue::Sequence sequence, Timestamp visible_at, Timestamp sent_at,
                     const Uuid& id, const queue::OutgoingMessage& message, const OnceEntry* once, const OnceEntry* about = nullptr);
void encode_touched(std::string& out, queue::QueueId queue, Timestamp at, std::span<const queue::Touched> events);
void encode_deleted(std::string& out, queue::QueueId queue, std::span<const queue::Sequence> sequences);
void encode_moved(std::string& out, const MovedRecord& record);
void encode_copied(std::string& out, const CopiedRecord& record);
void encode_queue_set(std::string& out, const QueueRecord& record);
void encode_queue_deleted(std::string& out, queue::QueueId id);
void encode_purged(std::string& out, const PurgedRecord& record);
void append_queue_set(std::string& out, const QueueRecord& record);

// Reading: nothing when the body is not what its type says.
std::optional<EnqueuedRecord> decode_enqueued(std::uint8_t flags, std::string_view body);
std::optional<TouchedRecord> decode_touched(std::string_view body);
std::optional<DeletedRecord> decode_deleted(std::string_view body);
std::optional<MovedRecord> decode_moved(std::string_view body);
std::optional<CopiedRecord> decode_copied(std::string_view body);
std::optional<QueueRecord> decode_queue_set(std::string_view body);
std::optional<queue::QueueId> decode_queue_deleted(std::string_view body);
std::optional<PurgedRecord> decode_purged(std::string_view body);
std::optional<Preamble> decode_preamble(std::string_view body);

/// The message part of an enqueued, moved or copied record.
std::optional<MessagePart> message_of(std::uint8_t type, std::uint8_t flags, std::string_view body);

}  // namespace forebay::broker
