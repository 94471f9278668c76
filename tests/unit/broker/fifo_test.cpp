// FIFO queues through the broker: deduplication, dead letters, repeated receives, and what a crash leaves of them.

#include <cerrno>

#include "broker/receive_attempts.h"
#include "tests/unit/broker/harness.h"

namespace forebay::broker {
namespace {

Result<Sent, Refusal> send_to(Harness& broker, const std::string& queue, std::string body, std::string group, std::string id) {
    queue::OutgoingMessage message;
    message.body = std::move(body);
    message.group = std::move(group);
    message.deduplication = std::move(id);
    message.delay = Duration(0);
    return broker.ask<Result<Sent, Refusal>>(Send{queue, std::move(message), {}, {}});
}

class FifoBroker : public ::testing::Test {
  protected:
    FifoBroker() { make("jobs.fifo"); }

    static QueueSettings fifo() {
        QueueSettings settings;
        settings.fifo = true;
        return settings;
    }
    void make(const std::string& name, QueueSettings settings = fifo()) { ASSERT_TRUE(broker.create(name, std::move(settings))); }
    Result<Sent, Refusal> send(std::string body, std::string group, std::string id, const std::string& queue = "jobs.fifo") {
        return send_to(broker, queue, std::move(body), std::move(group), std::move(id));
    }
    std::vector<queue::Delivery> receive(unsigned max, std::string attempt = {}, std::optional<Duration> visibility = {}) {
        Receive command{"jobs.fifo", max, visibility, Duration(0), {}, {}};
        command.attempt = std::move(attempt);
        auto got = broker.ask<Harness::Received>(std::move(command));
        return got ? *got : std::vector<queue::Delivery>{};
    }
    static std::string bodies(const std::vector<queue::Delivery>& deliveries) {
        std::string out;
        for (const auto& delivery : deliveries) out += delivery.body;
        return out;
    }
    Harness broker;
};

TEST_F(FifoBroker, a_message_needs_a_group_and_a_deduplication_id) {
    EXPECT_EQ(send("a", "", "1").error(), Refusal::group_missing);
    EXPECT_EQ(send("a", "g", "").error(), Refusal::deduplication_missing);
    ASSERT_TRUE(send("a", "g", "1"));
    auto got = receive(1);
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0].group, "g");
    EXPECT_EQ(got[0].deduplication, "1");
    EXPECT_EQ(got[0].receipt.sequence.value(), 0u);
}

TEST_F(FifoBroker, a_queue_is_fifo_by_its_name_and_its_settings_together_and_stays_so) {
    EXPECT_EQ(broker.create("plain", fifo()).error(), Refusal::invalid_attribute);
    EXPECT_EQ(broker.create("other.fifo").error(), Refusal::invalid_attribute);
    EXPECT_EQ(broker.set("jobs.fifo", {}).error(), Refusal::invalid_attribute);
    QueueSettings standard;
    standard.content_deduplication = true;
    EXPECT_EQ(broker.create("plain", standard).error(), Refusal::invalid_attribute);
    EXPECT_TRUE(broker.create("declared.fifo", fifo(), true));
}

TEST_F(FifoBroker, a_dead_letter_queue_is_of_the_same_kind) {
    ASSERT_TRUE(broker.create("dead"));
    auto settings = fifo();
    settings.redrive = Redrive{"dead", 3};
    EXPECT_EQ(broker.create("more.fifo", settings).error(), Refusal::invalid_attribute);
    settings.redrive = Redrive{"jobs.fifo", 3};
    EXPECT_TRUE(broker.create("more.fifo", settings));
    QueueSettings standard;
    standard.redrive = Redrive{"jobs.fifo", 3};
    EXPECT_EQ(broker.create("more", standard).error(), Refusal::invalid_attribute);
    settings.redrive = Redrive{"made.fifo", 3};
    ASSERT_TRUE(broker.create("declared.fifo", settings, true));
    EXPECT_TRUE(broker.status("made.fifo")->settings.fifo);
}

TEST_F(FifoBroker, a_repeated_id_is_told_the_first_messages_id_and_number_and_adds_nothing) {
    auto first = send("a", "g", "1");
    auto again = send("another body", "other group", "1");
    ASSERT_TRUE(first && again);
    EXPECT_FALSE(first->duplicate);
    EXPECT_TRUE(again->duplicate);
    EXPECT_EQ(again->id, first->id);
    EXPECT_EQ(again->sequence, first->sequence);
    EXPECT_EQ(broker.status("jobs.fifo")->ready, 1u);
    make("more.fifo");
    EXPECT_FALSE(send("a", "g", "1", "more.fifo")->duplicate) << "ids belong to their queue";
}

TEST_F(FifoBroker, an_id_is_remembered_for_five_minutes_also_when_its_message_is_gone_and_the_broker_was_killed) {
    auto first = send("a", "g", "1");
    ASSERT_TRUE(broker.remove("jobs.fifo", receive(1)[0].receipt));
    broker.kill();
    broker.pass(4min);
    broker.cut_power();
    auto again = send("a", "g", "1");
    EXPECT_TRUE(again->duplicate);
    EXPECT_EQ(again->id, first->id);
    broker.pass(61s);
    EXPECT_FALSE(send("a", "g", "1")->duplicate);
}

TEST_F(FifoBroker, an_id_outlives_the_segment_its_message_was_written_in) {
    auto first = send("a", "g", "1");
    ASSERT_TRUE(broker.remove("jobs.fifo", receive(1)[0].receipt));
    ASSERT_TRUE(broker.create("bulk"));
    for (int i = 0; i < 40; ++i) {
        ASSERT_TRUE(broker.send("bulk", std::string(60'000, 'x')));
        ASSERT_TRUE(broker.remove("bulk", broker.receive_one("bulk").receipt));
        broker.pass(1s);
    }
    ASSERT_GT(broker.turn->journal().oldest_segment().value(), 1u);
    broker.cut_power();
    EXPECT_TRUE(broker.turn->opened_from_checkpoint());
    auto again = send("a", "g", "1");
    EXPECT_TRUE(again->duplicate);
    EXPECT_EQ(again->sequence, first->sequence);
}

TEST_F(FifoBroker, ids_count_within_their_group_where_the_queue_says_so) {
    auto settings = fifo();
    settings.deduplication_per_group = true;
    make("per-group.fifo", settings);
    EXPECT_FALSE(send("a", "g", "1", "per-group.fifo")->duplicate);
    EXPECT_FALSE(send("a", "h", "1", "per-group.fifo")->duplicate);
    EXPECT_TRUE(send("a", "g", "1", "per-group.fifo")->duplicate);
    broker.kill();
    EXPECT_TRUE(send("a", "h", "1", "per-group.fifo")->duplicate);
}

TEST_F(FifoBroker, by_content_the_hash_of_the_body_is_the_id_unless_one_is_given) {
    auto settings = fifo();
    settings.content_deduplication = true;
    make("content.fifo", settings);
    EXPECT_FALSE(send("a", "g", "", "content.fifo")->duplicate);
    EXPECT_TRUE(send("a", "g", "", "content.fifo")->duplicate);
    EXPECT_FALSE(send("a", "g", "1", "content.fifo")->duplicate);
    EXPECT_FALSE(send("b", "g", "", "content.fifo")->duplicate);
    EXPECT_EQ(broker.receive_one("content.fifo").deduplication, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
}

TEST_F(FifoBroker, a_purge_makes_ids_new_again_and_expiry_does_not) {
    auto settings = fifo();
    settings.retention = 60s;
    make("short.fifo", settings);
    ASSERT_TRUE(send("a", "g", "1"));
    ASSERT_TRUE(send("a", "g", "1", "short.fifo"));
    ASSERT_TRUE(broker.purge("jobs.fifo"));
    broker.pass(120s);
    EXPECT_EQ(broker.status("short.fifo")->ready, 0u);
    for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(send("a", "g", "1", "short.fifo")->duplicate);
        EXPECT_EQ(send("a", "g", "1")->duplicate, i > 0);
        broker.kill();
    }
}

TEST_F(FifoBroker, at_the_bound_new_ids_are_refused_and_none_is_forgotten) {
    auto options = small_options();
    options.deduplication_ids_max = 1;  // the least: one chunk
    Harness small(1, options);
    ASSERT_TRUE(small.create("jobs.fifo", fifo()));
    auto try_send = [&](int n) { return send_to(small, "jobs.fifo", "x", "g", std::to_string(n)); };
    for (int n = 0; n < 1024; ++n) ASSERT_TRUE(try_send(n)) << n;
    EXPECT_EQ(try_send(1024).error(), Refusal::deduplication_full);
    EXPECT_TRUE(try_send(0)->duplicate);
    small.kill();
    EXPECT_EQ(try_send(1024).error(), Refusal::deduplication_full);
    small.pass(302s);
    EXPECT_TRUE(try_send(1024));
    EXPECT_FALSE(try_send(0)->duplicate);
    small.kill();
    EXPECT_TRUE(try_send(1024)->duplicate);
}

TEST_F(FifoBroker, a_group_in_flight_is_still_locked_after_a_crash) {
    for (auto body : {"a", "b", "c"}) ASSERT_TRUE(send(body, "g", body));
    auto first = receive(1, {}, 600s);
    ASSERT_EQ(bodies(first), "a");
    broker.pass(1s);  // receives are durable within 10 ms
    broker.cut_power();
    EXPECT_EQ(bodies(receive(10)), "");
    ASSERT_TRUE(broker.remove("jobs.fifo", first[0].receipt));
    EXPECT_EQ(bodies(receive(10)), "bc");
}

TEST_F(FifoBroker, an_expired_receipt_neither_deletes_nor_extends) {
    ASSERT_TRUE(send("a", "g", "1"));
    auto late = receive(1, {}, 10s);
    broker.pass(10s);
    EXPECT_EQ(broker.remove("jobs.fifo", late[0].receipt).error(), Refusal::receipt_expired);
    EXPECT_EQ(broker.change("jobs.fifo", {late[0].receipt, 10s, false, {}}).error(), Refusal::receipt_expired);
    EXPECT_EQ(bodies(receive(1)), "a");
}

TEST_F(FifoBroker, messages_given_back_come_again_in_order_and_not_counted) {
    for (auto body : {"a", "b", "c"}) ASSERT_TRUE(send(body, "g", body));
    auto lost = receive(2);
    ASSERT_EQ(bodies(lost), "ab");
    std::vector<VisibilityChange> back;
    for (const auto& one : lost) back.push_back({one.receipt, Duration(0), true, {}});
    const auto outcomes = broker.ask<Harness::Outcomes>(ChangeVisibility{"jobs.fifo", std::move(back), {}});
    for (const auto& outcome : *outcomes) ASSERT_TRUE(outcome);
    auto again = receive(10);
    EXPECT_EQ(bodies(again), "abc");
    EXPECT_EQ(again.at(1).receive_count, 1u);
}

TEST_F(FifoBroker, a_dead_letter_keeps_its_group_and_id_and_its_group_goes_on) {
    make("dead.fifo");
    auto settings = fifo();
    settings.redrive = Redrive{"dead.fifo", 2};
    make("work.fifo", settings);
    for (auto body : {"a", "b"}) ASSERT_TRUE(send(body, "g", body, "work.fifo"));
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(broker.receive_one("work.fifo", 5s).body, "a");
        broker.pass(5s);
    }
    EXPECT_EQ(broker.receive_one("work.fifo", 5s).body, "b");
    auto dead = broker.receive_one("dead.fifo");
    EXPECT_EQ(dead.body, "a");
    EXPECT_EQ(dead.group, "g");
    EXPECT_EQ(dead.deduplication, "a");
    EXPECT_EQ(dead.dead_letter_source, "work.fifo");
    EXPECT_TRUE(send("a", "g", "a", "work.fifo")->duplicate);
}

TEST_F(FifoBroker, a_delay_is_the_queues_only) {
    auto settings = fifo();
    settings.delay = 10s;
    make("late.fifo", settings);
    ASSERT_TRUE(send("a", "g", "1", "late.fifo")) << "with no delay of its own";
    EXPECT_TRUE(broker.is_empty("late.fifo"));
    broker.pass(10s);
    EXPECT_EQ(broker.receive_one("late.fifo").body, "a");
}

TEST_F(FifoBroker, a_receive_repeated_under_its_attempt_id_gives_the_same_messages_hidden_anew) {
    for (auto body : {"a", "b", "c"}) ASSERT_TRUE(send(body, "g", body));
    auto first = receive(2, "attempt", 30s);
    broker.pass(20s);
    auto again = receive(2, "attempt", 30s);
    ASSERT_EQ(bodies(again), "ab");
    EXPECT_EQ(again[0].receipt, first[0].receipt);
    EXPECT_EQ(again[0].receive_count, 1u);
    broker.pass(20s);
    EXPECT_EQ(bodies(receive(2, "other")), "") << "still hidden";
    EXPECT_TRUE(broker.remove("jobs.fifo", first[0].receipt));
    EXPECT_EQ(bodies(receive(2, "attempt")), "") << "one of them was deleted";
    broker.pass(10s);
    EXPECT_EQ(bodies(receive(2, "attempt")), "bc") << "a receive like any other";
}

TEST_F(FifoBroker, an_attempt_id_is_forgotten_after_five_minutes) {
    ASSERT_TRUE(send("a", "g", "1"));
    ASSERT_EQ(bodies(receive(1, "attempt", 600s)), "a");
    broker.pass(299s);
    EXPECT_EQ(bodies(receive(1, "attempt", 600s)), "a");
    broker.pass(1s);
    EXPECT_EQ(bodies(receive(1, "attempt", 600s)), "");
}

TEST_F(FifoBroker, attempt_ids_are_bounded_and_the_oldest_goes_first) {
    ReceiveAttempts attempts(2);
    for (auto name : {"a", "b", "a", "c"}) attempts.keep({queue::QueueId(1), name}, {{}}, Instant{0});
    EXPECT_EQ(attempts.find({queue::QueueId(1), "b"}, Instant{0}), nullptr);
    EXPECT_NE(attempts.find({queue::QueueId(1), "c"}, Instant{0}), nullptr);
    EXPECT_LE(attempts.size(), 2u);
}

TEST_F(FifoBroker, who_waits_is_woken_when_a_delete_frees_the_group) {
    for (auto body : {"a", "b"}) ASSERT_TRUE(send(body, "g", body));
    auto first = receive(1);
    std::string heard = "nothing";
    std::vector<Command> waiting;
    waiting.push_back(Receive{"jobs.fifo", 10, {}, 20s, {}, [&](Harness::Received got) { heard = bodies(*got); }});
    broker.run(std::move(waiting));
    EXPECT_EQ(heard, "nothing");
    ASSERT_TRUE(broker.remove("jobs.fifo", first[0].receipt));
    EXPECT_EQ(heard, "b");
}

TEST_F(FifoBroker, with_as_much_in_flight_as_may_be_a_receive_is_empty_rather_than_refused) {
    auto options = small_options();
    options.in_flight_max = 2;
    Harness small(1, options);
    ASSERT_TRUE(small.create("jobs.fifo", fifo()));
    for (auto group : {"1", "2", "3"}) ASSERT_TRUE(send_to(small, "jobs.fifo", "x", group, group));
    auto first = small.receive("jobs.fifo", 2);
    ASSERT_EQ(first->size(), 2u);
    auto none = small.receive("jobs.fifo", 1);
    ASSERT_TRUE(none);
    EXPECT_TRUE(none->empty());
    small.pass(3s);
    ASSERT_TRUE(small.remove("jobs.fifo", first->front().receipt));
    EXPECT_EQ(small.receive("jobs.fifo", 1)->size(), 1u);
}

/// Bytes that are not what was written will not become it again: the message is given up, and said to be lost.
TEST_F(FifoBroker, a_group_goes_on_behind_a_message_that_has_rotted) {
    for (auto body : {"rotten", "next"}) ASSERT_TRUE(send(body, "g", body));
    broker.kill();
    auto names = broker.disk.list("");
    ASSERT_TRUE(names);
    for (const auto& path : *names) {
        auto at = path.starts_with("log-") ? broker.disk.content(path).find("rotten") : std::string::npos;
        if (at != std::string::npos) broker.disk.rot(path, at, 0x40);
    }
    EXPECT_EQ(bodies(receive(10)), "next");
    EXPECT_EQ(broker.turn->counters().messages_lost, 1u);
    broker.cut_power();
    EXPECT_EQ(broker.turn->counters().damaged_messages, 0u);
}

TEST_F(FifoBroker, a_group_waits_behind_a_message_that_cannot_be_read_for_now) {
    for (auto body : {"a", "b"}) ASSERT_TRUE(send(body, "g", body));
    broker.kill();
    broker.disk.fail_at(testing::Call::read, 1, EIO, true);
    EXPECT_EQ(bodies(receive(10)), "");
    broker.disk.heal();
    EXPECT_EQ(bodies(receive(10)), "");
    broker.pass(1h);
    EXPECT_EQ(bodies(receive(10)), "ab");
}

TEST_F(FifoBroker, a_standard_queue_takes_a_group_and_any_repetition) {
    ASSERT_TRUE(broker.create("plain"));
    for (int i = 0; i < 2; ++i) EXPECT_FALSE(send("a", "g", "1", "plain")->duplicate);
    EXPECT_EQ(broker.receive_one("plain").group, "g");
}

}  // namespace
}  // namespace forebay::broker
