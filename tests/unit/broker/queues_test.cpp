// Queues that come and go: taken out of the configuration, deleted and made again, purged twice.

#include "broker/cool_off.h"
#include "harness.h"

namespace forebay::broker {
namespace {

QueueSettings of_records() {
    QueueSettings settings;
    settings.carries_records = true;
    return settings;
}

Result<void, Refusal> undeclare(Harness& broker, const std::string& queue) {
    return broker.ask<Result<void, Refusal>>(Undeclare{queue, {}});
}

TEST(Undeclared, a_queue_keeps_what_it_holds_and_can_be_deleted_when_it_is_empty) {
    Harness broker;
    ASSERT_TRUE(broker.create("leads", of_records(), true));
    ASSERT_TRUE(broker.send("leads", "record"));
    ASSERT_TRUE(undeclare(broker, "leads"));
    broker.kill();
    EXPECT_FALSE(broker.status("leads")->declared);
    broker.pass(30 * 24h);
    EXPECT_EQ(broker.drop("leads").error(), Refusal::queue_keeps_records);
    EXPECT_EQ(broker.purge("leads").error(), Refusal::queue_keeps_records);
    EXPECT_EQ(broker.set("leads", {}).error(), Refusal::queue_keeps_records);
    auto message = broker.receive_one("leads");
    EXPECT_EQ(message.body, "record");
    EXPECT_EQ(broker.drop("leads").error(), Refusal::queue_keeps_records) << "it is in somebody's hands";
    ASSERT_TRUE(broker.remove("leads", message.receipt));
    EXPECT_TRUE(broker.drop("leads"));
    EXPECT_EQ(broker.status("leads").error(), Refusal::no_such_queue);
}

TEST(Undeclared, a_queue_can_be_declared_again) {
    Harness broker;
    ASSERT_TRUE(broker.create("leads", of_records(), true));
    ASSERT_TRUE(broker.send("leads", "record"));
    ASSERT_TRUE(undeclare(broker, "leads"));
    ASSERT_TRUE(broker.create("leads", of_records(), true));
    broker.kill();
    EXPECT_TRUE(broker.status("leads")->declared);
    EXPECT_EQ(broker.drop("leads").error(), Refusal::queue_is_declared);
    EXPECT_EQ(broker.receive_one("leads").body, "record");
}

TEST(Undeclared, nothing_happens_to_a_queue_that_was_not_declared) {
    Harness broker;
    ASSERT_TRUE(broker.create("q"));
    auto before = broker.status("q")->modified_at;
    broker.clock.advance(1s);
    EXPECT_TRUE(undeclare(broker, "q"));
    EXPECT_EQ(broker.status("q")->modified_at, before);
    EXPECT_EQ(undeclare(broker, "none").error(), Refusal::no_such_queue);
    EXPECT_TRUE(broker.drop("q"));
}

struct CoolOffTest : ::testing::Test {
    static BrokerOptions options() {
        auto out = small_options();
        out.cool_off = 60s;
        return out;
    }
    Harness broker{1, options()};
};

TEST_F(CoolOffTest, the_name_of_a_deleted_queue_is_free_after_it) {
    ASSERT_TRUE(broker.create("q"));
    ASSERT_TRUE(broker.drop("q"));
    broker.pass(59s);
    EXPECT_EQ(broker.create("q").error(), Refusal::queue_deleted_recently);
    EXPECT_TRUE(broker.create("other"));
    broker.pass(1s);
    EXPECT_TRUE(broker.create("q"));
}

TEST_F(CoolOffTest, the_configuration_does_not_wait) {
    ASSERT_TRUE(broker.create("q"));
    ASSERT_TRUE(broker.drop("q"));
    EXPECT_TRUE(broker.create("q", of_records(), true));
}

TEST_F(CoolOffTest, a_queue_is_purged_once_in_it_except_by_an_operator) {
    ASSERT_TRUE(broker.create("q"));
    ASSERT_TRUE(broker.create("other"));
    ASSERT_TRUE(broker.purge("q"));
    ASSERT_TRUE(broker.send("q", "kept"));
    EXPECT_EQ(broker.purge("q").error(), Refusal::purge_in_progress);
    EXPECT_TRUE(broker.purge("other"));
    broker.pass(30s);
    EXPECT_EQ(broker.peek("q").size(), 1u);
    EXPECT_TRUE(broker.purge("q", true));
    EXPECT_EQ(broker.peek("q").size(), 0u);
    broker.pass(59s);
    EXPECT_EQ(broker.purge("q").error(), Refusal::purge_in_progress) << "the operator's counts";
    broker.pass(1s);
    EXPECT_TRUE(broker.purge("q"));
}

TEST_F(CoolOffTest, a_restart_ends_it) {
    ASSERT_TRUE(broker.create("gone"));
    ASSERT_TRUE(broker.create("q"));
    ASSERT_TRUE(broker.drop("gone"));
    ASSERT_TRUE(broker.purge("q"));
    broker.kill();
    EXPECT_TRUE(broker.create("gone"));
    EXPECT_TRUE(broker.purge("q"));
}

TEST(CoolOffNames, of_more_than_are_remembered_the_oldest_are_free_early) {
    CoolOff names(60s);
    Instant now{1000};
    for (std::size_t i = 0; i <= CoolOff::names_max; ++i) names.begin("q" + std::to_string(i), now);
    EXPECT_FALSE(names.is_on("q0", now));
    EXPECT_TRUE(names.is_on("q1", now));
    names.begin("q1", now + 30s);
    EXPECT_TRUE(names.is_on("q1", now + 60s));
    EXPECT_FALSE(names.is_on("q2", now + 60s));
}

TEST(CoolOffNames, without_a_length_nothing_cools_off) {
    Harness broker;
    ASSERT_TRUE(broker.create("q"));
    ASSERT_TRUE(broker.purge("q"));
    ASSERT_TRUE(broker.purge("q"));
    ASSERT_TRUE(broker.drop("q"));
    EXPECT_TRUE(broker.create("q"));
}

}  // namespace
}  // namespace forebay::broker
