#pragma once
// Receives that wait for messages: in order of arrival for each queue, each until its deadline.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "base/time.h"
#include "broker/broker.h"

namespace forebay::broker {

class LongPoll {
  public:
    void add(queue::QueueId queue, Receive receive, Instant deadline);
    /// The one that has waited longest; null if nobody waits.
    Receive* first(queue::QueueId queue);
    Receive take_first(queue::QueueId queue);
    bool anyone_waits(queue::QueueId queue) const { return waiting_.contains(queue); }

    /// Those whose deadline has come, in the order of their deadlines.
    std::vector<Receive> take_expired(Instant now);
    std::vector<Receive> take_all(queue::QueueId queue);
    std::vector<Receive> take_all();
    /// Those whose client has gone.
    std::vector<Receive> take_unwanted();

    std::optional<Instant> next_deadline() const;
    std::size_t size() const { return deadlines_.size(); }

  private:
    struct Waiting {
        Receive receive;
        Instant deadline;
    };
    using Ticket = std::uint64_t;
    std::map<queue::QueueId, std::map<Ticket, Waiting>> waiting_;
    std::set<std::tuple<Instant, queue::QueueId, Ticket>> deadlines_;
    Ticket next_ = 0;
};

}  // namespace forebay::broker
