#pragma once
// The embedded queue server without a wire format: commands go in from any thread, answers come out
// after everything they depend on is durable. One thread owns every queue and the journal; it takes the
// whole mailbox, decides each command, appends, syncs once, then runs all answers (on that thread, so an
// answer must be short and must not call back in a blocking way).

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/unique_function.h"
#include "queue/message.h"

namespace forebay::broker {

/// Why a command was not carried out. Nothing was changed, except with journal_fault.
enum class Refusal {
    no_such_queue,
    queue_exists,            ///< with other attributes
    queue_is_declared,       ///< of the configuration: delete, purge and changes are refused
    queue_keeps_records,     ///< of the configuration once: it goes only when it is empty, and is not purged or changed
    queue_deleted_recently,  ///< one of that name, less than the cool-off ago
    purge_in_progress,       ///< it was purged less than the cool-off ago
    message_too_long,
    too_many_in_flight,
    invalid_receipt,        ///< not one of ours
    not_in_flight,          ///< visibility cannot be changed: deleted or not received
    visibility_too_long,    ///< over 12 h since the receive
    receipt_expired,        ///< FIFO: its visibility ended, or a newer receipt runs (D20)
    group_missing,          ///< FIFO: a message belongs to a group
    deduplication_missing,  ///< FIFO: neither an id nor deduplication by content
    deduplication_full,     ///< more ids within the window than are remembered: try again, nothing is forgotten
    invalid_attribute,      ///< e.g. a redrive target that is missing
    overloaded,             ///< the mailbox is full: try again
    no_room,                ///< the disk is full: additions are refused, deletes go on
    stopping,
    not_a_dead_letter_queue,  ///< a move task's source must be the dead-letter queue of another
    same_queue,               ///< a move task's source and destination
    no_such_destination,      ///< of a move task
    other_kind_of_queue,      ///< a move task's source is FIFO and its destination is not, or the other way round
    would_lose_records,       ///< a move task from a queue that carries records into one that does not: an operator may
    move_is_running,          ///< one at a time from one source
    too_many_moves,           ///< as many tasks run as may
    no_such_move,
    move_has_ended,  ///< only what runs can be cancelled
    journal_fault,   ///< the log could not be made durable: the outcome is unknown, the process ends
};

struct Redrive {
    std::string dead_letter;  ///< queue name
    std::uint32_t max_receive_count = 0;
    bool operator==(const Redrive&) const = default;
};

/// What a queue is set to. Names and defaults are SQS's.
struct QueueSettings {
    Duration visibility_timeout = 30s;
    Duration delay = 0s;
    Duration retention = 4 * 24h;
    Duration receive_wait = 0s;
    std::uint64_t message_bytes_max = 1048576;
    std::optional<Redrive> redrive;
    bool carries_records = false;              ///< declared in TOML, or was: never expires, refuses purge and delete (D21)
    bool fifo = false;                         ///< the name ends in .fifo; never changes
    bool content_deduplication = false;        ///< FIFO: without an id, the SHA-256 of the body is the id
    bool deduplication_per_group = false;      ///< FIFO: DeduplicationScope=messageGroup
    bool throughput_per_group = false;         ///< FIFO: FifoThroughputLimit=perMessageGroupId, kept for the API
    std::map<std::string, std::string> extra;  ///< attributes kept for the API only (Policy, tags as "tag:…")
    bool operator==(const QueueSettings&) const = default;
};

/// Somebody stopped a queue from handing out messages.
struct QueuePause {
    Timestamp since;
    std::string reason, by;  ///< in the words of whoever asked; may be empty
    bool operator==(const QueuePause&) const = default;
};

struct QueueStatus {
    std::string name;
    QueueSettings settings;
    Timestamp created_at;
    Timestamp modified_at;
    bool declared = false;  ///< of the configuration; if not and it carries records, it was once
    std::uint64_t ready = 0;
    std::uint64_t in_flight = 0;
    std::uint64_t delayed = 0;
    std::uint64_t bytes = 0;                             ///< bodies and attributes of all messages here
    std::optional<Timestamp> oldest;                     ///< when the oldest message still here was sent
    std::uint64_t sends = 0, receives = 0, deletes = 0;  ///< since this process started
    std::optional<QueuePause> pause{};                   ///< nobody is handed anything
};

struct Sent {
    Uuid id;                     ///< MessageId; of a FIFO duplicate: the first one's
    bool duplicate = false;      ///< the key, or the deduplication id, was seen before: nothing was added
    Uuid original_record;        ///< for a duplicate: the record id the key was first used with
    bool key_reused = false;     ///< the key was seen with another content; added all the same, unless refuse_reuse or AboutKey forbid it
    bool is_another = false;     ///< another of the same AboutKey: `original_record` is the first
    queue::Sequence sequence{};  ///< its place in its queue; of a FIFO duplicate: the first one's
};

/// A client's key within its window (idempotency): the same `key` again adds nothing if `content` is equal.
struct OnceKey {
    Uuid key;      ///< hash of who, where and the client's key
    Uuid content;  ///< hash of what was sent
    Uuid record;   ///< id of the record, told to whoever sends it again
    Duration window = 7 * 24h;
    bool refuse_reuse = false;  ///< the key with another content adds nothing either; Sent says key_reused
};

/// What a message is about, whoever sends it: within the window another about the same is told from the first.
struct AboutKey {
    Uuid key;     ///< hash of where, and of what counts
    Uuid record;  ///< id of the record, told to whoever sends another
    Duration window = 24h;
    bool refuse = false;    ///< another adds nothing, not even its OnceKey: after this window that key is a new one
    std::string another{};  ///< else: what another has for a body
};

struct Send {
    using Answer = UniqueFunction<void(Result<Sent, Refusal>)>;
    std::string queue;
    queue::OutgoingMessage message;
    std::optional<OnceKey> once;
    Answer answer;
    std::optional<AboutKey> about{};
};
struct SendBatch {
    using Answer = UniqueFunction<void(Result<std::vector<Result<Sent, Refusal>>, Refusal>)>;
    std::string queue;
    std::vector<queue::OutgoingMessage> messages;
    Answer answer;
};
struct Receive {
    using Answer = UniqueFunction<void(Result<std::vector<queue::Delivery>, Refusal>)>;
    std::string queue;
    unsigned max_messages = 1;
    std::optional<Duration> visibility;
    std::optional<Duration> wait;  ///< nothing = the queue's
    /// Asked just before handing out; false = the client has gone and gets nothing. May be empty.
    UniqueFunction<bool()> still_wanted;
    Answer answer;
    /// ReceiveRequestAttemptId: a FIFO receive repeated under it gives the same messages again. Empty = none.
    std::string attempt{};
};
struct Delete {
    using Answer = UniqueFunction<void(Result<std::vector<Result<void, Refusal>>, Refusal>)>;
    std::string queue;
    std::vector<queue::Receipt> receipts;
    Answer answer;
};
struct VisibilityChange {
    queue::Receipt receipt;
    Duration timeout{0};
    bool release = false;                   ///< hold: visible again and the receive is not counted (D16)
    std::optional<std::uint32_t> attempts;  ///< notes the worker's attempt count with the message
};
struct ChangeVisibility {
    using Answer = UniqueFunction<void(Result<std::vector<Result<void, Refusal>>, Refusal>)>;
    std::string queue;
    std::vector<VisibilityChange> changes;
    Answer answer;
};
struct CreateQueue {
    using Answer = UniqueFunction<void(Result<QueueStatus, Refusal>)>;
    std::string queue;
    QueueSettings settings;
    bool declared = false;  ///< from the configuration: an existing queue takes these settings
    Answer answer;
};
/// Changes what a queue is set to. The change is made to what it is set to when the command is decided, so that of
/// two changes at once neither is lost.
struct SetQueue {
    using Answer = UniqueFunction<void(Result<void, Refusal>)>;
    /// On the broker's thread: must be short. False = nothing is changed, and the answer is invalid_attribute.
    using Change = std::function<bool(QueueSettings&)>;
    std::string queue;
    Change change;
    Answer answer;
};
/// The configuration does not have the queue any more. It keeps what it holds, for as long as it takes, and can be deleted once it is
/// empty.
struct Undeclare {
    using Answer = UniqueFunction<void(Result<void, Refusal>)>;
    std::string queue;
    Answer answer;
};
/// Stops a queue from handing out messages, or lets it go on. While it is stopped receives wait and end empty, everything else goes
/// on, and nothing expires; nor does it before it was handed out again for as long as the queue's retention. Kept in memory only:
/// who asks keeps it, and asks again when the broker is opened.
struct PauseQueue {
    using Answer = UniqueFunction<void(Result<QueueStatus, Refusal>)>;
    std::string queue;
    std::optional<QueuePause> pause;  ///< nothing = it goes on
    Timestamp went_on{};              ///< of one that goes on, if that was earlier than now; zero = it is now
    Answer answer;
};
/// The same for all queues at once, those to come too, whatever each is told for itself.
struct PauseAll {
    using Answer = UniqueFunction<void(Result<void, Refusal>)>;
    bool is_paused = false;
    Answer answer;
};
struct DeleteQueue {
    using Answer = UniqueFunction<void(Result<void, Refusal>)>;
    std::string queue;
    Answer answer;
};
struct Purge {
    using Answer = UniqueFunction<void(Result<void, Refusal>)>;
    std::string queue;
    bool as_operator = false;  ///< also a queue that carries records, and one that was purged a moment ago
    Answer answer;
};
struct GetQueue {
    using Answer = UniqueFunction<void(Result<QueueStatus, Refusal>)>;
    std::string queue;
    Answer answer;
};
struct ListQueues {
    using Answer = UniqueFunction<void(Result<std::vector<QueueStatus>, Refusal>)>;
    std::string prefix;
    Answer answer;
};
/// Looks at messages without receiving them: oldest first, visible or not. Their receipts delete (an operator's act), except
/// in a FIFO queue, where only what is in flight can be deleted.
struct Peek {
    struct Item {
        queue::Delivery message;
        Timestamp visible_at;
    };
    using Answer = UniqueFunction<void(Result<std::vector<Item>, Refusal>)>;
    std::string queue;
    unsigned max_messages = 10;
    std::optional<queue::Sequence> after;  ///< page on from this message (receipt.sequence of the last one seen)
    Answer answer;
};

enum class MoveState : std::uint8_t { running, completed, cancelled, failed };

/// A move task: dead letters on their way back, or to another queue, in the background (FORMAT.md §1, 16).
struct MoveStatus {
    Uuid id;
    std::string source;                      ///< queue name
    std::optional<std::string> destination;  ///< queue name; nothing = each message goes back to the queue it came from
    std::optional<unsigned> rate;            ///< messages a second, at most
    MoveState state = MoveState::running;
    std::uint64_t moved = 0, to_move = 0;
    Timestamp started_at;
    std::string failure;  ///< of one that failed: AWS's code where there is one
};

/// Moves the messages that are in the source now, each when it is visible, oldest first. A message that is moved is a new one:
/// nothing of its receives is left, and it has a new id unless a queue that carries records is its source or destination.
/// The task goes on after a restart.
struct StartMove {
    using Answer = UniqueFunction<void(Result<MoveStatus, Refusal>)>;
    std::string source;
    std::optional<std::string> destination;
    std::optional<unsigned> rate;
    bool as_operator = false;  ///< also from a queue that carries records into one that does not
    Answer answer;
};
struct CancelMove {
    using Answer = UniqueFunction<void(Result<MoveStatus, Refusal>)>;
    std::string source;
    Uuid id;
    Answer answer;
};
/// The tasks of a source, newest first.
struct ListMoves {
    using Answer = UniqueFunction<void(Result<std::vector<MoveStatus>, Refusal>)>;
    std::string source;
    unsigned max = 10;
    Answer answer;
};

using Command = std::variant<Send, SendBatch, Receive, Delete, ChangeVisibility, CreateQueue, SetQueue, Undeclare, PauseQueue, PauseAll,
                             DeleteQueue, Purge, GetQueue, ListQueues, Peek, StartMove, CancelMove, ListMoves>;

/// The port that sqs/, transport/ and admin/ speak to. Broker (broker_thread.h) is the real one.
class Commands {
  public:
    virtual ~Commands() = default;
    /// Takes the command; its answer runs exactly once, later, on the broker's thread. When the mailbox is
    /// full the answer is run at once, on this thread, with Refusal::overloaded.
    virtual void submit(Command command) = 0;
    /// Signs and reads receipt handles: opaque text for clients.
    virtual std::string handle_of(const queue::Receipt& receipt) const = 0;
    virtual std::optional<queue::Receipt> receipt_of(std::string_view handle) const = 0;
};

}  // namespace forebay::broker
