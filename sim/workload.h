#pragma once
// The clients: random commands as the plan weighs them, with what a client remembers - the receipts it holds, fresh
// and stale, and the posts it may have to send again. Bodies begin with a label, `<m17>`, that names the message.

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "broker/broker.h"
#include "sim/plan.h"
#include "testing/seeded_entropy.h"

namespace forebay::sim {

class Workload {
  public:
    Workload(const Plan& plan, std::uint64_t seed) : plan_(plan), random_(seed) {}

    broker::Command next();
    /// A client has been given a message.
    void received(const std::string& queue, const queue::Delivery& delivery);
    void learned_move(const std::string& source, const Uuid& id);
    void removed(std::size_t messages) { waiting_ -= std::min(waiting_, messages); }
    /// Makes the queues that the configuration declares, or that clients want to have.
    std::vector<broker::Command> declare(bool all);
    broker::Command send_to(const QueuePlan& queue);

  private:
    struct Held {
        std::string queue;
        queue::Receipt receipt;
    };
    struct Post {
        std::string queue;
        queue::OutgoingMessage message;
        broker::OnceKey once;
    };
    Act choose();
    const QueuePlan& any_queue();
    const QueuePlan* any_queue_of(bool declared);
    queue::OutgoingMessage message(const QueuePlan& queue, std::size_t bytes_most);
    queue::OutgoingMessage fifo_message(const QueuePlan& queue, queue::OutgoingMessage fresh);
    std::string attempt();
    std::vector<Held> held(bool stale, std::size_t most);
    broker::Command send(Act act);
    broker::Command post(Act act);
    broker::Command receive(Act act);
    broker::Command remove(Act act);
    broker::Command change(Act act);
    broker::Command look(Act act);
    broker::Command administer(Act act);
    broker::Command move(Act act);
    broker::Command start_move(const QueuePlan& source);
    broker::QueueSettings settings_of(const QueuePlan& queue);

    const Plan& plan_;
    testing::Random random_;
    std::uint64_t serial_ = 0;
    std::size_t waiting_ = 0;  ///< messages sent and not removed, more or less
    std::deque<Held> fresh_, stale_;
    std::deque<Post> posts_;
    std::deque<std::pair<std::string, queue::OutgoingMessage>> fifo_sends_;  ///< newest, by queue: they may be sent again
    std::deque<std::string> attempts_;
    std::deque<std::pair<std::string, Uuid>> moves_;  ///< newest, by source
};

}  // namespace forebay::sim
