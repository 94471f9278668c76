// The idempotency window, through the broker and by itself.

#include "broker/once_window.h"

#include <cerrno>
#include <cstring>

#include "journal/quarantine.h"
#include "journal/segment.h"
#include "metrics/metrics.h"
#include "tests/unit/broker/harness.h"

namespace forebay::broker {
namespace {

Uuid number(std::uint64_t n) {
    Uuid id;
    // As hashes are: the first bytes differ.
    n *= 0x9e3779b97f4a7c15ull;
    std::memcpy(id.bytes.data(), &n, sizeof n);
    return id;
}

OnceKey key_of(std::uint64_t key, std::uint64_t content, std::uint64_t record, Duration window = 7 * 24h) {
    return {number(key), number(content), number(record), window};
}

TEST(OnceKeyTest, the_same_post_again_adds_nothing_and_names_the_record) {
    Harness broker;
    ASSERT_TRUE(broker.create("leads"));
    EXPECT_FALSE(broker.send("leads", "post", {}, key_of(1, 2, 3))->duplicate);
    auto again = broker.send("leads", "post", {}, key_of(1, 2, 4));
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->duplicate);
    EXPECT_EQ(again->original_record, number(3));
    EXPECT_EQ(broker.status("leads")->ready, 1u);
}

TEST(OnceKeyTest, the_same_key_with_another_content_is_added_and_said_so) {
    Harness broker;
    ASSERT_TRUE(broker.create("leads"));
    ASSERT_TRUE(broker.send("leads", "one", {}, key_of(1, 2, 3)));
    auto other = broker.send("leads", "two", {}, key_of(1, 7, 8));
    EXPECT_FALSE(other->duplicate);
    EXPECT_TRUE(other->key_reused);
    auto other_again = broker.send("leads", "two", {}, key_of(1, 7, 9));
    EXPECT_TRUE(other_again->duplicate);
    EXPECT_EQ(other_again->original_record, number(8));
    EXPECT_TRUE(broker.send("leads", "one", {}, key_of(1, 2, 9))->duplicate);
    EXPECT_EQ(broker.status("leads")->ready, 2u);
}

TEST(OnceKeyTest, a_key_outlives_its_message_a_checkpoint_and_a_restart) {
    Harness broker;
    ASSERT_TRUE(broker.create("leads"));
    ASSERT_TRUE(broker.send("leads", "before the checkpoint", {}, key_of(1, 2, 3)));
    ASSERT_TRUE(broker.remove("leads", broker.receive_one("leads").receipt));
    broker.pass(40s);
    ASSERT_GE(broker.turn->counters().checkpoints, 1u);
    ASSERT_TRUE(broker.send("leads", "after it", {}, key_of(4, 5, 6)));
    broker.cut_power(testing::Survival::none);
    EXPECT_TRUE(broker.turn->opened_from_checkpoint());
    EXPECT_TRUE(broker.send("leads", "before the checkpoint", {}, key_of(1, 2, 9))->duplicate);
    EXPECT_TRUE(broker.send("leads", "after it", {}, key_of(4, 5, 9))->duplicate);
}

TEST(OnceKeyTest, a_key_ends_with_its_window) {
    Harness broker;
    ASSERT_TRUE(broker.create("leads"));
    ASSERT_TRUE(broker.send("leads", "x", {}, key_of(1, 2, 3, 1h)));
    broker.clock.advance(59min);
    EXPECT_TRUE(broker.send("leads", "x", {}, key_of(1, 2, 4, 1h))->duplicate);
    broker.clock.advance(2min);
    auto late = broker.send("leads", "x", {}, key_of(1, 2, 5, 1h));
    EXPECT_FALSE(late->duplicate);
    EXPECT_FALSE(late->key_reused);
}

/// Two processes in turn end because the name of their checkpoint cannot be synced.
void fail_two_checkpoints(Harness& broker) {
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(broker.send("leads", "more"));
        broker.clock.advance(31s);
        broker.disk.fail_at(testing::Call::sync_directory, 1, EIO);
        ASSERT_TRUE(broker.run()) << "it is begun";
        ASSERT_FALSE(broker.run()) << "it has failed";
        broker.kill();
    }
}

/// A key lies in a segment that is dropped; then two checkpoints fail and the power goes: all but two of the calls survive.
bool knows_key_after(unsigned lost, unsigned also_lost) {
    Harness broker;
    EXPECT_TRUE(broker.create("leads"));
    EXPECT_TRUE(broker.send("leads", "post", {}, key_of(1, 2, 3)));
    EXPECT_TRUE(broker.remove("leads", broker.receive_one("leads").receipt));
    for (int i = 0; i < 4; ++i) {
        broker.kill();
        EXPECT_TRUE(broker.send("leads", "later"));
        EXPECT_TRUE(broker.remove("leads", broker.receive_one("leads").receipt));
        broker.pass(31s);
    }
    EXPECT_GT(broker.turn->journal().oldest_segment().value(), 1u);
    fail_two_checkpoints(broker);
    broker.turn.reset();
    broker.disk.cut_power();
    broker.disk.restart(testing::Survival::chosen, ~(1ull << lost | 1ull << also_lost));
    broker.open();
    return broker.turn->opened_from_checkpoint() && broker.send("leads", "post", {}, key_of(1, 2, 9))->duplicate;
}

TEST(OnceKeyTest, a_key_of_a_dropped_segment_outlives_failed_checkpoints_whatever_a_power_cut_takes_of_them) {
    for (unsigned lost = 0; lost < 12; ++lost)
        for (unsigned also_lost = 0; also_lost < lost; ++also_lost) EXPECT_TRUE(knows_key_after(lost, also_lost)) << lost << also_lost;
}

TEST(OnceKeyTest, a_segment_is_dropped_only_when_two_checkpoints_hold_its_keys) {
    Harness broker;
    ASSERT_TRUE(broker.create("leads"));
    ASSERT_TRUE(broker.send("leads", "post", {}, key_of(1, 2, 3)));
    ASSERT_TRUE(broker.remove("leads", broker.receive_one("leads").receipt));
    broker.kill();
    ASSERT_TRUE(broker.send("leads", "later"));
    broker.pass(31s);
    ASSERT_EQ(broker.turn->counters().checkpoints, 1u);
    broker.disk.rot("checkpoint/at-0000000000000001", 40, 1);
    broker.kill();
    EXPECT_FALSE(broker.turn->opened_from_checkpoint());
    EXPECT_TRUE(broker.send("leads", "post", {}, key_of(1, 2, 9))->duplicate);
}

class WindowTest : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(pool.open(disk, "pages")); }
    OnceEntry entry(std::uint64_t n, Duration window = 24h) const { return make_once_entry(key_of(n, n, n, window), now); }
    bool knows(OnceWindow& window, std::uint64_t n) { return window.find(entry(n), now).seen == OnceWindow::Seen::same_content; }

    testing::SimulatedDisk disk{1};
    SegmentUse use;
    PagePool pool{use, 1};
    Timestamp now{1'790'000'000'000};
};

TEST_F(WindowTest, at_the_bound_the_oldest_are_forgotten_and_counted) {
    OnceWindow window(pool, once_pages, 10 * 1024);
    for (std::uint64_t n = 0; n < 30000; ++n) window.add(entry(n));
    EXPECT_LE(window.size(), 10u * 1024);
    EXPECT_EQ(window.forgotten() + window.size(), 30000u);
    EXPECT_FALSE(knows(window, 0));
    for (auto n = window.forgotten(); n < 30000; n += 97) EXPECT_TRUE(knows(window, n)) << n;
    EXPECT_FALSE(knows(window, 30001));
}

TEST_F(WindowTest, entries_leave_when_the_windows_of_their_page_have_ended) {
    OnceWindow window(pool, once_pages, 1 << 20);
    for (std::uint64_t n = 0; n < 2048; ++n) window.add(entry(n, n == 1500 ? 48h : 1h));
    window.add(entry(5000));
    now = now + 2h;
    EXPECT_TRUE(window.forget_ended(now));
    EXPECT_FALSE(window.forget_ended(now)) << "one of the second page has not ended";
    EXPECT_EQ(window.size(), 1025u);
    EXPECT_TRUE(knows(window, 1500));
    EXPECT_FALSE(knows(window, 1501)) << "still there, but ended";
    EXPECT_EQ(window.forgotten(), 0u);
}

TEST_F(WindowTest, replaying_an_entry_adds_it_once) {
    OnceWindow window(pool, once_pages, 1 << 20);
    for (int twice = 0; twice < 2; ++twice)
        for (std::uint64_t n = 0; n < 100; ++n) window.add_again(entry(n));
    EXPECT_EQ(window.size(), 100u);
}

TEST(OnceMetrics, keys_forgotten_early_and_damage_found_at_the_start_are_counted) {
    Harness broker;
    broker.options.once_keys_max = 1;
    ASSERT_TRUE(broker.create("leads"));
    ASSERT_TRUE(broker.send("leads", std::string(600, 'x')));
    ASSERT_TRUE(broker.send("leads", "y"));
    broker.turn.reset();
    broker.disk.rot("log-0000000000000001.seg", broker.disk.content("log-0000000000000001.seg").find("xxxxxxxx"), 0xff);

    metrics::Registry registry;
    auto opened = Turn::open(broker.disk, broker.clock, broker.entropy, broker.options, &registry);
    ASSERT_TRUE(opened);
    broker.turn = std::move(*opened);
    EXPECT_EQ(registry.counter("forebay_journal_errors_total").value(), 1u);
    for (int i = 0; i < 1100; ++i) {
        OnceKey key;
        key.key = make_uuid_v4(broker.entropy);
        ASSERT_TRUE(broker.send("leads", "z", {}, key));
    }
    broker.pass(2s);
    EXPECT_EQ(registry.counter("forebay_idempotency_keys_forgotten_total").value(), 1024u);
}

TEST(JournalMetrics, what_goes_from_quarantine_is_counted) {
    Harness broker;
    broker.turn.reset();
    ASSERT_TRUE(broker.disk.make_directory("quarantine"));
    for (unsigned i = 0; i < journal::damage_files_max + 3; ++i)
        ASSERT_TRUE(
            broker.disk.open("quarantine/damage-" + journal::to_hex16(i) + "-" + journal::to_hex16(4096), disk::OpenMode::create_new));
    broker.disk.kill_process();
    metrics::Registry registry;
    auto opened = Turn::open(broker.disk, broker.clock, broker.entropy, broker.options, &registry);
    ASSERT_TRUE(opened);
    ASSERT_TRUE((*opened)->run({}));
    EXPECT_EQ(registry.counter("forebay_journal_quarantine_removed_total").value(), 3u);
}

}  // namespace
}  // namespace forebay::broker
