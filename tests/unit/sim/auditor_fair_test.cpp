// The auditor on groups of a standard queue: who may be handed out while somebody else waits.

#include <gtest/gtest.h>

#include "tests/unit/sim/history.h"

namespace forebay::sim {
namespace {

/// Tenant `loud` has many messages; `h.receive_fifo` gives several of one group in one receive.
class TenantHistory : public ::testing::Test {
  protected:
    TenantHistory() { h.make("q"); }
    void send_loud(int count) {
        for (int i = 0; i < count; ++i) h.send_to_group("q", next(), "loud");
    }
    void receive_loud(int count) {
        std::vector<std::string> bodies;
        for (int i = 0; i < count; ++i) bodies.push_back(body(received_++));
        h.receive_fifo("q", "loud", bodies);
    }
    static std::string body(int number) {
        return std::string(static_cast<std::size_t>(1 + number / 10), 'm') + static_cast<char>('0' + number % 10);
    }
    std::string next() { return body(sent_++); }
    void expect_finding(const std::string& part) { EXPECT_NE(h.finding().find(part), std::string::npos) << h.finding(); }
    History h;
    int sent_ = 0, received_ = 0;
};

TEST_F(TenantHistory, a_tenant_who_has_had_nothing_waits_behind_a_noisy_one) {
    send_loud(60);
    for (int i = 0; i < 4; ++i) receive_loud(10);
    h.send_to_group("q", body(99), "quiet");
    receive_loud(2);
    expect_finding("of tenant 'quiet', who has had nothing, waited");
}

TEST_F(TenantHistory, a_message_without_a_tenant_waits_behind_a_noisy_one) {
    send_loud(60);
    for (int i = 0; i < 4; ++i) receive_loud(10);
    h.send("q", body(99));
    receive_loud(2);
    expect_finding("of tenant ''");
}

TEST_F(TenantHistory, who_has_less_than_thirty_in_flight_may_go_first) {
    send_loud(60);
    receive_loud(10);
    h.send_to_group("q", body(99), "quiet");
    receive_loud(10);
    EXPECT_EQ(h.finding(), "");
}

TEST_F(TenantHistory, the_first_of_a_receive_may_be_the_first_after_all_was_gone) {
    send_loud(60);
    for (int i = 0; i < 4; ++i) receive_loud(10);
    h.send_to_group("q", body(99), "quiet");
    receive_loud(1);
    EXPECT_EQ(h.finding(), "");
}

}  // namespace
}  // namespace forebay::sim
