#include "tests/unit/journal/fixture.h"

namespace forebay::journal {
namespace {

TEST_F(JournalTest, a_new_log_is_empty_and_has_boot_epoch_one) {
    open();
    EXPECT_TRUE(told.empty());
    EXPECT_EQ(log->boot_epoch(), 1u);
    EXPECT_EQ(log->next_position(), Position(0));
    EXPECT_FALSE(log->report().corrupt);
}

TEST_F(JournalTest, a_pending_record_can_be_read_before_it_is_written) {
    open();
    auto location = append("hello");
    EXPECT_EQ(body_at(location), "hello");
    ASSERT_TRUE(log->write().ok());
    EXPECT_EQ(body_at(location), "hello");
}

TEST_F(JournalTest, synced_records_survive_a_power_cut_with_their_places) {
    open();
    auto first = append_synced("one");
    auto second = append_synced("two");
    lose_power(Survival::none);
    open();
    EXPECT_EQ(bodies(), (Bodies{"one", "two"}));
    EXPECT_EQ(told[0].location, first);
    EXPECT_EQ(body_at(first), "one");
    EXPECT_EQ(body_at(told[1].location), "two");
    (void)second;
}

TEST_F(JournalTest, written_records_survive_a_killed_process) {
    open();
    append("one");
    ASSERT_TRUE(log->write().ok());
    kill();
    open();
    EXPECT_EQ(bodies(), (Bodies{"one"}));
    lose_power(Survival::none);
    open();
    EXPECT_EQ(bodies(), (Bodies{"one"})) << "opening made it durable";
}

TEST_F(JournalTest, a_full_segment_is_followed_by_another_that_begins_with_the_preamble) {
    open();
    std::string body(1000, 'x');
    std::vector<Location> places;
    for (int i = 0; i < 200; ++i) places.push_back(append_synced(body + std::to_string(i)));
    EXPECT_GT(log->active_segment(), SegmentNumber(5));
    EXPECT_EQ(log->next_position(), Position(200));
    for (int i = 0; i < 200; ++i) ASSERT_EQ(body_at(places[i]), body + std::to_string(i));
    lose_power(Survival::none);
    open();
    ASSERT_EQ(told.size(), 200u);
    for (int i = 0; i < 200; ++i) ASSERT_EQ(told[i].body, body + std::to_string(i));
    EXPECT_GT(preambles.size(), 5u);
    EXPECT_EQ(preambles[0].body, "preamble");
}

}  // namespace
}  // namespace forebay::journal
