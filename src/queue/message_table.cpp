#include "queue/message_table.h"

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

}  // namespace

void MessageTable::set_due(std::uint64_t page, PageSummary& summary, std::int64_t due) {
    if (summary.due == due && !due_pages_.contains(page)) return;
    by_due_.erase({summary.due, page});
    due_pages_.erase(page);
    summary.due = due;
    if (due != PageSummary::never) by_due_.insert({due, page});
}

void MessageTable::lower_due(std::uint64_t page, PageSummary& summary, std::int64_t due) {
    if (due >= summary.due) return;
    bool ready = due_pages_.contains(page);
    if (ready) return;  // already to be looked through
    set_due(page, summary, due);
}

void MessageTable::take_due_pages(Timestamp now) {
    while (!by_due_.empty() && by_due_.begin()->first <= now.ms) {
        due_pages_.insert(by_due_.begin()->second);
        by_due_.erase(by_due_.begin());
    }
}

void MessageTable::count(Slot& slot, PageSummary& summary, std::uint8_t flag, bool on) {
    if (slot.is(flag) == on) return;
    slot.set(flag, on);
    auto& of_page = flag == Slot::in_flight ? summary.in_flight : summary.delayed;
    auto& of_queue = flag == Slot::in_flight ? in_flight_ : delayed_;
    of_page += on ? 1 : -1;
    of_queue += on ? 1 : -1;
    if (watch_ != nullptr && flag == Slot::in_flight) watch_->in_flight_changed(slot.group, on);
}

void MessageTable::watch_in_flight(InFlightWatch& watch) {
    watch_ = &watch;
    for (const auto& [page, summary] : summaries_) {
        if (summary.in_flight == 0) continue;
        for (const auto& slot : pages_.page(id_, page, false).slots)
            if (slot.is(Slot::live) && slot.is(Slot::in_flight)) watch.in_flight_changed(slot.group, true);
    }
}

void MessageTable::drop_if_empty(std::uint64_t page) {
    auto found = summaries_.find(page);
    if (found == summaries_.end() || found->second.live > 0) return;
    set_due(page, found->second, PageSummary::never);
    // The page new messages go to stays, so that filling and emptying it does not fetch it each time.
    if (page == page_of(next_)) return;
    summaries_.erase(found);
    pages_.forget(id_, page);
}

const Slot& MessageTable::slot(Sequence sequence) {
    CHECK(knows_page_of(sequence), "the page of a live message is known");
    return pages_.page(id_, page_of(sequence), false).slots[index_of(sequence)];
}

const Slot* MessageTable::find(Sequence sequence) {
    if (!knows_page_of(sequence)) return nullptr;
    const auto& slot = pages_.page(id_, page_of(sequence), false).slots[index_of(sequence)];
    return slot.is(Slot::live) ? &slot : nullptr;
}

bool MessageTable::place(Sequence sequence, const Slot& state, bool is_due) {
    auto page = page_of(sequence);
    auto& summary = summaries_[page];
    auto& slot = changeable(sequence);
    bool is_new = !slot.is(Slot::live);
    if (is_new) {
        summary.live += 1;
        live_ += 1;
    } else {
        pages_.released(slot.place());
        bytes_ -= slot.length;
        count(slot, summary, Slot::in_flight, false);
        count(slot, summary, Slot::delayed, false);
    }
    bool offered = slot.is(Slot::offered);
    slot = state;
    slot.flags = Slot::live;
    slot.set(Slot::offered, offered);
    pages_.claimed(slot.place());
    bytes_ += slot.length;
    if (sequence >= next_) next_ = sequence.next();
    if (!offered && is_due) lower_due(page, summary, slot.visible_at);
    return is_new;
}

void MessageTable::apply(const Enqueued& event, bool is_due) {
    Slot slot;
    slot.visible_at = event.visible_at.ms;
    slot.group = event.group;
    slot.segment = event.place.segment;
    slot.offset = event.place.offset;
    slot.length = event.place.length;
    slot.sent_s = static_cast<std::uint32_t>(event.sent_at.ms / 1000);
    place(event.sequence, slot, is_due);
    if (event.visible_at > event.sent_at) count(changeable(event.sequence), summaries_[page_of(event.sequence)], Slot::delayed, true);
}

void MessageTable::apply(const Restored& event) {
    place(event.sequence, event.state);
    // Hidden when it was copied, it counts as hidden until a look at its page says otherwise.
    auto& slot = changeable(event.sequence);
    if (slot.visible_at > std::int64_t{slot.sent_s} * 1000 + 999)
        count(slot, summaries_[page_of(event.sequence)], slot.generation > 0 ? Slot::in_flight : Slot::delayed, true);
}

void MessageTable::apply(const Touched& event) {
    auto page = page_of(event.sequence);
    auto& summary = summaries_[page];
    auto& slot = changeable(event.sequence);
    auto flags = slot.flags;
    slot = touched_slot(slot, event);
    slot.flags = flags;
    count(slot, summary, Slot::delayed, false);
    count(slot, summary, Slot::in_flight, event.receives > 0 || event.generation > 0);
    // One that was offered is looked at again when its new time has come; its place in the ready list is void.
    slot.set(Slot::offered, false);
    lower_due(page, summary, slot.visible_at);
}

void MessageTable::remove(PageSummary& summary, Slot& slot) {
    count(slot, summary, Slot::in_flight, false);
    count(slot, summary, Slot::delayed, false);
    pages_.released(slot.place());
    bytes_ -= slot.length;
    slot = Slot{};
    summary.live -= 1;
    live_ -= 1;
}

void MessageTable::remove(Sequence sequence) {
    auto page = page_of(sequence);
    remove(summaries_[page], changeable(sequence));
    drop_if_empty(page);
}

void MessageTable::remove_below(Sequence below) {
    while (!summaries_.empty()) {
        auto page = summaries_.begin()->first;
        if (page * page_slots >= below.value()) break;
        auto& summary = summaries_.begin()->second;
        auto& slots = pages_.page(id_, page, true).slots;
        for (std::size_t i = 0; i < page_slots && page * page_slots + i < below.value(); ++i)
            if (slots[i].is(Slot::live)) remove(summary, slots[i]);
        bool partly = summary.live > 0 || page == page_of(next_);
        drop_if_empty(page);
        if (partly) break;
    }
}

void MessageTable::relocate(Sequence sequence, const Place& place) {
    if (!is_live(sequence)) return;
    auto& slot = changeable(sequence);
    pages_.released(slot.place());
    bytes_ += place.length;
    bytes_ -= slot.length;
    slot.segment = place.segment;
    slot.offset = place.offset;
    slot.length = place.length;
    pages_.claimed(place);
}

MessageTable::Counts MessageTable::counts(Timestamp now) {
    take_due_pages(now);
    // Only pages whose hidden messages may have become visible need a look; each is looked at once per change.
    constexpr std::size_t pages_at_once = 128;
    std::vector<std::uint64_t> stale;
    for (auto page : due_pages_) {
        if (auto& s = summaries_[page]; s.in_flight > 0 || s.delayed > 0) stale.push_back(page);
        if (stale.size() == pages_at_once) break;
    }
    for (auto page : stale) scan(page, now, [](Sequence, const Slot&) { return Offered::later; });
    return {live_ - in_flight_ - delayed_, in_flight_, delayed_};
}

std::optional<Timestamp> MessageTable::oldest() {
    auto first = list(Sequence(0), 1);
    if (first.empty()) return std::nullopt;
    return Timestamp{static_cast<std::int64_t>(slot(first.front()).sent_s) * 1000};
}

std::optional<std::uint64_t> MessageTable::find_in_segment(std::uint32_t segment, std::uint64_t from, std::vector<Sequence>& found) {
    auto page = summaries_.lower_bound(from);
    if (page == summaries_.end()) return std::nullopt;
    visit_page(Sequence(page->first * page_slots), [&](Sequence sequence, const Slot& slot) {
        if (slot.segment == segment) found.push_back(sequence);
    });
    return page->first + 1;
}

std::vector<Sequence> MessageTable::list(Sequence from, std::size_t max) {
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

Sequence MessageTable::in_flight_below() const {
    for (auto page = summaries_.rbegin(); page != summaries_.rend(); ++page)
        if (page->second.in_flight > 0) return std::min(Sequence((page->first + 1) * page_slots), next_);
    return Sequence(0);
}

void MessageTable::restore(Sequence next, std::uint64_t bytes, std::map<std::uint64_t, PageSummary> summaries) {
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
