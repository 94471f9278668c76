#pragma once
// The move tasks: those that run, and of those that have ended the newest. Changed by replay and by the turn alike.

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "broker/move_record.h"

namespace forebay::broker {

class MoveBook {
  public:
    static constexpr std::size_t running_max = 100;         ///< AWS's, for an account
    static constexpr std::size_t ended_of_source_max = 10;  ///< AWS's: as many are listed
    static constexpr std::size_t ended_max = 1000;          ///< of all sources

    /// Makes the task or brings it to this state. Ended ones beyond the bounds are forgotten, the oldest first.
    void set(MoveTask task);
    /// The queue is gone, and its tasks with it.
    void forget_source(queue::QueueId source);

    const MoveTask* find(const Uuid& id) const;
    const MoveTask* running_from(queue::QueueId source) const;
    /// Newest first.
    std::vector<const MoveTask*> of_source(queue::QueueId source) const;
    /// In the order in which they were started, as `set` takes them again.
    std::vector<const MoveTask*> all() const;
    std::vector<Uuid> running() const;
    std::size_t running_count() const { return running_count_; }

  private:
    void drop_ended(std::optional<queue::QueueId> source, std::size_t most);
    std::list<MoveTask> tasks_;  ///< oldest first
    std::size_t running_count_ = 0;
};

}  // namespace forebay::broker
