// Checkpoints and pages are a cache of the log: with them, with older ones and without any the state is the same.

#include <algorithm>
#include <cerrno>
#include <utility>

#include "broker/history.h"
#include "broker/page_pool.h"
#include "tests/unit/broker/harness.h"

namespace forebay::broker {
namespace {

std::vector<std::string> names_in(disk::Disk& disk, const std::string& directory) {
    auto names = disk.list(directory);
    return names.ok() ? std::move(names).value() : std::vector<std::string>{};
}

class CheckpointTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(broker.create("jobs"));
        for (int i = 0; i < 3000; ++i) ASSERT_TRUE(broker.send("jobs", body(i)));
        for (int i = 0; i < 100; ++i) ASSERT_TRUE(broker.remove("jobs", broker.receive_one("jobs").receipt));
        broker.pass(31s);
        for (int i = 100; i < 200; ++i) ASSERT_TRUE(broker.remove("jobs", broker.receive_one("jobs").receipt));
    }
    static std::string body(int i) { return "message " + std::to_string(i) + std::string(300, '.'); }
    std::vector<std::string> files(const std::string& start) {
        std::vector<std::string> out;
        for (const auto& name : names_in(broker.disk, "checkpoint"))
            if (name.starts_with(start)) out.push_back("checkpoint/" + name);
        return out;
    }
    void expect_all_there() {
        EXPECT_EQ(broker.status("jobs")->ready + broker.status("jobs")->in_flight, 2800u);
        for (int i = 200; i < 3000; ++i) {
            auto got = broker.receive_one("jobs", 60s);
            ASSERT_EQ(got.body, body(i));
            ASSERT_TRUE(broker.remove("jobs", got.receipt));
        }
        EXPECT_TRUE(broker.is_empty("jobs"));
    }
    void spoil(const std::string& path, std::uint64_t offset) { broker.disk.rot(path, offset, 0x40); }

    Harness broker;
};

TEST_F(CheckpointTest, opening_reads_only_the_log_after_the_newest) {
    EXPECT_EQ(files("at-").size(), 2u);
    broker.kill();
    EXPECT_TRUE(broker.turn->opened_from_checkpoint());
    EXPECT_LT(broker.turn->journal().report().records, 1500u);
    expect_all_there();
}

TEST(QueueMade, is_in_a_checkpoint_a_second_later) {
    Harness broker;
    ASSERT_TRUE(broker.run());
    broker.clock.advance(500ms);
    ASSERT_TRUE(broker.create("jobs"));
    broker.pass(1s);
    EXPECT_EQ(broker.turn->counters().checkpoints, 1u);
}

TEST_F(CheckpointTest, a_damaged_one_is_set_aside_and_the_older_one_used) {
    spoil(files("at-").back(), 100);
    broker.kill();
    EXPECT_TRUE(broker.turn->opened_from_checkpoint());
    EXPECT_EQ(files("bad-").size(), 1u);
    expect_all_there();
}

TEST_F(CheckpointTest, of_the_damaged_ones_the_newest_four_are_kept) {
    for (int i = 1; i <= 7; ++i)
        ASSERT_TRUE(broker.disk.open("checkpoint/bad-000000000000000" + std::to_string(i), disk::OpenMode::create_new));
    broker.kill();
    auto kept = files("bad-");
    ASSERT_EQ(kept.size(), 4u);
    EXPECT_EQ(kept.front(), "checkpoint/bad-0000000000000004");
    expect_all_there();
}

TEST_F(CheckpointTest, without_a_good_one_the_whole_log_is_read) {
    for (const auto& path : files("at-")) spoil(path, 60);
    broker.kill();
    EXPECT_FALSE(broker.turn->opened_from_checkpoint());
    expect_all_there();
}

TEST_F(CheckpointTest, a_damaged_page_ends_the_turn_and_the_whole_log_is_read) {
    broker.kill();
    auto size = broker.disk.content("checkpoint/pages").size();
    for (std::uint64_t slot = 0; slot < size / page_bytes; ++slot) spoil("checkpoint/pages", slot * page_bytes + 50);
    bool failed = false;
    for (int i = 0; i < 10 && !failed; ++i) {
        std::vector<Command> batch;
        batch.push_back(Receive{"jobs", 10, {}, {}, {}, [&](Harness::Received got) { failed |= !got.ok(); }});
        failed |= !broker.run(std::move(batch));
    }
    EXPECT_TRUE(failed);
    broker.kill();
    EXPECT_FALSE(broker.turn->opened_from_checkpoint());
    broker.clock.advance(60s);
    expect_all_there();
}

TEST_F(CheckpointTest, a_write_that_fails_while_opening_costs_no_checkpoint) {
    for (int i = 0; i < 12; ++i) {
        ASSERT_TRUE(broker.create("more-" + std::to_string(i)));
        ASSERT_TRUE(broker.send("more-" + std::to_string(i), "x"));
    }
    bool page_failed = false;
    for (std::uint64_t n = 1; n <= 20; ++n) {
        broker.turn.reset();
        broker.disk.kill_process();
        broker.disk.fail_at(testing::Call::write, n, EIO);
        auto opened = Turn::open(broker.disk, broker.clock, broker.entropy, broker.options);
        broker.disk.stop_failing();
        page_failed = page_failed || (!opened && opened.error().what.find("write checkpoint/pages") != std::string::npos);
        EXPECT_EQ(files("at-").size(), 2u);
    }
    EXPECT_TRUE(page_failed);
    broker.kill();
    EXPECT_TRUE(broker.turn->opened_from_checkpoint());
    expect_all_there();
}

TEST_F(CheckpointTest, an_empty_page_file_is_as_good_as_none) {
    ASSERT_TRUE(broker.disk.remove("checkpoint/pages"));
    broker.kill();
    EXPECT_FALSE(broker.turn->opened_from_checkpoint());
    expect_all_there();
}

TEST_F(CheckpointTest, it_is_put_off_while_the_disk_is_full) {
    auto before = broker.turn->counters().checkpoints;
    ASSERT_TRUE(broker.send("jobs", "x"));
    broker.disk.fail_at(testing::Call::create, 1, ENOSPC);
    broker.pass(35s);
    EXPECT_GT(broker.turn->counters().checkpoints + 2, before);
    EXPECT_TRUE(broker.send("jobs", "y"));
}

TEST(FullDisk, with_no_byte_free_and_everything_drained_is_usable_again_without_anybody_doing_anything) {
    auto options = small_options();
    options.journal.reserve_bytes = 1_MiB;
    options.journal.min_free_bytes = 128_KiB;
    Harness broker(1, options);
    ASSERT_TRUE(broker.create("jobs"));
    broker.pass(2s);
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(broker.send("jobs", std::string(900, 'x')));
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(broker.remove("jobs", broker.receive_one("jobs").receipt));
    broker.disk.options().capacity_bytes -= *broker.disk.free_bytes();
    broker.clock.advance(200ms);
    ASSERT_EQ(broker.send("jobs", "y").error(), Refusal::no_room);
    broker.pass(3min);
    EXPECT_TRUE(broker.send("jobs", "y"));
    EXPECT_LE(broker.turn->journal().live_bytes(), 3u * 256_KiB);
}

TEST_F(CheckpointTest, the_log_is_dropped_when_nothing_needs_it_and_accepted_records_go_to_history) {
    QueueSettings settings;
    settings.carries_records = true;
    ASSERT_TRUE(broker.create("leads", settings, true));
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(broker.send("leads", "lead " + std::to_string(i) + std::string(900, 'x')));
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(broker.remove("leads", broker.receive_one("leads").receipt));
    ASSERT_TRUE(broker.purge("jobs"));
    broker.pass(31s);
    ASSERT_TRUE(broker.send("jobs", "x"));
    broker.pass(31s);
    ASSERT_TRUE(broker.send("jobs", "x"));
    broker.pass(31s);
    EXPECT_LE(broker.turn->journal().live_bytes(), 2u * 256_KiB);
    EXPECT_FALSE(names_in(broker.disk, "history").empty());

    std::vector<std::string> seen;
    HistoryQuery query;
    query.max = 200;
    for (int pages = 0; pages < 10; ++pages) {
        auto page = visit_accepted(broker.disk, query, [&](const AcceptedRecord& record) {
            EXPECT_EQ(record.queue, "leads");
            seen.push_back(std::string(record.body.substr(0, record.body.find('x'))));
            return true;
        });
        ASSERT_TRUE(page);
        EXPECT_EQ(page->damage, std::vector<std::string>{});
        if (!page->next) break;
        query.after = HistoryCursor::parse(page->next->text());
        ASSERT_TRUE(query.after);
    }
    ASSERT_EQ(seen.size(), 500u);
    for (int i = 0; i < 500; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], "lead " + std::to_string(i));
}

TEST_F(CheckpointTest, history_is_read_by_the_time_of_sending) {
    QueueSettings settings;
    settings.carries_records = true;
    ASSERT_TRUE(broker.create("leads", settings, true));
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(broker.send("leads", std::to_string(i)));
        broker.clock.advance(60s);
    }
    auto start = broker.clock.wall() - 10min;
    std::string seen;
    auto page = visit_accepted(broker.disk, {start + 2min, start + 5min, {}, 100}, [&](const AcceptedRecord& record) {
        seen += record.body;
        return true;
    });
    ASSERT_TRUE(page);
    EXPECT_EQ(seen, "234");
    EXPECT_FALSE(page->next);
    EXPECT_FALSE(HistoryCursor::parse("12"));
    EXPECT_FALSE(HistoryCursor::parse("a-b"));
}

TEST_F(CheckpointTest, history_goes_when_its_time_is_over_but_not_while_time_is_doubted) {
    broker.options.history_keep = 1h;
    broker.kill();
    QueueSettings settings;
    settings.carries_records = true;
    ASSERT_TRUE(broker.create("leads", settings, true));
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(broker.send("leads", std::string(900, 'x')));
    ASSERT_TRUE(broker.purge("leads", true));
    ASSERT_TRUE(broker.purge("jobs"));
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(broker.send("jobs", "x"));
        broker.pass(31s);
    }
    auto kept = names_in(broker.disk, "history").size();
    ASSERT_GT(kept, 0u);
    broker.pass(50min);
    EXPECT_EQ(names_in(broker.disk, "history").size(), kept);
    broker.clock.jump_wall(5h);
    broker.pass(5min);
    EXPECT_EQ(names_in(broker.disk, "history").size(), kept);
    broker.clock.jump_wall(-5h);
    broker.pass(20min);
    EXPECT_TRUE(names_in(broker.disk, "history").empty());
}

TEST_F(CheckpointTest, history_is_whole_although_the_wall_clock_was_set_back) {
    QueueSettings settings;
    settings.carries_records = true;
    ASSERT_TRUE(broker.create("leads", settings, true));
    ASSERT_TRUE(broker.send("leads", "0"));
    auto before = broker.clock.wall();
    broker.clock.jump_wall(-30min);
    broker.clock.advance(10s);
    ASSERT_TRUE(broker.send("leads", "1"));
    broker.kill();
    broker.clock.advance(10s);
    ASSERT_TRUE(broker.send("leads", "2"));

    std::string seen;
    HistoryQuery query;
    query.max = 1;
    for (int pages = 0; pages < 5; ++pages) {
        auto page = visit_accepted(broker.disk, query, [&](const AcceptedRecord& record) {
            seen += record.body;
            return true;
        });
        ASSERT_TRUE(page);
        if (!page->next) break;
        query.after = page->next;
    }
    EXPECT_EQ(seen, "012") << "page by page";

    seen.clear();
    auto page = visit_accepted(broker.disk, {before + 5s, before + 1h, {}, 100}, [&](const AcceptedRecord& record) {
        seen += record.body;
        return true;
    });
    ASSERT_TRUE(page);
    EXPECT_EQ(seen, "12") << "by the time they were sent";
}

/// Messages that come and go.
void churn(Harness& broker, int messages) {
    for (int i = 0; i < messages; ++i) {
        ASSERT_TRUE(broker.send("jobs", std::string(1000, 'x')));
        ASSERT_TRUE(broker.remove("jobs", broker.receive_one("jobs").receipt));
        if (i % 100 == 0) broker.pass(1s);
    }
}

class RottenStraggler : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(broker.create("slow"));
        ASSERT_TRUE(broker.create("jobs"));
        ASSERT_TRUE(broker.send("slow", std::string(300, 'q')));
        ASSERT_TRUE(broker.send("slow", "sound"));
        churn(broker, 200);
        ASSERT_EQ(broker.turn->journal().oldest_segment(), journal::SegmentNumber(1));
        place = broker.disk.content(segment).find("qqqq");
        flip();
    }
    /// Spoils a byte of the first message, or mends it.
    void flip() { broker.disk.rot(segment, place, 0x55); }
    std::uint64_t place = 0;
    const std::string segment = "log-0000000000000001.seg";
    Harness broker;
};

TEST_F(RottenStraggler, is_given_up_and_counted_and_its_segment_kept_aside_while_the_log_goes_on) {
    churn(broker, 6000);
    EXPECT_EQ(broker.turn->counters().messages_lost, 1u);
    EXPECT_LE(broker.turn->journal().live_bytes(), 3_MiB);
    EXPECT_EQ(names_in(broker.disk, "quarantine"), std::vector<std::string>{segment});
    for (int restarts = 0; restarts < 2; ++restarts) {
        auto items = broker.peek("slow");
        ASSERT_EQ(items.size(), 1u);
        EXPECT_EQ(items[0].message.body, "sound");
        EXPECT_EQ(broker.status("slow")->ready, 1u);
        for (const auto& path : names_in(broker.disk, "checkpoint"))
            if (path.starts_with("at-")) broker.disk.rot("checkpoint/" + path, 40, 1);
        broker.kill();
    }
}

TEST_F(RottenStraggler, whose_loss_was_logged_has_its_segment_kept_aside_by_a_later_process_too) {
    for (int i = 0; i < 60 && broker.turn->counters().messages_lost == 0; ++i) churn(broker, 100);
    ASSERT_EQ(broker.turn->counters().messages_lost, 1u);
    broker.kill();
    churn(broker, 3000);
    EXPECT_EQ(names_in(broker.disk, "quarantine"), std::vector<std::string>{segment});
}

TEST_F(RottenStraggler, that_the_device_does_not_give_stays) {
    flip();
    auto fail_reads = [this](testing::Call call, const std::string& path) {
        if (call == testing::Call::read && path == segment) broker.disk.fail_at(testing::Call::read, 1, EIO);
    };
    broker.disk.on_call = fail_reads;
    churn(broker, 6000);
    broker.disk.on_call = nullptr;
    EXPECT_EQ(broker.turn->counters().messages_lost, 0u);
    broker.disk.stop_failing();
    broker.kill();
    EXPECT_EQ(broker.peek("slow").size(), 2u);
}

TEST_F(RottenStraggler, that_the_device_does_not_give_for_a_while_is_copied_later) {
    flip();
    broker.disk.on_call = [this](testing::Call call, const std::string& path) {
        if (call == testing::Call::read && path == segment) broker.disk.fail_at(testing::Call::read, 1, EIO);
    };
    for (int i = 0; i < 60 && broker.turn->counters().damaged_messages == 0; ++i) churn(broker, 100);
    ASSERT_GT(broker.turn->counters().damaged_messages, 0u);
    broker.disk.on_call = nullptr;
    broker.disk.stop_failing();
    ASSERT_EQ(broker.turn->counters().stragglers_copied, 0u);
    broker.pass(2min);
    EXPECT_EQ(broker.turn->counters().stragglers_copied, 2u);
    EXPECT_EQ(broker.turn->counters().messages_lost, 0u);
}

TEST_F(RottenStraggler, is_hidden_from_a_receive_that_goes_on_to_the_next_one) {
    EXPECT_EQ(broker.receive_one("slow", 1s).body, "sound");
    EXPECT_TRUE(broker.is_empty("slow"));
    EXPECT_EQ(broker.turn->counters().damaged_messages, 1u) << "looked at once";
    broker.pass(30min);
    EXPECT_EQ(broker.receive_one("slow", 1s).body, "sound");
    EXPECT_EQ(broker.turn->counters().damaged_messages, 1u) << "and not again for an hour";
    flip();
    broker.pass(31min);
    EXPECT_EQ(broker.receive_one("slow").receive_count, 1u) << "repaired, it is handed out as if nothing had been";
}

TEST(Stragglers, that_the_device_does_not_give_hold_up_no_turn_for_long) {
    Harness broker;
    ASSERT_TRUE(broker.create("slow"));
    ASSERT_TRUE(broker.create("jobs"));
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(broker.send("slow", std::string(100, 's')));
    broker.options.straggler_slack = 1_GiB;
    broker.kill();
    churn(broker, 1500);
    broker.options.straggler_slack = 0;
    broker.kill();
    broker.disk.on_call = [&](testing::Call call, const std::string& path) {
        if (call == testing::Call::read && path == "log-0000000000000001.seg") broker.disk.fail_at(testing::Call::read, 1, EIO);
    };
    std::uint64_t unread = 0, most = 0;
    for (int turns = 0; turns < 100; ++turns) {
        broker.clock.advance(100ms);
        ASSERT_TRUE(broker.run());
        auto before = std::exchange(unread, broker.turn->counters().damaged_messages);
        most = std::max(most, unread - before);
    }
    broker.disk.on_call = nullptr;
    EXPECT_EQ(unread, 100u);
    EXPECT_LE(most, 16u);
}

TEST(Stragglers, one_old_message_does_not_keep_the_log) {
    Harness broker;
    ASSERT_TRUE(broker.create("slow"));
    ASSERT_TRUE(broker.create("jobs"));
    ASSERT_TRUE(broker.send("slow", "old"));
    auto sent_at = broker.clock.wall();
    auto receipt = broker.receive_one("slow", 11h).receipt;
    ASSERT_TRUE(broker.change("slow", {receipt, 10h, false, 5}));
    churn(broker, 6000);
    EXPECT_GE(broker.turn->counters().stragglers_copied, 1u);
    EXPECT_LE(broker.turn->journal().live_bytes(), 3_MiB);
    broker.cut_power(testing::Survival::none);
    auto items = broker.peek("slow");
    ASSERT_EQ(items.size(), 1u);
    EXPECT_EQ(items[0].message.body, "old");
    EXPECT_EQ(items[0].message.sent_at, sent_at);
    EXPECT_EQ(items[0].message.receive_count, 1u);
    EXPECT_EQ(items[0].message.attempts, 5u);
    ASSERT_TRUE(broker.remove("slow", receipt)) << "the old receipt still deletes";
    EXPECT_TRUE(broker.peek("slow").empty());
    for (const auto& path : names_in(broker.disk, "checkpoint"))
        if (path.starts_with("at-")) broker.disk.rot("checkpoint/" + path, 40, 1);
    broker.kill();
    EXPECT_FALSE(broker.turn->opened_from_checkpoint());
    EXPECT_EQ(broker.status("jobs")->ready, 0u);
    EXPECT_EQ(broker.status("slow")->ready, 0u);
}

}  // namespace
}  // namespace forebay::broker
