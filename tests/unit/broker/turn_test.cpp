// What commands do, one by one, and when they are refused.

#include "tests/unit/broker/harness.h"

namespace forebay::broker {
namespace {

class TurnTest : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(broker.create("jobs")); }
    Harness broker;
};

Uuid id_of(unsigned char n) {
    Uuid id;
    id.bytes.fill(n);
    return id;
}

QueueSettings with_redrive(const std::string& target, std::uint32_t max) {
    QueueSettings settings;
    settings.redrive = Redrive{target, max};
    return settings;
}

TEST_F(TurnTest, a_message_sent_is_received_and_deleted) {
    auto sent = broker.send("jobs", "hello");
    ASSERT_TRUE(sent);
    auto got = broker.receive_one("jobs");
    EXPECT_EQ(got.body, "hello");
    EXPECT_EQ(got.id, sent->id);
    EXPECT_EQ(got.receive_count, 1u);
    EXPECT_EQ(got.sent_at, got.first_received_at);
    EXPECT_TRUE(broker.is_empty("jobs"));
    EXPECT_TRUE(broker.remove("jobs", got.receipt));
    broker.pass(60s);
    EXPECT_TRUE(broker.is_empty("jobs"));
    auto status = broker.status("jobs");
    EXPECT_EQ(status->sends, 1u);
    EXPECT_EQ(status->receives, 1u);
    EXPECT_EQ(status->deletes, 1u);
}

TEST_F(TurnTest, attributes_group_and_id_come_back_as_they_were_sent) {
    queue::OutgoingMessage message;
    message.id = *parse_uuid("018f3a5c-7f00-7abc-8def-000000000001");
    message.body = std::string("\0binary\xff", 8);
    message.attributes = {{"kind", "String", "lead"}, {"raw", "Binary.png", std::string("\0\1", 2)}};
    message.system_attributes = {{"AWSTraceHeader", "String", "Root=1"}};
    message.group = "tenant-1";
    auto sent = broker.ask<Result<Sent, Refusal>>(Send{"jobs", message, {}, {}});
    ASSERT_TRUE(sent);
    broker.cut_power(testing::Survival::none);
    auto got = broker.receive_one("jobs");
    EXPECT_EQ(got.id, message.id);
    EXPECT_EQ(got.body, message.body);
    EXPECT_EQ(got.attributes, message.attributes);
    EXPECT_EQ(got.system_attributes, message.system_attributes);
    EXPECT_EQ(got.group, "tenant-1");
}

TEST_F(TurnTest, every_command_on_a_missing_queue_is_refused) {
    EXPECT_EQ(broker.send("none", "x").error(), Refusal::no_such_queue);
    EXPECT_EQ(broker.receive("none").error(), Refusal::no_such_queue);
    EXPECT_EQ(broker.remove("none", {}).error(), Refusal::no_such_queue);
    EXPECT_EQ(broker.change("none", {}).error(), Refusal::no_such_queue);
    EXPECT_EQ(broker.set("none", {}).error(), Refusal::no_such_queue);
    EXPECT_EQ(broker.drop("none").error(), Refusal::no_such_queue);
    EXPECT_EQ(broker.purge("none").error(), Refusal::no_such_queue);
    EXPECT_EQ(broker.status("none").error(), Refusal::no_such_queue);
    EXPECT_EQ((broker.ask<Result<std::vector<Peek::Item>, Refusal>>(Peek{"none", 1, {}, {}}).error()), Refusal::no_such_queue);
    EXPECT_EQ((broker.ask<Result<std::vector<Result<Sent, Refusal>>, Refusal>>(SendBatch{"none", {}, {}}).error()), Refusal::no_such_queue);
}

TEST_F(TurnTest, a_message_over_the_queues_size_is_refused_alone) {
    QueueSettings settings;
    settings.message_bytes_max = 1024;
    ASSERT_TRUE(broker.create("small", settings));
    queue::OutgoingMessage good, bad;
    good.body = std::string(1024, 'x');
    bad.body = std::string(1000, 'x');
    bad.attributes = {{"name", "String", std::string(15, 'v')}};
    auto sent = broker.ask<Result<std::vector<Result<Sent, Refusal>>, Refusal>>(SendBatch{"small", {good, bad, good}, {}});
    ASSERT_TRUE(sent);
    EXPECT_TRUE(sent->at(0));
    EXPECT_EQ(sent->at(1).error(), Refusal::message_too_long);
    EXPECT_TRUE(sent->at(2));
}

TEST_F(TurnTest, creating_again_is_fine_with_equal_settings_only) {
    EXPECT_TRUE(broker.create("jobs"));
    QueueSettings other;
    other.delay = 5s;
    EXPECT_EQ(broker.create("jobs", other).error(), Refusal::queue_exists);
    EXPECT_EQ(broker.create("jobs.fifo").error(), Refusal::invalid_attribute);
    EXPECT_EQ(broker.create("").error(), Refusal::invalid_attribute);
}

TEST_F(TurnTest, more_queues_than_the_bound_are_refused) {
    auto options = small_options();
    options.queues_max = 2;
    Harness few(1, options);
    EXPECT_TRUE(few.create("a"));
    EXPECT_TRUE(few.create("b"));
    EXPECT_EQ(few.create("c").error(), Refusal::overloaded);
}

TEST_F(TurnTest, another_message_about_the_same_is_told_from_the_first_also_after_a_crash) {
    ASSERT_TRUE(broker.create("q"));
    auto say = [&](std::string body, bool refuse, std::optional<OnceKey> once = {}) {
        Send send{"q", {}, once, {}};
        send.message.body = std::move(body);
        send.about = AboutKey{id_of(7), id_of(static_cast<unsigned char>(send.message.body[0])), 1h, refuse, "another"};
        return *broker.ask<Result<Sent, Refusal>>(std::move(send));
    };
    OnceKey key{id_of(1), id_of(2), id_of('a'), 1h};
    EXPECT_FALSE(say("a", false, key).is_another);
    broker.kill();
    auto second = say("b", false);
    EXPECT_TRUE(second.is_another);
    EXPECT_EQ(second.original_record, id_of('a'));
    EXPECT_TRUE(say("a", false, key).duplicate);
    auto third = say("c", true);
    EXPECT_TRUE(third.is_another && third.id.is_nil());
    std::vector<std::string> bodies;
    auto got = broker.receive("q", 10);
    for (auto& message : *got) bodies.push_back(message.body);
    EXPECT_EQ(bodies, (std::vector<std::string>{"a", "another"}));
    broker.pass(1h + 1s);
    EXPECT_FALSE(say("d", true).is_another);
}

TEST_F(TurnTest, a_declared_queue_takes_new_settings_from_the_configuration_only) {
    QueueSettings settings;
    settings.carries_records = true;
    ASSERT_TRUE(broker.create("leads", settings, true));
    EXPECT_EQ(broker.set("leads", {}).error(), Refusal::queue_is_declared);
    EXPECT_EQ(broker.drop("leads").error(), Refusal::queue_is_declared);
    EXPECT_EQ(broker.purge("leads").error(), Refusal::queue_is_declared);
    settings.visibility_timeout = 7s;
    auto again = broker.create("leads", settings, true);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->settings.visibility_timeout, 7s);
    ASSERT_TRUE(broker.send("leads", "x"));
    EXPECT_TRUE(broker.purge("leads", true));
    EXPECT_TRUE(broker.is_empty("leads"));
}

TEST_F(TurnTest, a_missing_dead_letter_queue_is_made_for_a_declared_queue_and_refused_for_others) {
    EXPECT_EQ(broker.create("work", with_redrive("work-dead", 3)).error(), Refusal::invalid_attribute);
    EXPECT_EQ(broker.create("work", with_redrive("work", 3)).error(), Refusal::invalid_attribute);
    EXPECT_EQ(broker.create("work", with_redrive("jobs", 0)).error(), Refusal::invalid_attribute);
    EXPECT_EQ(broker.create("work", with_redrive("jobs", 1001)).error(), Refusal::invalid_attribute);
    EXPECT_TRUE(broker.create("work", with_redrive("jobs", 3)));
    EXPECT_TRUE(broker.create("declared", with_redrive("declared-dead", 3), true));
    auto dead = broker.status("declared-dead");
    ASSERT_TRUE(dead);
    EXPECT_EQ(dead->settings.retention, 14 * 24h);
    EXPECT_TRUE(dead->declared);
}

TEST_F(TurnTest, a_message_goes_to_the_dead_letter_queue_instead_of_one_receive_too_many) {
    ASSERT_TRUE(broker.create("work", with_redrive("jobs", 3)));
    auto sent = broker.send("work", "poison");
    auto sent_at = broker.clock.wall();
    Timestamp first;
    for (std::uint32_t i = 1; i <= 3; ++i) {
        broker.clock.advance(1s);
        auto got = broker.receive_one("work", Duration(0));
        EXPECT_EQ(got.receive_count, i);
        first = got.first_received_at;
    }
    EXPECT_TRUE(broker.is_empty("work"));
    EXPECT_EQ(broker.status("work")->ready, 0u);
    EXPECT_EQ(broker.status("jobs")->ready, 1u);
    broker.cut_power(testing::Survival::none);
    auto dead = broker.receive_one("jobs");
    EXPECT_EQ(dead.body, "poison");
    EXPECT_EQ(dead.id, sent->id);
    EXPECT_EQ(dead.sent_at, sent_at);
    EXPECT_EQ(dead.first_received_at, first);
    EXPECT_EQ(dead.receive_count, 4u);
    EXPECT_EQ(dead.dead_letter_source, "work");
    EXPECT_TRUE(broker.remove("jobs", dead.receipt));
}

TEST_F(TurnTest, a_dead_letter_is_handed_to_who_waits_for_it_in_the_same_turn) {
    ASSERT_TRUE(broker.create("work", with_redrive("jobs", 1)));
    std::string body;
    std::vector<Command> waiting;
    waiting.push_back(Receive{"jobs", 1, {}, 20s, {}, [&](Harness::Received got) {
                                  // Its receive is written; the move before it is durable.
                                  EXPECT_EQ(broker.turn->journal().durable().next(), broker.turn->journal().next_position());
                                  if (!got->empty()) body = got->front().body;
                              }});
    broker.run(std::move(waiting));
    ASSERT_TRUE(broker.send("work", "poison"));
    broker.receive_one("work", Duration(0));
    EXPECT_TRUE(broker.is_empty("work"));
    EXPECT_EQ(body, "poison");
}

TEST_F(TurnTest, without_its_dead_letter_queue_a_message_is_received_on) {
    ASSERT_TRUE(broker.create("dead"));
    ASSERT_TRUE(broker.create("work", with_redrive("dead", 1)));
    ASSERT_TRUE(broker.drop("dead"));
    ASSERT_TRUE(broker.send("work", "x"));
    for (std::uint32_t i = 1; i <= 3; ++i) EXPECT_EQ(broker.receive_one("work", Duration(0)).receive_count, i);
}

TEST_F(TurnTest, a_receipt_of_another_queue_or_of_nothing_is_refused) {
    ASSERT_TRUE(broker.create("other"));
    ASSERT_TRUE(broker.send("jobs", "x"));
    auto receipt = broker.receive_one("jobs").receipt;
    EXPECT_EQ(broker.remove("other", receipt).error(), Refusal::invalid_receipt);
    auto unknown = receipt;
    unknown.sequence = queue::Sequence(1000);
    EXPECT_EQ(broker.remove("jobs", unknown).error(), Refusal::invalid_receipt);
    EXPECT_EQ(broker.change("jobs", {unknown, 1s, false, {}}).error(), Refusal::invalid_receipt);
}

TEST_F(TurnTest, deleting_twice_is_acknowledged_twice) {
    ASSERT_TRUE(broker.send("jobs", "x"));
    auto receipt = broker.receive_one("jobs").receipt;
    EXPECT_TRUE(broker.remove("jobs", receipt));
    EXPECT_TRUE(broker.remove("jobs", receipt));
    EXPECT_EQ(broker.change("jobs", {receipt, 1s, false, {}}).error(), Refusal::not_in_flight);
}

TEST_F(TurnTest, visibility_is_extended_noted_and_given_back) {
    ASSERT_TRUE(broker.send("jobs", "x"));
    auto got = broker.receive_one("jobs", 10s);
    EXPECT_EQ(broker.change("jobs", {got.receipt, 13h, false, {}}).error(), Refusal::visibility_too_long);
    EXPECT_TRUE(broker.change("jobs", {got.receipt, 60s, false, 2}));
    broker.clock.advance(59s);
    EXPECT_TRUE(broker.is_empty("jobs"));
    EXPECT_TRUE(broker.change("jobs", {got.receipt, Duration(0), true, {}}));
    auto again = broker.receive_one("jobs");
    EXPECT_EQ(again.receive_count, 1u);
    EXPECT_EQ(again.attempts, 2u);
}

TEST_F(TurnTest, a_queue_deleted_and_made_again_is_another_queue) {
    ASSERT_TRUE(broker.send("jobs", "old"));
    auto receipt = broker.receive_one("jobs").receipt;
    ASSERT_TRUE(broker.drop("jobs"));
    ASSERT_TRUE(broker.create("jobs"));
    EXPECT_TRUE(broker.is_empty("jobs"));
    EXPECT_EQ(broker.remove("jobs", receipt).error(), Refusal::invalid_receipt);
    ASSERT_TRUE(broker.send("jobs", "new"));
    broker.cut_power(testing::Survival::none);
    EXPECT_EQ(broker.receive_one("jobs").body, "new");
}

TEST_F(TurnTest, deleting_a_queue_answers_who_waits_there) {
    std::optional<Refusal> refusal;
    std::vector<Command> batch;
    batch.push_back(Receive{"jobs", 1, {}, 20s, {}, [&](Harness::Received got) { refusal = got.error(); }});
    broker.run(std::move(batch));
    ASSERT_TRUE(broker.drop("jobs"));
    EXPECT_EQ(refusal, Refusal::no_such_queue);
}

TEST_F(TurnTest, a_delayed_message_is_never_early) {
    QueueSettings settings;
    settings.delay = 10s;
    ASSERT_TRUE(broker.create("later", settings));
    ASSERT_TRUE(broker.send("later", "queue's"));
    ASSERT_TRUE(broker.send("later", "own", 3s));
    EXPECT_EQ(broker.status("later")->delayed, 2u);
    broker.cut_power(testing::Survival::none);
    broker.clock.advance(2999ms);
    EXPECT_TRUE(broker.is_empty("later"));
    broker.clock.advance(1ms);
    EXPECT_EQ(broker.receive_one("later").body, "own");
    broker.clock.advance(7s);
    EXPECT_EQ(broker.receive_one("later").body, "queue's");
}

TEST_F(TurnTest, a_clock_set_back_before_a_restart_hides_nothing_longer_than_it_was_to_be_hidden) {
    ASSERT_TRUE(broker.send("jobs", "delayed", 10s));
    ASSERT_TRUE(broker.send("jobs", "received"));
    broker.receive_one("jobs", 20s);
    broker.clock.jump_wall(-1h);
    ASSERT_TRUE(broker.send("jobs", "after", 5s));
    broker.kill();
    broker.clock.advance(20s);
    EXPECT_EQ(broker.receive("jobs", 10)->size(), 3u);
}

TEST_F(TurnTest, a_clock_set_back_changes_no_duration) {
    ASSERT_TRUE(broker.send("jobs", "first"));
    broker.clock.jump_wall(-1h);
    broker.pass(11min);  // by now the clock is believed, and the broker's time runs on ahead of it
    broker.receive_one("jobs", 60s);
    OnceKey key;
    key.key = make_uuid_v4(broker.entropy);
    key.window = 10min;
    ASSERT_TRUE(broker.send("jobs", "delayed", 60s, key));
    broker.pass(59s);
    EXPECT_TRUE(broker.is_empty("jobs"));
    broker.pass(1s);
    EXPECT_EQ(broker.receive("jobs", 10)->size(), 2u);
    broker.pass(8min);
    EXPECT_TRUE(broker.send("jobs", "delayed", 60s, key)->duplicate);
    broker.pass(62s);
    EXPECT_FALSE(broker.send("jobs", "delayed", 60s, key)->duplicate);
}

TEST_F(TurnTest, messages_expire_after_their_retention_unless_they_are_records) {
    QueueSettings settings;
    settings.retention = 60s;
    ASSERT_TRUE(broker.create("short", settings));
    settings.carries_records = true;
    ASSERT_TRUE(broker.create("leads", settings, true));
    ASSERT_TRUE(broker.send("short", "x"));
    ASSERT_TRUE(broker.send("leads", "x"));
    broker.pass(58s);
    EXPECT_EQ(broker.status("short")->ready, 1u);
    broker.pass(5s);
    EXPECT_EQ(broker.status("short")->ready, 0u);
    EXPECT_EQ(broker.status("leads")->ready, 1u);
}

TEST_F(TurnTest, nothing_expires_while_the_clock_is_suspect) {
    QueueSettings settings;
    settings.retention = 60s;
    ASSERT_TRUE(broker.create("short", settings));
    ASSERT_TRUE(broker.send("short", "x"));
    broker.clock.jump_wall(24h);
    broker.pass(5s);
    EXPECT_EQ(broker.status("short")->ready, 1u);
}

TEST_F(TurnTest, too_many_in_flight_are_refused_until_some_are_visible_again) {
    auto options = small_options();
    options.in_flight_max = 2;
    Harness few(1, options);
    ASSERT_TRUE(few.create("jobs"));
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(few.send("jobs", "x"));
    few.receive_one("jobs", 10s);
    few.receive_one("jobs", 10s);
    EXPECT_EQ(few.receive("jobs").error(), Refusal::too_many_in_flight);
    few.clock.advance(10s);
    EXPECT_TRUE(few.receive("jobs"));
}

TEST_F(TurnTest, peeking_shows_everything_in_order_and_changes_nothing) {
    for (int i = 0; i < 5; ++i)
        ASSERT_TRUE(broker.send("jobs", "m" + std::to_string(i), i == 4 ? std::optional<Duration>(60s) : std::nullopt));
    broker.receive_one("jobs");
    auto first = broker.peek("jobs", 3);
    ASSERT_EQ(first.size(), 3u);
    EXPECT_EQ(first[0].message.body, "m0");
    EXPECT_EQ(first[0].message.receive_count, 1u);
    auto rest = broker.peek("jobs", 3, first.back().message.receipt.sequence);
    ASSERT_EQ(rest.size(), 2u);
    EXPECT_EQ(rest[1].message.body, "m4");
    EXPECT_EQ(rest[1].visible_at, broker.clock.wall() + 60s);
    EXPECT_TRUE(broker.remove("jobs", rest[1].message.receipt)) << "an operator deletes what he sees";
    EXPECT_EQ(broker.peek("jobs").size(), 4u);
}

TEST_F(TurnTest, queues_are_listed_by_prefix_in_order) {
    for (auto name : {"b", "ab", "aa"}) ASSERT_TRUE(broker.create(name));
    auto found = broker.ask<Result<std::vector<QueueStatus>, Refusal>>(ListQueues{"a", {}});
    ASSERT_EQ(found->size(), 2u);
    EXPECT_EQ(found->at(0).name, "aa");
    EXPECT_EQ(found->at(1).name, "ab");
}

TEST_F(TurnTest, a_full_disk_refuses_additions_and_still_deletes) {
    ASSERT_TRUE(broker.send("jobs", "x"));
    auto receipt = broker.receive_one("jobs").receipt;
    broker.disk.options().capacity_bytes = 0;
    // What is claimed already is used up first.
    std::optional<Refusal> refusal;
    for (int i = 0; i < 2000 && !refusal; ++i) {
        broker.clock.advance(1s);
        auto sent = broker.send("jobs", std::string(1000, 'x'));
        if (!sent) refusal = sent.error();
    }
    EXPECT_EQ(refusal, Refusal::no_room);
    EXPECT_TRUE(broker.remove("jobs", receipt));
    EXPECT_EQ(broker.create("more").error(), Refusal::no_room);
}

TEST_F(TurnTest, a_receipt_handle_is_only_read_by_the_store_that_made_it) {
    queue::Receipt receipt{queue::QueueId(3), queue::Sequence(77), 5, 9};
    auto handle = broker.turn->handle_of(receipt);
    EXPECT_EQ(broker.turn->receipt_of(handle), receipt);
    broker.kill();
    EXPECT_EQ(broker.turn->receipt_of(handle), receipt);
    for (std::size_t i = 0; i < handle.size(); ++i) {
        auto forged = handle;
        forged[i] = forged[i] == 'A' ? 'B' : 'A';
        auto read = broker.turn->receipt_of(forged);
        EXPECT_TRUE(!read || *read == receipt) << i;
    }
    Harness other(99);
    EXPECT_FALSE(other.turn->receipt_of(handle));
    EXPECT_FALSE(broker.turn->receipt_of(""));
    EXPECT_FALSE(broker.turn->receipt_of("not a handle"));
}

}  // namespace
}  // namespace forebay::broker
