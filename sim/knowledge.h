#pragma once
// What can be known about messages and queues by somebody who sees only what clients asked and were answered.
// An answer makes things certain, a death of the process leaves everything asked and not answered open, and
// the next sight of a message settles it again. The auditor decides from this knowledge alone.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "broker/broker.h"

namespace forebay::sim {

/// One batch of commands that the broker is handed together. Within a round nothing is ordered for certain.
using Round = std::uint64_t;

enum class Certainty { no, maybe, yes };

struct QueueKnowledge;

/// A move task, as far as answers tell.
struct MoveKnowledge {
    QueueKnowledge* source = nullptr;
    QueueKnowledge* destination = nullptr;  ///< null: each goes back to the queue it came from
    Uuid id;                                ///< nil until an answer tells it
    Round asked = 0;
    Certainty started = Certainty::maybe;
    bool cancel_was_asked = false;
    broker::MoveState state = broker::MoveState::running;
    Round ended = 0;             ///< in which it was known that it runs no more; 0 = it may be running
    Round told = 0;              ///< in which its count was told last
    std::uint64_t moved = 0;     ///< as told last
    std::uint64_t in_reach = 0;  ///< messages that it may move at most
    std::uint64_t arrived = 0;   ///< messages that it moved for certain
    unsigned deaths = 0;         ///< of the process, since it was started
};

/// A task that may move a message, or may have moved it already.
struct Mover {
    MoveKnowledge* task;
    bool for_certain;  ///< the message was in the source when it was started
};

/// How often a message has been received. A power cut may bring back any value since the last one that is known
/// to be durable, so that range is kept beside the value itself.
class ReceiveCount {
  public:
    std::uint32_t least() const { return least_; }
    std::uint32_t most() const { return most_; }
    /// A delivery or a release has told the count.
    void is_now(std::uint32_t least, std::uint32_t most, Round round, Round last_synced);
    /// Answers that never came may have counted up or down.
    void may_have_changed(std::uint32_t up, std::uint32_t down);
    void forget_unsynced(Round last_synced);
    /// The process is up again and whatever it found is durable.
    void settle() { changed_ = 0; }

  private:
    std::uint32_t least_ = 0, most_ = 0;              // now
    std::uint32_t since_least_ = 0, since_most_ = 0;  // all values since the last durable one
    Round changed_ = 0;
};

struct MessageKnowledge {
    std::string label;  ///< the start of its body, for sentences
    QueueKnowledge* home = nullptr;
    Uuid id;  ///< nil until an answer or a delivery tells it
    bool is_once = false;
    bool is_record = false;     ///< history is to know it once it was acknowledged
    bool acknowledged = false;  ///< ever
    std::uint64_t body = 0;     ///< hash of it alone

    /// Whether it was ever added: asked for (maybe), acknowledged or seen (yes), refused (no).
    Certainty added = Certainty::maybe;
    Round added_round = 0;
    Certainty gone = Certainty::no;
    Round gone_round = 0;
    std::string_view gone_by;
    bool excused = false;  ///< the device damaged the place where it lay

    Instant asked_at;
    Duration delay_least{0};
    Duration jumped_at_ask{0};  ///< how far the clock had jumped forward by then
    Instant visible_by;         ///< can be received from then on, for certain
    Instant visible_by_before;  ///< the same, if the newest changes were lost in a power cut
    Round lowered = 0;          ///< the newest round in which a change made it visible earlier

    QueueKnowledge* seen_in = nullptr;  ///< where it was last delivered
    std::optional<queue::Receipt> newest;
    bool newest_is_certain = false;  ///< no receive of unknown outcome since
    Instant hidden_until;            ///< may not be delivered before; 0 = no such claim
    Round disturbed = 0;             ///< the newest round in which a change or a delete of it was asked
    unsigned disturbances = 0;       ///< how many in that round
    Round delivered = 0;
    ReceiveCount receives;
    std::optional<std::uint32_t> attempts = 0;

    std::string group;
    std::string deduplication;                ///< what makes another the same; empty for none
    std::optional<queue::Sequence> sequence;  ///< an answer told it
    Round taken = 0;                          ///< in which its send was acknowledged
    Instant added_by;                         ///< when that it was added was known
    std::string attempt;                      ///< the receive that gave it last was made under this id

    QueueKnowledge* sent_to = nullptr;
    Uuid sent_id;               ///< under which it was sent; a move task gives it another
    bool was_moved = false;     ///< by a task, perhaps
    std::vector<Mover> movers;  ///< tasks that may have moved it since it was last seen, or may yet

    bool is_dead() const { return seen_in != nullptr && seen_in != home; }
    /// The receipt was given before a task moved it, or may have been: it may have no effect.
    bool is_of_before_move(const queue::Receipt& receipt) const {
        return was_moved && !(newest && newest->queue == receipt.queue && newest->sequence == receipt.sequence);
    }
    /// Where it is depends on what a task has done, unless it is hidden where it was seen.
    bool may_have_moved(Instant now) const { return !movers.empty() && hidden_until <= now; }
    void disturb(Round round);
    void lower_visible_by(Instant at, Round round, Round last_synced);
};

struct QueueKnowledge {
    std::string name;
    Certainty exists = Certainty::no;
    std::uint64_t decided_by = 0;  ///< the operation that says so: of two in one round the later one, whoever was answered first
    Round settled = 0;             ///< the newest round in which it was asked to be made, changed or removed
    Round busy = 0;                ///< the newest round in which its messages were asked to change
    bool is_declared = false;
    bool was_removed = false;                       ///< or may have been: dead letters of that time have no source any more
    std::vector<broker::QueueSettings> settings;    ///< any of these may hold now
    Duration retention_least = Duration::max();     ///< that ever may have held
    std::uint32_t receives_max_least = UINT32_MAX;  ///< the least redrive limit that ever may have held
    std::set<std::string> dead_letters;             ///< every queue its messages may have been moved to
    std::vector<MessageKnowledge*> messages;        ///< sent here and not certainly gone

    Round forgets_ids = 0;              ///< the newest round in which deduplication ids may have become new again
    Round forgot_ids = 0;               ///< the newest round in which a purge was acknowledged
    std::set<std::string> served;       ///< of a standard queue: groups of which a message was received, or may have been
    std::vector<MoveKnowledge*> moves;  ///< tasks it is the source of, oldest first

    bool is_fifo() const { return name.ends_with(".fifo"); }
    bool carries_records() const;
    Duration visibility(bool longest) const;
    Duration delay(bool longest) const;
    /// The most receives a message may show here; nothing = unlimited.
    std::optional<std::uint32_t> receives_max() const;
    void may_hold(const broker::QueueSettings& settings);
    void holds(const broker::QueueSettings& settings);
    void drop(const MessageKnowledge* message);
    void decide_existence(Certainty now, std::uint64_t operation);
};

/// The same bytes.
std::uint64_t content_of(std::string_view body);
/// The same bytes, attributes and group.
std::uint64_t content_of(std::string_view body, const std::vector<queue::MessageAttribute>& attributes,
                         const std::vector<queue::MessageAttribute>& system_attributes, std::string_view group);

}  // namespace forebay::sim
