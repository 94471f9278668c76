// Queues that hand out nothing for now.
#include "harness.h"

namespace forebay::broker {
namespace {

class Pause : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(broker.create("jobs")); }
    void wait(Duration time) {
        std::vector<Command> batch;
        batch.push_back(Receive{"jobs", 1, 30s, time, {}, [this](Harness::Received got) {
                                    answers.push_back(!got ? "refused" : got->empty() ? "nothing" : got->front().body);
                                }});
        ASSERT_TRUE(broker.run(std::move(batch)));
    }
    Harness broker;
    std::vector<std::string> answers;
};

TEST_F(Pause, nobody_is_handed_anything_until_the_queue_goes_on) {
    ASSERT_TRUE(broker.send("jobs", "a"));
    ASSERT_TRUE(broker.pause("jobs", "disk swap"));
    EXPECT_TRUE(broker.is_empty("jobs"));
    ASSERT_TRUE(broker.send("jobs", "b")) << "sends go on";
    EXPECT_TRUE(broker.is_empty("jobs"));
    auto status = broker.status("jobs");
    EXPECT_EQ(status->ready, 2u);
    EXPECT_EQ(status->pause->reason, "disk swap");
    ASSERT_TRUE(broker.resume("jobs"));
    EXPECT_EQ(broker.receive_one("jobs").body, "a");
    EXPECT_EQ(broker.receive_one("jobs").body, "b");
    EXPECT_FALSE(broker.status("jobs")->pause);
}

TEST_F(Pause, receives_that_wait_end_empty_in_their_time) {
    wait(20s);
    ASSERT_TRUE(broker.pause("jobs"));
    wait(5s);
    ASSERT_TRUE(broker.send("jobs", "a"));
    broker.pass(5s);
    EXPECT_EQ(answers, std::vector<std::string>{"nothing"});
    broker.pass(15s);
    EXPECT_EQ(answers, (std::vector<std::string>{"nothing", "nothing"}));
}

TEST_F(Pause, who_still_waits_is_served_when_the_queue_goes_on) {
    ASSERT_TRUE(broker.pause("jobs"));
    ASSERT_TRUE(broker.send("jobs", "a"));
    wait(20s);
    broker.pass(3s);
    EXPECT_TRUE(answers.empty());
    ASSERT_TRUE(broker.resume("jobs"));
    EXPECT_EQ(answers, std::vector<std::string>{"a"});
}

TEST_F(Pause, what_is_in_flight_is_deleted_and_given_back_as_ever) {
    ASSERT_TRUE(broker.send("jobs", "a"));
    ASSERT_TRUE(broker.send("jobs", "b"));
    auto a = broker.receive_one("jobs"), b = broker.receive_one("jobs");
    ASSERT_TRUE(broker.pause("jobs"));
    EXPECT_TRUE(broker.remove("jobs", a.receipt));
    EXPECT_TRUE(broker.change("jobs", {b.receipt, Duration(0), true, {}}));
    wait(1s);
    broker.pass(40s);
    EXPECT_EQ(answers, std::vector<std::string>{"nothing"});
    ASSERT_TRUE(broker.resume("jobs"));
    auto again = broker.receive_one("jobs");
    EXPECT_EQ(again.body, "b");
    EXPECT_EQ(again.receive_count, 1u) << "giving back did not count";
}

TEST_F(Pause, waiting_at_a_paused_queue_costs_no_turns) {
    ASSERT_TRUE(broker.send("jobs", "a", 1s));
    ASSERT_TRUE(broker.pause("jobs"));
    wait(1h);
    broker.pass(10s);
    auto due = broker.turn->next_due();
    ASSERT_TRUE(due);
    EXPECT_GT(*due, broker.clock.now()) << "nothing is to be done at once, again and again";
}

TEST_F(Pause, nothing_expires_while_paused_nor_right_after) {
    QueueSettings settings;
    settings.retention = 60s;
    ASSERT_TRUE(broker.create("short", settings));
    ASSERT_TRUE(broker.send("short", "a"));
    ASSERT_TRUE(broker.pause("short"));
    broker.pass(1h);
    EXPECT_EQ(broker.status("short")->ready, 1u);
    ASSERT_TRUE(broker.resume("short"));
    broker.pass(50s);
    EXPECT_EQ(broker.status("short")->ready, 1u);
    broker.pass(20s);
    EXPECT_EQ(broker.status("short")->ready, 0u) << "it could be received for as long as messages are kept";
}

TEST_F(Pause, all_queues_at_once_and_each_its_own_pause_besides) {
    ASSERT_TRUE(broker.create("mail"));
    for (auto queue : {"jobs", "mail"}) ASSERT_TRUE(broker.send(queue, "a"));
    ASSERT_TRUE(broker.pause("mail"));
    broker.pause_all(true);
    for (auto queue : {"jobs", "mail"}) EXPECT_TRUE(broker.is_empty(queue));
    wait(20s);
    broker.pause_all(false);
    EXPECT_EQ(answers, std::vector<std::string>{"a"}) << "who waits is served";
    EXPECT_TRUE(broker.is_empty("mail"));
    ASSERT_TRUE(broker.resume("mail"));
    EXPECT_EQ(broker.receive_one("mail").body, "a");
}

TEST_F(Pause, dead_letters_do_not_move_while_paused) {
    ASSERT_TRUE(broker.create("dead"));
    QueueSettings settings;
    settings.redrive = Redrive{"dead", 1};
    ASSERT_TRUE(broker.create("work", settings));
    ASSERT_TRUE(broker.send("work", "a"));
    broker.receive_one("work", 1s);
    ASSERT_TRUE(broker.pause("work"));
    broker.pass(5s);
    EXPECT_TRUE(broker.is_empty("work"));
    EXPECT_EQ(broker.status("work")->ready, 1u);
    EXPECT_EQ(broker.status("dead")->ready, 0u);
}

TEST_F(Pause, a_queue_that_is_not_there_cannot_be_paused) {
    auto paused = broker.pause("none");
    ASSERT_FALSE(paused);
    EXPECT_EQ(paused.error(), Refusal::no_such_queue);
}

}  // namespace
}  // namespace forebay::broker
