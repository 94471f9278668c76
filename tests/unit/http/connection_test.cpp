// What a connection lives through: many requests at once, slow and vanished clients, bounds, draining.

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <future>
#include <list>
#include <thread>

#include "raw_client.h"

namespace forebay::http {
namespace {

std::string get(std::string_view path, std::string_view fields = {}) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}
std::string post(std::string_view fields, std::string_view body = {}) {
    return "POST /a HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

class Life : public ServerTest {};

// ---- pipelining

TEST_F(Life, a_thousand_requests_in_one_go_are_answered_in_order) {
    open();
    RawClient client(server->port());
    std::string bytes;
    for (int i = 0; i < 1000; ++i) bytes += get("/" + std::to_string(i));
    std::thread sender([&] { client.send(bytes); });
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(client.answer().body, "GET /" + std::to_string(i) + " ");
    sender.join();
}

TEST_F(Life, a_thousand_requests_whose_answers_come_in_reverse_bursts_are_answered_in_order) {
    open();
    RawClient client(server->port());
    std::string bytes;
    for (int i = 0; i < 1000; ++i) bytes += get("/wait/" + std::to_string(i));
    std::thread sender([&] { client.send(bytes); });
    std::thread committer([&] {
        for (std::size_t from = 0; from < 1000;) {
            waiting.wait_for(from + 1);
            const auto until = waiting.size();
            for (auto i = until; i-- > from;) waiting.answer(i, std::to_string(i));
            from = until;
        }
    });
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(client.answer().body, std::to_string(i));
    sender.join();
    committer.join();
}

TEST_F(Life, a_client_with_a_lot_to_send_is_read_in_turns_with_the_others_and_whole) {
    constexpr std::size_t large = 64_MiB;
    open({.body_bytes_max = large, .bytes_in_flight_max = 4 * large});
    RawClient sender(server->port()), other(server->port());
    std::atomic<bool> sent = false;
    std::thread thread([&] {
        sender.send(post("Content-Length: " + std::to_string(large) + "\r\n", std::string(large, 'x')));
        sent = true;
    });
    int answered = 0;
    for (; !sent; ++answered) ASSERT_EQ(other.send(get("/")).answer().status, 200u);
    thread.join();
    EXPECT_GT(answered, 0);
    EXPECT_EQ(sender.answer().body.size(), large + std::string_view("POST /a ").size());
}

TEST_F(Life, no_more_requests_are_taken_up_than_allowed) {
    open({.pipelined_max = 3});
    RawClient client(server->port());
    std::string bytes;
    for (int i = 0; i < 10; ++i) bytes += get("/wait");
    client.send(bytes);
    waiting.wait_for(3);
    RawClient other(server->port());
    EXPECT_EQ(other.send(get("/")).answer().status, 200u);  // the loop has gone round
    EXPECT_EQ(waiting.size(), 3u);
    for (std::size_t i = 0; i < 10; ++i) {
        waiting.answer(i, std::to_string(i));
        EXPECT_EQ(client.answer().body, std::to_string(i));
    }
}

TEST_F(Life, nothing_more_is_taken_up_from_a_client_that_turns_out_to_have_gone) {
    std::promise<void> blocked, go_on;
    open_with({.pipelined_max = 16}, [&](const Request& request, Responder responder) {
        if (request.path == "/wait") return waiting.add(request, std::move(responder));
        if (request.path == "/block") {
            blocked.set_value();
            go_on.get_future().wait();
        }
        responder(Response{});
    });
    RawClient blocker(server->port()), client(server->port());
    ASSERT_EQ(client.send(get("/")).answer().status, 200u);
    blocker.send(get("/block"));
    blocked.get_future().wait();
    // All of it is there, and so is the reset, when the loop looks: writing the first answer will fail.
    std::string burst = get("/");
    for (int i = 0; i < 20; ++i) burst += get("/wait");
    client.send(burst).reset();
    go_on.set_value();
    EXPECT_EQ(blocker.answer().status, 200u);
    ASSERT_TRUE(comes_true([&] { return server->connections() == 1; }));
    EXPECT_EQ(waiting.size(), 16u);
    for (std::size_t i = 0; i < waiting.size(); ++i) waiting.answer(i, "late");
    EXPECT_EQ(blocker.send(get("/")).answer().status, 200u);
}

TEST_F(Life, nothing_after_a_bad_request_is_carried_out_and_everything_before_is_answered) {
    open();
    RawClient client(server->port());
    client.send(get("/wait") + get("/second") + "BAD\r\n\r\n" + get("/never"));
    waiting.answer(0, "first");
    EXPECT_EQ(client.answer().body, "first");
    EXPECT_EQ(client.answer().body, "GET /second ");
    EXPECT_EQ(client.answer().status, 400u);
    EXPECT_TRUE(client.is_closed());
    EXPECT_EQ(handled, 2);
}

TEST_F(Life, an_answer_given_by_the_handler_of_another_connection_arrives) {
    std::optional<Responder> first;
    open_with({}, [&](const Request&, Responder responder) {
        if (!first) {
            first.emplace(std::move(responder));
            return;
        }
        (*first)(Response{.headers = {}, .content_type = {}, .body = "one"});
        responder(Response{.headers = {}, .content_type = {}, .body = "two"});
    });
    RawClient one(server->port()), two(server->port());
    one.send(get("/"));
    ASSERT_TRUE(comes_true([&] { return registry.counter("forebay_http_requests_total", {{"listener", "http"}}).value() == 1; }));
    EXPECT_EQ(two.send(get("/")).answer().body, "two");
    EXPECT_EQ(one.answer().body, "one");
}

TEST_F(Life, a_responder_that_is_dropped_answers_500) {
    open_with({}, [](const Request&, Responder) {});
    RawClient client(server->port());
    EXPECT_EQ(client.send(get("/")).answer().status, 500u);
    EXPECT_EQ(client.send(get("/")).answer().status, 500u);
}

// ---- slow clients

TEST_F(Life, a_head_that_takes_too_long_is_answered_408) {
    open({.head_deadline = 40ms});
    RawClient client(server->port());
    client.send("GET / HTTP/1.1\r\nHo");
    EXPECT_EQ(client.answer().status, 408u);
    EXPECT_TRUE(client.is_closed());
    EXPECT_EQ(handled, 0);
}

TEST_F(Life, a_client_that_sends_nothing_is_closed_without_an_answer) {
    open({.head_deadline = 40ms});
    RawClient client(server->port());
    EXPECT_EQ(client.answer().status, 0u);
    EXPECT_TRUE(client.is_closed());
}

TEST_F(Life, a_body_slower_than_the_least_rate_is_answered_408_and_not_carried_out) {
    open({.body_grace = 40ms});
    RawClient client(server->port());
    client.send(post("Content-Length: 1000\r\n", "slow"));
    EXPECT_EQ(client.answer().status, 408u);
    EXPECT_TRUE(client.is_closed());
    EXPECT_EQ(handled, 0);
}

TEST_F(Life, a_body_at_the_least_rate_is_still_cut_at_its_whole_deadline) {
    open({.body_rate_min = 1, .body_deadline = 60ms});
    RawClient client(server->port());
    client.send(post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"));
    EXPECT_EQ(client.answer().status, 408u);
    EXPECT_EQ(handled, 0);
}

TEST_F(Life, an_idle_connection_is_closed_without_an_answer) {
    open({.idle_deadline = 40ms});
    RawClient client(server->port());
    EXPECT_EQ(client.send(get("/")).answer().status, 200u);
    EXPECT_EQ(client.answer().status, 0u);
    EXPECT_TRUE(client.is_closed());
}

TEST_F(Life, a_request_that_waits_for_its_answer_is_not_idle) {
    open({.head_deadline = 40ms, .idle_deadline = 40ms});
    RawClient client(server->port());
    client.send(get("/wait"));
    RawClient idle(server->port());
    EXPECT_TRUE(idle.is_closed());
    waiting.answer(0, "late");
    EXPECT_EQ(client.answer().body, "late");
}

TEST_F(Life, a_request_that_is_forgotten_holds_nothing_while_it_waits) {
    constexpr std::size_t large = 1_MiB;
    open_with({.body_bytes_max = large, .bytes_in_flight_max = large + 64_KiB}, [&](const Request& request, Responder responder) {
        responder.forget_request();
        EXPECT_TRUE(request.path.empty());
        EXPECT_TRUE(request.body.empty());
        waiting.add(request, std::move(responder));
    });
    RawClient first(server->port()), second(server->port()), head(server->port());
    const auto request = post("Content-Length: " + std::to_string(large) + "\r\n", std::string(large, 'x'));
    first.send(request);
    waiting.wait_for(1);
    second.send(request);  // there is no room for two
    waiting.wait_for(2);
    head.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    waiting.wait_for(3);
    for (std::size_t i = 0; i < 3; ++i) waiting.answer(i, std::to_string(i));
    EXPECT_EQ(first.answer().body, "0");
    EXPECT_EQ(second.answer().body, "1");
    EXPECT_TRUE(head.answer(true).has("Content-Length: 1\r\n"));
    first.send(post("Content-Length: 1\r\n", "x"));
    waiting.answer(3, "again");
    EXPECT_EQ(first.answer().body, "again");
}

TEST_F(Life, a_client_that_does_not_read_its_answer_is_cut) {
    ServerOptions options{.write_deadline = 60ms};
    open_with(std::move(options), [](const Request&, Responder responder) {
        responder(Response{.headers = {}, .content_type = {}, .body = std::string(64_MiB - 4096, 'x')});
    });
    RawClient client(server->port());
    client.send(get("/"));
    EXPECT_TRUE(comes_true([&] { return server->connections() == 1; }));
    EXPECT_TRUE(comes_true([&] { return server->connections() == 0; }));
}

TEST_F(Life, a_client_that_reads_slowly_gets_no_further_requests_taken_up) {
    std::atomic<int> taken{0};
    open_with({}, [&](const Request&, Responder responder) {
        taken.fetch_add(1);
        responder(Response{.headers = {}, .content_type = {}, .body = std::string(16_MiB, 'x')});
    });
    RawClient client(server->port());
    std::string bytes;
    for (int i = 0; i < 10; ++i) bytes += get("/");
    client.send(bytes);
    ASSERT_TRUE(comes_true([&] { return taken >= 1; }));
    RawClient other(server->port());
    other.send(get("/")).answer(true);
    EXPECT_EQ(taken, 2);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(client.answer().body.size(), 16_MiB);
}

// ---- clients that go

TEST_F(Life, a_waiting_client_that_hangs_up_is_known_to_have_gone) {
    open();
    for (const bool reset : {false, true}) {
        RawClient client(server->port());
        client.send(get("/wait"));
        auto responder = waiting.take(reset ? 1 : 0);
        auto is_there = responder.connection_probe();
        EXPECT_TRUE(responder.is_connected());
        if (reset)
            client.reset();
        else
            client.hang_up();
        EXPECT_TRUE(comes_true([&] { return !responder.is_connected(); }));
        EXPECT_FALSE(is_there());
        responder(Response{});
        EXPECT_TRUE(comes_true([&] { return server->connections() == 0; }));
        EXPECT_FALSE(is_there());
    }
}

TEST_F(Life, a_probe_is_not_fooled_by_the_next_request_in_the_same_place) {
    open();
    RawClient client(server->port());
    client.send(get("/wait"));
    auto first = waiting.take(0);
    auto is_first_there = first.connection_probe();
    first(Response{});
    client.answer();
    EXPECT_FALSE(is_first_there());
    client.send(get("/wait"));
    auto second = waiting.take(1);
    EXPECT_FALSE(is_first_there());
    EXPECT_TRUE(second.is_connected());
    second(Response{});
}

TEST_F(Life, a_client_that_ends_its_half_after_a_whole_request_gets_its_answer) {
    open();
    RawClient client(server->port());
    client.send(get("/wait") + get("/wait")).end_sending();
    auto first = waiting.take(0);
    EXPECT_TRUE(comes_true([&] { return !first.is_connected(); }));
    first(Response{});
    EXPECT_EQ(client.answer().status, 200u);
    waiting.answer(1, "second");
    EXPECT_EQ(client.answer().body, "second");
    EXPECT_TRUE(client.is_closed());
}

TEST_F(Life, a_client_that_goes_in_the_middle_of_an_answer_takes_nobody_with_it) {
    open_with({}, [](const Request&, Responder responder) {
        responder(Response{.headers = {}, .content_type = {}, .body = std::string(8_MiB, 'x')});
    });
    for (int i = 0; i < 5; ++i) {
        RawClient client(server->port());
        client.send(get("/"));
        client.answer(true);
        client.reset();
    }
    RawClient client(server->port());
    EXPECT_EQ(client.send(get("/")).answer().body.size(), 8_MiB);
    client.hang_up();
    EXPECT_TRUE(comes_true([&] { return server->connections() == 0; }));
}

TEST_F(Life, a_client_that_keeps_sending_after_a_refusal_can_read_it_and_is_cut_in_the_end) {
    open({.body_bytes_max = 10, .linger_deadline = 40ms});
    RawClient client(server->port());
    client.send(post("Content-Length: 500000\r\n", std::string(500000, 'x')));
    EXPECT_EQ(client.answer().status, 413u);
    EXPECT_TRUE(comes_true([&] { return server->connections() == 0; }));
}

// ---- bounds

TEST_F(Life, a_body_is_refused_by_the_hook_before_it_is_read) {
    ServerOptions options;
    options.admit = [](const Request& head) -> std::optional<Response> {
        if (head.path == "/a") return Response{503, {{"Retry-After", "5"}}, "text/plain", "disk full"};
        return std::nullopt;
    };
    open(std::move(options));
    RawClient client(server->port());
    client.send(post("Content-Length: 5\r\nExpect: 100-continue\r\n"));
    const auto answer = client.answer();
    EXPECT_EQ(answer.status, 503u);
    EXPECT_TRUE(answer.has("Retry-After: 5"));
    EXPECT_TRUE(answer.has("Connection: close"));
    EXPECT_TRUE(client.is_closed());
    RawClient without_body(server->port());
    EXPECT_EQ(without_body.send(post("")).answer().status, 503u);
    EXPECT_EQ(without_body.send(get("/")).answer().status, 200u);
    EXPECT_EQ(refused("503"), 2u);
}

TEST_F(Life, more_bytes_in_flight_than_allowed_are_refused_and_room_comes_back) {
    open({.bytes_in_flight_max = 100000});
    const std::string body(60000, 'x');
    RawClient first(server->port()), second(server->port());
    first.send("POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n" + body);
    waiting.wait_for(1);
    const auto refusal = second.send(post("Content-Length: 60000\r\n", body)).answer();
    EXPECT_EQ(refusal.status, 503u);
    EXPECT_TRUE(refusal.has("Retry-After: 1"));
    waiting.answer(0, "done");
    EXPECT_EQ(first.answer().body, "done");
    EXPECT_EQ(first.send(post("Content-Length: 60000\r\n", body)).answer().status, 200u);
}

TEST_F(Life, a_chunked_body_counts_among_the_bytes_in_flight) {
    open({.bytes_in_flight_max = 100000});
    RawClient client(server->port());
    client.send(post("Transfer-Encoding: chunked\r\n", "19000\r\n" + std::string(0x19000, 'x') + "\r\n0\r\n\r\n"));
    EXPECT_EQ(client.answer().status, 503u);
    EXPECT_EQ(handled, 0);
}

TEST_F(Life, heads_count_among_the_bytes_in_flight_too) {
    open({.bytes_in_flight_max = 40000});
    const std::string large_field = "X: " + std::string(25000, 'x') + "\r\n";
    RawClient first(server->port()), second(server->port()), third(server->port());
    first.send(get("/wait", large_field));
    waiting.wait_for(1);
    EXPECT_EQ(second.send(get("/", large_field)).answer().status, 503u);
    EXPECT_EQ(third.send(get("/")).answer().status, 200u);
    waiting.answer(0, "");
    EXPECT_EQ(first.answer().status, 200u);
    EXPECT_EQ(first.send(get("/", large_field)).answer().status, 200u);
}

TEST_F(Life, bytes_that_wait_behind_full_pipelines_are_bounded) {
    open({.pipelined_max = 1, .bytes_in_flight_max = 10000});
    std::list<RawClient> clients;
    auto seen = [&] { return static_cast<std::uint64_t>(handled) + refused("503"); };
    for (int i = 0; i < 20; ++i) {
        const auto before = seen();
        clients.emplace_back(server->port()).send(get("/wait") + post("Content-Length: 900\r\n", std::string(900, 'x')));
        ASSERT_TRUE(comes_true([&] { return seen() > before; }));
    }
    ASSERT_TRUE(comes_true([&] { return server->connections() < 15; }));
    EXPECT_GE(waiting.size(), 10u);
    clients.clear();
    // A request is counted a moment before it waits: the last may come when all the others are answered, and holds room until it is.
    std::size_t answered = 0;
    auto answer_all = [&] {
        for (; answered < waiting.size(); ++answered) waiting.answer(answered, "");
    };
    ASSERT_TRUE(comes_true([&] { return answer_all(), server->connections() == 0; }));
    EXPECT_TRUE(comes_true([&] {
        answer_all();
        RawClient after(server->port());
        return after.send(post("Content-Length: 9000\r\n", std::string(9000, 'x'))).answer().status == 200;
    }));
}

TEST_F(Life, a_crowded_server_makes_room_by_closing_idle_connections_early) {
    open({.connections_max = 8, .head_deadline = 400ms});
    std::list<RawClient> idle;
    for (int i = 0; i < 8; ++i) EXPECT_EQ(idle.emplace_back(server->port()).send(get("/")).answer().status, 200u);
    RawClient ninth(server->port());
    EXPECT_EQ(ninth.send(get("/ninth")).answer().body, "GET /ninth ");
}

TEST_F(Life, an_address_has_no_more_connections_than_allowed) {
    open({.connections_per_address_max = 2});
    RawClient one(server->port());
    auto two = std::make_unique<RawClient>(server->port());
    EXPECT_EQ(one.send(get("/")).answer().status, 200u);
    EXPECT_EQ(two->send(get("/")).answer().status, 200u);
    RawClient three(server->port());
    EXPECT_EQ(three.answer().status, 429u);
    EXPECT_TRUE(three.is_closed());
    two.reset();
    ASSERT_TRUE(comes_true([&] { return server->connections() == 1; }));
    RawClient four(server->port());
    EXPECT_EQ(four.send(get("/")).answer().status, 200u);
}

TEST_F(Life, behind_a_trusted_proxy_the_clients_requests_are_counted_and_not_the_proxys_connections) {
    open({.connections_per_address_max = 2, .trusted_proxies = {"127.0.0.0/8"}});
    std::list<RawClient> proxied;
    for (int i = 0; i < 3; ++i)
        proxied.emplace_back(server->port()).send(get("/wait", "X-Forwarded-For: 192.0.2." + std::to_string(i) + "\r\n"));
    waiting.wait_for(3);
    RawClient same(server->port()), over(server->port());
    same.send(get("/wait", "X-Forwarded-For: 192.0.2.0\r\n"));
    waiting.wait_for(4);
    EXPECT_EQ(over.send(get("/", "X-Forwarded-For: 192.0.2.0\r\n")).answer().status, 429u);
    waiting.answer(3, "done");
    EXPECT_EQ(same.answer().body, "done");
    EXPECT_EQ(over.send(get("/", "X-Forwarded-For: 192.0.2.0\r\n")).answer().status, 200u);
    for (std::size_t i = 0; i < 3; ++i) waiting.answer(i, "");
}

TEST_F(Life, a_full_server_leaves_further_clients_waiting_until_one_has_gone) {
    open({.connections_max = 2});
    auto one = std::make_unique<RawClient>(server->port());
    RawClient two(server->port());
    one->send(get("/wait"));
    two.send(get("/wait"));
    waiting.wait_for(2);
    RawClient three(server->port());
    three.send(get("/three"));
    EXPECT_EQ(server->connections(), 2u);
    waiting.answer(0, "");
    one->answer();
    one.reset();
    EXPECT_EQ(three.answer().body, "GET /three ");
    waiting.answer(1, "");
}

TEST_F(Life, without_descriptors_accepting_pauses_and_goes_on_when_there_are_some_again) {
    open();
    RawClient before(server->port());
    EXPECT_EQ(before.send(get("/")).answer().status, 200u);
    RawClient turned_away_at_once(server->port());
    EXPECT_EQ(turned_away_at_once.send(get("/")).answer().status, 200u);

    rlimit usual{};
    getrlimit(RLIMIT_NOFILE, &usual);
    RawClient late(server->port());  // connected by the kernel, maybe accepted already
    EXPECT_EQ(late.send(get("/")).answer().status, 200u);
    const int in_between = socket(AF_INET, SOCK_STREAM, 0);
    const int next = fcntl(0, F_DUPFD, 0);
    close(next);
    rlimit tight = usual;
    tight.rlim_cur = static_cast<rlim_t>(next);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(server->port());
    ASSERT_EQ(connect(in_between, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    auto& paused = registry.counter("forebay_http_accepts_paused_total", {{"listener", "http"}});
    EXPECT_TRUE(comes_true([&] { return paused.value() >= 1; }));
    EXPECT_EQ(before.send(get("/still")).answer().body, "GET /still ");
    EXPECT_LE(paused.value(), 3u);  // paused, not spun
    setrlimit(RLIMIT_NOFILE, &usual);
    close(in_between);
    RawClient after(server->port());
    EXPECT_EQ(after.send(get("/after")).answer().body, "GET /after ");
}

// ---- who the client is

TEST_F(Life, forwarded_fields_are_believed_from_trusted_proxies_only) {
    struct Row {
        std::vector<std::string> trusted;
        const char* fields;
        const char* expected;
    };
    const Row rows[] = {
        {{}, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n", "127.0.0.1 plain direct"},
        {{"10.0.0.0/8"}, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n", "127.0.0.1 plain direct"},
        {{"127.0.0.1"}, "", "127.0.0.1 plain proxied"},
        {{"127.0.0.1"}, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n", "192.0.2.1 secure proxied"},
        {{"127.0.0.1"}, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n", "192.0.2.1 plain proxied"},
        {{"127.0.0.1"}, "X-Forwarded-For: 6.6.6.6, 192.0.2.1\r\n", "192.0.2.1 plain proxied"},
        {{"127.0.0.1", "10.0.0.0/8"}, "X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.1.2.3\r\n", "192.0.2.1 plain proxied"},
        {{"127.0.0.1", "10.0.0.0/8"},
         "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.1.2.3\r\n",
         "192.0.2.1 plain proxied"},
        {{"127.0.0.1", "10.0.0.0/8"}, "X-Forwarded-For: 10.1.1.1, 10.1.2.3\r\n", "10.1.1.1 plain proxied"},
        {{"127.0.0.1"}, "X-Forwarded-For: 192.0.2.1:5678\r\n", "192.0.2.1 plain proxied"},
        {{"127.0.0.1"}, "X-Forwarded-For: [2001:db8::1]:5678\r\n", "2001:db8::1 plain proxied"},
        {{"127.0.0.1"}, "X-Forwarded-For: 2001:DB8::1\r\n", "2001:db8::1 plain proxied"},
        {{"127.0.0.1"}, "X-Forwarded-For: <script>\r\n", "127.0.0.1 plain proxied"},
        {{"127.0.0.1"}, "X-Forwarded-For: 192.0.2.1, unknown\r\n", "127.0.0.1 plain proxied"},
        {{"127.0.0.1", "10.0.0.0/8"}, "X-Forwarded-For: , 10.1.2.3\r\n", "10.1.2.3 plain proxied"},
    };
    for (const auto& row : rows) {
        open_with({.trusted_proxies = row.trusted}, [](const Request& request, Responder responder) {
            const auto body =
                request.client_address + (request.secure ? " secure" : " plain") + (request.from_trusted_proxy ? " proxied" : " direct");
            responder(Response{.headers = {}, .content_type = {}, .body = body});
        });
        RawClient client(server->port());
        EXPECT_EQ(client.send(get("/", row.fields)).answer().body, row.expected) << row.fields;
        EXPECT_EQ(client.send(get("/")).answer().body.substr(0, 15), "127.0.0.1 plain") << "a next request must not inherit";
    }
}

TEST_F(Life, a_trusted_proxy_that_is_no_network_is_named) {
    for (const char* text : {"10.0.0.0/33", "localhost", "10.0.0/8", "::1/129", "10.0.0.0/", ""}) {
        const auto opened = Server::open({.trusted_proxies = {text}}, [](const Request&, Responder) {});
        ASSERT_FALSE(opened) << text;
        EXPECT_NE(opened.error().find('"' + std::string(text) + '"'), std::string::npos);
    }
}

// ---- listening

TEST_F(Life, a_port_that_is_taken_is_named) {
    open();
    const auto second = Server::open({.port = server->port()}, [](const Request&, Responder) {});
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().find("127.0.0.1:" + std::to_string(server->port())), std::string::npos);
    EXPECT_NE(second.error().find("in use"), std::string::npos);
}

TEST_F(Life, an_address_that_is_none_is_named) {
    const auto opened = Server::open({.address = "localhost"}, [](const Request&, Responder) {});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error(), "localhost: not an IP address");
}

TEST_F(Life, several_loops_share_one_port) {
    open({.loops = 3});
    std::list<RawClient> clients;
    for (int i = 0; i < 30; ++i) clients.emplace_back(server->port()).send(get("/"));
    for (auto& client : clients) EXPECT_EQ(client.answer().status, 200u);
    EXPECT_EQ(server->connections(), 30u);
}

// ---- the end

TEST_F(Life, draining_answers_what_was_taken_up_says_close_and_takes_nobody_new) {
    open();
    RawClient idle(server->port()), waits(server->port()), halfway(server->port());
    EXPECT_EQ(idle.send(get("/")).answer().status, 200u);
    waits.send(get("/wait"));
    halfway.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
    waiting.wait_for(1);
    ASSERT_TRUE(comes_true([&] { return registry.counter("forebay_http_received_bytes_total", {{"listener", "http"}}).value() > 100; }));
    server->drain();
    EXPECT_TRUE(idle.is_closed());
    EXPECT_FALSE(server->wait_until_drained(1ms));
    halfway.send("lo");
    const auto answer = halfway.answer();
    EXPECT_EQ(answer.body, "POST /a hello");
    EXPECT_TRUE(answer.has("Connection: close"));
    EXPECT_TRUE(halfway.is_closed());
    waiting.answer(0, "done");
    const auto last = waits.answer();
    EXPECT_EQ(last.body, "done");
    EXPECT_TRUE(last.has("Connection: close"));
    EXPECT_TRUE(waits.is_closed());
    halfway.hang_up();
    waits.hang_up();
    EXPECT_TRUE(server->wait_until_drained(20s));
    const int refused = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(server->port());
    EXPECT_LT(connect(refused, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    close(refused);
}

TEST_F(Life, only_the_last_of_several_answers_says_close_when_draining) {
    open();
    RawClient client(server->port());
    client.send(get("/wait") + get("/wait"));
    waiting.wait_for(2);
    server->drain();
    waiting.answer(1, "second");
    waiting.answer(0, "first");
    EXPECT_FALSE(client.answer().has("Connection: close"));
    EXPECT_TRUE(client.answer().has("Connection: close"));
}

TEST_F(Life, stopping_cuts_everyone_and_late_answers_go_nowhere) {
    open();
    RawClient client(server->port());
    client.send(get("/wait"));
    auto responder = waiting.take(0);
    server->stop();
    EXPECT_FALSE(responder.is_connected());
    EXPECT_TRUE(client.is_closed());
    responder(Response{});
    server->stop();
}

TEST_F(Life, who_answers_after_the_server_has_gone_does_no_harm) {
    open();
    RawClient client(server->port());
    client.send(get("/wait") + get("/wait"));
    auto first = waiting.take(0);
    auto second = waiting.take(1);
    auto probe = first.connection_probe();
    server = nullptr;
    EXPECT_FALSE(probe());
    first(Response{});
    {
        Responder dropped(std::move(second));
    }
    EXPECT_TRUE(client.is_closed());
}

}  // namespace
}  // namespace forebay::http
