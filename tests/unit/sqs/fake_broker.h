#pragma once
// Queues in memory behind broker::Commands, answering on the spot: what the API is tried against without a log.
// Time stands still unless it is moved; a receive that waits is parked until a message comes or waits end.

#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "broker/broker.h"

namespace forebay::sqs {

class FakeBroker final : public broker::Commands {
  public:
    /// Every command is answered with this, while set.
    std::optional<broker::Refusal> refuses;
    Timestamp now{1'700'000'000'000};

    void submit(broker::Command command) override;
    std::string handle_of(const queue::Receipt& receipt) const override;
    std::optional<queue::Receipt> receipt_of(std::string_view handle) const override;

    /// Answers parked receives with nothing, as when their wait is over.
    void end_waits();
    std::size_t parked() const;
    std::size_t messages_in(const std::string& queue) const;
    void declare(const std::string& queue);
    const broker::QueueSettings& settings_of(const std::string& queue) const { return queues_.at(queue).settings; }
    bool has(const std::string& queue) const { return queues_.contains(queue); }

  private:
    struct Message {
        queue::Delivery delivery;
        Timestamp visible_at;
    };
    struct Queue {
        queue::QueueId id;
        broker::QueueSettings settings;
        Timestamp created_at;
        bool declared = false;
        std::list<Message> messages;
    };
    template <class C>
    void refuse(C& command, broker::Refusal refusal) {
        command.answer(Failure{refusal});
    }
    Queue* find(const std::string& name);
    Message* find(Queue& queue, const queue::Receipt& receipt);
    Result<broker::Sent, broker::Refusal> add(Queue& queue, queue::OutgoingMessage message);
    std::vector<queue::Delivery> take(const std::string& name, Queue& queue, broker::Receive& receive);
    broker::QueueStatus status_of(const std::string& name, const Queue& queue) const;
    Result<void, broker::Refusal> change(Queue& queue, const broker::VisibilityChange& change);
    void serve_parked();

    void run(broker::Send& command);
    void run(broker::SendBatch& command);
    void run(broker::Receive& command);
    void run(broker::Delete& command);
    void run(broker::ChangeVisibility& command);
    void run(broker::CreateQueue& command);
    void run(broker::SetQueue& command);
    void run(broker::Undeclare& command) { refuse(command, broker::Refusal::no_such_queue); }
    void run(broker::PauseQueue& command) { refuse(command, broker::Refusal::no_such_queue); }
    void run(broker::PauseAll& command) { refuse(command, broker::Refusal::no_such_queue); }
    void run(broker::DeleteQueue& command);
    void run(broker::Purge& command);
    void run(broker::GetQueue& command);
    void run(broker::ListQueues& command);
    void run(broker::Peek& command);
    // Move tasks are tried with the real broker: broker_test.cpp.
    void run(broker::StartMove& command) { command.answer(Failure{broker::Refusal::no_such_queue}); }
    void run(broker::CancelMove& command) { command.answer(Failure{broker::Refusal::no_such_move}); }
    void run(broker::ListMoves& command) { command.answer(Failure{broker::Refusal::no_such_queue}); }

    std::map<std::string, Queue> queues_;
    std::list<broker::Receive> parked_;
    std::uint32_t next_queue_ = 1;
    std::uint64_t next_sequence_ = 1;
    mutable std::recursive_mutex mutex_;  ///< guards everything: a server's loop and a test's thread may meet here
};

}  // namespace forebay::sqs
