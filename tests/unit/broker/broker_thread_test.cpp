// The broker with its threads. The simulated disk knows one thread, so these runs stay below a checkpoint.

#include "broker/broker_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "broker/mailbox.h"
#include "tests/unit/broker/harness.h"

namespace forebay::broker {
namespace {

template <class Outcome, class C>
Outcome ask(Commands& broker, C command) {
    std::promise<std::shared_ptr<Outcome>> promise;
    auto answer = promise.get_future();
    command.answer = [&promise](Outcome outcome) { promise.set_value(std::make_shared<Outcome>(std::move(outcome))); };
    broker.submit(std::move(command));
    return std::move(*answer.get());
}

class BrokerThread : public ::testing::Test {
  protected:
    std::unique_ptr<Broker> open(BrokerOptions options = small_options()) {
        auto opened = Broker::open(disk, clock, entropy, options);
        CHECK(opened.ok(), "the broker opens");
        return std::move(*opened);
    }
    SystemClock clock;
    forebay::testing::SimulatedDisk disk{1};
    forebay::testing::SeededEntropy entropy{1};
};

using Received = Result<std::vector<queue::Delivery>, Refusal>;

TEST_F(BrokerThread, answers_commands_of_many_threads_and_keeps_what_it_answered) {
    auto broker = open();
    ASSERT_TRUE((ask<Result<QueueStatus, Refusal>>(*broker, CreateQueue{"jobs", {}, false, {}})));
    std::vector<std::thread> senders;
    std::atomic<int> sent = 0;
    for (int t = 0; t < 4; ++t)
        senders.emplace_back([&] {
            for (int i = 0; i < 100; ++i) {
                queue::OutgoingMessage message;
                message.body = "job";
                sent += ask<Result<Sent, Refusal>>(*broker, Send{"jobs", std::move(message), {}, {}}).ok();
            }
        });
    for (auto& sender : senders) sender.join();
    EXPECT_EQ(sent, 400);
    broker.reset();
    disk.kill_process();
    broker = open();
    auto status = ask<Result<QueueStatus, Refusal>>(*broker, GetQueue{"jobs", {}});
    ASSERT_TRUE(status);
    EXPECT_EQ(status->ready, 400u);
}

TEST_F(BrokerThread, a_waiting_receive_is_answered_when_a_message_comes) {
    auto broker = open();
    ASSERT_TRUE((ask<Result<QueueStatus, Refusal>>(*broker, CreateQueue{"jobs", {}, false, {}})));
    std::promise<std::size_t> received;
    broker->submit(Receive{"jobs", 10, {}, 20s, {}, [&](Received got) { received.set_value(got->size()); }});
    queue::OutgoingMessage message;
    message.body = "job";
    broker->submit(Send{"jobs", std::move(message), {}, {}});
    EXPECT_EQ(received.get_future().get(), 1u);
}

TEST_F(BrokerThread, a_full_mailbox_refuses_at_once) {
    auto options = small_options();
    options.mailbox_commands = 0;
    auto broker = open(options);
    auto status = ask<Result<QueueStatus, Refusal>>(*broker, GetQueue{"jobs", {}});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error(), Refusal::overloaded);
}

TEST(Mailbox, attributes_count_as_much_as_bodies) {
    Mailbox mailbox(100, 10'000);
    auto send = [] {
        Send command;
        command.message.attributes.push_back({"a", "String", std::string(6'000, 'x')});
        return Command(std::move(command));
    };
    EXPECT_FALSE(mailbox.put(send()));
    EXPECT_TRUE(mailbox.put(send()));
}

TEST_F(BrokerThread, stopping_answers_who_waits_and_refuses_who_comes_later) {
    auto broker = open();
    ASSERT_TRUE((ask<Result<QueueStatus, Refusal>>(*broker, CreateQueue{"jobs", {}, false, {}})));
    std::promise<Received> received;
    broker->submit(Receive{"jobs", 10, {}, 20s, {}, [&](Received got) { received.set_value(std::move(got)); }});
    broker->stop();
    auto got = received.get_future().get();
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->empty());
    auto late = ask<Result<QueueStatus, Refusal>>(*broker, GetQueue{"jobs", {}});
    EXPECT_EQ(late.error(), Refusal::stopping);
}

TEST_F(BrokerThread, a_failed_disk_answers_whoever_waits_and_ends_the_process_with_74) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    auto lose_the_disk = [this] {
        auto broker = open();
        disk.fail_at(forebay::testing::Call::sync, 1, EIO, true);
        auto created = ask<Result<QueueStatus, Refusal>>(*broker, CreateQueue{"jobs", {}, false, {}});
        if (created.ok() || created.error() != Refusal::journal_fault) std::abort();
        std::this_thread::sleep_for(std::chrono::seconds(10));
    };
    EXPECT_EXIT(lose_the_disk(), ::testing::ExitedWithCode(74), "journal.fault");
}

}  // namespace
}  // namespace forebay::broker
