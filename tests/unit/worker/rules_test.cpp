// The pure rules: waits, holds, settlements, inbox.
#include <gtest/gtest.h>

#include "worker/breaker.h"
#include "worker/hold.h"
#include "worker/inbox.h"
#include "worker/outbox.h"
#include "worker/retry.h"
#include "worker/settlement.h"

namespace forebay::worker {
namespace {

constexpr std::uint64_t middle = std::uint64_t{1} << 63;
constexpr std::uint64_t highest = ~std::uint64_t{0};

TEST(Retry, each_answer_has_the_wait_of_the_list_and_then_none) {
    RetrySchedule schedule{{1s, 5s, 30s}, 0.2};
    EXPECT_EQ(next_wait(schedule, 1, middle), Duration(1s));
    EXPECT_EQ(next_wait(schedule, 2, middle), Duration(5s));
    EXPECT_EQ(next_wait(schedule, 3, middle), Duration(30s));
    EXPECT_EQ(next_wait(schedule, 4, middle), std::nullopt);
    EXPECT_EQ(next_wait(schedule, 0, middle), std::nullopt);
    EXPECT_EQ(next_wait({{}, 0.2}, 1, middle), std::nullopt);
}

TEST(Retry, jitter_spreads_a_wait_within_its_bounds) {
    RetrySchedule schedule{{10s}, 0.2};
    EXPECT_EQ(next_wait(schedule, 1, 0), Duration(8s));
    EXPECT_LE(*next_wait(schedule, 1, highest), Duration(12s));
    EXPECT_GE(*next_wait(schedule, 1, highest), Duration(11'990ms));
    EXPECT_EQ(next_wait({{10s}, 0}, 1, 0), Duration(10s));
}

TEST(Settle, outcomes_become_what_is_noted) {
    RetrySchedule schedule{{1s, 5s}, 0};
    Timestamp now{100'000};
    auto done = settle(Outcome::done(), 2, schedule, now, 0);
    EXPECT_EQ(done.kind, Outcome::Kind::done);
    EXPECT_EQ(done.attempts, 3u);
    auto retry = settle(Outcome::retry("exit 1"), 1, schedule, now, 0);
    EXPECT_EQ(retry.kind, Outcome::Kind::retry);
    EXPECT_EQ(retry.attempts, 2u);
    EXPECT_EQ(retry.next, now + 5s);
    auto dead = settle(Outcome::retry("exit 1"), 2, schedule, now, 0);
    EXPECT_EQ(dead.kind, Outcome::Kind::dead);
    EXPECT_EQ(dead.why, "out of attempts (3): exit 1");
    EXPECT_EQ(settle(Outcome::dead("no zip"), 0, schedule, now, 0).why, "no zip");
}

TEST(Settle, an_outage_and_what_was_not_begun_spend_no_attempt) {
    RetrySchedule schedule;
    EXPECT_EQ(settle(Outcome::hold("locked"), 4, schedule, {}, 0).attempts, 4u);
    EXPECT_EQ(settle(Outcome::untouched(), 4, schedule, {}, 0).attempts, 4u);
}

TEST(Settle, the_handlers_own_wait_wins_and_none_is_negative_or_cut) {
    RetrySchedule schedule{{1s, 20h}, 0};
    EXPECT_EQ(settle(Outcome::retry("later", 90s), 0, schedule, {}, 0).next, Timestamp{} + 90s);
    EXPECT_EQ(settle(Outcome::retry("later"), 1, schedule, {}, 0).next, Timestamp{} + 20h);
    EXPECT_EQ(settle(Outcome::retry("later", -5s), 0, schedule, {}, 0).next, Timestamp{});
}

TEST(Settle, the_handlers_own_wait_does_not_add_attempts) {
    RetrySchedule schedule{{1s}, 0};
    EXPECT_EQ(settle(Outcome::retry("later", 90s), 1, schedule, {}, 0).kind, Outcome::Kind::dead);
}

TEST(Settle, the_handlers_own_wait_is_cut_to_seven_days_and_says_what_was_asked) {
    RetrySchedule schedule{{1s}, 0};
    auto cut = settle(Outcome::retry("later", 10 * 24h), 0, schedule, {}, 0);
    EXPECT_EQ(cut.next, Timestamp{} + 7 * 24h);
    EXPECT_EQ(cut.asked, 10 * 24h);
    EXPECT_EQ(settle(Outcome::retry("later", Duration::max()), 0, schedule, {1'789'992'000'000}, 0).next,
              Timestamp{1'789'992'000'000} + after_most);
    auto whole = settle(Outcome::retry("later", after_most), 0, schedule, {}, 0);
    EXPECT_EQ(whole.next, Timestamp{} + after_most);
    EXPECT_FALSE(whole.asked);
}

TEST(Settle, the_handlers_own_wait_leaves_the_other_attempts_their_deliveries) {
    RetrySchedule schedule{{1s, 5s, 20h}, 0};
    auto wait = [&](std::uint32_t attempts, std::uint64_t deliveries_left) {
        return *settle(Outcome::retry("later", 6 * 24h), attempts, schedule, {}, 0, deliveries_left).next - Timestamp{};
    };
    EXPECT_EQ(wait(0, 8), 5 * hidden_most) << "5 s needs one, 20 h two";
    EXPECT_EQ(wait(1, 8), 6 * hidden_most);
    EXPECT_EQ(wait(2, 8), 8 * hidden_most);
    EXPECT_EQ(wait(0, 4), hidden_most);
    EXPECT_EQ(wait(0, 0), hidden_most) << "one part it has always";
    EXPECT_EQ(wait(0, 100), Duration(6 * 24h));
    EXPECT_EQ(settle(Outcome::retry("busy"), 2, schedule, {}, 0, 1).next, Timestamp{} + 20h) << "the schedule's own is not cut";
}

TEST(LeftOf, only_a_wait_that_was_split_has_something_left_when_its_record_comes) {
    Timestamp since{1'789'992'000'000};
    EXPECT_EQ(left_of({since, since + 20h}, since + 11h), Duration(9h));
    EXPECT_EQ(left_of({since, since + 20h}, since + 21h), Duration::zero());
    EXPECT_EQ(left_of({since, since + hidden_most + 1ms}, since + 1h), hidden_most + 1ms - 1h);
    EXPECT_EQ(left_of({since, since + hidden_most}, since + 1h), Duration::zero()) << "the queue alone keeps it";
    EXPECT_EQ(left_of({since, since + 30s}, since - 6h), Duration::zero());
}

TEST(LeftOf, a_clock_set_back_leaves_no_more_than_the_wait_itself) {
    Timestamp since{1'789'992'000'000};
    EXPECT_EQ(left_of({since, since + 20h}, since), Duration(20h));
    EXPECT_EQ(left_of({since, since + 20h}, since - 1ms), Duration::zero());
    EXPECT_EQ(left_of({since, since + 20h}, Timestamp{}), Duration::zero()) << "it would be hidden until the receives are used up";
}

TEST(HoldLogic, begins_waits_for_its_probe_tries_one_and_ends) {
    Hold hold(2s);
    EXPECT_EQ(hold.phase(), Hold::Phase::open);
    hold.begin("locked", {1000}, middle);
    EXPECT_EQ(hold.phase(), Hold::Phase::held);
    EXPECT_EQ(hold.next_probe(), (Instant{3000}));
    hold.probed(false, {3000}, middle);
    EXPECT_EQ(hold.phase(), Hold::Phase::held);
    EXPECT_EQ(hold.next_probe(), (Instant{5000}));
    hold.probed(true, {5000}, middle);
    EXPECT_EQ(hold.phase(), Hold::Phase::trial);
    hold.begin("still locked", {5100}, middle);
    EXPECT_EQ(hold.phase(), Hold::Phase::held);
    EXPECT_EQ(hold.why(), "still locked");
    EXPECT_FALSE(hold.blame("still locked"));
    EXPECT_TRUE(hold.blame("disk full"));
    hold.probed(true, {7100}, middle);
    hold.end();
    EXPECT_EQ(hold.phase(), Hold::Phase::open);
}

TEST(BreakerLogic, five_in_a_row_open_it_and_an_answer_begins_anew) {
    Breaker breaker;
    for (int i = 0; i < 4; ++i) breaker.failed({i * 20'000});
    EXPECT_FALSE(breaker.is_open({60'000}));
    breaker.answered({80'000});
    for (int i = 0; i < 4; ++i) breaker.failed({100'000 + i * 20'000});
    EXPECT_FALSE(breaker.is_open({160'000}));
    breaker.failed({180'000});
    EXPECT_TRUE(breaker.is_open({180'000}));
    breaker.reset();
    EXPECT_FALSE(breaker.is_open({180'000}));
}

TEST(BreakerLogic, more_than_half_of_those_of_ten_seconds_open_it) {
    Breaker breaker;
    for (int i = 0; i < 4; ++i) {
        breaker.failed({i * 1000});
        breaker.answered({i * 1000});
    }
    EXPECT_FALSE(breaker.is_open({4000})) << "half is not more than half";
    breaker.failed({4000});
    EXPECT_TRUE(breaker.is_open({4000}));
    EXPECT_FALSE(breaker.is_open({13'000})) << "four of its nine are too old to count, so are the answers";
}

TEST(BreakerLogic, few_runs_say_nothing) {
    Breaker breaker;
    breaker.failed({0});
    breaker.failed({100});
    breaker.answered({200});
    breaker.failed({300});
    EXPECT_FALSE(breaker.is_open({300})) << "three of four";
}

TEST(HoldLogic, probes_are_spread_over_half_to_one_and_a_half_of_their_wait) {
    Hold early(2s), late(2s);
    early.begin("", {0}, 0);
    late.begin("", {0}, highest);
    EXPECT_EQ(early.next_probe(), (Instant{1000}));
    EXPECT_GE(late.next_probe(), (Instant{2999}));
    EXPECT_LE(late.next_probe(), (Instant{3000}));
}

TEST(InboxRead, a_json_object_sent_straight_to_the_queue_becomes_a_record_with_the_messages_id) {
    transport::Received message;
    message.message_id = "0f8fad5b-d9cb-469f-a165-70867728950e";
    message.body = R"({"email":"jane@example.com"})";
    message.sent_at = {42};
    auto inbox = read({message});
    ASSERT_EQ(inbox.jobs.size(), 1u);
    EXPECT_EQ(to_text(inbox.jobs[0].envelope.id), message.message_id);
    EXPECT_EQ(inbox.jobs[0].envelope.received_at.ms, 42);
    EXPECT_EQ(inbox.jobs[0].envelope.fields["email"].text(), "jane@example.com");
    EXPECT_EQ(inbox.jobs[0].body, message.body);
}

TEST(InboxRead, a_message_id_that_is_no_uuid_still_names_one_record) {
    EXPECT_EQ(id_of_message("abc"), id_of_message("abc"));
    EXPECT_NE(id_of_message("abc"), id_of_message("abd"));
    EXPECT_EQ(id_of_message("abc").version(), 8);
}

TEST(InboxRead, any_other_body_is_told_apart_with_its_reason) {
    for (auto* body : {"", "hello", "[1,2]", "42", "{\"v\":99}", "{"}) {
        transport::Received message;
        message.body = body;
        auto inbox = read({message});
        EXPECT_TRUE(inbox.jobs.empty()) << body;
        ASSERT_EQ(inbox.unreadable.size(), 1u) << body;
        EXPECT_TRUE(inbox.unreadable[0].why.starts_with("not a record: ")) << inbox.unreadable[0].why;
    }
}

TEST(AttributeText, holds_what_sqs_allows) {
    EXPECT_EQ(attribute_text("plain"), "plain");
    EXPECT_EQ(attribute_text(""), "unknown");
    EXPECT_EQ(attribute_text(std::string_view("a\0b\x1b[0m\n", 8)), "a b [0m\n");
    EXPECT_EQ(attribute_text(std::string(2000, 'x')).size(), 1024u);
    EXPECT_EQ(attribute_text(std::string(1023, 'x') + "\xc3\xbc").size(), 1023u);
    EXPECT_EQ(attribute_text("\xff\xff"), "unknown");
}

}  // namespace
}  // namespace forebay::worker
