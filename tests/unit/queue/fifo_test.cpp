#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "queue/queue.h"
#include "tests/unit/queue/memory_pages.h"

namespace forebay::queue {
namespace {

using Group = std::uint64_t;

class FifoTest : public testing::Test {
  protected:
    FifoTest() { queue.set_fifo(true); }

    Sequence send(Group group, Duration delay = 0s) {
        auto sequence = queue.next_sequence();
        queue.apply(Enqueued{sequence, {1, 0, 100}, now, now + delay, group});
        return sequence;
    }
    std::vector<Receipt> receive(std::size_t max, Duration visibility = 30s) {
        std::vector<Receipt> out;
        while (out.size() < max) {
            auto sequence = queue.take_ready(now, !out.empty());
            if (!sequence) break;
            auto event = queue.decide_receive(*sequence, visibility, 1, now);
            queue.apply(event);
            out.push_back({QueueId(1), *sequence, event.epoch, event.generation});
        }
        return out;
    }
    std::vector<std::uint64_t> sequences(const std::vector<Receipt>& receipts) {
        std::vector<std::uint64_t> out;
        for (const auto& receipt : receipts) out.push_back(receipt.sequence.value());
        return out;
    }
    std::vector<std::uint64_t> received(std::size_t max, Duration visibility = 30s) { return sequences(receive(max, visibility)); }
    bool remove(const Receipt& receipt) {
        auto event = queue.decide_delete(receipt, now);
        if (event && *event) queue.apply(**event);
        return event.ok();
    }
    void hide(const Receipt& receipt, Duration timeout) {
        auto event = queue.decide_visibility(receipt, timeout, false, {}, now);
        ASSERT_TRUE(event && *event);
        queue.apply(**event);
    }
    using Sequences = std::vector<std::uint64_t>;
    MemoryPages pages;
    Queue queue{QueueId(1), pages};
    Timestamp now{1'790'000'000'000};
};

TEST_F(FifoTest, a_receive_fills_from_one_group_before_the_next_and_the_oldest_head_goes_first) {
    for (Group group : {1, 2, 1, 2, 1, 3}) send(group);
    EXPECT_EQ(received(4), (Sequences{0, 2, 4, 1}));
    EXPECT_EQ(received(4), (Sequences{5}));
}

TEST_F(FifoTest, a_group_in_flight_hands_out_nothing_until_all_handed_out_are_deleted) {
    for (int i = 0; i < 4; ++i) send(1);
    auto two = receive(2);
    EXPECT_TRUE(received(10).empty());
    EXPECT_EQ(queue.locked_groups(), 1u);
    remove(two[1]);
    EXPECT_TRUE(received(10).empty());
    remove(two[0]);
    EXPECT_EQ(received(10), (Sequences{2, 3}));
}

TEST_F(FifoTest, a_group_goes_on_from_its_oldest_message_when_all_are_visible_again) {
    for (int i = 0; i < 4; ++i) send(1);
    auto two = receive(2, 30s);
    hide(two[0], 0s);
    EXPECT_TRUE(received(10).empty()) << "the second is still in flight";
    now = now + 30s;
    EXPECT_EQ(received(10), (Sequences{0, 1, 2, 3}));
}

TEST_F(FifoTest, the_hour_of_a_hidden_group_is_known) {
    send(1);
    send(1);
    auto two = receive(2, 30s);
    EXPECT_TRUE(received(1).empty());
    EXPECT_EQ(queue.next_due(), now + 30s);
    hide(two[1], 60s);
    EXPECT_TRUE(received(1).empty());
    EXPECT_EQ(queue.next_due(), now + 60s);
    EXPECT_FALSE(queue.may_have_ready(now));
    now = now + 60s;
    EXPECT_TRUE(queue.may_have_ready(now));
}

TEST_F(FifoTest, a_delayed_head_holds_its_group_back_and_no_other) {
    send(1, 10s);
    send(1);
    send(2);
    EXPECT_EQ(received(10), (Sequences{2}));
    now = now + 10s;
    EXPECT_EQ(received(10), (Sequences{0, 1}));
}

TEST_F(FifoTest, only_the_newest_receipt_counts_and_only_while_the_message_is_hidden) {
    send(1);
    auto first = receive(1, 10s)[0];
    now = now + 10s;
    EXPECT_EQ(queue.decide_delete(first, now).error(), ReceiptError::expired);
    EXPECT_EQ(queue.decide_visibility(first, 10s, false, {}, now).error(), ReceiptError::expired);
    auto second = receive(1, 10s)[0];
    EXPECT_EQ(queue.decide_delete(first, now).error(), ReceiptError::expired);
    EXPECT_EQ(queue.decide_visibility(first, 10s, false, {}, now).error(), ReceiptError::expired);
    EXPECT_TRUE(remove(second));
    EXPECT_TRUE(remove(second)) << "deleted already";
    EXPECT_EQ(queue.decide_visibility(second, 10s, false, {}, now).error(), ReceiptError::not_in_flight);
}

TEST_F(FifoTest, a_message_that_is_removed_from_the_head_lets_its_group_go_on) {
    send(1);
    send(1);
    queue.apply(Deleted{*queue.take_ready(now)});  // moved to a dead-letter queue
    EXPECT_EQ(received(10), (Sequences{1}));
}

TEST_F(FifoTest, what_expires_or_is_purged_holds_no_group_back) {
    for (int i = 0; i < 3; ++i) send(1);
    receive(1, 3600s);
    queue.apply(Purged{Sequence(1)});
    EXPECT_EQ(received(10), (Sequences{1, 2}));
    queue.apply(Purged{queue.next_sequence()});
    EXPECT_TRUE(received(10).empty());
    send(1);
    EXPECT_EQ(received(10), (Sequences{3}));
}

TEST_F(FifoTest, a_group_is_found_behind_a_backlog_of_one_that_is_locked_but_not_behind_the_look_ahead) {
    for (std::size_t i = 0; i < 50'000; ++i) send(1);
    send(2);
    EXPECT_EQ(received(1), (Sequences{0}));
    EXPECT_EQ(received(10), (Sequences{50'000}));
    while (queue.live() < FifoOrder::look_ahead_max + page_slots) send(1);
    auto behind = send(3);
    EXPECT_TRUE(received(10).empty());
    EXPECT_FALSE(queue.may_have_ready(now)) << "nobody looks again before something changes";
    now = now + 30s;
    auto ready = received(1);
    EXPECT_EQ(ready, (Sequences{0}));
    (void)behind;
}

TEST_F(FifoTest, the_index_is_bounded_however_many_messages_wait) {
    for (std::size_t i = 0; i < 400'000; ++i) send(i % 1000 + 1);
    FifoOrder order(queue);
    EXPECT_TRUE(order.take(now, false));
    EXPECT_LE(order.known_messages(), FifoOrder::look_ahead_least + page_slots);
}

TEST_F(FifoTest, messages_in_flight_lock_their_groups_for_whoever_opens_the_queue_again) {
    for (int i = 0; i < 30'000; ++i) send(static_cast<Group>(i % 100 + 1));
    std::set<Group> locked;
    for (int i = 0; i < 40; ++i)
        for (const auto& receipt : receive(10, 3600s)) locked.insert(queue.slot(receipt.sequence).group);
    Queue again(QueueId(1), pages);
    again.set_fifo(true);
    std::map<std::uint64_t, PageSummary> summaries;
    queue.visit_summaries([&](std::uint64_t page, const PageSummary& summary) { summaries[page] = summary; });
    again.restore(queue.next_sequence(), queue.bytes(), summaries);
    auto next = again.take_ready(now);
    ASSERT_TRUE(next);
    EXPECT_FALSE(locked.contains(again.slot(*next).group));
    EXPECT_EQ(again.locked_groups(), locked.size());
}

/// Any life of a FIFO queue against a model that knows its groups as plain lists.
class FifoModel : public FifoTest {
  protected:
    struct Known {
        Group group = 0;
        std::int64_t visible_at = 0;
        bool received = false;
        Receipt receipt;
    };
    bool is_locked(Group group) const {
        return std::any_of(model.begin(), model.end(), [&](const auto& item) {
            return item.second.group == group && item.second.received && item.second.visible_at > now.ms;
        });
    }
    /// What a receive of `max` must give.
    Sequences expected(std::size_t max) const {
        std::set<Group> done;
        Sequences out;
        for (const auto& [head, known] : model) {
            if (!done.insert(known.group).second || is_locked(known.group)) continue;
            for (const auto& [sequence, other] : model) {
                if (other.group != known.group) continue;
                if (other.visible_at > now.ms || out.size() == max) break;
                out.push_back(sequence);
            }
        }
        return out;
    }
    std::map<std::uint64_t, Known> model;
};

TEST_F(FifoModel, a_random_life_agrees_with_plain_lists) {
    std::uint64_t seed = 88172645463325252ull;
    auto next = [&] { return seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17; };
    for (int step = 0; step < 30'000; ++step) {
        auto kind = next() % 16;
        if (kind < 5 && model.size() < 200) {
            auto group = next() % 8 + 1;
            auto delay = Duration(next() % 8 == 0 ? next() % 5000 : 0);
            auto sequence = send(group, delay);
            model[sequence.value()] = {group, (now + delay).ms, false, {}};
        } else if (kind < 10) {
            auto max = next() % 10 + 1;
            Duration visibility(next() % 8000 + 1);
            auto wanted = expected(max);
            auto got = receive(max, visibility);
            ASSERT_EQ(sequences(got), wanted) << step;
            for (const auto& receipt : got) {
                auto& known = model[receipt.sequence.value()];
                known = {known.group, (now + visibility).ms, true, receipt};
            }
        } else if (kind < 14 && !model.empty()) {
            auto at = model.lower_bound(next() % queue.next_sequence().value());
            if (at == model.end()) at = model.begin();
            if (!at->second.received) continue;
            bool is_current = at->second.visible_at > now.ms;
            ASSERT_EQ(remove(at->second.receipt), is_current);
            if (is_current) model.erase(at);
        } else if (kind == 14 && !model.empty() && next() % 20 == 0) {
            auto below = model.begin()->first + next() % 30;
            queue.apply(Purged{Sequence(below)});
            model.erase(model.begin(), model.lower_bound(below));
        } else {
            now = now + Duration(next() % 1000);
        }
        ASSERT_EQ(queue.live(), model.size());
    }
}

}  // namespace
}  // namespace forebay::queue
