// No answer before its sync, and no sync that nobody waits for.

#include "tests/unit/broker/harness.h"

namespace forebay::broker {
namespace {

class Durability : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(broker.create("jobs"));
        broker.pass(5s);
    }
    std::uint64_t syncs() const { return broker.turn->journal().counters().syncs; }
    bool all_is_durable() { return broker.turn->journal().durable() == broker.turn->journal().next_position(); }
    Harness broker;
};

TEST_F(Durability, one_sync_carries_all_commands_of_a_turn_and_comes_before_their_answers) {
    ASSERT_TRUE(broker.send("jobs", "first"));
    auto receipt = broker.receive_one("jobs").receipt;
    auto before = syncs();
    int answered = 0;
    std::vector<Command> batch;
    for (int i = 0; i < 20; ++i)
        batch.push_back(Send{"jobs", {{}, "x", {}, {}, {}, {}, false}, {}, [&](Result<Sent, Refusal> sent) {
                                 EXPECT_TRUE(sent);
                                 EXPECT_TRUE(all_is_durable());
                                 ++answered;
                             }});
    batch.push_back(Delete{"jobs", {receipt}, [&](Harness::Outcomes) {
                               EXPECT_TRUE(all_is_durable());
                               ++answered;
                           }});
    EXPECT_TRUE(broker.run(std::move(batch)));
    EXPECT_EQ(answered, 21);
    EXPECT_EQ(syncs(), before + 1);
}

TEST_F(Durability, a_receive_is_written_before_its_answer_and_synced_within_ten_milliseconds) {
    ASSERT_TRUE(broker.send("jobs", "x"));
    auto before = syncs();
    broker.receive_one("jobs");
    EXPECT_EQ(syncs(), before);
    EXPECT_EQ(broker.turn->journal().pending_bytes(), 0u);
    EXPECT_FALSE(all_is_durable());
    EXPECT_LE(*broker.turn->next_due(), broker.clock.now() + 10ms);
    broker.pass(10ms);
    EXPECT_TRUE(all_is_durable());
    EXPECT_EQ(syncs(), before + 1);
}

TEST_F(Durability, a_killed_process_has_counted_its_receives) {
    ASSERT_TRUE(broker.send("jobs", "poison"));
    broker.receive_one("jobs", 1s);
    broker.kill();
    broker.clock.advance(1s);
    EXPECT_EQ(broker.receive_one("jobs").receive_count, 2u);
}

TEST_F(Durability, a_message_is_not_handed_out_before_it_is_durable) {
    std::vector<Command> batch;
    bool received = false;
    batch.push_back(Receive{"jobs", 1, {}, 1s, {}, [&](Harness::Received got) {
                                received = !got->empty();
                                EXPECT_TRUE(broker.turn->journal().durable().value() + 1 >= broker.turn->journal().next_position().value());
                            }});
    batch.push_back(Send{"jobs", {{}, "x", {}, {}, {}, {}, false}, {}, {}});
    std::uint64_t syncs_at_send = syncs();
    EXPECT_TRUE(broker.run(std::move(batch)));
    EXPECT_TRUE(received);
    EXPECT_EQ(syncs(), syncs_at_send + 1);
}

TEST_F(Durability, an_idle_broker_does_not_sync) {
    auto before = syncs();
    broker.pass(25s);
    EXPECT_EQ(syncs(), before);
}

TEST_F(Durability, a_failed_sync_answers_everybody_with_a_fault) {
    std::vector<Refusal> refusals;
    std::vector<Command> waiting;
    waiting.push_back(Receive{"jobs", 1, {}, 20s, {}, [&](Harness::Received got) { refusals.push_back(got.error()); }});
    ASSERT_TRUE(broker.run(std::move(waiting)));
    broker.disk.fail_at(testing::Call::sync, 1, EIO);
    std::vector<Command> batch;
    batch.push_back(
        Send{"jobs", {{}, "x", {}, {}, {}, {}, false}, {}, [&](Result<Sent, Refusal> sent) { refusals.push_back(sent.error()); }});
    EXPECT_FALSE(broker.run(std::move(batch)));
    EXPECT_EQ(refusals, (std::vector<Refusal>{Refusal::journal_fault, Refusal::journal_fault}));
}

TEST_F(Durability, a_repetition_is_not_confirmed_before_the_original_is_durable) {
    OnceKey key{*parse_uuid("00000000-0000-0000-0000-000000000001"), {}, {}, 1h};
    std::vector<Command> batch;
    int answered = 0;
    for (int i = 0; i < 2; ++i)
        batch.push_back(Send{"jobs", {{}, "x", {}, {}, {}, {}, false}, key, [&, i](Result<Sent, Refusal> sent) {
                                 EXPECT_EQ(sent->duplicate, i == 1);
                                 EXPECT_TRUE(all_is_durable());
                                 ++answered;
                             }});
    EXPECT_TRUE(broker.run(std::move(batch)));
    EXPECT_EQ(answered, 2);
}

}  // namespace
}  // namespace forebay::broker
