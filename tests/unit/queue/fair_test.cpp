#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <tuple>

#include "queue/queue.h"
#include "tests/unit/queue/memory_pages.h"

namespace forebay::queue {
namespace {

using Group = std::uint64_t;
constexpr Group noisy = 1000;

class FairTest : public testing::Test {
  protected:
    Sequence send(Group group, Duration delay = 0s) {
        auto sequence = queue.next_sequence();
        queue.apply(Enqueued{sequence, {1, static_cast<std::uint32_t>(sequence.value()), 100}, now, now + delay, group});
        return sequence;
    }
    void send_many(Group group, int count) {
        for (int i = 0; i < count; ++i) send(group);
    }
    std::optional<Receipt> receive(Duration visibility = 30s) {
        auto sequence = queue.take_ready(now);
        if (!sequence) return std::nullopt;
        auto event = queue.decide_receive(*sequence, visibility, 1, now);
        queue.apply(event);
        return Receipt{QueueId(1), *sequence, event.epoch, event.generation};
    }
    Group group_of(const std::optional<Receipt>& receipt) { return receipt ? queue.slot(receipt->sequence).group : UINT64_MAX; }
    std::vector<Receipt> receive_many(int count) {
        std::vector<Receipt> out;
        for (int i = 0; i < count; ++i)
            if (auto receipt = receive()) out.push_back(*receipt);
        return out;
    }
    void remove(const Receipt& receipt) { queue.apply(**queue.decide_delete(receipt, now)); }
    /// The noisy tenant has this much waiting, and 40 in flight, so that it is noisy.
    void make_noisy(int waiting) {
        send_many(noisy, waiting + 40);
        receive_many(40);
        EXPECT_EQ(queue.noisy_groups(), 1u);
    }

    MemoryPages pages;
    Queue queue{QueueId(1), pages};
    Timestamp now{1'790'000'000'000};
};

TEST_F(FairTest, a_quiet_tenant_goes_before_the_backlog_of_a_noisy_one) {
    make_noisy(500);
    auto quiet = send(7);
    auto next = receive();
    ASSERT_TRUE(next);
    EXPECT_EQ(next->sequence, quiet);
    EXPECT_EQ(group_of(receive()), noisy);
}

TEST_F(FairTest, tenants_of_less_than_thirty_in_flight_and_a_tenth_of_the_time_are_served_in_order) {
    for (int i = 0; i < 200; ++i) send(static_cast<Group>(i % 20 + 1));
    for (std::uint64_t i = 0; i < 200; ++i) EXPECT_EQ(receive()->sequence.value(), i);
    EXPECT_EQ(queue.noisy_groups(), 0u);
}

TEST_F(FairTest, a_message_without_a_group_is_a_quiet_tenant_of_its_own) {
    make_noisy(200);
    send_many(0, 100);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(group_of(receive()), 0u);
    EXPECT_EQ(group_of(receive()), noisy);
    EXPECT_EQ(queue.noisy_groups(), 1u);
}

TEST_F(FairTest, a_quiet_tenant_is_found_behind_a_backlog_that_is_not_known_as_a_whole) {
    make_noisy(100'000);
    send(7);
    int before = 0;
    while (group_of(receive()) != 7) ++before;
    EXPECT_LE(before, 1 + 100'000 / (FairOrder::pages_at_once * static_cast<int>(page_slots)));
    // From then on the backlog has been looked at.
    send(8);
    EXPECT_EQ(group_of(receive()), 8u);
}

TEST_F(FairTest, what_is_known_is_bounded_however_much_waits) {
    make_noisy(300'000);
    send(7);
    receive_many(200);
    std::set<std::uint64_t> with_offered;
    std::size_t offered = 0;
    for (const auto& [number, page] : pages.pages)
        for (const auto& slot : page.slots) offered += slot.is(Slot::offered);
    EXPECT_LE(offered, 2 * FairOrder::known_max);
}

TEST_F(FairTest, among_noisy_tenants_the_one_with_the_least_in_flight_is_next) {
    send_many(1, 60);
    receive_many(60);
    send_many(1, 100);
    send_many(2, 100);
    std::map<Group, int> got;
    for (int i = 0; i < 60; ++i) ++got[group_of(receive())];
    EXPECT_EQ(got[2], 59);  // the first of the other was quiet, since nothing of it waited
    for (int i = 0; i < 20; ++i) ++got[group_of(receive())];
    EXPECT_EQ(got[1], 10);
    EXPECT_EQ(got[2], 70);
}

TEST_F(FairTest, a_noisy_tenant_with_less_in_flight_is_found_far_behind_another) {
    make_noisy(20'000);
    send_many(2, 5000);
    for (int i = 0; i < 300; ++i) receive();
    std::map<Group, int> in_flight;
    for (const auto& [number, page] : pages.pages)
        for (const auto& slot : page.slots) in_flight[slot.group] += slot.is(Slot::in_flight);
    EXPECT_NEAR(in_flight[noisy], 170, 10);
    EXPECT_NEAR(in_flight[2], 170, 10);
}

TEST_F(FairTest, the_time_messages_are_in_flight_makes_a_tenant_noisy_too) {
    for (int i = 0; i < 10; ++i) {
        send(1);
        auto receipt = receive();
        now = now + 1s;
        remove(*receipt);
    }
    send(1);
    send(1);
    send(2);
    EXPECT_EQ(group_of(receive()), 1u);
    EXPECT_EQ(group_of(receive()), 2u);
    EXPECT_EQ(group_of(receive()), 1u);
}

TEST_F(FairTest, a_tenant_is_quiet_again_when_its_backlog_is_gone) {
    send_many(noisy, 40);
    auto got = receive_many(40);
    for (const auto& receipt : got) remove(receipt);
    EXPECT_FALSE(receive());
    EXPECT_EQ(queue.noisy_groups(), 0u);
    auto first = send(noisy);
    send(7);
    EXPECT_EQ(receive()->sequence, first);
}

TEST_F(FairTest, a_tenant_is_quiet_again_after_five_minutes_without_sends) {
    make_noisy(3000);
    for (int minutes = 1; minutes < 5; ++minutes) {
        now = now + 60s;
        send(8);
        auto receipt = receive(1h);
        EXPECT_EQ(group_of(receipt), 8u);
        remove(*receipt);
    }
    now = now + 60s;
    send(8);
    EXPECT_EQ(group_of(receive(1h)), noisy);
    EXPECT_EQ(group_of(receive(1h)), 8u);
    for (int i = 0; i < 3039; ++i) ASSERT_EQ(group_of(receive(1h)), noisy);
    EXPECT_FALSE(receive());
}

TEST_F(FairTest, a_tenant_that_goes_on_sending_stays_noisy_though_nobody_receives) {
    make_noisy(3000);
    for (auto delay : {Duration(0), Duration(30s)}) {
        for (int minutes = 0; minutes < 10; ++minutes) {
            now = now + 60s;
            send(noisy, delay);
        }
        send(8);
        EXPECT_EQ(group_of(receive(1h)), 8u);
    }
}

TEST_F(FairTest, however_many_were_noisy_once_a_bounded_number_is) {
    constexpr Group tenants = 500;
    constexpr int each = 50;
    for (Group group = 1; group <= tenants; ++group) send_many(group, each);
    std::deque<Receipt> held;
    std::map<Group, int> got;
    std::size_t noisy_most = 0;
    while (auto receipt = receive()) {
        got[group_of(receipt)] += 1;
        noisy_most = std::max(noisy_most, queue.noisy_groups());
        held.push_back(*receipt);
        if (held.size() < 100) continue;
        remove(held.front());
        held.pop_front();
    }
    EXPECT_EQ(noisy_most, FairOrder::noisy_max);
    for (Group group = 1; group <= tenants; ++group) EXPECT_EQ(got[group], each);
}

TEST_F(FairTest, whoever_opens_the_queue_again_knows_what_is_in_flight) {
    make_noisy(500);
    Queue again(QueueId(1), pages);
    std::map<std::uint64_t, PageSummary> summaries;
    queue.visit_summaries([&](std::uint64_t page, const PageSummary& summary) { summaries[page] = summary; });
    again.restore(queue.next_sequence(), queue.bytes(), summaries);
    // As the broker does with pages of an earlier process.
    for (auto& [number, page] : pages.pages)
        for (auto& slot : page.slots) slot.set(Slot::offered, false);
    for (int i = 0; i < 2; ++i) {
        auto sequence = again.take_ready(now);
        ASSERT_TRUE(sequence);
        again.apply(again.decide_receive(*sequence, 30s, 2, now));
    }
    EXPECT_EQ(again.noisy_groups(), 1u);
    auto quiet = again.next_sequence();
    again.apply(Enqueued{quiet, {1, 0, 100}, now, now, 7});
    EXPECT_EQ(again.take_ready(now), quiet);
}

TEST_F(FairTest, a_purge_leaves_nothing_to_look_for) {
    make_noisy(30'000);
    send(7);
    receive();
    queue.apply(Purged{queue.next_sequence()});
    EXPECT_FALSE(queue.take_ready(now));
    EXPECT_FALSE(queue.may_have_ready(now));
    send(noisy);
    EXPECT_TRUE(receive());
}

TEST_F(FairTest, tenants_that_came_and_went_are_forgotten) {
    Queue many(QueueId(1), pages);
    for (Group group = 1; group <= 20'000; ++group) {
        auto sequence = many.next_sequence();
        many.apply(Enqueued{sequence, {1, 0, 100}, now, now, group});
        auto taken = many.take_ready(now);
        ASSERT_EQ(taken, sequence);
        auto event = many.decide_receive(sequence, 30s, 1, now);
        many.apply(event);
        now = now + 10ms;
        many.apply(**many.decide_delete({QueueId(1), sequence, event.epoch, event.generation}, now));
    }
    EXPECT_LE(many.known_tenants(), 5000u);
}

/// Random lives: whatever the groups, every message comes exactly once while it is hidden for long, and nothing is passed over for good.
/// Where a tenant is noisy for certain, none that never had anything in flight waits behind it.
class FairLife : public FairTest {
  protected:
    struct Waiting {
        Group group;
        std::int64_t visible_at;
    };
    void check_nobody_quiet_waits(Group given) {
        if (in_flight[given] < 30 || !is_second_of[given]) return;
        std::size_t all = 0;
        for (auto& [group, count] : in_flight) all += count;
        if (in_flight[given] * 10 <= all) return;
        for (auto& [sequence, waiting] : waits)
            RC_ASSERT(
                !(waiting.visible_at <= now.ms && (waiting.group == 0 || in_flight[waiting.group] + served.count(waiting.group) == 0)));
    }
    std::map<std::uint64_t, Waiting> waits;
    std::map<Group, std::size_t> in_flight;
    std::map<Group, bool> is_second_of;
    std::set<Group> served;
};

RC_GTEST_FIXTURE_PROP(FairLife, every_message_comes_once_and_quiet_ones_first, ()) {
    using Step = std::tuple<int, Group, int>;
    auto steps = *rc::gen::container<std::vector<Step>>(
        rc::gen::tuple(rc::gen::inRange(0, 16), rc::gen::inRange<Group>(0, 12), rc::gen::inRange(1, 40)));
    std::vector<Receipt> held;
    for (auto [kind, group, count] : steps) {
        if (kind < 5) {
            for (int i = 0; i < count; ++i) {
                auto delay = kind == 0 ? Duration(count) : 0s;
                waits[send(kind < 3 ? noisy : group, delay).value()] = {kind < 3 ? noisy : group, (now + delay).ms};
            }
        } else if (kind < 11) {
            std::optional<Group> last;
            for (int i = 0; i < count; ++i) {
                auto receipt = receive(3h);
                if (!receipt) {
                    for (auto& [sequence, waiting] : waits) RC_ASSERT(waiting.visible_at > now.ms);
                    break;
                }
                auto given = group_of(receipt);
                RC_ASSERT(waits.contains(receipt->sequence.value()));
                waits.erase(receipt->sequence.value());
                is_second_of[given] = last == given;
                if (given != 0) check_nobody_quiet_waits(given);
                last = given;
                in_flight[given] += 1;
                served.insert(given);
                held.push_back(*receipt);
            }
        } else if (kind < 14) {
            for (int i = 0; i < count && !held.empty(); ++i) {
                auto at = static_cast<std::size_t>(i * 7919) % held.size();
                in_flight[group_of(held[at])] -= 1;
                remove(held[at]);
                held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
            }
        } else {
            now = now + Duration(kind == 14 ? count : count * 10'000);
            if (now.ms > 1'790'000'000'000 + 2 * 3'600'000) break;  // what is held stays hidden
        }
        RC_ASSERT(queue.live() == waits.size() + held.size());
    }
    now = now + 60s;
    while (auto receipt = receive(3h)) RC_ASSERT(waits.erase(receipt->sequence.value()) == 1);
    RC_ASSERT(waits.empty());
}

}  // namespace
}  // namespace forebay::queue
