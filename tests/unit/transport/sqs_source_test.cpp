#include "transport/sqs_source.h"

#include <gtest/gtest.h>

#include <thread>

#include "http/server.h"
#include "sqs/api.h"
#include "sqs/claim.h"
#include "tests/unit/sqs/fake_broker.h"

namespace forebay::transport {
namespace {

/// The queue port over a real connection, with queues in memory.
struct SqsSourceTest : testing::Test {
    sqs::FakeBroker broker;
    SystemClock clock;
    sqs::Gatekeeper gate{clock, {}, "123456789012"};
    sqs::Api api{broker, gate, {}};
    std::unique_ptr<http::Server> server;
    std::unique_ptr<SqsSource> source;

    void SetUp() override {
        http::ServerOptions options;
        options.body_bytes_max = 8_MiB;
        auto opened = http::Server::open(std::move(options), [this](const http::Request& request, http::Responder responder) {
            api.handle(request, std::move(responder));
        });
        ASSERT_TRUE(opened.ok()) << opened.error();
        server = std::move(*opened);
        source = std::make_unique<SqsSource>(options_for(server->port()));
        broker.submit(broker::CreateQueue{"q", {}, false, [](auto) {}});
    }
    void TearDown() override { server->stop(); }

    static SqsSourceOptions options_for(std::uint16_t port) {
        SqsSourceOptions options;
        options.client.endpoint_url = "http://127.0.0.1:" + std::to_string(port);
        options.client.limits.pause_first = 1ms;
        return options;
    }
    std::vector<Received> receive(unsigned max = 10, Duration wait = 0s) {
        auto received = source->receive("q", max, wait, 30s);
        EXPECT_TRUE(received.ok()) << received.error().what;
        return received.ok() ? std::move(*received) : std::vector<Received>();
    }
};

TEST_F(SqsSourceTest, what_is_sent_is_received_and_settled) {
    ASSERT_TRUE(
        source->send("q", {{"one", {{"n", "Number", "1"}, {"b", "Binary", std::string("\0\1", 2)}}, {}}, {"two \xC3\xA9 \r\n", {}, {}}})
            .ok());
    auto messages = receive();
    ASSERT_EQ(messages.size(), 2u);
    EXPECT_EQ(messages[0].body, "one");
    ASSERT_EQ(messages[0].attributes.size(), 2u);
    EXPECT_EQ(messages[0].attributes[0], (queue::MessageAttribute{"n", "Number", "1"}));
    EXPECT_EQ(messages[0].attributes[1], (queue::MessageAttribute{"b", "Binary", std::string("\0\1", 2)}));
    EXPECT_EQ(messages[0].receive_count, 1u);
    EXPECT_EQ(messages[0].attempts, 0u);
    EXPECT_EQ(messages[0].sent_at, broker.now);
    EXPECT_EQ(messages[0].message_id.size(), 36u);
    EXPECT_EQ(messages[1].body, "two \xC3\xA9 \r\n");
    ASSERT_TRUE(source->settle("q", {messages[0].handle, messages[1].handle}).ok());
    EXPECT_EQ(broker.messages_in("q"), 0u);
}

TEST_F(SqsSourceTest, more_than_ten_go_in_batches) {
    std::vector<OutgoingBody> messages(25, OutgoingBody{"x", {}, {}});
    ASSERT_TRUE(source->send("q", messages).ok());
    EXPECT_EQ(broker.messages_in("q"), 25u);
    std::vector<std::string> handles;
    while (handles.size() < 25)
        for (auto& message : receive()) handles.push_back(message.handle);
    ASSERT_TRUE(source->settle("q", handles).ok());
    EXPECT_EQ(broker.messages_in("q"), 0u);
}

TEST_F(SqsSourceTest, bodies_of_one_mebibyte_go_one_by_one) {
    std::string largest(1_MiB, '"');
    ASSERT_TRUE(source->send("q", {{largest, {}, {}}, {largest, {}, {}}, {"small", {}, {}}}).ok());
    auto messages = receive();
    ASSERT_EQ(messages.size(), 3u);
    EXPECT_EQ(messages[1].body, largest);
}

TEST_F(SqsSourceTest, nothing_to_do_asks_nothing) {
    broker.refuses = broker::Refusal::stopping;
    EXPECT_TRUE(source->settle("q", {}).ok());
    EXPECT_TRUE(source->send("q", {}).ok());
}

TEST_F(SqsSourceTest, a_message_given_back_is_not_counted) {
    ASSERT_TRUE(source->send("q", {{"x", {}, {}}}).ok());
    ASSERT_TRUE(source->release("q", receive().at(0).handle).ok());
    auto again = receive();
    EXPECT_EQ(again.at(0).receive_count, 1u);
}

TEST_F(SqsSourceTest, attempts_are_kept_with_the_message) {
    ASSERT_TRUE(source->send("q", {{"x", {}, {}}}).ok());
    ASSERT_TRUE(source->extend("q", receive().at(0).handle, 0s, 7).ok());
    auto again = receive();
    EXPECT_EQ(again.at(0).attempts, 7u);
    EXPECT_EQ(again.at(0).receive_count, 2u);
}

TEST_F(SqsSourceTest, a_heartbeat_hides_the_message_for_longer) {
    ASSERT_TRUE(source->send("q", {{"x", {}, {}}}).ok());
    auto message = receive().at(0);
    broker.now = broker.now + 20s;
    ASSERT_TRUE(source->extend("q", message.handle, 29500ms, std::nullopt).ok());
    broker.now = broker.now + 29900ms;
    EXPECT_TRUE(receive().empty());
    broker.now = broker.now + 200ms;
    EXPECT_EQ(receive().size(), 1u);
}

TEST_F(SqsSourceTest, what_could_be_received_now_is_counted) {
    EXPECT_EQ(*source->ready("q"), 0u);
    ASSERT_TRUE(source->send("q", {{"x", {}, {}}, {"y", {}, {}}, {"z", {}, 60s}}).ok());
    (void)receive(1);
    EXPECT_EQ(*source->ready("q"), 1u) << "one is in flight, one is delayed";
    EXPECT_FALSE(source->ready("none").ok());
}

TEST_F(SqsSourceTest, a_delay_is_rounded_up_to_seconds) {
    ASSERT_TRUE(source->send("q", {{"x", {}, 1200ms}}).ok());
    broker.now = broker.now + 1900ms;
    EXPECT_TRUE(receive().empty());
    broker.now = broker.now + 100ms;
    EXPECT_EQ(receive().size(), 1u);
}

TEST_F(SqsSourceTest, a_long_poll_gets_the_message_that_comes) {
    std::jthread sender([&] {
        while (broker.parked() == 0) std::this_thread::yield();
        SqsSource other(options_for(server->port()));
        EXPECT_TRUE(other.send("q", {{"late", {}, {}}}).ok());
    });
    EXPECT_EQ(receive(10, 20s).at(0).body, "late");
}

TEST_F(SqsSourceTest, errors_name_the_queue_the_action_and_what_was_said) {
    auto missing = source->receive("none", 1, 0s, std::nullopt);
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().kind, SourceError::Kind::refused);
    EXPECT_TRUE(missing.error().what.starts_with("queue none at http://127.0.0.1:" + std::to_string(server->port()) +
                                                 ": ReceiveMessage: QueueDoesNotExist: The specified queue does not exist. (request "))
        << missing.error().what;
    auto bad_handle = source->settle("q", {"nonsense"});
    ASSERT_FALSE(bad_handle.ok());
    EXPECT_EQ(bad_handle.error().kind, SourceError::Kind::refused);
    EXPECT_NE(bad_handle.error().what.find("DeleteMessageBatch: ReceiptHandleIsInvalid: "), std::string::npos) << bad_handle.error().what;
}

TEST_F(SqsSourceTest, a_queue_that_is_busy_is_asked_again_and_then_unreachable) {
    broker.refuses = broker::Refusal::overloaded;
    auto busy = source->receive("q", 1, 0s, std::nullopt);
    ASSERT_FALSE(busy.ok());
    EXPECT_EQ(busy.error().kind, SourceError::Kind::unreachable);
    EXPECT_NE(busy.error().what.find("ServiceUnavailable"), std::string::npos);
    broker.refuses.reset();
    EXPECT_TRUE(receive().empty());
}

TEST_F(SqsSourceTest, a_server_that_is_gone_is_unreachable_and_found_again) {
    auto port = server->port();
    server->stop();
    server.reset();
    auto gone = source->receive("q", 1, 0s, std::nullopt);
    ASSERT_FALSE(gone.ok());
    EXPECT_EQ(gone.error().kind, SourceError::Kind::unreachable);
    http::ServerOptions options;
    options.port = port;
    auto opened = http::Server::open(
        std::move(options), [this](const http::Request& request, http::Responder responder) { api.handle(request, std::move(responder)); });
    ASSERT_TRUE(opened.ok()) << opened.error();
    server = std::move(*opened);
    EXPECT_TRUE(source->receive("q", 1, 0s, std::nullopt).ok());
}

TEST_F(SqsSourceTest, a_queue_whose_url_is_not_given_is_found_by_its_name) {
    auto options = options_for(server->port());
    options.account.clear();
    SqsSource other(options);
    ASSERT_TRUE(other.send("q", {{"x", {}, {}}}).ok());
    EXPECT_EQ(broker.messages_in("q"), 1u);
}

TEST(SqsSourceSignature, with_credentials_requests_are_signed) {
    bool is_good = false;
    auto server = http::Server::open({}, [&](const http::Request& request, http::Responder responder) {
        sqs::SigningKeys keys;
        auto claim = sqs::read_claim(request, {}, SystemClock().wall());
        is_good = claim.ok() && claim->key_id == "AKID" && sqs::is_signed_with(request, *claim, "secret", keys);
        responder({200, {}, "application/x-amz-json-1.0", "{}"});
    });
    ASSERT_TRUE(server.ok()) << server.error();
    SqsSource source(SqsSourceTest::options_for((*server)->port()), sqs::Credentials{"AKID", "secret", {}});
    EXPECT_TRUE(source.receive("q", 1, 0s, std::nullopt).ok());
    EXPECT_TRUE(is_good);
}

}  // namespace
}  // namespace forebay::transport
