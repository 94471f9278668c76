#pragma once
// Messages that keep the oldest segment alive when little of it is needed: they are copied to the end of the log,
// a bounded piece at a time, so that the segment can be dropped. Messages that the segment does not show any more, because
// their records are damaged, are found by what the queues know of them.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "broker/message_reader.h"
#include "broker/options.h"
#include "broker/state.h"
#include "journal/journal.h"

namespace forebay::broker {

class Stragglers {
  public:
    Stragglers(State& state, const BrokerOptions& options) : state_(state), options_(options) {}

    /// Looks whether the oldest segment is worth emptying, and if so reads through it for what lives there: once, and again
    /// some time after a message could not be read. Segments from `needed_from` on are left alone: a checkpoint needs them.
    void plan(journal::Journal& journal, std::uint32_t needed_from, Instant now);
    bool has_work() const { return next_ < planned_.size() || search_; }

    /// The next message to copy that still lies where it lay. Nothing when the plan is done, or for now while it searches.
    struct Straggler {
        NamedQueue* queue;
        queue::Sequence sequence;
        queue::Place place;
    };
    std::optional<Straggler> next();
    void count_copied() { ++copied_; }
    /// The device did not give a message: it stays where it is until the plan is made again.
    void note_unread(Instant now);
    std::uint64_t copied() const { return copied_; }

  private:
    struct Planned {
        queue::QueueId queue;
        queue::Sequence sequence;
        queue::Place place;
    };
    /// Through the pages of all queues, for messages that were not seen in the segment.
    struct Search {
        std::uint32_t segment = 0;
        queue::QueueId queue;
        std::uint64_t page = 0;
    };
    void search_some();
    NamedQueue* queue_to_search();
    bool is_worth_it(const journal::Journal& journal, std::uint32_t segment) const;
    void consider(const journal::Entry& entry);
    bool lies_there(NamedQueue& queue, queue::Sequence sequence, const queue::Place& place);
    State& state_;
    const BrokerOptions& options_;
    std::vector<Planned> planned_;
    std::size_t next_ = 0;
    std::optional<Search> search_;
    std::optional<std::uint32_t> planned_for_;
    std::optional<Instant> again_at_;
    Duration pause_{0};
    std::uint64_t copied_ = 0;
};

}  // namespace forebay::broker
