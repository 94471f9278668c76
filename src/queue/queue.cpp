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
    CHECK(ready_.empty() && !fair_, "the kind of a queue is known before it hands anything out");
    fifo_ = is_fifo ? std::make_unique<FifoOrder>(*this) : nullptr;
}

void Queue::offer_page(std::uint64_t page, Timestamp now) {
    bool has_group = false;
    scan(page, now, [&](Sequence sequence, const Slot& slot) {
        has_group |= slot.group != 0;
        if (has_group || ready_.size() >= ready_list_max) return Offered::later;
        ready_.push_back(sequence);
        return Offered::taken;
    });
    if (has_group) become_fair(now);
}

void Queue::become_fair(Timestamp now) {
    fair_ = std::make_unique<FairOrder>(now);
    watch_in_flight(*fair_);
    for (; !ready_.empty(); ready_.pop_back()) fair_->put_back(ready_.back(), 0);
}

void Queue::offer_page_fairly(std::uint64_t page, Timestamp now) {
    if (!knows_page_of(Sequence(page * page_slots))) return fair_->forget_page(page);
    fair_->begin_page(page);
    scan(page, now, [this](Sequence sequence, const Slot& slot) { return fair_->offer(sequence, slot.group); });
    fair_->end_page();
    take_due_pages(now);
}

std::optional<Sequence> Queue::take_ready(Timestamp now, bool same_receive) {
    if (fifo_) return fifo_->take(now, same_receive);
    if (!fair_)
        if (auto sequence = take_in_order(now); sequence || !fair_) return sequence;
    return take_fairly(now);
}

std::optional<Sequence> Queue::take_in_order(Timestamp now) {
    for (;;) {
        if (ready_.empty()) {
            take_due_pages(now);
            if (due_pages().empty()) return std::nullopt;
            while (!due_pages().empty() && ready_.size() < ready_list_max && !fair_) offer_page(*due_pages().begin(), now);
            if (fair_) return std::nullopt;
            take_due_pages(now);
            if (ready_.empty()) continue;
        }
        auto sequence = ready_.front();
        ready_.pop_front();
        if (take_off(sequence, now)) return sequence;
    }
}

std::optional<Sequence> Queue::take_fairly(Timestamp now) {
    fair_->time_is(now);
    for (auto page : fair_->calm())
        if (knows_page_of(Sequence(page * page_slots)))
            lower_due(page, 0);
        else
            fair_->forget_page(page);
    take_due_pages(now);
    for (int looks = FairOrder::pages_at_once;;) {
        if (auto sequence = fair_->take_quiet()) {
            if (take_off(*sequence, now)) return sequence;
        } else if (!due_pages().empty() && (looks > 0 || !fair_->anything_noisy_waits())) {
            --looks;
            offer_page_fairly(*due_pages().begin(), now);
        } else if (auto next = fair_->take_noisy(looks > 0); !next) {
            if (due_pages().empty()) return std::nullopt;
        } else if (!next->message) {
            --looks;
            offer_page_fairly(next->page, now);
        } else if (take_off(*next->message, now)) {
            return next->message;
        }
    }
}

/// True if the message that was on the list may be handed out.
bool Queue::take_off(Sequence sequence, Timestamp now) {
    if (!knows_page_of(sequence)) return false;
    auto& slot = changeable(sequence);
    if (!slot.is(Slot::offered)) return false;
    slot.set(Slot::offered, false);
    if (!slot.is(Slot::live)) return false;
    if (slot.visible_at <= now.ms) return true;
    lower_due(page_of(sequence), slot.visible_at);
    return false;
}

void Queue::put_back(Sequence sequence) {
    if (fifo_) return;  // it was not taken off anything
    auto& slot = changeable(sequence);
    if (!slot.is(Slot::live) || slot.is(Slot::offered)) return;
    slot.set(Slot::offered, true);
    if (fair_)
        fair_->put_back(sequence, slot.group);
    else
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
    if (fair_) fair_->time_is(now);
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
    // One that is not hidden has been given back already, by a request that is repeated, or its time had run out.
    if (release && slot->visible_at > now.ms && event.receives > 0) event.receives -= 1;
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
    if (fair_) fair_->sent(event.group, event.sent_at);
    bool is_left = fair_ && event.visible_at <= event.sent_at && fair_->leave(event.sequence, event.group);
    MessageTable::apply(event, !is_left);
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
    if (!ready_.empty() || !due_pages().empty() || by_due().empty() || (fair_ && fair_->anything_is_known())) return std::nullopt;
    return Timestamp{by_due().begin()->first};
}

bool Queue::may_have_ready(Timestamp now) const {
    if (fifo_) return fifo_->may_have_ready(now);
    return !ready_.empty() || !due_pages().empty() || (fair_ && fair_->anything_is_known()) ||
           (!by_due().empty() && by_due().begin()->first <= now.ms);
}

std::set<std::uint64_t> Queue::pages_with_offered() const {
    std::set<std::uint64_t> pages;
    for (auto sequence : ready_) pages.insert(page_of(sequence));
    if (fair_) fair_->add_pages(pages);
    return pages;
}

}  // namespace forebay::queue
