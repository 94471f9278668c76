#pragma once
// The broker's numbers under their public names. Without a registry it only measures syncs.

#include <chrono>
#include <cstdint>

#include "base/time.h"
#include "broker/queue_book.h"
#include "broker/turn.h"
#include "journal/journal.h"
#include "metrics/metrics.h"

namespace forebay::broker {

class TurnMetrics {
  public:
    explicit TurnMetrics(metrics::Registry* registry);

    void sync_took(std::chrono::nanoseconds took);
    void journal_failed();
    void sent(NamedQueue& queue);
    void received(NamedQueue& queue, std::uint64_t messages);
    void deleted(NamedQueue& queue);
    void redriven(NamedQueue& queue);
    /// Levels, about once a second.
    void show(NamedQueue& queue, Timestamp now);
    void show(const journal::Journal& journal, const Turn::Counters& counters);
    /// The queue is deleted: its series end.
    void forget(NamedQueue& queue);
    /// What opening found.
    void opened(const journal::OpenReport& report);

    /// The longest sync since the last call.
    std::chrono::nanoseconds take_slowest_sync();

  private:
    NamedQueue::Series* series_of(NamedQueue& queue);
    metrics::Registry* registry_;
    metrics::Histogram* syncs_ = nullptr;
    metrics::Gauge* journal_bytes_ = nullptr;
    metrics::Counter* journal_errors_ = nullptr;
    metrics::Counter* damaged_messages_ = nullptr;
    metrics::Counter* keys_forgotten_ = nullptr;
    metrics::Counter* records_lost_ = nullptr;
    metrics::Counter* quarantine_removed_ = nullptr;
    std::chrono::nanoseconds slowest_sync_{0};
};

}  // namespace forebay::broker
