#include "sim/auditor.h"

#include <gtest/gtest.h>

#include "tests/unit/sim/history.h"

namespace forebay::sim {
namespace {

using broker::QueueSettings;
using broker::Redrive;

#define EXPECT_REJECTED(history, part) EXPECT_NE((history).find(part), std::string::npos) << "finding: " << (history)

/// A queue `q` with visibility 30 s.
class BadHistory : public testing::Test {
  protected:
    BadHistory() { h.make("q"); }
    void make_redrive(std::uint32_t most) {
        h.make("dead");
        QueueSettings settings;
        settings.redrive = Redrive{"dead", most};
        h.make("source", settings);
    }
    History h;
};
using GoodHistory = BadHistory;

TEST_F(GoodHistory, a_message_sent_received_and_deleted_is_accepted) {
    h.send("q", "m1");
    h.remove("q", h.receive("q", "m1"));
    h.receive_nothing("q");
    EXPECT_EQ(h.end(), "");
}

TEST_F(BadHistory, an_acknowledged_message_that_is_nowhere_at_the_end) {
    h.send("q", "m1");
    EXPECT_REJECTED(h.end(), "m1 was sent to q, acknowledged in round 3 and never deleted, and is lost");
}

TEST_F(BadHistory, an_acknowledged_message_lost_in_a_power_cut) {
    h.send("q", "m1");
    h.die(Death::power_lost);
    h.receive_nothing("q");
    EXPECT_REJECTED(h.finding(), "had nothing to give though message m1");
}

TEST_F(GoodHistory, a_message_without_an_answer_may_be_there_or_not) {
    h.ask_send("q", "m1");
    h.ask_send("q", "m2");
    h.die(Death::power_lost);
    h.remove("q", h.receive("q", "m2"));
    h.receive_nothing("q");
    EXPECT_EQ(h.end(), "");
}

TEST_F(BadHistory, a_message_without_an_answer_that_was_delivered_and_then_lost) {
    h.ask_send("q", "m1");
    h.die(Death::killed);
    h.receive("q", "m1");
    h.die(Death::power_lost);
    EXPECT_REJECTED(h.end(), "is lost");
}

TEST_F(BadHistory, a_message_nobody_sent) {
    h.receive("q", "m1");
    EXPECT_REJECTED(h.finding(), "was never sent");
}

TEST_F(BadHistory, a_message_with_other_bytes) {
    h.send("q", "m1 abc");
    auto d = h.delivery("m1 abc");
    d.body = "m1 abd";
    h.receive("q", d);
    EXPECT_REJECTED(h.finding(), "with other bytes");
}

TEST_F(BadHistory, a_message_with_an_attribute_more) {
    h.send("q", "m1");
    auto d = h.delivery("m1");
    d.attributes.push_back({"a", "String", "b"});
    h.receive("q", d);
    EXPECT_REJECTED(h.finding(), "other bytes or attributes");
}

TEST_F(BadHistory, a_message_under_another_id) {
    h.send("q", "m1");
    auto d = h.delivery("m1");
    d.id = History::uuid(9);
    h.receive("q", d);
    EXPECT_REJECTED(h.finding(), "is there a second time");
}

TEST_F(BadHistory, a_refused_message_is_delivered) {
    h.send_refused("q", "m1", broker::Refusal::no_room);
    h.receive("q", "m1");
    EXPECT_REJECTED(h.finding(), "was refused, and yet delivered");
}

TEST_F(BadHistory, a_deleted_message_comes_again) {
    h.send("q", "m1");
    h.remove("q", h.receive("q", "m1"));
    h.wait(60s);
    h.receive("q", "m1", 2);
    EXPECT_REJECTED(h.finding(), "was deleted in round");
}

TEST_F(BadHistory, a_deleted_message_comes_again_after_a_power_cut) {
    h.send("q", "m1");
    h.remove("q", h.receive("q", "m1"));
    h.die(Death::power_lost);
    h.receive("q", "m1", 2);
    EXPECT_REJECTED(h.finding(), "was deleted in round");
}

TEST_F(BadHistory, a_message_deleted_with_an_old_receipt_comes_again) {
    h.send("q", "m1");
    auto old = h.receive("q", "m1");
    h.wait(31s);
    h.receive("q", "m1", 2);
    h.remove("q", old);
    h.wait(31s);
    h.receive("q", "m1", 3);
    EXPECT_REJECTED(h.finding(), "was deleted in round");
}

TEST_F(GoodHistory, a_delete_without_an_answer_may_have_happened_or_not) {
    h.send("q", "m1");
    h.send("q", "m2");
    auto one = h.receive("q", "m1");
    auto two = h.receive("q", "m2");
    h.ask_delete("q", one);
    h.ask_delete("q", two);
    h.die(Death::killed);
    h.wait(60s);
    h.remove("q", h.receive("q", "m1", 2));
    EXPECT_EQ(h.end(), "");
}

TEST_F(BadHistory, a_second_delivery_inside_the_visibility_timeout) {
    h.send("q", "m1");
    h.receive("q", "m1");
    h.wait(29s);
    h.receive("q", "m1", 2);
    EXPECT_REJECTED(h.finding(), "1000 ms before its visibility timeout ended");
}

TEST_F(GoodHistory, a_second_delivery_after_the_visibility_timeout_or_after_a_power_cut) {
    h.send("q", "m1");
    h.receive("q", "m1");
    h.wait(30s);
    h.receive("q", "m1", 2);
    h.die(Death::power_lost);
    h.remove("q", h.receive("q", "m1", 3));
    EXPECT_EQ(h.end(), "");
}

TEST_F(BadHistory, a_lease_that_does_not_outlive_the_process) {
    h.send("q", "m1");
    h.receive("q", "m1");
    h.die(Death::killed);
    h.receive("q", "m1", 2);
    EXPECT_REJECTED(h.finding(), "before its visibility timeout ended");
}

TEST_F(BadHistory, a_lease_that_was_synced_and_does_not_outlive_the_power) {
    h.send("q", "m1");
    auto receipt = h.receive("q", "m1");
    h.change("q", receipt, 300s);
    h.send("q", "m2");
    h.die(Death::power_lost);
    h.wait(299s);
    h.receive("q", "m1", 2);
    EXPECT_REJECTED(h.finding(), "before its visibility timeout ended");
}

TEST_F(GoodHistory, a_change_of_visibility_without_an_answer_may_have_happened_or_not) {
    h.send("q", "m1");
    h.ask_change("q", h.receive("q", "m1"), 0s);
    h.die(Death::killed);
    h.remove("q", h.receive("q", "m1", 2));
    EXPECT_EQ(h.end(), "");
}

TEST_F(BadHistory, a_delivery_inside_a_prolonged_visibility) {
    h.send("q", "m1");
    auto receipt = h.receive("q", "m1");
    h.wait(20s);
    h.change("q", receipt, 60s);
    h.wait(59s);
    h.receive("q", "m1", 2);
    EXPECT_REJECTED(h.finding(), "before its visibility timeout ended");
}

TEST_F(BadHistory, a_stale_receipt_ends_the_lease_of_another) {
    h.send("q", "m1");
    auto old = h.receive("q", "m1");
    h.wait(30s);
    h.receive("q", "m1", 2);
    h.change("q", old, 0s);
    h.receive("q", "m1", 3);
    EXPECT_REJECTED(h.finding(), "before its visibility timeout ended");
}

TEST_F(GoodHistory, the_newest_receipt_makes_a_message_visible) {
    h.send("q", "m1");
    h.change("q", h.receive("q", "m1"), 0s);
    h.remove("q", h.receive("q", "m1", 2));
    EXPECT_EQ(h.end(), "");
}

TEST_F(BadHistory, a_message_made_visible_that_is_not_handed_out) {
    h.send("q", "m1");
    h.change("q", h.receive("q", "m1"), 0s);
    h.receive_nothing("q");
    EXPECT_REJECTED(h.finding(), "had nothing to give");
}

TEST_F(BadHistory, a_message_that_stays_hidden_after_its_timeout) {
    h.send("q", "m1");
    h.receive("q", "m1");
    h.wait(30s);
    h.receive_nothing("q");
    EXPECT_REJECTED(h.finding(), "had nothing to give");
}

TEST_F(BadHistory, the_visibility_of_a_deleted_message_is_changed) {
    h.send("q", "m1");
    auto receipt = h.receive("q", "m1");
    h.remove("q", receipt);
    h.change("q", receipt, 10s);
    EXPECT_REJECTED(h.finding(), "was changed after it was deleted");
}

TEST_F(BadHistory, a_receipt_that_was_never_given_is_accepted) {
    h.send("q", "m1");
    h.remove("q", {queue::QueueId(1), queue::Sequence(77), 1, 1});
    EXPECT_REJECTED(h.finding(), "accepted a receipt it never gave");
}

TEST_F(BadHistory, a_receive_count_that_stands_still) {
    h.send("q", "m1");
    h.receive("q", "m1", 1);
    h.wait(30s);
    h.receive("q", "m1", 1);
    EXPECT_REJECTED(h.finding(), "receive count 1 where it must be 2 to 2");
}

TEST_F(BadHistory, a_receive_count_lost_when_the_process_was_killed) {
    h.send("q", "m1");
    h.receive("q", "m1", 1);
    h.die(Death::killed);
    h.wait(30s);
    h.receive("q", "m1", 1);
    EXPECT_REJECTED(h.finding(), "receive count 1 where it must be 2 to 2");
}

TEST_F(GoodHistory, a_receive_count_may_be_lost_in_a_power_cut_until_something_was_synced) {
    h.send("q", "m1");
    h.receive("q", "m1", 1);
    h.die(Death::power_lost);
    h.wait(30s);
    h.remove("q", h.receive("q", "m1", 1));
    EXPECT_EQ(h.end(), "");
}

TEST_F(BadHistory, a_receive_count_lost_in_a_power_cut_after_a_later_sync) {
    h.send("q", "m1");
    h.receive("q", "m1", 1);
    h.send("q", "m2");
    h.die(Death::power_lost);
    h.wait(30s);
    h.receive("q", "m1", 1);
    EXPECT_REJECTED(h.finding(), "receive count 1 where it must be 2 to 2");
}

TEST_F(BadHistory, a_receipt_that_is_not_newer) {
    h.send("q", "m1");
    auto first = h.receive("q", "m1");
    h.wait(30s);
    auto d = h.delivery("m1", 2);
    d.receipt = first;
    h.receive("q", d);
    EXPECT_REJECTED(h.finding(), "not newer");
}

TEST_F(BadHistory, two_messages_with_one_sequence) {
    h.send("q", "m1");
    h.send("q", "m2");
    auto first = h.receive("q", "m1");
    auto d = h.delivery("m2");
    d.receipt.sequence = first.sequence;
    h.receive("q", d);
    EXPECT_REJECTED(h.finding(), "have the same sequence");
}

TEST_F(BadHistory, a_released_message_whose_receive_counts) {
    h.send("q", "m1");
    h.change("q", h.receive("q", "m1", 1), 0s, true, 3);
    auto d = h.delivery("m1", 2);
    d.attempts = 3;
    h.receive("q", d);
    EXPECT_REJECTED(h.finding(), "receive count 2 where it must be 1 to 1");
}

TEST_F(BadHistory, a_noted_attempt_that_is_forgotten) {
    h.send("q", "m1");
    h.change("q", h.receive("q", "m1", 1), 0s, true, 3);
    h.receive("q", "m1", 1);
    EXPECT_REJECTED(h.finding(), "0 attempts noted where there were 3");
}

TEST_F(BadHistory, a_delayed_message_comes_early) {
    h.send("q", "m1", 10s);
    h.wait(9s);
    h.receive("q", "m1");
    EXPECT_REJECTED(h.finding(), "1000 ms before its delay ended");
}

TEST_F(BadHistory, a_delayed_message_comes_early_because_the_wall_clock_was_set) {
    h.send("q", "m1", 10s);
    h.auditor.clock_set(1h);
    h.wait(9s);
    h.receive("q", "m1");
    EXPECT_REJECTED(h.finding(), "before its delay ended");
}

TEST_F(GoodHistory, a_wall_clock_that_was_set_forward_excuses_an_early_delivery_after_a_restart) {
    h.send("q", "m1", 10s);
    h.auditor.clock_set(1h);
    h.die(Death::killed);
    h.remove("q", h.receive("q", "m1"));
    EXPECT_EQ(h.end(), "");
}

TEST_F(GoodHistory, a_clock_that_is_set_again_while_it_is_doubted_is_followed_ten_minutes_after_that) {
    h.auditor.clock_set(1h);
    h.receive_nothing("q");
    h.wait(5min);
    h.auditor.clock_set(20s);
    h.receive_nothing("q");
    h.wait(8min);
    h.send("q", "m1", 10min);
    h.wait(3min);
    h.remove("q", h.receive("q", "m1"));
    EXPECT_EQ(h.end(), "");
}

TEST_F(GoodHistory, a_small_step_of_a_clock_that_is_doubted_is_followed_with_the_rest) {
    h.auditor.clock_set(20s);
    h.receive_nothing("q");
    h.wait(1min);
    h.auditor.clock_set(4s);
    h.receive_nothing("q");
    h.wait(9min);
    h.send("q", "m1", 84s);
    h.wait(1min);
    h.remove("q", h.receive("q", "m1"));
    EXPECT_EQ(h.end(), "");
}

TEST_F(GoodHistory, a_start_may_lose_a_jump_that_the_log_does_not_speak_of) {
    h.send("q", "m1");
    h.auditor.clock_set(1h);
    h.die(Death::killed);
    h.tell(h.ask_change("q", h.receive("q", "m1"), 0s), {});
    h.auditor.clock_set(-1h);
    h.die(Death::killed);
    h.receive_nothing("q");
    h.wait(1h);
    h.wait(2s);
    h.remove("q", h.receive("q", h.delivery("m1", 2)));
    EXPECT_EQ(h.end(), "");
}

TEST_F(BadHistory, a_clock_is_followed_though_it_was_set_right_again) {
    h.auditor.clock_set(1h);
    h.receive_nothing("q");
    h.auditor.clock_set(-1h);
    h.wait(9min);
    h.send("q", "m1", 10min);
    h.wait(1min);
    h.receive("q", "m1");
    EXPECT_REJECTED(h.finding(), "before its delay ended");
}

TEST_F(BadHistory, a_clock_is_followed_though_it_was_set_again_less_than_ten_minutes_ago) {
    h.auditor.clock_set(1h);
    h.receive_nothing("q");
    h.wait(5min);
    h.auditor.clock_set(20s);
    h.receive_nothing("q");
    h.send("q", "m1", 10min);
    h.wait(6min);
    h.receive("q", "m1");
    EXPECT_REJECTED(h.finding(), "before its delay ended");
}

TEST_F(BadHistory, a_delayed_message_that_never_becomes_ready) {
    h.send("q", "m1", 10s);
    h.wait(10s);
    h.receive_nothing("q");
    EXPECT_REJECTED(h.finding(), "had nothing to give");
}

TEST_F(BadHistory, a_message_delivered_once_too_often) {
    make_redrive(2);
    h.send("source", "m1");
    for (std::uint32_t n = 1; n <= 3; ++n) {
        h.receive("source", h.delivery("m1", n, 2));
        h.wait(30s);
    }
    EXPECT_REJECTED(h.finding(), "for the 3th time where 2 is the most");
}

TEST_F(BadHistory, a_message_among_the_dead_letters_too_early) {
    make_redrive(2);
    h.send("source", "m1");
    h.receive("source", h.delivery("m1", 1, 2));
    h.wait(30s);
    auto d = h.delivery("m1", 2, 3);
    d.dead_letter_source = "source";
    h.receive("dead", d);
    EXPECT_REJECTED(h.finding(), "was delivered by queue dead after 1 receives");
}

TEST_F(BadHistory, a_dead_letter_that_comes_back) {
    make_redrive(1);
    h.send("source", "m1");
    h.receive("source", h.delivery("m1", 1, 2));
    h.wait(30s);
    auto d = h.delivery("m1", 2, 3);
    d.dead_letter_source = "source";
    h.receive("dead", d);
    h.wait(30s);
    h.receive("source", h.delivery("m1", 3, 2));
    EXPECT_REJECTED(h.finding(), "after it had gone to the dead letters dead");
}

TEST_F(BadHistory, a_dead_letter_that_is_lost) {
    make_redrive(1);
    h.send("source", "m1");
    h.receive("source", h.delivery("m1", 1, 2));
    h.wait(30s);
    h.receive_nothing("source");
    h.receive_nothing("dead");
    EXPECT_REJECTED(h.end(), "is lost");
}

TEST_F(GoodHistory, a_dead_letter_is_received_from_its_queue_and_deleted_there) {
    make_redrive(1);
    h.send("source", "m1");
    auto old = h.receive("source", h.delivery("m1", 1, 2));
    h.wait(30s);
    h.receive_nothing("source");
    h.remove("source", old);  // deletes nothing: the message is not there any more
    auto d = h.delivery("m1", 2, 3);
    d.dead_letter_source = "source";
    h.remove("dead", h.receive("dead", d));
    EXPECT_EQ(h.end(), "");
}

TEST_F(BadHistory, a_dead_letter_that_forgets_where_it_came_from) {
    make_redrive(1);
    h.send("source", "m1");
    h.receive("source", h.delivery("m1", 1, 2));
    h.wait(30s);
    h.receive("dead", h.delivery("m1", 2, 3));
    EXPECT_REJECTED(h.finding(), "says it is a dead letter of ''");
}

TEST_F(BadHistory, a_message_in_a_queue_it_was_not_sent_to) {
    h.make("other");
    h.send("q", "m1");
    h.receive("other", h.delivery("m1", 1, 2));
    EXPECT_REJECTED(h.finding(), "m1 of queue q was delivered by queue other");
}

TEST_F(BadHistory, the_same_key_adds_a_second_message) {
    h.once("q", "m1", 7, {History::id_of("m1"), false, {}, false});
    h.once("q", "m1", 7, {History::uuid(3), false, {}, false});
    EXPECT_REJECTED(h.finding(), "was sent again with its key and was added a second time");
}

TEST_F(BadHistory, the_same_key_adds_a_second_message_after_a_power_cut) {
    h.once("q", "m1", 7, {History::id_of("m1"), false, {}, false});
    h.die(Death::power_lost);
    h.once("q", "m1", 7, {History::uuid(3), false, {}, false});
    EXPECT_REJECTED(h.finding(), "was added a second time");
}

TEST_F(BadHistory, the_same_key_is_told_another_record) {
    h.once("q", "m1", 7, {History::id_of("m1"), false, {}, false});
    h.once("q", "m1", 7, {History::uuid(3), true, History::uuid(4), false});
    EXPECT_REJECTED(h.finding(), "duplicate of another record");
}

TEST_F(BadHistory, a_duplicate_of_nothing) {
    h.once("q", "m1", 7, {History::uuid(3), true, History::id_of("record m1"), false});
    EXPECT_REJECTED(h.finding(), "was called a duplicate and is the first");
}

TEST_F(BadHistory, a_message_called_a_duplicate_that_is_then_lost) {
    h.ask_once("q", "m1", 7);
    h.die(Death::power_lost);
    h.once("q", "m1", 7, {History::uuid(3), true, History::id_of("record m1"), false});
    EXPECT_REJECTED(h.end(), "is lost");
}

TEST_F(BadHistory, a_retry_leaves_two_copies) {
    h.ask_once("q", "m1", 7);
    h.die(Death::killed);
    h.once("q", "m1", 7, {History::id_of("m1"), false, {}, false});
    h.receive("q", "m1");
    auto d = h.delivery("m1");
    d.id = History::uuid(5);
    d.receipt.sequence = queue::Sequence(99);
    h.receive("q", d);
    EXPECT_REJECTED(h.finding(), "is there a second time");
}

TEST_F(BadHistory, a_key_with_other_content_is_not_noticed) {
    h.once("q", "m1", 7, {History::id_of("m1"), false, {}, false});
    h.once("q", "m2", 7, {History::id_of("m2"), false, {}, false});
    EXPECT_REJECTED(h.finding(), "m2 was taken as new though its key belongs to m1");
}

TEST_F(BadHistory, a_key_with_other_content_is_refused_and_yet_added) {
    h.once("q", "m1", 7, {History::id_of("m1"), false, {}, false});
    h.once("q", "m2", 7, {History::id_of("m2"), false, {}, true}, true);
    h.receive("q", "m2");
    EXPECT_REJECTED(h.finding(), "m2 was refused, and yet delivered");
}

TEST_F(GoodHistory, the_same_key_after_its_window_adds_again) {
    h.once("q", "m1", 7, {History::id_of("m1"), false, {}, false});
    h.remove("q", h.receive("q", "m1"));
    h.wait(1h);
    h.once("q", "m1", 7, {History::uuid(5), false, {}, false});
    auto d = h.delivery("m1");
    d.id = History::uuid(5);
    d.receipt.sequence = queue::Sequence(99);
    h.remove("q", h.receive("q", d));
    EXPECT_EQ(h.end(), "");
}

TEST_F(BadHistory, a_queue_that_carries_records_loses_one_by_expiry) {
    QueueSettings settings;
    settings.carries_records = true;
    settings.retention = 60s;
    h.make("records", settings);
    h.send("records", "m1");
    h.wait(24h);
    EXPECT_REJECTED(h.end(), "is lost");
}

TEST_F(GoodHistory, another_queue_may_lose_a_message_after_its_retention_and_not_before) {
    QueueSettings settings;
    settings.retention = 60s;
    h.make("short", settings);
    h.send("short", "m1");
    h.wait(61s);
    EXPECT_EQ(h.end(), "");
    h.send("short", "m2");
    h.wait(50s);
    EXPECT_REJECTED(h.end(), "is lost");
}

TEST_F(BadHistory, a_queue_that_carries_records_is_purged_by_a_client) {
    QueueSettings settings;
    settings.carries_records = true;
    h.make("records", settings);
    h.purge("records");
    EXPECT_REJECTED(h.finding(), "though it carries records");
}

TEST_F(BadHistory, a_purged_message_comes_again) {
    h.send("q", "m1");
    h.purge("q");
    h.receive("q", "m1");
    EXPECT_REJECTED(h.finding(), "was purged in round");
}

TEST_F(BadHistory, a_purge_takes_a_message_sent_after_it) {
    h.purge("q");
    h.send("q", "m1");
    EXPECT_REJECTED(h.end(), "is lost");
}

TEST_F(BadHistory, counts_that_miss_a_message) {
    h.send("q", "m1");
    h.send("q", "m2");
    h.status("q", 1, 0, 0);
    EXPECT_REJECTED(h.finding(), "counts 1 messages (ready 1, in flight 0, delayed 0) where there must be 2 to 2");
}

TEST_F(BadHistory, counts_that_call_a_hidden_message_ready) {
    h.send("q", "m1");
    h.receive("q", "m1");
    h.status("q", 1, 0, 0);
    EXPECT_REJECTED(h.finding(), "counts 0 in flight where there must be 1");
}

TEST_F(BadHistory, counts_that_keep_a_deleted_message) {
    h.send("q", "m1");
    h.remove("q", h.receive("q", "m1"));
    h.status("q", 0, 1, 0);
    EXPECT_REJECTED(h.finding(), "where there must be 0 to 0");
}

TEST_F(BadHistory, settings_nobody_gave) {
    QueueSettings settings;
    settings.delay = 5s;
    h.status("q", 0, 0, 0, settings);
    EXPECT_REJECTED(h.finding(), "has settings it was never given");
}

TEST_F(BadHistory, an_acknowledged_queue_that_is_not_there_after_a_crash) {
    h.die(Death::power_lost);
    h.send_refused("q", "m1", broker::Refusal::no_such_queue);
    EXPECT_REJECTED(h.finding(), "there is no queue q, which was acknowledged");
}

class QueueMadeAgain : public BadHistory {
  protected:
    QueueMadeAgain() { others.visibility_timeout = 7s; }
    broker::QueueSettings others;
};

TEST_F(QueueMadeAgain, has_the_settings_of_either_when_nobody_was_told) {
    h.together();
    h.ask_drop("q");
    h.ask_make("q", others);
    h.apart();
    h.die(Death::killed);
    h.status("q", 0, 0, 0, others);
    EXPECT_EQ(h.finding(), "");
}

TEST_F(QueueMadeAgain, while_it_was_there_for_certain_has_its_own) {
    h.ask_make("q", others);
    h.die(Death::killed);
    h.status("q", 0, 0, 0, others);
    EXPECT_REJECTED(h.finding(), "settings it was never given");
}

TEST_F(BadHistory, a_queue_missing_from_the_list) {
    h.list({});
    EXPECT_REJECTED(h.finding(), "queue q was acknowledged and is not listed");
}

TEST_F(BadHistory, a_look_inside_that_misses_a_message) {
    h.send("q", "m1");
    h.send("q", "m2");
    h.peek("q", {"m2"});
    EXPECT_REJECTED(h.finding(), "m1 was acknowledged and is not in queue q");
}

TEST_F(BadHistory, a_look_inside_that_shows_a_message_twice) {
    h.send("q", "m1");
    h.peek("q", {"m1", "m1"});
    EXPECT_REJECTED(h.finding(), "stands twice in queue q");
}

TEST_F(BadHistory, an_answer_to_nothing) {
    h.auditor.answered(Operation(99), Auditor::Told<broker::Sent>(broker::Sent{}));
    EXPECT_REJECTED(h.finding(), "operation 99 was answered though");
}

TEST_F(BadHistory, a_command_that_is_never_answered) {
    h.ask_receive("q");
    EXPECT_REJECTED(h.end(), "was never answered");
}

TEST_F(BadHistory, damage_that_takes_a_message_it_did_not_touch) {
    h.send("q", "m1");
    h.send("q", "m2");
    h.auditor.damaged({"m1"});
    EXPECT_REJECTED(h.end(), "message m2");
}

TEST_F(GoodHistory, damage_may_take_what_it_touched_and_says_how_many) {
    h.send("q", "m1");
    h.auditor.damaged({"m1"});
    EXPECT_EQ(h.end(), "");
    EXPECT_EQ(h.auditor.lost_to_damage(), 1u);
}

TEST_F(GoodHistory, commands_of_one_round_may_happen_in_any_order) {
    h.send("q", "m1");
    auto receipt = h.receive("q", "m1");
    h.wait(30s);
    h.together();
    auto deleting = h.ask_delete("q", receipt);
    auto receiving = h.ask_receive("q");
    h.auditor.answered(receiving, Auditor::Told<std::vector<queue::Delivery>>(std::vector{h.delivery("m1", 2)}));
    h.tell(deleting, {});
    h.apart();
    EXPECT_EQ(h.end(), "");
}

}  // namespace
}  // namespace forebay::sim
