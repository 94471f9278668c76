#pragma once
// One standard queue, pure: decisions are computed from the state and the time given, and change nothing
// but the ready list; events change the state. No clock, no disk, no thread. Memory: one summary per 1,024
// messages waiting and a ready list of at most 1,024 sequence numbers.
// Source of the rules: SQS developer guide; decisions D5, D16, D20.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "base/result.h"
#include "queue/event.h"
#include "queue/limits.h"
#include "queue/message.h"
#include "queue/page.h"

namespace forebay::queue {

enum class ReceiptError { not_in_flight, too_long };

class Queue {
  public:
    static constexpr std::size_t ready_list_max = 1024;

    Queue(QueueId id, Pages& pages) : id_(id), pages_(pages) {}
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

    QueueId id() const { return id_; }
    Sequence next_sequence() const { return next_; }

    /// The next message that may be handed out at `now`, oldest first among those known to be ready; it is taken
    /// off the ready list, so the caller must hand it out (Touched), delete it or move it.
    std::optional<Sequence> take_ready(Timestamp now);
    /// Puts a message that was taken and not handed out back.
    void put_back(Sequence sequence);
    const Slot& slot(Sequence sequence);
    bool is_live(Sequence sequence);

    Touched decide_receive(Sequence sequence, Duration visibility, std::uint32_t epoch, Timestamp now);
    /// Nothing = acknowledged without effect (deleted before). A genuine receipt of any generation deletes (D20).
    std::optional<Deleted> decide_delete(const Receipt& receipt);
    /// Nothing = acknowledged without effect: an older generation while a newer lease runs (D20).
    Result<std::optional<Touched>, ReceiptError> decide_visibility(const Receipt& receipt, Duration timeout, bool release,
                                                                   std::optional<std::uint32_t> attempts, Timestamp now);
    /// The messages at the head that are older than `retention`; nothing if there are none. Looks at one page at most.
    std::optional<Purged> decide_expiry(Duration retention, Timestamp now);

    void apply(const Enqueued& event);
    void apply(const Restored& event);
    void apply(const Touched& event);
    void apply(const Deleted& event);
    void apply(const Purged& event);
    /// A straggler was copied forward: the same message at another place.
    void relocate(Sequence sequence, const Place& place);

    /// Earliest moment at which a message that is hidden now may be ready; nothing if none is hidden or some are ready now.
    std::optional<Timestamp> next_due() const;
    /// True when a receive at `now` would find something to look at.
    bool may_have_ready(Timestamp now) const;

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

    /// For checkpoints: the summaries, and putting them back. Messages on the ready list are due at once for whoever
    /// restores them, because the list itself is not kept.
    template <class Visit>
    void visit_summaries(Visit visit) const {
        auto offered = pages_with_offered();
        for (const auto& [page, summary] : summaries_) {
            auto kept = summary;
            if (offered.contains(page)) kept.due = 0;
            visit(page, kept);
        }
    }
    std::size_t pages() const { return summaries_.size(); }
    void restore(Sequence next, std::uint64_t bytes, std::map<std::uint64_t, PageSummary> summaries);
    void restore_next(Sequence next) { next_ = std::max(next_, next); }

  private:
    std::set<std::uint64_t> pages_with_offered() const;
    PageSummary& summary_of(std::uint64_t page);
    void set_due(std::uint64_t page, PageSummary& summary, std::int64_t due);
    void lower_due(std::uint64_t page, PageSummary& summary, std::int64_t due);
    void count(Slot& slot, PageSummary& summary, std::uint8_t flag, bool on);
    void place(Sequence sequence, const Slot& state);
    void remove(std::uint64_t page, PageSummary& summary, Slot& slot);
    /// Looks through one page: counts what has become visible, offers what fits, returns the new due time.
    void scan(std::uint64_t page, Timestamp now, bool offer);
    void take_due_pages(Timestamp now);
    void drop_if_empty(std::uint64_t page);

    QueueId id_;
    Pages& pages_;
    Sequence next_;
    std::map<std::uint64_t, PageSummary> summaries_;
    std::set<std::pair<std::int64_t, std::uint64_t>> by_due_;  ///< pages whose time is to come
    std::set<std::uint64_t> due_pages_;                        ///< pages whose time has come, oldest messages first
    std::deque<Sequence> ready_;
    std::uint64_t live_ = 0, in_flight_ = 0, delayed_ = 0, bytes_ = 0;
};

}  // namespace forebay::queue
