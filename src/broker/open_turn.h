#pragma once
// The turn itself: what turn.h promises, over a state and a journal that are open.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "broker/answers.h"
#include "broker/checkpoint_keeper.h"
#include "broker/cool_off.h"
#include "broker/long_poll.h"
#include "broker/message_reader.h"
#include "broker/move_run.h"
#include "broker/receipt_handle.h"
#include "broker/receive_attempts.h"
#include "broker/state.h"
#include "broker/stragglers.h"
#include "broker/time_keeper.h"
#include "broker/turn.h"
#include "broker/turn_metrics.h"

namespace forebay::broker {

class OpenTurn final : public Turn {
  public:
    /// What recovery.cpp has put together.
    struct Parts {
        std::unique_ptr<State> state;
        std::unique_ptr<LogClock> log_clock;
        std::unique_ptr<journal::Journal> journal;
        std::optional<LoadedCheckpoint> loaded;
        std::uint64_t replayed_bytes = 0, replayed_records = 0;
        ReceiptHandles handles;
    };
    OpenTurn(disk::Disk& disk, Clock& clock, Entropy& entropy, BrokerOptions options, Parts parts, metrics::Registry* metrics);

    Result<void, disk::Error> run(std::span<Command> batch) override;
    std::optional<Instant> next_due() const override;
    Result<journal::Extent, disk::Error> hold_log(Duration at_most) override;
    Result<journal::Extent, disk::Error> seal_log(Duration at_most) override;
    Result<bool, disk::Error> replace_segment(journal::SegmentNumber segment) override { return journal_->replace(segment); }
    Result<void, disk::Error> stop() override;
    void set_job_runner(JobRunner runner) override { runner_ = std::move(runner); }
    std::string handle_of(const queue::Receipt& receipt) const override { return handles_.text_of(receipt); }
    std::optional<queue::Receipt> receipt_of(std::string_view handle) const override { return handles_.receipt_of(handle); }
    journal::Journal& journal() override { return *journal_; }
    bool opened_from_checkpoint() const override { return opened_from_checkpoint_; }
    Counters counters() const override;
    std::chrono::nanoseconds take_slowest_sync() override { return metrics_.take_slowest_sync(); }

  private:
    Result<void, disk::Error> work(std::span<Command> batch);
    void begin_turn();
    /// Writes what is pending, with a sync when something waits for one. Nothing may be answered before.
    Result<void, disk::Error> commit(bool sync);
    Result<void, disk::Error> check_pages();
    journal::Location append(RecordType type, std::uint8_t flags, std::string_view body, std::size_t events = 1);
    void flush_changes();

    // turn_commands.cpp: each decides, appends, applies, and keeps the answer.
    void decide(Send& command);
    void decide(SendBatch& command);
    void decide(Receive& command);
    void decide(Delete& command);
    void decide(ChangeVisibility& command);
    void decide(CreateQueue& command);
    void decide(SetQueue& command);
    void decide(Undeclare& command);
    void decide(PauseQueue& command);
    void decide(PauseAll& command);
    void decide(DeleteQueue& command);
    void decide(Purge& command);
    void decide(GetQueue& command);
    void decide(ListQueues& command);
    void decide(Peek& command);
    void decide(StartMove& command);
    void decide(CancelMove& command);
    void decide(ListMoves& command);
    Result<Sent, Refusal> send(NamedQueue& queue, queue::OutgoingMessage& message, const std::optional<OnceKey>& once, AboutKey* about);
    /// Writes the message with what is remembered of it, and applies it.
    void enqueue(NamedQueue& queue, queue::OutgoingMessage& message, const OnceEntry* once, const OnceEntry* about, Sent& sent);
    Result<void, Refusal> remove(NamedQueue& queue, const queue::Receipt& receipt);
    Result<void, Refusal> change_visibility(NamedQueue& queue, const VisibilityChange& change);
    Result<NamedQueue*, Refusal> create(CreateQueue& command);
    /// Why nobody but an operator or the configuration may purge or change the queue; nothing = anybody may.
    static std::optional<Refusal> protection_of(const NamedQueue& queue);
    bool is_valid(const std::string& queue, const QueueSettings& settings, bool declared);
    bool redrive_is_valid(const std::string& queue, const QueueSettings& settings, bool declared);
    NamedQueue& write_queue(QueueRecord record);
    void make_dead_letter_queue(const std::string& name, bool carries_records);
    void purge(NamedQueue& queue, queue::Sequence below, std::uint8_t flags);
    QueueStatus status_of(NamedQueue& queue);
    bool has_room();

    // turn_fifo.cpp
    /// Sees to it that the message has a group and a deduplication id. The message it repeats; nothing = it is a new one.
    Result<std::optional<Sent>, Refusal> find_duplicate(NamedQueue& queue, queue::OutgoingMessage& message);
    Uuid deduplication_key_of(const NamedQueue& queue, const queue::OutgoingMessage& message) const;
    void remember(const NamedQueue& queue, const queue::OutgoingMessage& message, const Sent& sent);
    void keep_attempt(NamedQueue& queue, const Receive& receive, const std::vector<queue::Delivery>& handed);
    std::optional<std::vector<queue::Delivery>> receive_again(NamedQueue& queue, const Receive& receive, Duration visibility);

    // turn_receive.cpp
    Result<void, disk::Error> serve();
    void serve(NamedQueue& queue);
    std::vector<queue::Delivery> hand_out(NamedQueue& queue, const Receive& receive);
    NamedQueue* dead_letter_of(NamedQueue& queue, queue::Sequence sequence);
    void move(NamedQueue& from, queue::Sequence sequence, NamedQueue& to, const MessagePart& message);
    void write_move(NamedQueue& from, NamedQueue& to, const MovedRecord& record);
    void pass_damaged(NamedQueue& queue, queue::Sequence sequence, const disk::Error& why);
    void hide_damaged(NamedQueue& queue, queue::Sequence sequence);
    queue::Delivery deliver(NamedQueue& queue, queue::Sequence sequence, const MessagePart& message);
    void answer_expired();
    void wait_for_messages(NamedQueue& queue);
    void wait_until(NamedQueue& queue, Timestamp due);
    void wait_for_nothing(NamedQueue& queue);
    bool hands_out(const NamedQueue& queue) const { return !queue.pause && !are_all_paused_; }
    void stir(NamedQueue& queue) { stirred_.insert(queue.record.id); }
    void wake_queues();

    // turn_moves.cpp
    Result<MoveTask, Refusal> start(const StartMove& command);
    bool is_dead_letter_queue(const std::string& name);
    MoveStatus status_of(const MoveTask& task);
    void write_task(MoveTask task);
    void end(MoveTask task, MoveState state, std::string_view failure = {});
    Result<void, disk::Error> go_on_moving();
    /// Moves some messages of the task; true if it wrote anything.
    bool go_on(const Uuid& id);
    std::optional<std::string_view> why_it_cannot_go_on(const MoveTask& task);
    std::size_t move_some(const MoveTask& task, MoveRun& run, NamedQueue& source);
    bool pass_over(MoveRun& run, NamedQueue& source, queue::Sequence sequence);
    void move_back(NamedQueue& from, queue::Sequence sequence, NamedQueue& to, const MessagePart& message);
    void end_pass(const MoveTask& task, MoveRun& run);

    // turn_upkeep.cpp
    Result<void, disk::Error> upkeep();
    Result<void, disk::Error> take_checkpoints();
    Result<void, disk::Error> copy_stragglers();
    void give_up(NamedQueue& queue, queue::Sequence sequence);
    void tick();
    void expire_messages(NamedQueue& queue);
    void forget_history();

    static constexpr Duration tick_every = 1s;
    static constexpr Duration history_look_every = 10s;
    static constexpr Duration described_again_within = 1s;  ///< a queue, by a checkpoint: one damaged record is not to cost it its name
    static constexpr Duration full_pause = 1s;              ///< between looks at a FIFO queue with as much in flight as may be
    static constexpr std::size_t pending_bytes_max = 4_MiB;
    static constexpr std::size_t receive_messages_max = 1024;
    static constexpr std::size_t receive_bytes_max = 4_MiB;
    static constexpr std::size_t moves_max = 256;  ///< in one go

    BrokerOptions options_;
    Entropy& entropy_;
    std::unique_ptr<State> state_;
    std::unique_ptr<LogClock> log_clock_;
    std::unique_ptr<journal::Journal> journal_;
    ReceiptHandles handles_;
    disk::Disk& disk_;
    TimeKeeper time_;
    MessageReader reader_;
    CheckpointKeeper checkpoints_;
    Stragglers stragglers_;
    TurnMetrics metrics_;
    JobRunner runner_;
    bool opened_from_checkpoint_;

    // Of the running turn.
    Timestamp now_;
    Instant instant_;
    Answers answers_;
    bool needs_sync_ = false;
    std::optional<bool> has_room_;
    std::map<queue::QueueId, std::vector<queue::Touched>> touched_;   ///< applied, to be appended
    std::map<queue::QueueId, std::vector<queue::Sequence>> deleted_;  ///< applied, to be appended
    std::size_t moves_left_ = 0;

    LongPoll polls_;
    bool are_all_paused_ = false;
    std::set<queue::QueueId> stirred_;                       ///< something may be ready for who waits
    std::set<std::pair<Timestamp, queue::QueueId>> alarms_;  ///< when hidden messages may be ready for who waits
    std::map<queue::QueueId, Timestamp> alarm_of_;
    Instant next_tick_;
    Instant next_history_look_;
    std::map<Uuid, MoveRun> move_runs_;
    std::string last_ticked_;  ///< queues are looked after in turn
    bool more_maintenance_ = false;
    ReceiveAttempts attempts_;
    CoolOff deleted_lately_, purged_lately_;
    std::uint64_t messages_lost_ = 0;
    std::string scratch_;
};

}  // namespace forebay::broker
