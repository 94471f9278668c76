// Answers that must reach somebody: who gave them learns that nobody got them.

#include <future>

#include "raw_client.h"

namespace forebay::http {
namespace {

constexpr const char* wait_request = "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::size_t more_than_buffers = 48_MiB;

class Undelivered : public ServerTest {
  protected:
    /// Answers the request number `i`.
    void answer(std::size_t i, std::size_t bytes = 5) {
        Response response;
        response.body = std::string(bytes, 'x');
        response.on_undelivered = [this, i] { ++given_back[i]; };
        waiting.take(i)(std::move(response));
    }
    std::uint64_t counted() { return registry.counter("forebay_http_undelivered_total", {{"listener", "http"}}).value(); }
    /// Whether exactly these answers came back, each once, by the time the server has stopped.
    void expect_given_back(std::vector<int> expected) {
        server->stop();
        for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(given_back[i], expected[i]) << "answer " << i;
    }
    std::array<std::atomic<int>, 3> given_back{};
};

TEST_F(Undelivered, an_answer_to_a_client_that_hung_up_comes_back) {
    open();
    RawClient client(server->port());
    client.send(wait_request);
    auto responder = waiting.take(0);
    client.hang_up();
    ASSERT_TRUE(comes_true([&] { return !responder.is_connected(); }));
    Response response;
    response.on_undelivered = [this] { ++given_back[0]; };
    responder(std::move(response));
    EXPECT_TRUE(comes_true([&] { return given_back[0] == 1; }));
    EXPECT_EQ(counted(), 1u);
    expect_given_back({1});
}

TEST_F(Undelivered, an_answer_to_a_connection_that_was_reset_comes_back) {
    open();
    RawClient client(server->port());
    client.send(wait_request);
    waiting.wait_for(1);
    client.reset();
    ASSERT_TRUE(comes_true([&] { return server->connections() == 0; }));
    answer(0);
    EXPECT_TRUE(comes_true([&] { return given_back[0] == 1; }));
    expect_given_back({1});
}

TEST_F(Undelivered, the_socket_is_asked_when_no_event_has_told_yet) {
    std::promise<void> go_on;
    std::atomic<bool> is_held = false;
    open_with({}, [&](const Request& request, Responder responder) {
        if (request.path == "/wait") return waiting.add(request, std::move(responder));
        is_held = true;
        go_on.get_future().wait();
        responder({});
    });
    RawClient client(server->port()), holder(server->port());
    client.send(wait_request);
    waiting.wait_for(1);
    holder.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(comes_true([&] { return is_held.load(); }));
    client.hang_up();
    answer(0);
    go_on.set_value();
    EXPECT_TRUE(comes_true([&] { return given_back[0] == 1; }));
    expect_given_back({1});
}

TEST_F(Undelivered, an_answer_that_was_read_does_not_come_back) {
    open();
    RawClient client(server->port());
    client.send(wait_request);
    answer(0);
    EXPECT_EQ(client.answer().body, "xxxxx");
    client.reset();
    EXPECT_TRUE(comes_true([&] { return server->connections() == 0; }));
    EXPECT_EQ(counted(), 0u);
    expect_given_back({0});
}

TEST_F(Undelivered, an_answer_of_which_a_part_was_sent_comes_back_and_those_before_it_do_not) {
    open();
    RawClient client(server->port());
    client.send(std::string(wait_request) + wait_request + wait_request);
    waiting.wait_for(3);
    answer(0);
    EXPECT_EQ(client.answer().body, "xxxxx");
    answer(1, more_than_buffers);
    answer(2);
    EXPECT_TRUE(comes_true([&] { return registry.counter("forebay_http_sent_bytes_total", {{"listener", "http"}}).value() > 1_KiB; }));
    client.reset();
    EXPECT_TRUE(comes_true([&] { return given_back[1] + given_back[2] == 2; }));
    expect_given_back({0, 1, 1});
}

TEST_F(Undelivered, an_answer_the_client_does_not_read_comes_back_when_it_is_cut) {
    open({.write_deadline = 60ms});
    RawClient client(server->port());
    client.send(wait_request);
    answer(0, more_than_buffers);
    EXPECT_TRUE(comes_true([&] { return given_back[0] == 1; }));
    EXPECT_TRUE(comes_true([&] { return server->connections() == 0; }));
}

TEST_F(Undelivered, an_answer_that_is_not_sent_when_the_server_stops_comes_back) {
    open();
    RawClient client(server->port());
    client.send(wait_request);
    answer(0, more_than_buffers);
    EXPECT_TRUE(comes_true([&] { return registry.counter("forebay_http_sent_bytes_total", {{"listener", "http"}}).value() > 1_KiB; }));
    expect_given_back({1});
}

TEST_F(Undelivered, a_client_that_only_ended_its_side_is_told_that_it_counts_as_gone) {
    open();
    RawClient client(server->port());
    client.send(wait_request).end_sending();
    auto responder = waiting.take(0);
    ASSERT_TRUE(comes_true([&] { return !responder.is_connected(); }));
    Response response;
    response.on_undelivered = [this] { ++given_back[0]; };
    responder(std::move(response));
    EXPECT_EQ(client.answer().status, 408u);
    expect_given_back({1});
}

}  // namespace
}  // namespace forebay::http
