#pragma once
// The queues by name and by id, with what they are set to and what is counted about each.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "broker/log_record.h"
#include "journal/journal.h"
#include "metrics/metrics.h"
#include "queue/queue.h"

namespace forebay::broker {

struct NamedQueue {
    NamedQueue(QueueRecord described, queue::Pages& pages) : record(std::move(described)), queue(record.id, pages) {
        queue.set_fifo(settings().fifo);
    }
    const QueueSettings& settings() const { return record.settings; }

    QueueRecord record;
    queue::Queue queue;
    std::uint64_t sends = 0, receives = 0, deletes = 0;
    queue::Sequence deduplicates_from;  ///< an id that a message before this one was sent under may be used again: of purging
    bool is_stand_in = false;           ///< the log has lost what the queue is called and set to
    Timestamp expiry_check;             ///< nothing expires before
    std::optional<QueuePause> pause;    ///< while there is one nobody is handed anything
    Timestamp went_on;                  ///< when the last pause ended
    journal::Position durable_from;     ///< messages moved here may be handed out once the journal is durable up to this
    struct Series {
        metrics::Counter *sends, *receives, *deletes, *redrives;
        metrics::Gauge *ready, *in_flight, *delayed, *oldest_age;
    };
    std::unique_ptr<Series> series;  ///< null without a registry
};

class QueueBook {
  public:
    explicit QueueBook(queue::Pages& pages) : pages_(pages) {}

    NamedQueue* find(std::string_view name);
    NamedQueue* find(queue::QueueId id);
    /// Makes the queue or changes what it is set to. No other queue may have the name.
    NamedQueue& set(QueueRecord record);
    /// A queue for the messages of one whose description is damaged: it keeps them, under a name of its own.
    NamedQueue& stand_in(queue::QueueId id);
    /// The name of a stand-in belongs to another queue: it takes another name, and keeps its messages.
    void make_way(NamedQueue& stand_in);
    /// Ids grow: of two queues of one name the one with the smaller id was deleted before the other was made.
    bool is_superseded(const QueueRecord& record);
    /// The messages must have been purged.
    void erase(queue::QueueId id);

    queue::QueueId next_id() const { return next_id_; }
    void raise_next_id(queue::QueueId id) { next_id_ = std::max(next_id_, id); }
    std::size_t size() const { return by_name_.size(); }
    const std::map<std::string, std::unique_ptr<NamedQueue>, std::less<>>& by_name() const { return by_name_; }

    /// The queues' part of the preamble that each segment begins with.
    std::string preamble() const;

  private:
    void rename(NamedQueue& queue, const std::string& name);
    std::string free_name(queue::QueueId id);
    queue::Pages& pages_;
    std::map<std::string, std::unique_ptr<NamedQueue>, std::less<>> by_name_;
    std::unordered_map<queue::QueueId, NamedQueue*> by_id_;
    queue::QueueId next_id_{1};
};

}  // namespace forebay::broker
