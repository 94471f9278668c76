#pragma once
// What a standard queue with message groups hands out next, so that a noisy group does not keep the others waiting. A group is a
// tenant; a message without one is a tenant of its own, always quiet. Messages of quiet tenants go first, oldest first; then those of
// the noisy tenant with the least in flight. No message is passed over for good, and no order is promised, as in any standard queue.
//
// A tenant becomes noisy when it has 30 messages and more than a tenth of all that is in flight, or had more than a tenth of the
// time that messages were in flight of late (halved every minute). It is quiet again when nothing of it waits, or when it sent
// nothing for five minutes; whether it is noisy is asked again with each of its messages that is handed out. Source: AWS, "fair queues
// detailed"; how long "of late" is AWS does not say. Once 100 are noisy, those that are so no longer by number or time are quiet too.
//
// Knows no page: it is shown the messages of a page one by one, takes some, and remembers which pages hold what it left of noisy
// tenants. Memory: 100 bytes for a tenant that has something in flight, 16 KiB for each of the noisy ones, 16 KiB for the quiet ones
// together, 40 bytes for a page with something left. Nothing grows with the messages that wait, and nothing is kept over a restart
// but what is in flight, which the pages say.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "queue/message_table.h"

namespace forebay::queue {

class FairOrder final : public InFlightWatch {
  public:
    static constexpr std::uint32_t noisy_in_flight_least = 30;
    static constexpr unsigned noisy_part = 10;  ///< more than one of so many
    static constexpr Duration quiet_after = 5min;
    static constexpr std::size_t noisy_max = 100;
    static constexpr std::size_t known_max = 1024;  ///< messages of the quiet tenants together, and of each noisy one
    static constexpr int pages_at_once = 4;         ///< looked at for one message that is handed out

    explicit FairOrder(Timestamp now) : now_(now.ms) {}

    void time_is(Timestamp now) { now_ = std::max(now_, now.ms); }
    void in_flight_changed(std::uint64_t group, bool is_in_flight) override;
    /// The tenant sent a message.
    void sent(std::uint64_t group, Timestamp now);
    /// A message was added that may be handed out at once. True: it is of a noisy tenant, and its page need not be looked at for it.
    bool leave(Sequence sequence, std::uint64_t group);

    // The messages of a page that may be handed out, all of them, between these two.
    void begin_page(std::uint64_t page);
    Offered offer(Sequence sequence, std::uint64_t group);
    void end_page();
    /// The page is not there any more.
    void forget_page(std::uint64_t page) { left_.erase(page); }

    /// The next message of a quiet tenant, of those that were taken.
    std::optional<Sequence> take_quiet();
    /// The next of a noisy tenant: a message, or the page to be shown again since the next message is there. With `may_look` false
    /// a tenant of whom messages are known is preferred to looking.
    struct Next {
        std::optional<Sequence> message;
        std::uint64_t page = 0;
    };
    std::optional<Next> take_noisy(bool may_look);
    /// It was taken and not handed out.
    void put_back(Sequence sequence, std::uint64_t group);
    /// Makes those tenants quiet that are so by now. The pages to be shown again because of it.
    std::vector<std::uint64_t> calm();

    bool anything_is_known() const;
    bool anything_noisy_waits() const;
    std::size_t noisy_tenants() const { return noisy_.size(); }
    std::size_t tenants() const { return tenants_.size(); }
    /// Pages of which messages are known or were left.
    void add_pages(std::set<std::uint64_t>& pages) const;

  private:
    /// What is in flight, and for how long things were.
    struct Load {
        std::uint32_t in_flight = 0;
        std::int64_t busy = 0;  ///< message-milliseconds, halved every minute
        std::int64_t at = 0;    ///< ms
        void settle(std::int64_t now);
        void count(bool is_in_flight, std::int64_t now);
    };
    struct Noisy;
    struct Tenant {
        Load load;
        Noisy* noisy = nullptr;
    };
    struct Noisy {
        std::uint64_t group;
        Tenant& tenant;
        std::int64_t sent_at;                  ///< ms; when it sent last, or became noisy
        std::uint64_t left_from = UINT64_MAX;  ///< messages of it may have been left in this page and later ones
        std::deque<Sequence> known{};
    };
    struct Known {
        Sequence sequence;
        std::uint64_t group;
    };
    bool is_above_bounds(const Tenant& tenant) const;
    Noisy* noisy_of(std::uint64_t group);
    bool has_left(const Noisy& noisy) const { return left_.lower_bound(noisy.left_from) != left_.end(); }
    bool waits(const Noisy& noisy) const { return !noisy.known.empty() || has_left(noisy); }
    std::uint64_t head_of(const Noisy& noisy) const;
    void forget_tenants();

    std::int64_t now_;
    Load all_;
    std::unordered_map<std::uint64_t, Tenant> tenants_;
    std::size_t forget_at_ = 1024;
    std::vector<std::unique_ptr<Noisy>> noisy_;
    std::deque<Known> quiet_;
    std::set<std::uint64_t> left_;  ///< pages with messages of noisy tenants that were left

    // Of the page that is being shown.
    std::uint64_t page_ = 0;
    bool has_left_here_ = false;
    std::uint64_t group_ = 0;  ///< of the message before
    Noisy* group_is_ = nullptr;
    bool group_has_left_before_ = false;
};

}  // namespace forebay::queue
