#pragma once
// The messages of one queue, whatever their order: which are there, hidden or counted as in flight, page by page. Knows when a
// page is worth a look, not what is to be handed out first. Memory: one summary per 1,024 messages.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "queue/event.h"
#include "queue/page.h"

namespace forebay::queue {

/// Told of every message that comes to be counted as in flight, and that it is not any more. `group` is its slot's.
class InFlightWatch {
  public:
    virtual ~InFlightWatch() = default;
    virtual void in_flight_changed(std::uint64_t group, bool is_in_flight) = 0;
};

/// What became of a message that was shown and may be handed out.
enum class Offered : std::uint8_t {
    taken,  ///< it is not shown again
    later,  ///< its page is to be looked through again
    left,   ///< likewise, but whoever left it knows of that, and the page is not due because of it
};

class MessageTable {
  public:
    MessageTable(QueueId id, Pages& pages) : id_(id), pages_(pages) {}
    MessageTable(const MessageTable&) = delete;
    MessageTable& operator=(const MessageTable&) = delete;

    QueueId id() const { return id_; }
    Sequence next_sequence() const { return next_; }

    /// Of a message whose page is known.
    const Slot& slot(Sequence sequence);
    bool is_live(Sequence sequence) { return find(sequence) != nullptr; }
    /// Null unless the message is live. Holds until the next call.
    const Slot* find(Sequence sequence);

    /// Counts as of `now`; looks through the pages whose time has come, at most 128 of them in one call: beyond that
    /// the counts are approximate, as SQS's are, and become exact as calls are repeated.
    struct Counts {
        std::uint64_t ready = 0, in_flight = 0, delayed = 0;
    };
    Counts counts(Timestamp now);
    std::uint64_t live() const { return live_; }
    std::uint64_t bytes() const { return bytes_; }
    std::uint64_t in_flight_at_most() const { return in_flight_; }
    std::optional<Timestamp> oldest();
    /// Adds the live messages of one page that lie in a segment: of page `from`, or of the next one that exists. The page
    /// to go on with; nothing = there is none.
    std::optional<std::uint64_t> find_in_segment(std::uint32_t segment, std::uint64_t from, std::vector<Sequence>& found);
    /// Live messages from `from` on, at most `max`.
    std::vector<Sequence> list(Sequence from, std::size_t max);
    /// Shows the live messages of one page from `from` on: of the page of `from`, or of the next one that exists. The sequence to
    /// go on with; next_sequence() at the end. `visit` must not ask for pages.
    template <class Visit>
    Sequence visit_page(Sequence from, Visit visit) {
        auto summary = summaries_.lower_bound(page_of(from));
        if (summary == summaries_.end()) return next_;
        auto first = Sequence(summary->first * page_slots);
        const auto& slots = pages_.page(id_, summary->first, false).slots;
        for (std::size_t i = from > first ? index_of(from) : 0; i < page_slots; ++i)
            if (slots[i].is(Slot::live)) visit(Sequence(first.value() + i), slots[i]);
        return std::min(Sequence(first.value() + page_slots), next_);
    }
    /// No message from this one on is counted as in flight.
    Sequence in_flight_below() const;
    std::size_t pages() const { return summaries_.size(); }
    void restore_next(Sequence next) { next_ = std::max(next_, next); }

  protected:
    /// True if the message was not there before. `is_due`: its page is to be looked through when it is visible.
    bool place(Sequence sequence, const Slot& state, bool is_due = true);
    void apply(const Enqueued& event, bool is_due = true);
    void apply(const Restored& event);
    /// The message is live.
    void apply(const Touched& event);
    void remove(Sequence sequence);
    void remove_below(Sequence below);
    /// A straggler was copied forward: the same message at another place.
    void relocate(Sequence sequence, const Place& place);

    /// The watch lives as long as the table. It is told at once of what is in flight already.
    void watch_in_flight(InFlightWatch& watch);
    /// Looks through one page: counts what has become visible, shows it to `offer`, which must not ask for pages, and knows when to
    /// look again.
    template <class Offer>
    void scan(std::uint64_t page, Timestamp now, Offer offer);
    void take_due_pages(Timestamp now);
    void lower_due(std::uint64_t page, std::int64_t due) { lower_due(page, summaries_[page], due); }
    Slot& changeable(Sequence sequence) { return pages_.page(id_, page_of(sequence), true).slots[index_of(sequence)]; }
    bool knows_page_of(Sequence sequence) const { return summaries_.contains(page_of(sequence)); }
    void restore(Sequence next, std::uint64_t bytes, std::map<std::uint64_t, PageSummary> summaries);

    const std::map<std::uint64_t, PageSummary>& summaries() const { return summaries_; }
    const std::set<std::pair<std::int64_t, std::uint64_t>>& by_due() const { return by_due_; }
    const std::set<std::uint64_t>& due_pages() const { return due_pages_; }

  private:
    void set_due(std::uint64_t page, PageSummary& summary, std::int64_t due);
    void lower_due(std::uint64_t page, PageSummary& summary, std::int64_t due);
    void count(Slot& slot, PageSummary& summary, std::uint8_t flag, bool on);
    void remove(PageSummary& summary, Slot& slot);
    void drop_if_empty(std::uint64_t page);

    QueueId id_;
    Pages& pages_;
    Sequence next_;
    std::map<std::uint64_t, PageSummary> summaries_;
    std::set<std::pair<std::int64_t, std::uint64_t>> by_due_;  ///< pages whose time is to come
    std::set<std::uint64_t> due_pages_;                        ///< pages whose time has come, oldest messages first
    std::uint64_t live_ = 0, in_flight_ = 0, delayed_ = 0, bytes_ = 0;
    InFlightWatch* watch_ = nullptr;
};

template <class Offer>
void MessageTable::scan(std::uint64_t page, Timestamp now, Offer offer) {
    auto& summary = summaries_[page];
    auto& slots = pages_.page(id_, page, false).slots;
    std::int64_t due = PageSummary::never;
    bool is_changed = false;
    for (std::size_t i = 0; i < page_slots; ++i) {
        auto& slot = slots[i];
        if (!slot.is(Slot::live) || slot.is(Slot::offered)) continue;
        if (slot.visible_at > now.ms) {
            due = std::min(due, slot.visible_at);
            continue;
        }
        is_changed |= slot.is(Slot::in_flight | Slot::delayed);
        count(slot, summary, Slot::in_flight, false);
        count(slot, summary, Slot::delayed, false);
        auto offered = offer(Sequence(page * page_slots + i), slot);
        is_changed |= offered == Offered::taken;
        if (offered == Offered::taken) slot.set(Slot::offered, true);
        if (offered == Offered::later) due = std::min(due, slot.visible_at);
    }
    if (is_changed) pages_.page(id_, page, true);
    set_due(page, summary, due);
}

}  // namespace forebay::queue
