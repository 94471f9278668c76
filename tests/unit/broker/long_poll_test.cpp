// Receives that wait.

#include "tests/unit/broker/harness.h"

namespace forebay::broker {
namespace {

class LongPollTest : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(broker.create("jobs")); }
    void wait(int who, Duration time, UniqueFunction<bool()> still_wanted = {}) {
        std::vector<Command> batch;
        batch.push_back(Receive{"jobs", 1, 30s, time, std::move(still_wanted), [this, who](Harness::Received got) {
                                    if (!got) return refused.push_back(got.error());
                                    answers.push_back(std::to_string(who) + (got->empty() ? " nothing" : " " + got->front().body));
                                }});
        ASSERT_TRUE(broker.run(std::move(batch)));
    }
    Harness broker;
    std::vector<std::string> answers;
    std::vector<Refusal> refused;
};

TEST_F(LongPollTest, who_waits_longest_gets_the_first_message) {
    wait(1, 20s);
    wait(2, 20s);
    ASSERT_TRUE(broker.send("jobs", "a"));
    ASSERT_TRUE(broker.send("jobs", "b"));
    EXPECT_EQ(answers, (std::vector<std::string>{"1 a", "2 b"}));
}

TEST_F(LongPollTest, nothing_is_the_answer_when_the_time_is_over) {
    wait(1, 5s);
    broker.pass(4999ms);
    EXPECT_TRUE(answers.empty());
    broker.pass(1ms);
    EXPECT_EQ(answers, std::vector<std::string>{"1 nothing"});
}

TEST_F(LongPollTest, a_message_that_becomes_visible_is_handed_out_at_that_moment) {
    ASSERT_TRUE(broker.send("jobs", "delayed", 3s));
    wait(1, 20s);
    broker.pass(2999ms);
    EXPECT_TRUE(answers.empty());
    broker.pass(1ms);
    EXPECT_EQ(answers, std::vector<std::string>{"1 delayed"});
    wait(2, 20s);
    wait(3, 20s);
    broker.pass(20s);
    EXPECT_EQ(answers.size(), 3u);
}

TEST_F(LongPollTest, a_message_given_back_goes_to_who_waits) {
    ASSERT_TRUE(broker.send("jobs", "x"));
    auto receipt = broker.receive_one("jobs").receipt;
    wait(1, 20s);
    ASSERT_TRUE(broker.change("jobs", {receipt, Duration(0), true, {}}));
    EXPECT_EQ(answers, std::vector<std::string>{"1 x"});
}

TEST_F(LongPollTest, who_has_gone_gets_nothing_and_the_next_one_does) {
    wait(1, 20s, [] { return false; });
    wait(2, 20s);
    ASSERT_TRUE(broker.send("jobs", "x"));
    EXPECT_EQ(answers, (std::vector<std::string>{"1 nothing", "2 x"}));
    EXPECT_EQ(broker.status("jobs")->receives, 1u);
}

TEST_F(LongPollTest, who_has_gone_does_not_wait_until_the_time_is_over) {
    wait(1, 20s, [] { return false; });
    wait(2, 20s, [] { return true; });
    broker.pass(1s);
    EXPECT_EQ(answers, std::vector<std::string>{"1 nothing"});
}

TEST_F(LongPollTest, who_waits_at_a_deleted_queue_takes_nothing_from_a_new_one_of_its_name) {
    wait(1, 20s);
    ASSERT_TRUE(broker.drop("jobs"));
    EXPECT_EQ(refused, std::vector<Refusal>{Refusal::no_such_queue});
    ASSERT_TRUE(broker.create("jobs"));
    ASSERT_TRUE(broker.send("jobs", "x"));
    EXPECT_TRUE(answers.empty());
    EXPECT_EQ(broker.receive_one("jobs").body, "x");
}

TEST_F(LongPollTest, ten_thousand_wait_and_more_than_the_bound_are_refused) {
    auto options = small_options();
    options.waiting_receives_max = 10000;
    Harness many(1, options);
    ASSERT_TRUE(many.create("jobs"));
    int served = 0, empty = 0, refused_count = 0;
    std::vector<Command> batch;
    for (int i = 0; i < 10001; ++i)
        batch.push_back(Receive{"jobs", 1, {}, 20s, {}, [&](Harness::Received got) {
                                    if (!got)
                                        ++refused_count;
                                    else
                                        ++(got->empty() ? empty : served);
                                }});
    ASSERT_TRUE(many.run(std::move(batch)));
    EXPECT_EQ(refused_count, 1);
    std::vector<queue::OutgoingMessage> messages(1000);
    for (auto& message : messages) message.body = "x";
    (void)many.ask<Result<std::vector<Result<Sent, Refusal>>, Refusal>>(SendBatch{"jobs", messages, {}}).ok();
    EXPECT_EQ(served, 1000);
    many.pass(20s);
    EXPECT_EQ(empty, 9000);
}

}  // namespace
}  // namespace forebay::broker
