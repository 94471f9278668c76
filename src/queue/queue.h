#pragma once
// One queue, pure: decisions are computed from the state and the time given, and change nothing but the ready list; events
// change the state. No clock, no disk, no thread. A standard queue hands out from a ready list of at most 1,024 sequence numbers
// and, from the first message with a group on, by fair_order.h; a FIFO queue by fifo_order.h.
// Source of the rules: SQS developer guide; decisions D5, D16, D20.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "base/result.h"
#include "queue/event.h"
#include "queue/fair_order.h"
#include "queue/fifo_order.h"
#include "queue/limits.h"
#include "queue/message.h"
#include "queue/message_table.h"
#include "queue/page.h"

namespace forebay::queue {

enum class ReceiptError { not_in_flight, too_long, expired };

class Queue final : public MessageTable {
  public:
    static constexpr std::size_t ready_list_max = 1024;

    Queue(QueueId id, Pages& pages) : MessageTable(id, pages) {}

    /// Before anything is handed out.
    void set_fifo(bool is_fifo);
    bool is_fifo() const { return fifo_ != nullptr; }

    /// The next message that may be handed out at `now`: of a standard queue the oldest first among those known to be ready, or as
    /// fair_order.h says, of a FIFO queue as fifo_order.h says. It is taken off the ready list, so the caller must hand it out (Touched),
    /// delete it or move it. `same_receive`: what was taken before is handed out together with it.
    std::optional<Sequence> take_ready(Timestamp now, bool same_receive = false);
    /// Puts a message that was taken and not handed out back.
    void put_back(Sequence sequence);

    Touched decide_receive(Sequence sequence, Duration visibility, std::uint32_t epoch, Timestamp now);
    /// The receive of a message in flight is repeated: its time to be hidden begins again, its receipt stays what it is.
    Touched decide_receive_again(Sequence sequence, Duration visibility, Timestamp now);
    /// Nothing = acknowledged without effect (deleted before). A genuine receipt of any generation deletes (D20); of a FIFO queue
    /// only the newest does, while the message is hidden.
    Result<std::optional<Deleted>, ReceiptError> decide_delete(const Receipt& receipt, Timestamp now);
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
    using MessageTable::relocate;

    /// Earliest moment at which a message that is hidden now may be ready; nothing if none is hidden or some are ready now.
    std::optional<Timestamp> next_due() const;
    /// True when a receive at `now` would find something to look at.
    bool may_have_ready(Timestamp now) const;
    /// Of a FIFO queue: groups that something is in flight of.
    std::size_t locked_groups() const { return fifo_ ? fifo_->locked_groups() : 0; }
    /// Of a standard queue: groups that others go before.
    std::size_t noisy_groups() const { return fair_ ? fair_->noisy_tenants() : 0; }
    std::size_t known_tenants() const { return fair_ ? fair_->tenants() : 0; }

    /// For checkpoints: the summaries, and putting them back. Messages on the ready list are due at once for whoever
    /// restores them, because the list itself is not kept.
    template <class Visit>
    void visit_summaries(Visit visit) const {
        auto offered = pages_with_offered();
        for (const auto& [page, summary] : summaries()) {
            auto kept = summary;
            if (offered.contains(page)) kept.due = 0;
            visit(page, kept);
        }
    }
    using MessageTable::restore;

  private:
    std::set<std::uint64_t> pages_with_offered() const;
    void offer_page(std::uint64_t page, Timestamp now);
    void offer_page_fairly(std::uint64_t page, Timestamp now);
    void become_fair(Timestamp now);
    std::optional<Sequence> take_in_order(Timestamp now);
    std::optional<Sequence> take_fairly(Timestamp now);
    bool take_off(Sequence sequence, Timestamp now);

    std::deque<Sequence> ready_;
    std::unique_ptr<FairOrder> fair_;  ///< null until a message with a group is seen
    std::unique_ptr<FifoOrder> fifo_;  ///< null for a standard queue
};

}  // namespace forebay::queue
