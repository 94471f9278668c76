#include "queue/queue.h"

#include <algorithm>

#include "base/check.h"

namespace forebay::queue {
namespace {
Slot touched_slot(Slot slot, const Touched& event) {
    slot.visible_at = event.visible_at;
    slot.first_received_at = event.first_received_at;
    slot.generation = event.generation;
    slot.epoch = event.epoch;
    slot.received_s = event.received_s;
    slot.receives = event.receives;
    slot.attempts = event.attempts;
    return slot;
}
Touched touched_of(Sequence sequence, const Slot& slot) {
    return {sequence, slot.visible_at, slot.first_received_at, slot.generation, slot.epoch, slot.received_s, slot.receives, slot.attempts};
}
}  // namespace

PageSummary& Queue::summary_of(std::uint64_t page) { return summaries_[page]; }

void Queue::set_due(std::uint64_t page, PageSummary& summary, std::int64_t due) {
    if (summary.due == due && !due_pages_.contains(page)) return;
    by_due_.erase({summary.due, page});
    due_pages_.erase(page);
    summary.due = due;
    if (due != PageSummary::never) by_due_.insert({due, page});
}

void Queue::lower_due(std::uint64_t page, PageSummary& summary, std::int64_t due) {
    if (due >= summary.due) return;
    bool ready = due_pages_.contains(page);
    if (ready) return;  // already to be looked through
    set_due(page, summary, due);
}

void Queue::take_due_pages(Timestamp now) {
    while (!by_due_.empty() && by_due_.begin()->first <= now.ms) {
        due_pages_.insert(by_due_.begin()->second);
        by_due_.erase(by_due_.begin());
    }
}

void Queue::count(Slot& slot, PageSummary& summary, std::uint8_t flag, bool on) {
    if (slot.is(flag) == on) return;
    slot.set(flag, on);
    auto& of_page = flag == Slot::in_flight ? summary.in_flight : summary.delayed;
    auto& of_queue = flag == Slot::in_flight ? in_flight_ : delayed_;
    of_page += on ? 1 : -1;
    of_queue += on ? 1 : -1;
}

void Queue::drop_if_empty(std::uint64_t page) {
    auto found = summaries_.find(page);
    if (found == summaries_.end() || found->second.live > 0) return;
    // The page new messages go to stays, so that filling and emptying it does not fetch it each time.
    if (page == page_of(next_)) {
        set_due(page, found->second, PageSummary::never);
        return;
    }
    set_due(page, found->second, PageSummary::never);
    summaries_.erase(found);
    pages_.forget(id_, page);
}

void Queue::scan(std::uint64_t page, Timestamp now, bool offer) {
    auto& summary = summary_of(page);
    auto& slots = pages_.page(id_, page, true).slots;
    std::int64_t due = PageSummary::never;
    for (std::size_t i = 0; i < page_slots; ++i) {
        auto& slot = slots[i];
        if (!slot.is(Slot::live) || slot.is(Slot::offered)) continue;
        if (slot.visible_at > now.ms) {
            due = std::min(due, slot.visible_at);
            continue;
        }
        count(slot, summary, Slot::in_flight, false);
        count(slot, summary, Slot::delayed, false);
        if (offer && ready_.size() < ready_list_max) {
            slot.set(Slot::offered, true);
            ready_.push_back(Sequence(page * page_slots + i));
        } else {
            due = std::min(due, slot.visible_at);
        }
    }
    set_due(page, summary, due);
}

std::optional<Sequence> Queue::take_ready(Timestamp now) {
    for (;;) {
        if (ready_.empty()) {
            take_due_pages(now);
            if (due_pages_.empty()) return std::nullopt;
            while (!due_pages_.empty() && ready_.size() < ready_list_max) scan(*due_pages_.begin(), now, true);
            take_due_pages(now);
            if (ready_.empty()) continue;
        }
        auto sequence = ready_.front();
        ready_.pop_front();
        auto page = page_of(sequence);
        if (!summaries_.contains(page)) continue;
        auto& slot = pages_.page(id_, page, true).slots[index_of(sequence)];
        if (!slot.is(Slot::offered)) continue;
        slot.set(Slot::offered, false);
        if (!slot.is(Slot::live)) continue;
        if (slot.visible_at > now.ms) {
            lower_due(page, summary_of(page), slot.visible_at);
            continue;
        }
        return sequence;
    }
}

void Queue::put_back(Sequence sequence) {
    auto& slot = pages_.page(id_, page_of(sequence), true).slots[index_of(sequence)];
    if (!slot.is(Slot::live) || slot.is(Slot::offered)) return;
    slot.set(Slot::offered, true);
    ready_.push_front(sequence);
}

const Slot& Queue::slot(Sequence sequence) {
    CHECK(summaries_.contains(page_of(sequence)), "the page of a live message is known");
    return pages_.page(id_, page_of(sequence), false).slots[index_of(sequence)];
}

bool Queue::is_live(Sequence sequence) { return summaries_.contains(page_of(sequence)) && slot(sequence).is(Slot::live); }

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

std::optional<Deleted> Queue::decide_delete(const Receipt& receipt) {
    if (!is_live(receipt.sequence)) return std::nullopt;
    return Deleted{receipt.sequence};
}

Result<std::optional<Touched>, ReceiptError> Queue::decide_visibility(const Receipt& receipt, Duration timeout, bool release,
                                                                      std::optional<std::uint32_t> attempts, Timestamp now) {
    if (!is_live(receipt.sequence)) return Failure{ReceiptError::not_in_flight};
    const auto& slot = this->slot(receipt.sequence);
    if (slot.generation != receipt.generation || slot.epoch != receipt.epoch) return std::optional<Touched>{};
    auto event = touched_of(receipt.sequence, slot);
    auto limit = static_cast<std::int64_t>(event.received_s) * 1000 + limits::visibility_max.count() + 1000;
    if ((now + timeout).ms > limit) return Failure{ReceiptError::too_long};
    event.visible_at = (now + timeout).ms;
    if (release && event.receives > 0) event.receives -= 1;
    if (attempts) event.attempts = static_cast<std::uint8_t>(std::min<std::uint32_t>(*attempts, 255));
    return std::optional<Touched>{event};
}

std::optional<Purged> Queue::decide_expiry(Duration retention, Timestamp now) {
    if (live_ == 0 || summaries_.empty()) return std::nullopt;
    auto page = summaries_.begin()->first;
    auto& slots = pages_.page(id_, page, false).slots;
    std::optional<Purged> out;
    for (std::size_t i = 0; i < page_slots; ++i) {
        if (!slots[i].is(Slot::live)) continue;
        if (static_cast<std::int64_t>(slots[i].sent_s) * 1000 + 1000 + retention.count() > now.ms) return out;
        out = Purged{Sequence(page * page_slots + i + 1)};
    }
    return out;
}

void Queue::place(Sequence sequence, const Slot& state) {
    auto page = page_of(sequence);
    auto& summary = summary_of(page);
    auto& slot = pages_.page(id_, page, true).slots[index_of(sequence)];
    if (slot.is(Slot::live)) {
        pages_.released(slot.place());
        bytes_ -= slot.length;
        count(slot, summary, Slot::in_flight, false);
        count(slot, summary, Slot::delayed, false);
    } else {
        summary.live += 1;
        live_ += 1;
    }
    bool offered = slot.is(Slot::offered);
    slot = state;
    slot.flags = Slot::live;
    slot.set(Slot::offered, offered);
    pages_.claimed(slot.place());
    bytes_ += slot.length;
    if (sequence >= next_) next_ = sequence.next();
    if (!offered) lower_due(page, summary, slot.visible_at);
}

void Queue::apply(const Enqueued& event) {
    Slot slot;
    slot.visible_at = event.visible_at.ms;
    slot.group = event.group;
    slot.segment = event.place.segment;
    slot.offset = event.place.offset;
    slot.length = event.place.length;
    slot.sent_s = static_cast<std::uint32_t>(event.sent_at.ms / 1000);
    place(event.sequence, slot);
    if (event.visible_at > event.sent_at) {
        auto page = page_of(event.sequence);
        count(pages_.page(id_, page, true).slots[index_of(event.sequence)], summary_of(page), Slot::delayed, true);
    }
}

void Queue::apply(const Restored& event) {
    place(event.sequence, event.state);
    // Hidden when it was copied, it counts as hidden until a look at its page says otherwise.
    auto page = page_of(event.sequence);
    auto& slot = pages_.page(id_, page, true).slots[index_of(event.sequence)];
    if (slot.visible_at > std::int64_t{slot.sent_s} * 1000 + 999)
        count(slot, summary_of(page), slot.generation > 0 ? Slot::in_flight : Slot::delayed, true);
}

void Queue::apply(const Touched& event) {
    if (!is_live(event.sequence)) return;
    auto page = page_of(event.sequence);
    auto& summary = summary_of(page);
    auto& slot = pages_.page(id_, page, true).slots[index_of(event.sequence)];
    auto flags = slot.flags;
    slot = touched_slot(slot, event);
    slot.flags = flags;
    count(slot, summary, Slot::delayed, false);
    count(slot, summary, Slot::in_flight, event.receives > 0 || event.generation > 0);
    // One that was offered is looked at again when its new time has come; its place in the ready list is void.
    slot.set(Slot::offered, false);
    lower_due(page, summary, slot.visible_at);
}

void Queue::remove(std::uint64_t page, PageSummary& summary, Slot& slot) {
    (void)page;
    count(slot, summary, Slot::in_flight, false);
    count(slot, summary, Slot::delayed, false);
    pages_.released(slot.place());
    bytes_ -= slot.length;
    slot = Slot{};
    summary.live -= 1;
    live_ -= 1;
}

void Queue::apply(const Deleted& event) {
    if (!is_live(event.sequence)) return;
    auto page = page_of(event.sequence);
    remove(page, summary_of(page), pages_.page(id_, page, true).slots[index_of(event.sequence)]);
    drop_if_empty(page);
}

void Queue::apply(const Purged& event) {
    while (!summaries_.empty()) {
        auto page = summaries_.begin()->first;
        if (page * page_slots >= event.below.value()) break;
        auto& summary = summaries_.begin()->second;
        auto& slots = pages_.page(id_, page, true).slots;
        for (std::size_t i = 0; i < page_slots && page * page_slots + i < event.below.value(); ++i)
            if (slots[i].is(Slot::live)) remove(page, summary, slots[i]);
        bool partly = summary.live > 0 || page == page_of(next_);
        drop_if_empty(page);
        if (partly) break;
    }
}

void Queue::relocate(Sequence sequence, const Place& place) {
    if (!is_live(sequence)) return;
    auto& slot = pages_.page(id_, page_of(sequence), true).slots[index_of(sequence)];
    pages_.released(slot.place());
    bytes_ += place.length;
    bytes_ -= slot.length;
    slot.segment = place.segment;
    slot.offset = place.offset;
    slot.length = place.length;
    pages_.claimed(place);
}

std::optional<Timestamp> Queue::next_due() const {
    if (!ready_.empty() || !due_pages_.empty() || by_due_.empty()) return std::nullopt;
    return Timestamp{by_due_.begin()->first};
}

bool Queue::may_have_ready(Timestamp now) const {
    return !ready_.empty() || !due_pages_.empty() || (!by_due_.empty() && by_due_.begin()->first <= now.ms);
}

Queue::Counts Queue::counts(Timestamp now) {
    take_due_pages(now);
    // Only pages whose hidden messages may have become visible need a look; each is looked at once per change.
    constexpr std::size_t pages_at_once = 128;
    std::vector<std::uint64_t> stale;
    for (auto page : due_pages_) {
        if (auto& s = summaries_[page]; s.in_flight > 0 || s.delayed > 0) stale.push_back(page);
        if (stale.size() == pages_at_once) break;
    }
    for (auto page : stale) scan(page, now, false);
    return {live_ - in_flight_ - delayed_, in_flight_, delayed_};
}

std::optional<Timestamp> Queue::oldest() {
    auto first = list(Sequence(0), 1);
    if (first.empty()) return std::nullopt;
    return Timestamp{static_cast<std::int64_t>(slot(first.front()).sent_s) * 1000};
}

std::optional<std::uint64_t> Queue::find_in_segment(std::uint32_t segment, std::uint64_t from, std::vector<Sequence>& found) {
    auto page = summaries_.lower_bound(from);
    if (page == summaries_.end()) return std::nullopt;
    const auto& slots = pages_.page(id_, page->first, false).slots;
    for (std::size_t i = 0; i < page_slots; ++i)
        if (slots[i].is(Slot::live) && slots[i].segment == segment) found.push_back(Sequence(page->first * page_slots + i));
    return page->first + 1;
}

std::vector<Sequence> Queue::list(Sequence from, std::size_t max) {
    std::vector<Sequence> out;
    for (auto it = summaries_.lower_bound(page_of(from)); it != summaries_.end() && out.size() < max; ++it) {
        if (it->second.live == 0) continue;
        auto& slots = pages_.page(id_, it->first, false).slots;
        for (std::size_t i = 0; i < page_slots && out.size() < max; ++i) {
            auto sequence = Sequence(it->first * page_slots + i);
            if (sequence >= from && slots[i].is(Slot::live)) out.push_back(sequence);
        }
    }
    return out;
}

std::set<std::uint64_t> Queue::pages_with_offered() const {
    std::set<std::uint64_t> pages;
    for (auto sequence : ready_) pages.insert(page_of(sequence));
    return pages;
}

void Queue::restore(Sequence next, std::uint64_t bytes, std::map<std::uint64_t, PageSummary> summaries) {
    next_ = next;
    bytes_ = bytes;
    summaries_ = std::move(summaries);
    for (auto& [page, summary] : summaries_) {
        live_ += summary.live;
        in_flight_ += summary.in_flight;
        delayed_ += summary.delayed;
        if (summary.due != PageSummary::never) by_due_.insert({summary.due, page});
    }
}

}  // namespace forebay::queue
