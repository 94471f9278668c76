#pragma once
// States the promise once: what was acknowledged and not deleted is still there, byte for byte, whatever crashed.
// The auditor sees only what clients see - commands asked, answers given, the real time, and that the process
// died - and says in a sentence what contradicts the promise. It knows nothing of journals, disks or pages, and
// was written from the specification, not from the engine.
//
// Unknown outcomes (no answer, or journal_fault) may be either, each for itself. It keeps the first finding only.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/strong.h"
#include "base/time.h"
#include "broker/broker.h"
#include "sim/knowledge.h"
#include "sim/rare.h"

namespace forebay::sim {

using Operation = Strong<struct OperationTag>;  ///< number of a command in the history

enum class Death {
    killed,      ///< the process is gone, the machine is not: what was written is there
    power_lost,  ///< what was not synced may be gone
};

class Auditor {
  public:
    using Refusal = broker::Refusal;
    template <class T>
    using Told = Result<T, Refusal>;

    /// A round begins: the commands asked until the next one go to the broker together, at `real`, which is the time
    /// that passes for everybody, whatever the wall clock says.
    void begin_round(Instant real);
    /// Time passes inside the round (a slow disk).
    void time_is(Instant real) { later_ = std::max(later_, real); }
    /// In a history a receive that has `still_wanted` comes from a client that has gone.
    void asked(Operation operation, const broker::Command& command);
    void answered(Operation operation, const Told<broker::Sent>& answer);
    void answered(Operation operation, const Told<std::vector<Told<broker::Sent>>>& answer);
    void answered(Operation operation, const Told<std::vector<queue::Delivery>>& answer);
    void answered(Operation operation, const Told<std::vector<Told<void>>>& answer);
    void answered(Operation operation, const Told<broker::QueueStatus>& answer);
    void answered(Operation operation, const Told<void>& answer);
    void answered(Operation operation, const Told<std::vector<broker::QueueStatus>>& answer);
    void answered(Operation operation, const Told<std::vector<broker::Peek::Item>>& answer);
    void answered(Operation operation, const Told<broker::MoveStatus>& answer);
    void answered(Operation operation, const Told<std::vector<broker::MoveStatus>>& answer);

    /// In this round the process stops by itself: whoever waits for a message is told that there is none.
    void stopping() { stopping_ = round_; }
    /// The wall clock was set; the real time was not.
    void clock_set(Duration by);
    void died(Death how);
    void restarted();
    /// The device failed to read: any message that could be received may be handed out only after `kept_back`.
    void reads_failed(Duration kept_back);
    /// The device lost or changed bytes that had been synced: messages whose body begins with one of `labels` may be gone
    /// (the engine must say so), and what was done to any message may have been forgotten. All others must be there.
    void damaged(const std::vector<std::string>& labels);

    /// What history shows, hashed bodies by message id. Whatever was accepted within `keep` must be there, whether its message
    /// is or not, and nothing that nobody sent.
    void history(const std::map<Uuid, std::uint64_t>& shown, Duration keep);
    /// Nothing goes wrong any more and everything that could be received was received and deleted.
    void end();
    const std::optional<std::string>& finding() const { return finding_; }
    /// A move task that was acknowledged is not known to have ended.
    bool a_move_runs() const;
    /// When the last of the messages that must be there can be received; nothing if none must be there.
    std::optional<Instant> last_visible() const;
    /// Messages that are missing at the end because of damage: if any, the engine must have reported it.
    std::size_t lost_to_damage() const { return lost_to_damage_; }
    const RareStates& seen() const { return seen_; }

  private:
    struct OnceUse {
        std::uint64_t content = 0;
        Uuid record;
        MessageKnowledge* message = nullptr;
        unsigned asks = 0;
        bool settled = false;  ///< an answer said that it was added, or is a duplicate
        bool unsure = false;   ///< an attempt after the window has no answer: which message a duplicate means is open
        Instant added_at;      ///< the earliest moment at which it can have been added
        Duration jumped_at_add{0};
    };
    struct OnceKnowledge {
        std::vector<OnceUse> uses;
        bool unclear = false;  ///< the key was used with several contents: only weak rules hold
    };
    struct SendAsked {
        QueueKnowledge* queue;
        std::vector<MessageKnowledge*> messages;
        std::optional<broker::OnceKey> once;
        std::uint64_t content = 0;  ///< of the one message that has a key
    };
    struct ReceiveAsked {
        QueueKnowledge* queue;
        unsigned max;
        std::optional<Duration> visibility;
        bool wanted;
        Instant asked_at, until;  ///< it waits no longer
        std::string attempt;
    };
    struct DeleteAsked {
        QueueKnowledge* queue;
        std::vector<MessageKnowledge*> messages;  ///< null = a receipt that was never given
        std::vector<queue::Receipt> receipts;
    };
    struct ChangeAsked {
        struct One {
            MessageKnowledge* message;
            broker::VisibilityChange change;
        };
        QueueKnowledge* queue;
        std::vector<One> changes;
    };
    struct CreateAsked {
        QueueKnowledge* queue;
        broker::QueueSettings settings;
        bool declared;
    };
    struct SetAsked {
        QueueKnowledge* queue;
        broker::QueueSettings settings;
    };
    struct RemoveAsked {
        QueueKnowledge* queue;
    };
    struct PurgeAsked {
        QueueKnowledge* queue;
        bool as_operator;
    };
    struct StatusAsked {
        QueueKnowledge* queue;
    };
    struct ListAsked {
        std::string prefix;
    };
    struct PeekAsked {
        QueueKnowledge* queue;
        unsigned max;
        bool from_start;
    };
    struct StartAsked {
        MoveKnowledge* task;
    };
    struct CancelAsked {
        QueueKnowledge* source;
        MoveKnowledge* task;  ///< null = one that nobody started
    };
    struct MovesAsked {
        QueueKnowledge* source;
        unsigned max;
    };
    using Ask = std::variant<SendAsked, ReceiveAsked, DeleteAsked, ChangeAsked, CreateAsked, SetAsked, RemoveAsked, PurgeAsked, StatusAsked,
                             ListAsked, PeekAsked, StartAsked, CancelAsked, MovesAsked>;

    template <class T>
    static bool is_unknown(const Told<T>& answer) {
        return !answer.ok() && answer.error() == Refusal::journal_fault;
    }
    /// What the answer belongs to; nothing when the answer leaves the outcome open or answers nothing that was asked.
    template <class A>
    std::optional<A> take(Operation operation, bool unknown) {
        auto found = asks_.find(operation);
        if (found == asks_.end() || !std::holds_alternative<A>(found->second)) {
            find_unasked(operation);
            return std::nullopt;
        }
        if (unknown) return std::nullopt;
        auto out = std::move(std::get<A>(found->second));
        asks_.erase(found);
        return out;
    }
    void find_unasked(Operation operation);
    void find(std::string sentence);
    QueueKnowledge* queue(const std::string& name);

    Ask ask(const broker::Send&);
    Ask ask(const broker::SendBatch&);
    Ask ask(const broker::Receive&);
    Ask ask(const broker::Delete&);
    Ask ask(const broker::ChangeVisibility&);
    Ask ask(const broker::CreateQueue&);
    Ask ask(const broker::SetQueue&);
    Ask ask(const broker::DeleteQueue&);
    Ask ask(const broker::Purge&);
    Ask ask(const broker::GetQueue&);
    Ask ask(const broker::ListQueues&);
    Ask ask(const broker::Peek&);
    Ask ask(const broker::StartMove&);
    Ask ask(const broker::CancelMove&);
    Ask ask(const broker::ListMoves&);
    // The workload has none of these.
    Ask ask(const broker::Undeclare&) { return MovesAsked{}; }
    Ask ask(const broker::PauseQueue&) { return MovesAsked{}; }
    Ask ask(const broker::PauseAll&) { return MovesAsked{}; }

    MessageKnowledge* send_once(QueueKnowledge* queue, const queue::OutgoingMessage& message, std::uint64_t content,
                                const broker::OnceKey& once);
    MessageKnowledge* add(QueueKnowledge* queue, const queue::OutgoingMessage& message, std::uint64_t content);
    void sent(QueueKnowledge* queue, MessageKnowledge* message, const Told<broker::Sent>& answer);
    void sent_once(const SendAsked& asked, const broker::Sent& answer);
    void refused_once(const SendAsked& asked);
    void added_once(OnceKnowledge& known, OnceUse& use, MessageKnowledge* attempt, const broker::OnceKey& once, Uuid id);
    void duplicate(OnceUse& use, MessageKnowledge* attempt, const broker::Sent& answer);
    void reused(OnceKnowledge& known, OnceUse& use, const broker::OnceKey& once, Uuid id);
    bool is_in_window(const OnceUse& use, const broker::OnceKey& once) const;
    MessageKnowledge* copy_of(const MessageKnowledge& message);
    void acknowledged(MessageKnowledge* message, Uuid id);
    void refused(QueueKnowledge* queue, Refusal why, std::string_view what);

    // auditor_fifo.cpp
    std::string deduplication_of(QueueKnowledge* queue, const queue::OutgoingMessage& message) const;
    void sent_fifo(QueueKnowledge* queue, MessageKnowledge* message, const broker::Sent& answer);
    void deduplicated(MessageKnowledge* attempt, const broker::Sent& answer);
    MessageKnowledge* first_of(const MessageKnowledge& attempt, const Uuid& id);
    bool is_remembered(const MessageKnowledge& message) const;
    using Given = std::vector<const MessageKnowledge*>;
    void check_group(QueueKnowledge* queue, const MessageKnowledge& message, const queue::Receipt& receipt, const Given& before,
                     const Given& all);
    std::optional<queue::Sequence> sequence_in(const MessageKnowledge& message, const QueueKnowledge* queue, queue::QueueId id) const;
    bool group_may_wait(QueueKnowledge* queue, const MessageKnowledge& message, Instant moment);
    bool is_receive_again(const ReceiveAsked& asked, const MessageKnowledge& message, const queue::Receipt& receipt) const;
    void check_expired(const MessageKnowledge& message, const queue::Receipt& receipt, bool was_refused);

    // auditor_fair.cpp
    bool is_noisy(QueueKnowledge* queue, const std::string& tenant, std::size_t given_of_it, std::size_t given);
    void check_tenants(const ReceiveAsked& asked, const Given& given);
    void note_served(QueueKnowledge* queue, const MessageKnowledge& message);

    // auditor_moves.cpp
    bool may_be_moved_to(const MessageKnowledge& message, const QueueKnowledge* queue) const;
    void reach(MoveKnowledge& task, bool may_be_certain);
    void reach_of_started();
    /// Null: it is gone.
    void stop_moving(MessageKnowledge& message, const QueueKnowledge* seen_in);
    void forget_task(MoveKnowledge& task);
    MessageKnowledge* match_moved(std::uint64_t content);
    void seen_after_move(MessageKnowledge& message, QueueKnowledge* queue, const queue::Delivery& delivery, bool is_receive);
    void check_left_behind(const MessageKnowledge& message, const QueueKnowledge* queue);
    void note_moved(const MessageKnowledge& message);
    void begin_anew(MessageKnowledge& message, QueueKnowledge* queue, const queue::Delivery& delivery, bool is_receive);
    void started(MoveKnowledge& task, const Told<broker::MoveStatus>& answer);
    void cancelled(const CancelAsked& asked, const Told<broker::MoveStatus>& answer);
    MoveKnowledge* task_of(QueueKnowledge* source, const Uuid& id);
    MoveKnowledge* recognise(QueueKnowledge* source, const broker::MoveStatus& status);
    bool must_be_known(const MoveKnowledge& task) const;
    void note_status(MoveKnowledge& task, const broker::MoveStatus& status);

    enum class Sight { delivered, shown };
    MessageKnowledge* recognise(QueueKnowledge* queue, const queue::Delivery& delivery, Sight sight);
    MessageKnowledge* match(std::uint64_t content, const Uuid& id);
    void delivered(const ReceiveAsked& asked, const queue::Delivery& delivery);
    bool check_place(QueueKnowledge* queue, const MessageKnowledge& message, std::string_view how);
    void check_time(const MessageKnowledge& message, QueueKnowledge* queue);
    void check_receipt(const MessageKnowledge& message, const queue::Receipt& receipt);
    void check_count(const MessageKnowledge& message, QueueKnowledge* queue, const queue::Delivery& delivery);
    void note_delivery(const ReceiveAsked& asked, MessageKnowledge& message, const queue::Delivery& delivery);
    void check_found_nothing(const ReceiveAsked& asked);

    /// The message a receipt names; null when this queue never gave it.
    MessageKnowledge* named_by(QueueKnowledge* queue, const queue::Receipt& receipt);
    void deleted(const DeleteAsked& asked, std::size_t index, const Told<void>& answer);
    void changed(const ChangeAsked::One& one, const Told<void>& answer);
    void note_change(const ChangeAsked::One& one);
    void gone(MessageKnowledge* message, std::string_view by);
    void emptied(QueueKnowledge* queue, std::string_view by);
    void check_status(QueueKnowledge* queue, const broker::QueueStatus& status);

    void unknown(const SendAsked&);
    void unknown(const ReceiveAsked&);
    void unknown(const DeleteAsked&);
    void unknown(const ChangeAsked&);
    void unknown(const CreateAsked&);
    void unknown(const SetAsked&) {}
    void unknown(const RemoveAsked&);
    void unknown(const PurgeAsked&);
    void unknown(const StatusAsked&) {}
    void unknown(const ListAsked&) {}
    void unknown(const PeekAsked&) {}
    void unknown(const StartAsked&) {}
    void unknown(const CancelAsked&) {}
    void unknown(const MovesAsked&) {}
    void maybe_emptied(QueueKnowledge* queue);

    void check_shown(const Uuid& id, std::uint64_t body, const std::map<Uuid, const MessageKnowledge*>& by_id,
                     const std::set<std::uint64_t>& unnamed);
    bool must_be_there(const MessageKnowledge& message) const;
    bool may_be_there(const MessageKnowledge& message) const;
    bool may_have_expired(const MessageKnowledge& message) const;
    bool may_be_dead(const MessageKnowledge& message) const;
    bool must_be_in(const MessageKnowledge& message, const QueueKnowledge* queue) const;
    bool may_be_in(const MessageKnowledge& message, const QueueKnowledge* queue) const;
    /// Every message that may be in the queue: those sent to it, the dead letters of others, and what tasks move.
    template <class Visit>
    void for_each_near(QueueKnowledge* queue, Visit visit) {
        for (auto* m : queue->messages) visit(*m);
        for (auto& [name, source] : queues_)
            if (source->dead_letters.contains(queue->name))
                for (auto* m : source->messages) visit(*m);
        for (auto* m : in_motion_)
            if (m->home != queue && !m->home->dead_letters.contains(queue->name)) visit(*m);
    }

    Round round_ = 0;
    Instant now_;    ///< when the round began
    Instant later_;  ///< the latest time known
    Round stopping_ = 0;
    Round unread_ = 0;  ///< the newest round in which a body could not be read
    Round synced_ = 0;  ///< everything answered up to this round is durable: something answered later was synced
    /// A wall clock that was set by more than 5 s is followed after ten minutes in which it agreed, or by a start, not before (D7).
    void look_at_clock();
    void follow_clock(Duration by);
    void hide_longer(Duration by);
    Duration jumped_{0};      ///< how far the broker's time was moved forward since the first round, at most
    Duration stands_off_{0};  ///< how far the wall clock stands from where the broker believes it
    Duration doubted_{0};     ///< the same, as it was when the ten minutes began
    Instant agreed_since_;    ///< when they began
    Duration behind_{0};      ///< how far the wall clock may lie behind the time the broker lives by
    Instant logged_at_;       ///< the latest time that the log is known to speak of, moved forward with the broker's
    bool clock_was_set_ = false, clock_was_ever_set_ = false;
    void forget_leases();
    bool damaged_ = false;
    std::map<Operation, Ask> asks_;
    std::map<std::string, std::unique_ptr<QueueKnowledge>> queues_;
    std::vector<std::unique_ptr<MessageKnowledge>> messages_;
    std::unordered_map<std::uint64_t, std::vector<MessageKnowledge*>> by_content_;
    std::map<std::pair<queue::QueueId, queue::Sequence>, MessageKnowledge*> by_sequence_;
    std::map<queue::QueueId, QueueKnowledge*> by_queue_id_;
    std::map<Uuid, OnceKnowledge> once_;
    std::map<std::string, std::vector<MessageKnowledge*>> same_id_;  ///< FIFO messages sent under one deduplication id
    std::vector<std::unique_ptr<MoveKnowledge>> moves_;
    std::vector<MessageKnowledge*> in_motion_;  ///< messages with movers
    std::size_t lost_to_damage_ = 0;
    RareStates seen_;
    std::optional<std::string> finding_;
};

}  // namespace forebay::sim
