// What commands do, one by one.

#include "tests/unit/broker/harness.h"

namespace forebay::broker {
namespace {

TEST(Turn, a_message_sent_is_received_and_deleted) {
    Harness broker;
    ASSERT_TRUE(broker.create("jobs"));
    auto sent = broker.send("jobs", "hello");
    ASSERT_TRUE(sent);
    auto got = broker.receive_one("jobs");
    EXPECT_EQ(got.body, "hello");
    EXPECT_EQ(got.id, sent->id);
    EXPECT_EQ(got.receive_count, 1u);
    EXPECT_TRUE(broker.is_empty("jobs"));
    EXPECT_TRUE(broker.remove("jobs", got.receipt));
    broker.pass(60s);
    EXPECT_TRUE(broker.is_empty("jobs"));
    EXPECT_EQ(broker.status("jobs")->deletes, 1u);
}

TEST(Turn, everything_survives_a_power_cut_after_its_answer) {
    Harness broker;
    QueueSettings settings;
    settings.visibility_timeout = 60s;
    settings.extra["tag:site"] = "one";
    ASSERT_TRUE(broker.create("jobs", settings));
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(broker.send("jobs", "m" + std::to_string(i)));
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(broker.remove("jobs", broker.receive_one("jobs").receipt));
    broker.cut_power(testing::Survival::none);
    auto status = broker.status("jobs");
    ASSERT_TRUE(status);
    EXPECT_EQ(status->ready, 30u);
    EXPECT_EQ(status->settings, settings);
    EXPECT_EQ(broker.receive_one("jobs").body, "m20");
}

}  // namespace
}  // namespace forebay::broker
