// The auditor on histories of FIFO queues: what keeps the promise and what breaks it.

#include <gtest/gtest.h>

#include "tests/unit/sim/history.h"

namespace forebay::sim {
namespace {

class FifoHistory : public ::testing::Test {
  protected:
    FifoHistory() {
        broker::QueueSettings settings;
        settings.fifo = true;
        h.make("q.fifo", settings);
    }
    void send(const std::string& body, const std::string& group = "g") { h.send_fifo("q.fifo", body, group, "id of " + body); }
    void expect_finding(const std::string& part) { EXPECT_NE(h.finding().find(part), std::string::npos) << h.finding(); }
    History h;
};

TEST_F(FifoHistory, one_message_after_the_other_keeps_the_promise) {
    for (auto body : {"m1", "m2", "m3"}) send(body);
    for (auto receipt : h.receive_fifo("q.fifo", "g", {"m1", "m2"})) h.remove("q.fifo", receipt);
    for (auto receipt : h.receive_fifo("q.fifo", "g", {"m3"})) h.remove("q.fifo", receipt);
    EXPECT_EQ(h.end(), "");
}

TEST_F(FifoHistory, a_message_overtakes_another_of_its_group) {
    send("m1");
    send("m2");
    h.receive_fifo("q.fifo", "g", {"m2"});
    expect_finding("before message m1 of its group");
}

TEST_F(FifoHistory, one_receive_gives_a_group_in_another_order) {
    send("m1");
    send("m2");
    h.receive_fifo("q.fifo", "g", {"m2", "m1"});
    expect_finding("before message m1 of its group");
}

TEST_F(FifoHistory, a_message_of_another_group_may_come_first) {
    send("m1");
    send("m2", "other");
    h.receive_fifo("q.fifo", "other", {"m2"});
    EXPECT_EQ(h.finding(), "");
}

TEST_F(FifoHistory, a_message_follows_one_that_is_still_in_flight) {
    send("m1");
    send("m2");
    h.receive_fifo("q.fifo", "g", {"m1"});
    h.receive_fifo("q.fifo", "g", {"m2"});
    expect_finding("before message m1 of its group");
}

TEST_F(FifoHistory, a_group_is_given_though_a_later_message_of_it_is_in_flight) {
    send("m1");
    send("m2");
    auto receipts = h.receive_fifo("q.fifo", "g", {"m1", "m2"});
    h.change("q.fifo", receipts[0], Duration(0));
    h.receive_fifo("q.fifo", "g", {"m1"}, 2);
    expect_finding("though message m2 of its group is in flight");
}

TEST_F(FifoHistory, a_group_in_flight_may_have_nothing_to_give_and_a_free_one_may_not) {
    send("m1");
    send("m2");
    h.receive_fifo("q.fifo", "g", {"m1"});
    h.receive_nothing("q.fifo");
    EXPECT_EQ(h.finding(), "");
    send("m3", "free");
    h.receive_nothing("q.fifo");
    expect_finding("though message m3 could be received");
}

TEST_F(FifoHistory, an_id_is_taken_twice_within_its_window) {
    send("m1");
    h.wait(299s);
    h.send_fifo("q.fifo", "m2", "g", "id of m1");
    expect_finding("though its deduplication id is that of message m1");
}

TEST_F(FifoHistory, an_id_is_taken_twice_across_a_power_cut_and_a_delete) {
    send("m1");
    for (auto receipt : h.receive_fifo("q.fifo", "g", {"m1"})) h.remove("q.fifo", receipt);
    h.die(Death::power_lost);
    h.send_fifo("q.fifo", "m2", "g", "id of m1");
    expect_finding("though its deduplication id is that of message m1");
}

TEST_F(FifoHistory, a_repetition_within_the_window_and_a_new_message_after_it_keep_the_promise) {
    send("m1");
    h.send_fifo("q.fifo", "m2", "g", "id of m1", "m1");
    h.wait(301s);
    h.send_fifo("q.fifo", "m3", "g", "id of m1");
    EXPECT_EQ(h.finding(), "");
}

TEST_F(FifoHistory, a_repetition_is_told_of_a_message_nobody_sent) {
    send("m1");
    h.send_fifo("q.fifo", "m2", "g", "new", "m1");
    expect_finding("which nobody sent under its deduplication id");
}

TEST_F(FifoHistory, a_window_lasts_too_long) {
    send("m1");
    h.wait(310s);
    h.send_fifo("q.fifo", "m2", "g", "id of m1", "m1");
    expect_finding("after its window had ended");
}

TEST_F(FifoHistory, a_purge_leaves_an_id_known) {
    send("m1");
    h.purge("q.fifo");
    h.send_fifo("q.fifo", "m2", "g", "id of m1", "m1");
    expect_finding("though a purge made its id new");
}

TEST_F(FifoHistory, a_send_without_an_answer_may_be_what_a_later_one_repeats) {
    h.ask_fifo("q.fifo", "m1", "g", "id");
    h.die(Death::power_lost);
    h.send_fifo("q.fifo", "m2", "g", "id", "m1");
    EXPECT_EQ(h.finding(), "");
    EXPECT_NE(h.end().find("message m1 was sent"), std::string::npos) << "now it must be there";
}

TEST_F(FifoHistory, an_expired_receipt_deletes) {
    send("m1");
    auto receipt = h.receive_fifo("q.fifo", "g", {"m1"})[0];
    h.wait(31s);
    h.remove("q.fifo", receipt);
    expect_finding("accepted though it had expired");
}

TEST_F(FifoHistory, a_good_receipt_is_called_expired) {
    send("m1");
    auto receipt = h.receive_fifo("q.fifo", "g", {"m1"})[0];
    h.tell(h.ask_delete("q.fifo", receipt), Failure{History::Refusal::receipt_expired});
    expect_finding("was called expired");
}

}  // namespace
}  // namespace forebay::sim
