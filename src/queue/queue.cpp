#include "queue/queue.h"

#include <algorithm>

#include "base/check.h"

namespace forebay::queue {
namespace {

Touched touched_of(Sequence sequence, const Slot& slot) {
    return {sequence, slot.visible_at, slot.first_received_at, slot.generation, slot.epoch, slot.received_s, slot.receives, slot.attempts};
}

bool is_newest(const Slot& slot, const Receipt& receipt) { return slot.generation == receipt.generation && slot.epoch == receipt.epoch; }

}  // namespace

void Queue::set_fifo(bool is_fifo) {
    if (is_fifo == this->is_fifo()) return;
    CHECK(ready_.empty(), "the kind of a queue is known before it hands anything out");
    fifo_ = is_fifo ? std::make_unique<FifoOrder>(*this) : nullptr;
}

void Queue::offer_page(std::uint64_t page, Timestamp now) {
    scan(page, now, [this](Sequence sequence, const Slot&) {
        if (ready_.size() >= ready_list_max) return false;
        ready_.push_back(sequence);
        return true;
    });
}

std::optional<Sequence> Queue::take_ready(Timestamp now, bool same_receive) {
    if (fifo_) return fifo_->take(now, same_receive);
    for (;;) {
        if (ready_.empty()) {
            take_due_pages(now);
            if (due_pages().empty()) return std::nullopt;
            while (!due_pages().empty() && ready_.size() < ready_list_max) offer_page(*due_pages().begin(), now);
            take_due_pages(now);
            if (ready_.empty()) continue;
        }
        auto sequence = ready_.front();
        ready_.pop_front();
        if (!knows_page_of(sequence)) continue;
        auto& slot = changeable(sequence);
        if (!slot.is(Slot::offered)) continue;
        slot.set(Slot::offered, false);
        if (!slot.is(Slot::live)) continue;
        if (slot.visible_at > now.ms) {
            lower_due(page_of(sequence), slot.visible_at);
            continue;
        }
        return sequence;
    }
}

void Queue::put_back(Sequence sequence) {
    if (fifo_) return;  // it was not taken off anything
    auto& slot = changeable(sequence);
    if (!slot.is(Slot::live) || slot.is(Slot::offered)) return;
    slot.set(Slot::offered, true);
    ready_.push_front(sequence);
}

Touched Queue::decide_receive(Sequence sequence, Duration visibility, std::uint32_t epoch, Timestamp now) {
    auto event = touched_of(sequence, slot(sequence));
    event.visible_at = (now + visibility).ms;
    if (event.first_received_at == 0) event.first_received_at = now.ms;
    event.generation += 1;
    event.epoch = epoch;
    event.received_s = static_cast<std::uint32_t>(now.ms / 1000);
    if (event.receives < UINT16_MAX) event.receives += 1;
    return event;
}

Touched Queue::decide_receive_again(Sequence sequence, Duration visibility, Timestamp now) {
    auto event = touched_of(sequence, slot(sequence));
    event.visible_at = (now + visibility).ms;
    event.received_s = static_cast<std::uint32_t>(now.ms / 1000);
    return event;
}

Result<std::optional<Deleted>, ReceiptError> Queue::decide_delete(const Receipt& receipt, Timestamp now) {
    const auto* slot = find(receipt.sequence);
    if (slot == nullptr) return std::optional<Deleted>{};
    if (fifo_ && (!is_newest(*slot, receipt) || slot->visible_at <= now.ms)) return Failure{ReceiptError::expired};
    return std::optional(Deleted{receipt.sequence});
}

Result<std::optional<Touched>, ReceiptError> Queue::decide_visibility(const Receipt& receipt, Duration timeout, bool release,
                                                                      std::optional<std::uint32_t> attempts, Timestamp now) {
    const auto* slot = find(receipt.sequence);
    if (slot == nullptr) return Failure{ReceiptError::not_in_flight};
    if (fifo_ && (!is_newest(*slot, receipt) || slot->visible_at <= now.ms)) return Failure{ReceiptError::expired};
    if (!is_newest(*slot, receipt)) return std::optional<Touched>{};
    auto event = touched_of(receipt.sequence, *slot);
    auto limit = static_cast<std::int64_t>(event.received_s) * 1000 + limits::visibility_max.count() + 1000;
    if ((now + timeout).ms > limit) return Failure{ReceiptError::too_long};
    event.visible_at = (now + timeout).ms;
    if (release && event.receives > 0) event.receives -= 1;
    if (attempts) event.attempts = static_cast<std::uint8_t>(std::min<std::uint32_t>(*attempts, 255));
    return std::optional<Touched>{event};
}

std::optional<Purged> Queue::decide_expiry(Duration retention, Timestamp now) {
    if (live() == 0) return std::nullopt;
    std::optional<Purged> out;
    bool all_before_are = true;
    visit_page(Sequence(0), [&](Sequence sequence, const Slot& slot) {
        all_before_are = all_before_are && static_cast<std::int64_t>(slot.sent_s) * 1000 + 1000 + retention.count() <= now.ms;
        if (all_before_are) out = Purged{sequence.next()};
    });
    return out;
}

void Queue::apply(const Enqueued& event) {
    MessageTable::apply(event);
    if (fifo_) fifo_->added(event.sequence);
}

void Queue::apply(const Restored& event) {
    MessageTable::apply(event);
    if (fifo_) fifo_->added(event.sequence);
}

void Queue::apply(const Touched& event) {
    const auto* slot = find(event.sequence);
    if (slot == nullptr) return;
    if (fifo_) fifo_->changed(event.sequence, slot->group);
    MessageTable::apply(event);
}

void Queue::apply(const Deleted& event) {
    const auto* slot = find(event.sequence);
    if (slot == nullptr) return;
    if (fifo_) fifo_->removed(event.sequence, slot->group);
    remove(event.sequence);
}

void Queue::apply(const Purged& event) {
    remove_below(event.below);
    if (fifo_) fifo_->reset();
}

std::optional<Timestamp> Queue::next_due() const {
    if (fifo_) return fifo_->next_due();
    if (!ready_.empty() || !due_pages().empty() || by_due().empty()) return std::nullopt;
    return Timestamp{by_due().begin()->first};
}

bool Queue::may_have_ready(Timestamp now) const {
    if (fifo_) return fifo_->may_have_ready(now);
    return !ready_.empty() || !due_pages().empty() || (!by_due().empty() && by_due().begin()->first <= now.ms);
}

std::set<std::uint64_t> Queue::pages_with_offered() const {
    std::set<std::uint64_t> pages;
    for (auto sequence : ready_) pages.insert(page_of(sequence));
    return pages;
}

}  // namespace forebay::queue
