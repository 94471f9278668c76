// Move tasks: dead letters go back in the background, whatever happens meanwhile.

#include <set>

#include "broker/move_pace.h"
#include "tests/unit/broker/harness.h"

namespace forebay::broker {
namespace {

using Started = Result<MoveStatus, Refusal>;

class MovesTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(broker.create("dead"));
        ASSERT_TRUE(broker.create("jobs", jobs()));
    }
    static QueueSettings jobs() {
        QueueSettings settings;
        settings.redrive = Redrive{"dead", 1};
        return settings;
    }
    /// Messages that were received once too often.
    void bury(int count) {
        for (int i = 0; i < count; ++i) ASSERT_TRUE(broker.send("jobs", "job " + std::to_string(i)));
        for (int got = 0; got < count;) got += static_cast<int>(broker.receive("jobs", 10, 0s)->size());
        ASSERT_TRUE(broker.is_empty("jobs"));
        ASSERT_EQ(broker.status("dead")->ready, static_cast<std::uint64_t>(count));
    }
    Started start(const std::string& source = "dead", std::optional<std::string> destination = {}, std::optional<unsigned> rate = {},
                  bool as_operator = false) {
        return broker.ask<Started>(StartMove{source, std::move(destination), rate, as_operator, {}});
    }
    Started cancel(const Uuid& id) { return broker.ask<Started>(CancelMove{"dead", id, {}}); }
    std::vector<MoveStatus> tasks(unsigned max = 10) {
        return *broker.ask<Result<std::vector<MoveStatus>, Refusal>>(ListMoves{"dead", max, {}});
    }
    std::multiset<std::string> bodies(const std::string& queue) {
        std::multiset<std::string> out;
        for (const auto& item : broker.peek(queue, 1000)) out.insert(item.message.body);
        return out;
    }
    /// Both queues at one moment: the task goes on with every turn.
    std::multiset<std::string> bodies_of_both() {
        std::multiset<std::string> out;
        std::vector<Command> looks;
        for (std::string queue : {"jobs", "dead"})
            looks.push_back(Peek{queue, 1000, {}, [&](auto items) {
                                     for (const auto& item : *items) out.insert(item.message.body);
                                 }});
        EXPECT_TRUE(broker.run(std::move(looks)));
        return out;
    }
    Harness broker;
};

TEST_F(MovesTest, dead_letters_go_back_to_where_they_came_from_as_new_messages) {
    ASSERT_TRUE(broker.send("jobs", "late"));
    auto first = broker.receive_one("jobs", 0s);
    ASSERT_TRUE(broker.is_empty("jobs"));
    broker.pass(10s);
    auto task = start();
    ASSERT_TRUE(task);
    EXPECT_EQ(task->to_move, 1u);
    broker.pass(1s);
    EXPECT_TRUE(broker.is_empty("dead"));
    auto again = broker.receive_one("jobs");
    EXPECT_EQ(again.body, "late");
    EXPECT_EQ(again.receive_count, 1u);
    EXPECT_NE(again.id, first.id);
    EXPECT_GE(again.sent_at, first.sent_at + 10s);
    EXPECT_EQ(again.dead_letter_source, "");
    EXPECT_EQ(tasks().front().state, MoveState::completed);
    EXPECT_EQ(tasks().front().moved, 1u);
}

TEST_F(MovesTest, a_message_that_carries_a_record_keeps_its_id) {
    QueueSettings records = jobs();
    records.carries_records = true;
    records.redrive->dead_letter = "leads-dead";
    ASSERT_TRUE(broker.create("leads", records, true));
    ASSERT_TRUE(broker.send("leads", "lead"));
    auto first = broker.receive_one("leads", 0s);
    ASSERT_TRUE(broker.is_empty("leads"));
    ASSERT_TRUE(start("leads-dead"));
    broker.pass(1s);
    EXPECT_EQ(broker.receive_one("leads").id, first.id);
}

TEST_F(MovesTest, a_crash_leaves_each_message_in_one_queue_and_the_task_goes_on) {
    for (std::uint64_t cut = 0; cut < 8; ++cut) {
        ASSERT_TRUE(broker.purge("jobs"));
        bury(150);
        ASSERT_TRUE(start());
        for (std::uint64_t turns = 0; turns < cut; ++turns) broker.run();
        broker.cut_power(cut % 2 == 0 ? testing::Survival::chance : testing::Survival::none);
        auto all = bodies_of_both();
        EXPECT_EQ(all.size(), 150u);
        EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 150u);
        broker.pass(2s);
        EXPECT_EQ(bodies("jobs").size(), 150u);
        EXPECT_TRUE(bodies("dead").empty());
        EXPECT_EQ(tasks(1).front().state, MoveState::completed);
    }
}

TEST_F(MovesTest, a_task_outlives_the_segments_that_it_was_written_in_and_a_checkpoint) {
    ASSERT_TRUE(broker.create("other"));
    bury(3);
    ASSERT_TRUE(broker.receive("dead", 1, 600s));  // so that the task waits
    ASSERT_TRUE(start());
    for (int i = 0; i < 40; ++i) {
        ASSERT_TRUE(broker.send("other", std::string(60'000, 'x')));
        ASSERT_TRUE(broker.remove("other", broker.receive_one("other").receipt));
        broker.pass(1s);
    }
    ASSERT_GT(broker.turn->journal().oldest_segment().value(), 1u);
    broker.kill();
    ASSERT_EQ(tasks().size(), 1u);
    EXPECT_EQ(tasks().front().state, MoveState::running);
    EXPECT_EQ(tasks().front().moved, 2u);
    // And without any checkpoint, from the log alone.
    broker.turn.reset();
    auto names = broker.disk.list("checkpoint");
    ASSERT_TRUE(names);
    for (const auto& name : *names)
        if (name.starts_with("at-")) {
            ASSERT_TRUE(broker.disk.remove("checkpoint/" + name));
        }
    broker.open();
    ASSERT_EQ(tasks().size(), 1u);
    EXPECT_EQ(tasks().front().moved, 2u);
    broker.pass(600s);
    EXPECT_EQ(tasks().front().state, MoveState::completed);
    EXPECT_EQ(bodies("jobs").size(), 3u);
}

TEST_F(MovesTest, a_message_in_somebodys_hands_is_not_moved_until_it_is_visible) {
    bury(2);
    auto held = broker.receive_one("dead", 60s);
    ASSERT_TRUE(start());
    broker.pass(30s);
    EXPECT_EQ(tasks().front().state, MoveState::running);
    EXPECT_EQ(bodies("jobs").size(), 1u);
    broker.pass(35s);
    EXPECT_EQ(tasks().front().state, MoveState::completed);
    EXPECT_EQ(bodies("jobs").size(), 2u);
}

TEST_F(MovesTest, a_rate_is_kept) {
    bury(30);
    ASSERT_TRUE(start("dead", {}, 5));
    broker.pass(2s);
    EXPECT_GE(bodies("jobs").size(), 9u);
    EXPECT_LE(bodies("jobs").size(), 11u);
    EXPECT_EQ(tasks().front().rate, 5u);
    broker.pass(5s);
    EXPECT_EQ(bodies("jobs").size(), 30u);
}

TEST(MovePace, never_more_than_the_rate_over_a_second_however_long_it_paused) {
    for (unsigned rate : {1u, 7u, 300u, 500u}) {
        MovePace pace(rate, Instant{0});
        Instant now{100'000};
        std::size_t moved = 0;
        for (auto end = now + 10s; now < end; now = pace.next(now)) {
            auto n = pace.allowed(now);
            moved += n;
            pace.moved(n, now);
        }
        EXPECT_LE(moved, 10 * rate + rate / 10 + 1);
        EXPECT_GE(moved, 10 * rate - rate / 5 - 1);
    }
}

TEST_F(MovesTest, messages_that_come_later_stay) {
    bury(3);
    ASSERT_TRUE(start("dead", {}, 1));
    ASSERT_TRUE(broker.send("dead", "new"));
    broker.pass(10s);
    EXPECT_EQ(tasks().front().state, MoveState::completed);
    EXPECT_EQ(bodies("dead"), std::multiset<std::string>{"new"});
}

TEST_F(MovesTest, a_cancelled_task_moves_nothing_more) {
    bury(20);
    auto task = start("dead", {}, 1);
    broker.pass(3s);
    auto told = cancel(task->id);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->state, MoveState::cancelled);
    EXPECT_GE(told->moved, 3u);
    broker.pass(60s);
    EXPECT_EQ(bodies("jobs").size(), told->moved);
    EXPECT_EQ(cancel(task->id).error(), Refusal::move_has_ended);
    EXPECT_EQ(cancel(Uuid{}).error(), Refusal::no_such_move);
}

TEST_F(MovesTest, what_was_never_a_dead_letter_stays_and_the_task_says_why) {
    bury(2);
    ASSERT_TRUE(broker.send("dead", "stray"));
    ASSERT_TRUE(start());
    broker.pass(2s);
    EXPECT_EQ(bodies("jobs").size(), 2u);
    EXPECT_EQ(bodies("dead"), std::multiset<std::string>{"stray"});
    EXPECT_EQ(tasks().front().state, MoveState::failed);
    EXPECT_EQ(tasks().front().failure, "CouldNotDetermineMessageSource");
    ASSERT_TRUE(start("dead", "jobs"));
    broker.pass(2s);
    EXPECT_EQ(tasks().front().state, MoveState::completed);
    EXPECT_TRUE(bodies("dead").empty());
}

TEST_F(MovesTest, a_destination_that_is_deleted_fails_the_task) {
    ASSERT_TRUE(broker.create("other"));
    bury(20);
    ASSERT_TRUE(start("dead", "other", 1));
    ASSERT_TRUE(broker.drop("other"));
    broker.pass(2s);
    EXPECT_EQ(tasks().front().state, MoveState::failed);
    EXPECT_EQ(tasks().front().failure, "AWS.SimpleQueueService.NonExistentQueue");
    EXPECT_EQ(tasks().front().destination, "other");
}

TEST_F(MovesTest, what_cannot_be_moved_is_refused) {
    QueueSettings records;
    records.carries_records = true;
    ASSERT_TRUE(broker.create("leads-dead", records, true));
    records.redrive = Redrive{"leads-dead", 1};
    ASSERT_TRUE(broker.create("leads", records, true));
    EXPECT_EQ(start("none").error(), Refusal::no_such_queue);
    EXPECT_EQ(start("jobs").error(), Refusal::not_a_dead_letter_queue);
    EXPECT_EQ(start("dead", "none").error(), Refusal::no_such_destination);
    EXPECT_EQ(start("dead", "dead").error(), Refusal::same_queue);
    EXPECT_EQ(start("leads-dead", "jobs").error(), Refusal::would_lose_records);
    EXPECT_TRUE(start("leads-dead", "jobs", {}, true));
    bury(5);
    ASSERT_TRUE(start("dead", {}, 1));
    EXPECT_EQ(start().error(), Refusal::move_is_running);
}

TEST_F(MovesTest, the_ten_newest_tasks_that_ended_are_remembered_and_go_with_their_queue) {
    Uuid newest;
    for (int i = 0; i < 12; ++i) {
        newest = start()->id;
        broker.pass(2s);
    }
    ASSERT_EQ(tasks(100).size(), 10u);
    EXPECT_EQ(tasks(100).front().id, newest);
    EXPECT_EQ(tasks(1).size(), 1u);
    bury(5);
    ASSERT_TRUE(start("dead", {}, 1));
    ASSERT_TRUE(broker.drop("dead"));
    broker.pass(5s);
    ASSERT_TRUE(broker.create("dead"));
    EXPECT_TRUE(tasks().empty());
}

}  // namespace
}  // namespace forebay::broker
