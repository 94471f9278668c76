// The auditor on histories of move tasks: what keeps the promise and what breaks it.

#include <gtest/gtest.h>

#include "tests/unit/sim/history.h"

namespace forebay::sim {
namespace {

using broker::MoveState;

/// Queues `dead` (number 3) and `other` (number 4); m1 and m2 wait in `dead`, sent there.
class MoveHistory : public ::testing::Test {
  protected:
    MoveHistory() {
        for (auto queue : {"dead", "other"}) h.make(queue);
        h.send("dead", "m1");
        h.send("dead", "m2");
    }
    void receive_and_remove(const std::string& queue, queue::Delivery d) { h.remove(queue, h.receive(queue, std::move(d))); }
    void expect_finding(const std::string& part) { EXPECT_NE(h.finding().find(part), std::string::npos) << h.finding(); }
    History h;
};

TEST_F(MoveHistory, messages_that_are_moved_once_keep_the_promise) {
    h.start_move("dead", "other");
    receive_and_remove("other", h.moved("m1", 4));
    receive_and_remove("other", h.moved("m2", 4));
    h.list_moves("dead", {h.move("dead", MoveState::completed, 2)});
    EXPECT_EQ(h.end(), "");
}

TEST_F(MoveHistory, messages_may_be_taken_before_the_task_comes_to_them) {
    h.start_move("dead", "other");
    receive_and_remove("dead", h.delivery("m1", 1, 3));
    receive_and_remove("other", h.moved("m2", 4));
    h.list_moves("dead", {h.move("dead", MoveState::completed, 1)});
    EXPECT_EQ(h.end(), "");
}

TEST_F(MoveHistory, a_message_that_was_moved_comes_back_as_a_dead_letter_of_where_it_went) {
    broker::QueueSettings redrive;
    redrive.redrive = broker::Redrive{"dead", 1};
    h.make("work", redrive);
    h.start_move("dead", "work");
    auto back = h.delivery("m1", 2, 3);
    back.dead_letter_source = "work";
    receive_and_remove("dead", back);
    receive_and_remove("dead", h.delivery("m2", 1, 3));
    EXPECT_EQ(h.end(), "");
}

TEST_F(MoveHistory, a_message_is_the_dead_letter_of_a_queue_that_it_was_not_moved_to) {
    h.start_move("dead", "other");
    auto back = h.delivery("m1", 1, 3);
    back.dead_letter_source = "other";
    h.receive("dead", back);
    expect_finding("says it is a dead letter of 'other'");
}

TEST_F(MoveHistory, a_message_is_in_none_of_the_two_queues) {
    h.start_move("dead", "other");
    receive_and_remove("other", h.moved("m1", 4));
    EXPECT_NE(h.end().find("m2 was sent to dead"), std::string::npos) << h.finding();
}

TEST_F(MoveHistory, a_message_is_in_both_queues) {
    h.start_move("dead", "other");
    h.show("other", {h.moved("m1", 4, 0)});
    h.receive("dead", h.delivery("m1", 1, 3));
    expect_finding("is there a second time");
}

TEST_F(MoveHistory, a_message_is_in_another_queue_though_no_task_moves_it) {
    auto d = h.delivery("m1", 1, 4);
    h.receive("other", d);
    expect_finding("was delivered by queue other");
}

TEST_F(MoveHistory, a_message_that_came_after_the_start_is_moved) {
    h.start_move("dead", "other");
    h.send("dead", "m3");
    h.receive("other", h.moved("m3", 4));
    expect_finding("m3");
}

TEST_F(MoveHistory, a_message_is_left_behind_by_a_task_that_completed) {
    h.start_move("dead", "other");
    h.list_moves("dead", {h.move("dead", MoveState::completed, 1)});
    h.show("dead", {h.delivery("m2", 0, 3)});
    expect_finding("m2 is in queue dead though the task that was to move it to other has completed");
}

TEST_F(MoveHistory, what_another_task_brought_back_may_be_left_behind) {
    h.receive("dead", h.delivery("m1", 1, 3));
    h.receive("dead", h.delivery("m2", 1, 3));
    h.start_move("dead", "other", 1);
    h.wait(1min);
    receive_and_remove("other", h.moved("m2", 4));
    h.start_move("other", "dead", 2);
    h.show("dead", {h.moved("m1", 3, 0)});
    h.list_moves("dead", {h.move("dead", MoveState::completed, 2, 1)});
    receive_and_remove("dead", h.moved("m1", 3));
    EXPECT_EQ(h.end(), "");
}

TEST_F(MoveHistory, a_cancelled_task_goes_on) {
    h.start_move("dead", "other");
    h.cancel_move("dead", 0);
    h.show("dead", {h.delivery("m1", 0, 3), h.delivery("m2", 0, 3)});
    h.receive("other", h.moved("m1", 4));
    expect_finding("m1");
}

TEST_F(MoveHistory, a_cancelled_task_runs_again) {
    h.start_move("dead", "other");
    h.cancel_move("dead", 0);
    h.die(Death::killed);
    h.list_moves("dead", {h.move("dead", MoveState::running, 0)});
    expect_finding("had ended and goes on");
}

TEST_F(MoveHistory, a_task_is_lost_in_a_crash) {
    h.start_move("dead", "other");
    h.die(Death::power_lost);
    h.list_moves("dead", {});
    expect_finding("was acknowledged and is not listed");
}

TEST_F(MoveHistory, a_task_is_cancelled_by_a_crash) {
    h.start_move("dead", "other");
    h.die(Death::killed);
    h.list_moves("dead", {h.move("dead", MoveState::cancelled, 0)});
    expect_finding("though nobody asked for that");
}

TEST_F(MoveHistory, a_task_without_an_answer_may_run_or_not) {
    h.ask_move("dead", "other");
    h.die(Death::power_lost);
    auto d = h.moved("m1", 4);
    receive_and_remove("other", d);
    receive_and_remove("dead", h.delivery("m2", 1, 3));
    EXPECT_EQ(h.end(), "");
}

TEST_F(MoveHistory, a_task_counts_more_than_there_was) {
    h.start_move("dead", "other");
    h.list_moves("dead", {h.move("dead", MoveState::running, 3)});
    expect_finding("counts 3 moved where there were 2 at most");
}

TEST_F(MoveHistory, a_task_counts_less_than_it_moved_though_nothing_crashed) {
    h.start_move("dead", "other");
    h.show("other", {h.moved("m1", 4, 0), h.moved("m2", 4, 0)});
    h.list_moves("dead", {h.move("dead", MoveState::completed, 1)});
    expect_finding("counts 1 moved of whom 2 were seen");
}

TEST_F(MoveHistory, the_count_may_lag_behind_after_a_crash) {
    h.start_move("dead", "other");
    h.show("other", {h.moved("m1", 4, 0), h.moved("m2", 4, 0)});
    h.die(Death::power_lost);
    h.list_moves("dead", {h.move("dead", MoveState::completed, 0)});
    EXPECT_EQ(h.finding(), "");
}

TEST_F(MoveHistory, the_count_goes_back) {
    h.start_move("dead", "other");
    h.list_moves("dead", {h.move("dead", MoveState::running, 2)});
    h.die(Death::power_lost);
    h.list_moves("dead", {h.move("dead", MoveState::running, 1)});
    expect_finding("counts 1 moved after 2");
}

TEST_F(MoveHistory, a_task_that_nobody_started) {
    h.list_moves("dead", {h.move("dead", MoveState::running, 0)});
    expect_finding("is listed that nobody started");
}

}  // namespace
}  // namespace forebay::sim
