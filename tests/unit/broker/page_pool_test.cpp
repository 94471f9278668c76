// Pages by themselves, time by itself, and the mailbox's bounds.

#include "broker/page_pool.h"

#include <gtest/gtest.h>

#include <cstring>

#include "broker/mailbox.h"
#include "broker/time_keeper.h"
#include "testing/manual_clock.h"
#include "testing/simulated_disk.h"

namespace forebay::broker {
namespace {

class PagePoolTest : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(pool.open(disk, "pages")); }
    queue::Slot& slot(std::uint32_t queue, std::uint64_t page, bool change) {
        return pool.page(queue::QueueId(queue), page, change).slots[7];
    }
    void checkpoint() {
        ASSERT_TRUE(pool.begin_checkpoint());
        pool.end_checkpoint(true);
    }
    testing::SimulatedDisk disk{1};
    SegmentUse use;
    PagePool pool{use, 1};
};

TEST_F(PagePoolTest, more_pages_than_memory_come_back_as_they_were) {
    for (std::uint32_t n = 1; n <= 100; ++n) slot(n, n * 3, true).visible_at = n;
    for (std::uint32_t n = 1; n <= 100; ++n) EXPECT_EQ(slot(n, n * 3, false).visible_at, n);
    EXPECT_GT(pool.reads(), 90u);
}

TEST_F(PagePoolTest, unchanged_pages_are_not_written) {
    for (std::uint32_t n = 1; n <= 20; ++n) slot(n, 0, true).visible_at = n;
    checkpoint();
    auto written = pool.writes();
    for (std::uint32_t n = 1; n <= 20; ++n) slot(n, 0, false);
    checkpoint();
    EXPECT_EQ(pool.writes(), written);
}

TEST_F(PagePoolTest, slots_of_the_last_two_checkpoints_are_not_overwritten) {
    std::vector<PagePool::Stored> stored;
    for (std::int64_t round = 0; round < 6; ++round) {
        slot(1, 0, true).visible_at = round;
        checkpoint();
        stored.push_back(*pool.stored(queue::QueueId(1), 0));
        if (round == 0) continue;
        auto& before = stored[stored.size() - 2];
        EXPECT_NE(before.slot, stored.back().slot);
        auto page = disk.content("pages").substr(before.slot * page_bytes, page_bytes);
        std::int64_t visible_at = 0;
        std::memcpy(&visible_at, page.data() + 7 * sizeof(queue::Slot), sizeof visible_at);
        EXPECT_EQ(visible_at, round - 1);
    }
    EXPECT_LE(stored.back().slot, 3u) << "older slots are used again";
}

TEST_F(PagePoolTest, a_forgotten_page_is_empty_again) {
    slot(1, 0, true).visible_at = 5;
    checkpoint();
    pool.forget(queue::QueueId(1), 0);
    EXPECT_EQ(slot(1, 0, false).visible_at, 0);
}

TEST_F(PagePoolTest, there_is_room_again_when_slots_are_free_although_the_file_never_grew_again) {
    disk.options().capacity_bytes = 4 << 20;
    std::uint32_t pages = 0;
    while (pool.has_room() && pages < 200) slot(++pages, 0, true).visible_at = 1;
    ASSERT_FALSE(pool.has_room());
    for (std::uint32_t n = 1; n <= pages; ++n) pool.forget(queue::QueueId(n), 0);
    EXPECT_TRUE(pool.has_room());
}

class RottenPage : public PagePoolTest {
  protected:
    void write_pages() {
        for (std::uint32_t n = 1; n <= 20; ++n) slot(n, 0, true).visible_at = n;
    }
    void rot() {
        auto at = pool.stored(queue::QueueId(1), 0);
        ASSERT_TRUE(at);
        disk.rot("pages", std::uint64_t{at->slot} * page_bytes + 3, 1);
        EXPECT_EQ(slot(1, 0, false).visible_at, 0);
        EXPECT_TRUE(pool.fault());
    }
};

TEST_F(RottenPage, of_a_checkpoint_is_damage_and_reads_as_empty) {
    write_pages();
    checkpoint();
    for (std::uint32_t n = 2; n <= 20; ++n) slot(n, 0, false);
    rot();
    EXPECT_TRUE(pool.is_damaged());
}

TEST_F(RottenPage, that_no_checkpoint_names_is_a_fault_that_says_nothing_against_them) {
    write_pages();
    rot();
    EXPECT_FALSE(pool.is_damaged());
}

TEST(TimeKeeperTest, time_follows_a_slewed_clock_and_neither_goes_back_nor_stands_still) {
    testing::ManualClock clock;
    TimeKeeper time(clock, {});
    auto before = time.now().wall;
    clock.jump_wall(-2s);
    EXPECT_EQ(time.now().wall, before);
    EXPECT_FALSE(time.is_suspect());
    clock.advance(3s);
    EXPECT_EQ(time.now().wall, before + 3s);
    clock.jump_wall(2s);
    EXPECT_EQ(time.now().wall, before + 3s);
    clock.jump_wall(1s);
    EXPECT_EQ(time.now().wall, before + 4s);
}

TEST(TimeKeeperTest, a_jump_is_suspect_until_it_has_held_for_ten_minutes) {
    testing::ManualClock clock;
    TimeKeeper time(clock, {});
    auto start = time.now().wall;
    clock.jump_wall(24h);
    EXPECT_EQ(time.now().wall, start);
    EXPECT_TRUE(time.is_suspect());
    for (int minute = 0; minute < 9; ++minute) {
        clock.advance(1min);
        EXPECT_EQ(time.now().wall, start + (minute + 1) * 1min);
    }
    EXPECT_TRUE(time.is_suspect());
    clock.advance(2min);
    EXPECT_EQ(time.now().wall, clock.wall());
    EXPECT_FALSE(time.is_suspect());
}

TEST(TimeKeeperTest, a_clock_behind_the_log_at_the_start_is_suspect_and_time_goes_on_from_the_log) {
    testing::ManualClock clock;
    auto log = clock.wall() + 1h;
    TimeKeeper time(clock, log);
    EXPECT_TRUE(time.is_suspect());
    EXPECT_EQ(time.now().wall, log);
    clock.advance(1s);
    EXPECT_EQ(time.now().wall, log + 1s);
}

TEST(MailboxTest, commands_beyond_number_or_bytes_come_back) {
    Mailbox mailbox(2, 100);
    auto send = [](std::size_t bytes) {
        Send send;
        send.message.body.assign(bytes, 'x');
        return Command(std::move(send));
    };
    EXPECT_FALSE(mailbox.put(send(500))) << "one alone passes whatever its size";
    EXPECT_TRUE(mailbox.put(send(1)));
    std::vector<Command> out;
    EXPECT_TRUE(mailbox.take(out, std::nullopt));
    EXPECT_EQ(out.size(), 1u);
    EXPECT_FALSE(mailbox.put(send(60)));
    EXPECT_TRUE(mailbox.put(send(60)));
    EXPECT_FALSE(mailbox.put(send(40)));
    EXPECT_TRUE(mailbox.put(send(0)));
    mailbox.close();
    EXPECT_EQ(mailbox.put(send(0))->first, Mailbox::Refused::closed);
    EXPECT_TRUE(mailbox.take(out, std::nullopt));
    EXPECT_EQ(out.size(), 2u);
    EXPECT_FALSE(mailbox.take(out, std::nullopt));
}

}  // namespace
}  // namespace forebay::broker
