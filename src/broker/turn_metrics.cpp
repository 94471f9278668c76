#include "broker/turn_metrics.h"

#include <utility>

namespace forebay::broker {
namespace {

void raise(metrics::Counter& counter, std::uint64_t to) {
    if (auto from = counter.value(); from < to) counter.add(to - from);
}

}  // namespace

TurnMetrics::TurnMetrics(metrics::Registry* registry) : registry_(registry) {
    if (registry == nullptr) return;
    syncs_ = &registry->histogram("forebay_journal_fsync_duration_seconds");
    journal_bytes_ = &registry->gauge("forebay_journal_bytes");
    journal_errors_ = &registry->counter("forebay_journal_errors_total");
    damaged_messages_ = &registry->counter("forebay_queue_damaged_reads_total");
    records_lost_ = &registry->counter("forebay_records_lost_total");
    quarantine_removed_ = &registry->counter("forebay_journal_quarantine_removed_total");
    keys_forgotten_ = &registry->counter("forebay_idempotency_keys_forgotten_total");
}

NamedQueue::Series* TurnMetrics::series_of(NamedQueue& queue) {
    if (registry_ == nullptr) return nullptr;
    if (queue.series) return queue.series.get();
    metrics::Labels name{{"queue", queue.record.name}};
    auto messages = [&](const char* state) {
        return &registry_->gauge("forebay_queue_messages", {{"queue", queue.record.name}, {"state", state}});
    };
    queue.series = std::make_unique<NamedQueue::Series>(NamedQueue::Series{
        &registry_->counter("forebay_queue_sends_total", name), &registry_->counter("forebay_queue_receives_total", name),
        &registry_->counter("forebay_queue_deletes_total", name), &registry_->counter("forebay_queue_redrives_total", name),
        messages("ready"), messages("in_flight"), messages("delayed"), &registry_->gauge("forebay_queue_oldest_age_seconds", name)});
    return queue.series.get();
}

void TurnMetrics::forget(NamedQueue& queue) {
    if (!queue.series) return;
    queue.series.reset();
    for (auto name : {"forebay_queue_sends_total", "forebay_queue_receives_total", "forebay_queue_deletes_total",
                      "forebay_queue_redrives_total", "forebay_queue_oldest_age_seconds"})
        registry_->remove(name, {{"queue", queue.record.name}});
    for (auto state : {"ready", "in_flight", "delayed"})
        registry_->remove("forebay_queue_messages", {{"queue", queue.record.name}, {"state", state}});
}

void TurnMetrics::sync_took(std::chrono::nanoseconds took) {
    slowest_sync_ = std::max(slowest_sync_, took);
    if (syncs_ != nullptr) syncs_->observe(std::chrono::duration<double>(took).count());
}

void TurnMetrics::journal_failed() {
    if (journal_errors_ != nullptr) journal_errors_->add();
}

std::chrono::nanoseconds TurnMetrics::take_slowest_sync() { return std::exchange(slowest_sync_, std::chrono::nanoseconds(0)); }

void TurnMetrics::sent(NamedQueue& queue) {
    queue.sends += 1;
    if (auto* series = series_of(queue)) series->sends->add();
}

void TurnMetrics::received(NamedQueue& queue, std::uint64_t messages) {
    queue.receives += messages;
    if (auto* series = series_of(queue)) series->receives->add(messages);
}

void TurnMetrics::deleted(NamedQueue& queue) {
    queue.deletes += 1;
    if (auto* series = series_of(queue)) series->deletes->add();
}

void TurnMetrics::redriven(NamedQueue& queue) {
    if (auto* series = series_of(queue)) series->redrives->add();
}

void TurnMetrics::show(NamedQueue& queue, Timestamp now) {
    auto* series = series_of(queue);
    if (series == nullptr) return;
    auto counts = queue.queue.counts(now);
    series->ready->set(static_cast<double>(counts.ready));
    series->in_flight->set(static_cast<double>(counts.in_flight));
    series->delayed->set(static_cast<double>(counts.delayed));
    auto oldest = queue.queue.oldest();
    series->oldest_age->set(oldest ? static_cast<double>((now - *oldest).count()) / 1000.0 : 0);
}

void TurnMetrics::show(const journal::Journal& journal, const Turn::Counters& counters) {
    if (registry_ == nullptr) return;
    journal_bytes_->set(static_cast<double>(journal.live_bytes()));
    raise(*damaged_messages_, counters.damaged_messages);
    raise(*keys_forgotten_, counters.once_forgotten);
    raise(*records_lost_, counters.messages_lost);
    raise(*quarantine_removed_, journal.counters().quarantine_removed);
}

void TurnMetrics::opened(const journal::OpenReport& report) {
    if (report.corrupt && journal_errors_ != nullptr) journal_errors_->add();
}

}  // namespace forebay::broker
