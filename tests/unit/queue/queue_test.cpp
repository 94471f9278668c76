#include "queue/queue.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/unit/queue/memory_pages.h"

namespace forebay::queue {
namespace {

class QueueTest : public testing::Test {
  protected:
    Sequence send(Duration delay = 0s) {
        auto sequence = queue.next_sequence();
        queue.apply(Enqueued{sequence, {1, static_cast<std::uint32_t>(sequence.value()) * 100, 100}, now, now + delay});
        return sequence;
    }
    std::optional<Receipt> receive(Duration visibility = 30s) {
        auto sequence = queue.take_ready(now);
        if (!sequence) return std::nullopt;
        auto event = queue.decide_receive(*sequence, visibility, 1, now);
        queue.apply(event);
        return Receipt{QueueId(1), *sequence, event.epoch, event.generation};
    }
    void remove(const Receipt& receipt) {
        auto event = queue.decide_delete(receipt, now);
        ASSERT_TRUE(event);
        if (*event) queue.apply(**event);
    }
    MemoryPages pages;
    Queue queue{QueueId(1), pages};
    Timestamp now{1'790'000'000'000};
};

TEST_F(QueueTest, hands_out_in_the_order_sent) {
    for (int i = 0; i < 3000; ++i) send();
    for (std::uint64_t i = 0; i < 3000; ++i) {
        auto got = receive();
        ASSERT_TRUE(got);
        EXPECT_EQ(got->sequence.value(), i);
    }
    EXPECT_FALSE(receive());
}

TEST_F(QueueTest, a_received_message_is_hidden_until_its_timeout_and_counts_the_next_receive) {
    send();
    auto first = receive(30s);
    ASSERT_TRUE(first);
    EXPECT_EQ(queue.counts(now).in_flight, 1u);
    EXPECT_FALSE(receive());
    EXPECT_EQ(queue.next_due(), now + 30s);
    now = now + 30s;
    EXPECT_EQ(queue.counts(now).ready, 1u);
    EXPECT_EQ(queue.counts(now).in_flight, 0u);
    ASSERT_TRUE(receive());
    EXPECT_EQ(queue.slot(Sequence(0)).receives, 2);
}

TEST_F(QueueTest, a_genuine_older_receipt_deletes) {
    send();
    auto old = receive(1s);
    now = now + 2s;
    ASSERT_TRUE(receive());
    remove(*old);
    EXPECT_EQ(queue.live(), 0u);
    EXPECT_EQ(pages.in_use, 0u);
}

TEST_F(QueueTest, an_older_receipt_does_not_move_the_lease_of_a_newer_one) {
    send();
    auto old = receive(1s);
    now = now + 2s;
    receive(30s);
    auto changed = queue.decide_visibility(*old, 600s, false, std::nullopt, now);
    ASSERT_TRUE(changed);
    EXPECT_FALSE(*changed);
}

TEST_F(QueueTest, visibility_ends_twelve_hours_after_the_receive) {
    send();
    auto receipt = receive();
    now = now + 3600s;
    EXPECT_TRUE(queue.decide_visibility(*receipt, 11h, false, std::nullopt, now));
    auto refused = queue.decide_visibility(*receipt, 12h, false, std::nullopt, now);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), ReceiptError::too_long);
}

TEST_F(QueueTest, a_release_takes_the_receive_back_and_offers_the_message_at_once) {
    send();
    auto receipt = receive();
    auto event = queue.decide_visibility(*receipt, 0s, true, 3, now);
    queue.apply(**event);
    EXPECT_EQ(queue.slot(Sequence(0)).receives, 0);
    EXPECT_EQ(queue.slot(Sequence(0)).attempts, 3);
    EXPECT_TRUE(receive());
}

TEST_F(QueueTest, a_release_that_is_repeated_takes_one_receive_back) {
    send();
    receive(0s);
    receive(0s);
    auto receipt = receive();
    for (int i = 0; i < 3; ++i) queue.apply(**queue.decide_visibility(*receipt, 0s, true, {}, now));
    EXPECT_EQ(queue.slot(Sequence(0)).receives, 2);
}

TEST_F(QueueTest, a_delayed_message_is_counted_as_delayed_and_never_early) {
    send(10s);
    EXPECT_EQ(queue.counts(now).delayed, 1u);
    now = now + 9999ms;
    EXPECT_FALSE(receive());
    now = now + 1ms;
    EXPECT_TRUE(receive());
    EXPECT_EQ(queue.counts(now).delayed, 0u);
}

TEST_F(QueueTest, applying_an_event_twice_changes_nothing) {
    auto sequence = send();
    Enqueued again{sequence, {1, 0, 100}, now, now};
    queue.apply(again);
    EXPECT_EQ(queue.live(), 1u);
    EXPECT_EQ(pages.in_use, 100u);
    queue.apply(Deleted{sequence});
    queue.apply(Deleted{sequence});
    EXPECT_EQ(queue.live(), 0u);
    EXPECT_EQ(queue.bytes(), 0u);
}

TEST_F(QueueTest, memory_is_given_back_page_by_page) {
    for (int i = 0; i < 5000; ++i) send();
    for (int i = 0; i < 4500; ++i) remove(*receive());
    EXPECT_LE(pages.pages.size(), 2u);
    EXPECT_EQ(queue.live(), 500u);
}

TEST_F(QueueTest, purge_and_expiry_take_the_oldest) {
    for (int i = 0; i < 1500; ++i) send();
    now = now + 3600s;
    for (int i = 0; i < 10; ++i) send();
    std::uint64_t rounds = 0;
    while (auto event = queue.decide_expiry(60s, now)) {
        queue.apply(*event);
        ASSERT_LT(++rounds, 10u);
    }
    EXPECT_EQ(queue.live(), 10u);
    queue.apply(Purged{queue.next_sequence()});
    EXPECT_EQ(queue.live(), 0u);
    EXPECT_FALSE(receive());
    send();
    EXPECT_TRUE(receive());
}

TEST_F(QueueTest, a_straggler_keeps_its_place_in_the_order_when_it_is_copied) {
    send();
    send();
    queue.relocate(Sequence(0), {9, 4096, 100});
    EXPECT_EQ(receive()->sequence.value(), 0u);
    EXPECT_EQ(queue.slot(Sequence(0)).segment, 9u);
}

/// Any sequence of sends, receives, deletes and pauses: nothing is lost, nothing is handed out twice while hidden.
TEST_F(QueueTest, a_random_life_agrees_with_a_simple_model) {
    std::uint64_t seed = 88172645463325252ull;
    auto next = [&] { return seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17; };
    std::map<std::uint64_t, std::int64_t> model;  // live sequence -> visible at
    std::map<std::uint64_t, Receipt> receipts;
    for (int step = 0; step < 200000; ++step) {
        switch (next() % 8) {
            case 0:
            case 1:
            case 2: {
                Duration delay(next() % 4 == 0 ? next() % 20000 : 0);
                auto visible = (now + delay).ms;
                model[send(delay).value()] = visible;
                break;
            }
            case 3:
            case 4: {
                Duration visibility(next() % 10000);
                if (auto got = receive(visibility)) {
                    auto found = model.find(got->sequence.value());
                    ASSERT_NE(found, model.end());
                    ASSERT_LE(found->second, now.ms);
                    found->second = (now + visibility).ms;
                    receipts[got->sequence.value()] = *got;
                } else {
                    for (auto& [sequence, visible] : model) ASSERT_GT(visible, now.ms) << sequence;
                }
                break;
            }
            case 5:
            case 6:
                if (!receipts.empty()) {
                    auto it = receipts.lower_bound(next() % queue.next_sequence().value());
                    if (it == receipts.end()) it = receipts.begin();
                    remove(it->second);
                    model.erase(it->first);
                    receipts.erase(it);
                }
                break;
            case 7:
                now = now + Duration(next() % 500);
                break;
        }
        ASSERT_EQ(queue.live(), model.size());
        if (step % 1000 == 0) {
            std::uint64_t ready = 0;
            for (auto& [sequence, visible] : model) ready += visible <= now.ms;
            ASSERT_EQ(queue.counts(now).ready, ready);
        }
    }
}

}  // namespace
}  // namespace forebay::queue
