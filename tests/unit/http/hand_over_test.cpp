// A server hands its open connections to its successor: the client notices nothing, and each request is answered once, by one of them.

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <filesystem>
#include <list>
#include <random>
#include <thread>

#include "base/spawn.h"
#include "http/listening.h"
#include "http/parser.h"
#include "raw_client.h"

namespace forebay::http {
namespace {

std::ptrdiff_t open_descriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
}

/// Servers one after the other on one listening socket. Each says its number in its answers.
class HandOver : public ServerTest {
  protected:
    void SetUp() override {
        auto opened = listen_on("127.0.0.1", 0);
        ASSERT_TRUE(opened) << opened.error();
        listener = Descriptor(*opened);
        port = port_of(listener.get());
    }
    void TearDown() override {
        waiting.drop_all();
        successor = nullptr;
        ServerTest::TearDown();
    }
    ServerOptions options;  ///< of every next one

    Handler numbered_handler() {
        return [this, number = std::to_string(++servers)](const Request& request, Responder responder) {
            handled.fetch_add(1);
            if (request.path.starts_with("/wait")) return waiting.add(request, std::move(responder));
            Response response;
            response.body = number + ' ' + std::string(request.method) + ' ' + std::string(request.path) + ' ' + std::string(request.body);
            if (request.path == "/large") response.body.resize(16_MiB);
            responder(std::move(response));
        };
    }
    std::unique_ptr<Server> next(Handler handler) {
        ServerOptions these;
        these.listener = *copy_listener(listener.get());
        these.loops = options.loops;
        these.pipelined_max = options.pipelined_max;
        these.connections_max = options.connections_max;
        these.connections_per_address_max = options.connections_per_address_max;
        these.head_deadline = options.head_deadline;
        these.body_grace = options.body_grace;
        these.idle_deadline = options.idle_deadline;
        these.registry = &registry;
        auto opened = Server::open(std::move(these), std::move(handler));
        EXPECT_TRUE(opened) << opened.error();
        return std::move(*opened);
    }
    void begin() { server = next(numbered_handler()); }
    void begin_hand_over() { begin_hand_over(numbered_handler()); }
    void begin_hand_over(Handler handler) {
        successor = next(std::move(handler));
        server->hand_over([this](HandedConnection handed) { successor->adopt(std::move(handed)); });
    }
    void end_hand_over() {
        ASSERT_TRUE(server->wait_until_drained(20s));
        EXPECT_EQ(server->connections(), 0u);
        server = std::move(successor);
    }
    void pass_on() {
        begin_hand_over();
        end_hand_over();
    }
    std::uint64_t counted(const char* what) {
        return registry.counter("forebay_http_" + std::string(what) + "_total", {{"listener", "http"}}).value();
    }
    /// Sends and waits until the server has read it.
    void send_and_be_read(RawClient& client, std::string_view bytes) {
        const auto before = counted("received_bytes");
        client.send(bytes);
        ASSERT_TRUE(comes_true([&] { return counted("received_bytes") >= before + bytes.size(); }));
    }
    static void wait_for_a_deadline(Duration length) {
        auto clock = Server::open({.head_deadline = length}, [](const Request&, Responder) {});
        ASSERT_TRUE(clock);
        EXPECT_TRUE(RawClient((*clock)->port()).is_closed());
    }

    static std::string get(std::string_view path, std::string_view fields = {}) {
        return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
    }
    static std::string post(std::string_view fields, std::string_view body) {
        return "POST /a HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" + std::string(body);
    }
    static std::string chunked() {
        return post("Transfer-Encoding: chunked\r\n",
                    "5;name=value\r\nhello\r\n00a\r\n, you all,\r\n8\r\n goodbye\r\n0\r\nX-Sum: 1\r\n\r\n");
    }

    Descriptor listener;
    std::uint16_t port = 0;
    int servers = 0;
    std::unique_ptr<Server> successor;
};

// ---- where a connection may be when it moves

TEST_F(HandOver, an_idle_connection_goes_on_with_the_successor) {
    begin();
    RawClient client(port);
    EXPECT_EQ(client.send(get("/")).answer().body, "1 GET / ");
    pass_on();
    EXPECT_EQ(client.send(get("/")).answer().body, "2 GET / ");
    pass_on();
    EXPECT_EQ(client.send(get("/")).answer().body, "3 GET / ");
    EXPECT_EQ(server->connections(), 1u);
    EXPECT_EQ(counted("handed_over"), 2u);
    EXPECT_EQ(counted("adopted"), 2u);
    EXPECT_EQ(counted("connections"), 1u);
    EXPECT_EQ(counted("requests"), 3u);
}

TEST_F(HandOver, a_connection_that_has_said_nothing_yet_moves_too) {
    begin();
    RawClient client(port);
    ASSERT_TRUE(comes_true([&] { return server->connections() == 1; }));
    pass_on();
    EXPECT_EQ(client.send(get("/")).answer().body, "2 GET / ");
}

TEST_F(HandOver, a_request_may_be_split_anywhere_between_two_servers) {
    begin();
    RawClient client(port);
    client.never_delay();
    for (const auto& request : {post("Content-Length: 23\r\n", "hello, you all, goodbye"), chunked()}) {
        for (std::size_t at = 0; at < request.size(); ++at) {
            send_and_be_read(client, std::string_view(request).substr(0, at));
            pass_on();
            client.send(std::string_view(request).substr(at));
            EXPECT_EQ(client.answer().body, std::to_string(servers) + " POST /a hello, you all, goodbye") << "after byte " << at;
        }
    }
    EXPECT_EQ(counted("connections"), 1u);
}

TEST_F(HandOver, each_byte_of_a_request_may_come_to_another_server) {
    begin();
    RawClient client(port);
    client.never_delay();
    for (const auto& request : {post("Content-Length: 5\r\n", "hello"), chunked()}) {
        for (const char byte : request.substr(0, request.size() - 1)) {
            send_and_be_read(client, {&byte, 1});
            pass_on();
        }
        const auto body = client.send(request.substr(request.size() - 1)).answer().body;
        EXPECT_TRUE(body.starts_with(std::to_string(servers) + " POST /a hello")) << body;
    }
    EXPECT_EQ(handled, 2);
}

TEST_F(HandOver, requests_taken_up_are_answered_by_the_one_and_those_behind_them_by_the_other) {
    options.pipelined_max = 2;
    begin();
    RawClient client(port);
    send_and_be_read(client, get("/wait/0") + get("/wait/1") + get("/2") + get("/3") + "GET /4 HTTP/1.1\r\n");
    waiting.wait_for(2);
    begin_hand_over();
    EXPECT_FALSE(server->wait_until_drained(1ms));
    waiting.answer(1, "one");
    waiting.answer(0, "zero");
    for (const char* body : {"zero", "one", "2 GET /2 ", "2 GET /3 "}) {
        const auto answer = client.answer();
        EXPECT_EQ(answer.body, body);
        EXPECT_FALSE(answer.has("Connection"));
    }
    end_hand_over();
    EXPECT_EQ(client.send("Host: a\r\n\r\n").answer().body, "2 GET /4 ");
    EXPECT_EQ(handled, 5);
}

TEST_F(HandOver, what_arrives_while_an_answer_is_awaited_waits_for_the_successor) {
    begin();
    RawClient client(port);
    client.send(get("/wait"));
    waiting.wait_for(1);
    begin_hand_over();
    RawClient other(port);  // the first has stopped accepting when the other answers it
    EXPECT_EQ(other.send(get("/")).answer().body.substr(0, 1), "2");
    client.send(get("/next"));
    EXPECT_FALSE(server->wait_until_drained(1ms));
    waiting.answer(0, "late");
    EXPECT_EQ(client.answer().body, "late");
    EXPECT_EQ(client.answer().body, "2 GET /next ");
    end_hand_over();
}

TEST_F(HandOver, an_answer_the_client_is_slow_to_read_is_sent_whole_before_the_connection_moves) {
    begin();
    RawClient client(port);
    client.send(get("/large") + get("/next"));
    ASSERT_TRUE(comes_true([&] { return counted("sent_bytes") > 1_KiB; }));
    begin_hand_over();
    EXPECT_FALSE(server->wait_until_drained(1ms));
    EXPECT_EQ(client.answer().body.size(), 16_MiB);
    EXPECT_EQ(client.answer().body, "2 GET /next ");
    end_hand_over();
    EXPECT_EQ(client.send(get("/")).answer().body, "2 GET / ");
}

TEST_F(HandOver, continue_is_said_once) {
    begin();
    RawClient client(port);
    EXPECT_EQ(client.send(post("EXPECT: 100-continue\r\nContent-Length: 5\r\n", "")).answer().status, 100u);
    pass_on();
    EXPECT_EQ(client.send("hello").answer().body, "2 POST /a hello");
}

TEST_F(HandOver, continue_is_said_by_the_successor_when_it_was_not_yet) {
    begin();
    RawClient client(port);
    send_and_be_read(client, get("/wait") + post("Expect: 100-continue\r\nContent-Length: 5\r\n", ""));
    begin_hand_over();
    waiting.answer(0, "first");
    EXPECT_EQ(client.answer().body, "first");
    EXPECT_EQ(client.answer().status, 100u);
    EXPECT_EQ(client.send("hello").answer().body, "2 POST /a hello");
    end_hand_over();
}

TEST_F(HandOver, nothing_is_late_that_is_not_read_because_of_it) {
    options.head_deadline = options.body_grace = options.idle_deadline = 300ms;
    begin();
    options = {};
    RawClient client(port);
    send_and_be_read(client, get("/wait") + post("Content-Length: 5\r\n", "hel"));
    RawClient halfway(port);
    send_and_be_read(halfway, get("/wait") + "GET / HTTP/1.1\r\n");
    waiting.wait_for(2);
    begin_hand_over();
    wait_for_a_deadline(400ms);
    waiting.answer(0, "first");
    waiting.answer(1, "first");
    EXPECT_EQ(client.send("lo").answer().body, "first");
    EXPECT_EQ(client.answer().body, "2 POST /a hello");
    EXPECT_EQ(halfway.send("Host: a\r\n\r\n").answer().body, "first");
    EXPECT_EQ(halfway.answer().body, "2 GET / ");
    end_hand_over();
}

// ---- what ends instead of moving

TEST_F(HandOver, a_client_that_has_ended_its_side_gets_its_answer_and_is_closed_here) {
    begin();
    RawClient client(port);
    client.send(get("/wait")).end_sending();
    auto responder = waiting.take(0);
    ASSERT_TRUE(comes_true([&] { return !responder.is_connected(); }));
    begin_hand_over();
    responder(Response{});
    EXPECT_EQ(client.answer().status, 200u);
    EXPECT_TRUE(client.is_closed());
    end_hand_over();
    EXPECT_EQ(counted("handed_over"), 0u);
}

TEST_F(HandOver, requests_a_client_left_behind_before_it_ended_its_side_are_answered_by_the_successor) {
    options.pipelined_max = 1;
    begin();
    RawClient client(port);
    send_and_be_read(client, get("/wait") + get("/second"));
    client.end_sending();
    begin_hand_over();
    waiting.answer(0, "first");
    EXPECT_EQ(client.answer().body, "first");
    EXPECT_EQ(client.answer().body, "2 GET /second ");
    EXPECT_TRUE(client.is_closed());
    end_hand_over();
}

TEST_F(HandOver, a_connection_that_was_to_close_closes_here) {
    begin();
    RawClient asks_to_close(port), breaks_the_rules(port);
    send_and_be_read(asks_to_close, get("/wait", "Connection: close\r\n"));
    send_and_be_read(breaks_the_rules, get("/wait") + "BAD\r\n\r\n");
    waiting.wait_for(2);
    begin_hand_over();
    waiting.answer(0, "bye");
    const auto last = asks_to_close.answer();
    EXPECT_EQ(last.body, "bye");
    EXPECT_TRUE(last.has("Connection: close"));
    EXPECT_TRUE(asks_to_close.is_closed());
    asks_to_close.hang_up();
    waiting.answer(1, "first");
    EXPECT_EQ(breaks_the_rules.answer().body, "first");
    EXPECT_EQ(breaks_the_rules.answer().status, 400u);
    EXPECT_TRUE(breaks_the_rules.is_closed());
    breaks_the_rules.hang_up();
    end_hand_over();
    EXPECT_EQ(counted("handed_over"), 0u);
}

TEST_F(HandOver, a_client_that_goes_while_its_connection_moves_leaves_nothing_behind) {
    begin();
    RawClient client(port);
    EXPECT_EQ(client.send(get("/")).answer().status, 200u);
    HandedConnection handed;
    server->hand_over([&](HandedConnection given) { handed = std::move(given); });
    ASSERT_TRUE(server->wait_until_drained(20s));
    client.reset();
    pollfd broken{handed.descriptor, 0, 0};
    ASSERT_TRUE(comes_true([&] { return poll(&broken, 1, 0) > 0; }));
    successor = next(numbered_handler());
    const auto with_successor = open_descriptors();
    successor->adopt(std::move(handed));
    ASSERT_TRUE(comes_true([&] { return open_descriptors() == with_successor - 1; }));
    EXPECT_EQ(successor->connections(), 0u);
    EXPECT_EQ(counted("adopted"), 0u);
}

TEST_F(HandOver, stopping_cuts_what_has_not_moved) {
    begin();
    RawClient client(port);
    client.send(get("/wait"));
    waiting.wait_for(1);
    begin_hand_over();
    EXPECT_FALSE(server->wait_until_drained(1ms));
    server->stop();
    EXPECT_TRUE(client.is_closed());
}

// ---- copies of sockets held elsewhere

TEST_F(HandOver, a_connection_that_closes_is_watched_no_more_though_a_copy_of_its_socket_is_open) {
    begin();
    RawClient client(port);
    EXPECT_EQ(client.send(get("/")).answer().status, 200u);
    options.idle_deadline = 40ms;
    successor = next(numbered_handler());
    Descriptor copy;
    server->hand_over([&](HandedConnection handed) {
        copy = Descriptor(fcntl(handed.descriptor, F_DUPFD_CLOEXEC, 0));
        successor->adopt(std::move(handed));
    });
    end_hand_over();
    ASSERT_TRUE(comes_true([&] { return counted("adopted") == 1 && server->connections() == 0; }));  // its patience has ended
    client.send("nobody reads this");
    RawClient other(port);
    EXPECT_EQ(other.send(get("/")).answer().status, 200u);  // the loop has gone round
    char bytes[100];
    EXPECT_EQ(recv(copy.get(), bytes, sizeof bytes, MSG_DONTWAIT), 17);
}

TEST_F(HandOver, descriptors_are_neither_leaked_nor_closed_twice) {
    begin();
    std::list<RawClient> clients;
    for (int i = 0; i < 20; ++i) EXPECT_EQ(clients.emplace_back(port).send(get("/")).answer().status, 200u);
    const auto before = open_descriptors();
    for (int i = 0; i < 10; ++i) pass_on();
    for (auto& client : clients) EXPECT_EQ(client.send(get("/")).answer().body, "11 GET / ");
    EXPECT_EQ(open_descriptors(), before);
}

TEST_F(HandOver, a_server_that_hands_over_already_passes_on_what_it_adopts) {
    begin();
    RawClient client(port);
    EXPECT_EQ(client.send(get("/")).answer().status, 200u);
    auto second = next(numbered_handler());
    successor = next(numbered_handler());
    second->hand_over([this](HandedConnection handed) { successor->adopt(std::move(handed)); });
    server->hand_over([&](HandedConnection handed) { second->adopt(std::move(handed)); });
    EXPECT_EQ(client.send(get("/")).answer().body, "3 GET / ");
    EXPECT_TRUE(second->wait_until_drained(20s));
    end_hand_over();
}

// ---- who is admitted

TEST_F(HandOver, no_cap_refuses_a_connection_that_was_admitted_before_and_it_counts) {
    options.connections_per_address_max = 3;
    begin();
    std::list<RawClient> clients;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(clients.emplace_back(port).send(get("/")).answer().status, 200u);
    options.connections_per_address_max = 2;
    options.connections_max = 4;
    pass_on();
    for (auto& client : clients) EXPECT_EQ(client.send(get("/")).answer().body, "2 GET / ");
    EXPECT_EQ(RawClient(port).answer().status, 429u);
    clients.pop_front();
    ASSERT_TRUE(comes_true([&] { return server->connections() == 2; }));
    EXPECT_EQ(RawClient(port).answer().status, 429u);
    clients.pop_front();
    ASSERT_TRUE(comes_true([&] { return server->connections() == 1; }));
    EXPECT_EQ(RawClient(port).send(get("/")).answer().status, 200u);
}

TEST_F(HandOver, the_client_is_known_by_its_address) {
    begin();
    RawClient client(port);
    EXPECT_EQ(client.send(get("/")).answer().status, 200u);
    begin_hand_over([](const Request& request, Responder responder) {
        responder(Response{.headers = {}, .content_type = {}, .body = request.client_address});
    });
    end_hand_over();
    EXPECT_EQ(client.send(get("/")).answer().body, "127.0.0.1");
}

// ---- a listening socket that is given

TEST_F(HandOver, who_connects_before_anybody_serves_is_answered) {
    RawClient client(port);
    client.send(get("/"));
    begin();
    EXPECT_EQ(server->port(), port);
    EXPECT_EQ(client.answer().body, "1 GET / ");
}

TEST_F(HandOver, who_connects_while_a_server_leaves_is_answered_by_the_successor) {
    begin();
    server->hand_over([](HandedConnection) {});
    ASSERT_TRUE(server->wait_until_drained(20s));
    server->stop();
    RawClient client(port);
    client.send(get("/"));
    server = next(numbered_handler());
    EXPECT_EQ(client.answer().body, "2 GET / ");
}

TEST_F(HandOver, several_loops_take_from_one_queue_and_hand_over_each_its_own) {
    options.loops = 3;
    begin();
    std::list<RawClient> clients;
    for (int i = 0; i < 30; ++i) EXPECT_EQ(clients.emplace_back(port).send(get("/")).answer().body, "1 GET / ");
    pass_on();
    for (auto& client : clients) EXPECT_EQ(client.send(get("/")).answer().body, "2 GET / ");
    EXPECT_EQ(server->connections(), 30u);
    EXPECT_EQ(counted("handed_over"), 30u);
}

TEST_F(HandOver, a_descriptor_that_is_no_listening_socket_is_told_from_one_and_closed) {
    auto pipe = make_pipe();
    ASSERT_TRUE(pipe);
    struct Row {
        int descriptor;
        const char* what;
    };
    const Row rows[] = {
        {fcntl(pipe->read.get(), F_DUPFD_CLOEXEC, 0), "no socket"},
        {socket(AF_INET, SOCK_DGRAM, 0), "a datagram socket"},
        {socket(AF_INET6, SOCK_STREAM, 0), "a TCP socket that does not listen"},
        {socket(AF_UNIX, SOCK_STREAM, 0), "a Unix socket"},
        {1 << 20, "not open"},
    };
    for (const auto& row : rows) {
        const auto opened = Server::open({.listener = row.descriptor}, [](const Request&, Responder) {});
        ASSERT_FALSE(opened) << row.what;
        EXPECT_EQ(opened.error(),
                  "descriptor " + std::to_string(row.descriptor) + " is " + row.what + "; give one of a TCP socket that listens");
        EXPECT_EQ(fcntl(row.descriptor, F_GETFD), -1);
    }
}

// ---- under load

/// Answers some at once and others from a thread of its own, as commits are; counts how often each number was asked for.
class Numbers {
  public:
    static constexpr std::size_t most = 1 << 20;
    Numbers() : thread_([this] { commit(); }) {}
    ~Numbers() {
        {
            std::lock_guard guard(lock_);
            is_over_ = true;
        }
        come_.notify_one();
        thread_.join();
    }
    Handler handler() {
        return [this](const Request& request, Responder responder) {
            const auto number = static_cast<std::size_t>(std::atol(std::string(request.path.substr(1)).c_str()));
            asked[number].fetch_add(1);
            if (request.body.size() != number % 50)
                return responder(Response{.status = 500, .headers = {}, .content_type = {}, .body = {}});
            if (number % 3 == 0) return responder(answer_to(number));
            std::lock_guard guard(lock_);
            waiting_.emplace_back(number, std::move(responder));
            come_.notify_one();
        };
    }
    static std::string request(std::size_t number) {
        const auto head = "POST /" + std::to_string(number) + " HTTP/1.1\r\nHost: a\r\n";
        const std::string body(number % 50, 'x');
        if (number % 2 == 0) return head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        std::string chunks;
        for (const char c : body) chunks += "1\r\n" + std::string(1, c) + "\r\n";
        return head + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n";
    }
    std::vector<std::atomic<int>> asked = std::vector<std::atomic<int>>(most);
    std::atomic<std::size_t> given{0};

  private:
    static Response answer_to(std::size_t number) { return Response{.headers = {}, .content_type = {}, .body = std::to_string(number)}; }
    void commit() {
        std::unique_lock guard(lock_);
        while (true) {
            come_.wait(guard, [this] { return is_over_ || !waiting_.empty(); });
            if (is_over_) return;
            auto batch = std::exchange(waiting_, {});
            guard.unlock();
            std::reverse(batch.begin(), batch.end());
            for (auto& [number, responder] : batch) responder(answer_to(number));
            guard.lock();
        }
    }
    std::mutex lock_;  // guards waiting_ and is_over_
    std::condition_variable come_;
    std::vector<std::pair<std::size_t, Responder>> waiting_;
    bool is_over_ = false;
    std::thread thread_;
};

/// A client of which a few requests are always on their way, the last of them in part.
class Caller {
  public:
    Caller(std::uint16_t port, Numbers& numbers) : port_(port), numbers_(numbers) {}
    void begin(std::mt19937& random) {
        if (client_ == nullptr || random() % 32 == 0) client_ = std::make_unique<RawClient>(port_);
        client_->never_delay();
        std::string bytes;
        for (auto n = 1 + random() % 3; n > 0; --n) bytes += Numbers::request(asked_.emplace_back(numbers_.given.fetch_add(1)));
        const auto now = random() % bytes.size();
        client_->send(std::string_view(bytes).substr(0, now));
        rest_ = bytes.substr(now);
    }
    void go_on() { client_->send(rest_); }
    /// How many answers were not as expected.
    int end() {
        int wrong = 0;
        for (const auto number : std::exchange(asked_, {})) {
            const auto answer = client_->answer();
            wrong += answer.status != 200 || answer.body != std::to_string(number) || answer.has("Connection");
        }
        return wrong;
    }

  private:
    std::uint16_t port_;
    Numbers& numbers_;
    std::unique_ptr<RawClient> client_;
    std::string rest_;
    std::vector<std::size_t> asked_;
};

TEST_F(HandOver, under_load_each_request_is_answered_once_however_often_the_connections_move) {
    constexpr int threads = 4, callers_each = 50, moves = 50;
    const auto before = open_descriptors();
    {
        Numbers numbers;
        server = next(numbers.handler());
        std::atomic<bool> is_over = false;
        std::atomic<int> wrong = 0;
        std::vector<std::thread> load;
        for (unsigned seed = 0; seed < threads; ++seed)
            load.emplace_back([&, seed] {
                std::mt19937 random(seed);
                std::list<Caller> callers;
                for (int i = 0; i < callers_each; ++i) callers.emplace_back(port, numbers);
                while (!is_over && numbers.given < Numbers::most / 2) {
                    for (auto& caller : callers) caller.begin(random);
                    for (auto& caller : callers) caller.go_on();
                    for (auto& caller : callers) wrong += caller.end();
                }
            });
        for (int i = 0; i < moves; ++i) {
            const auto given = numbers.given.load();
            EXPECT_TRUE(comes_true([&] { return numbers.given > given + 200; }));
            begin_hand_over(numbers.handler());
            end_hand_over();
        }
        is_over = true;
        for (auto& thread : load) thread.join();
        EXPECT_EQ(wrong, 0);
        const auto asked_once = std::count_if(numbers.asked.begin(), numbers.asked.end(), [](auto& times) { return times == 1; });
        EXPECT_EQ(static_cast<std::size_t>(asked_once), numbers.given);
        EXPECT_EQ(counted("requests"), numbers.given);
        EXPECT_GT(counted("adopted"), 100u * moves);
        server = nullptr;
    }
    EXPECT_EQ(open_descriptors(), before);
}

// ---- chunks in part

TEST(EncodedAgain, what_came_of_a_chunked_body_means_the_same_to_another_decoder) {
    constexpr std::string_view stream = "5;name=value\r\nhello\r\n000A\r\n0123456789\r\n1;\r\n!\r\n0;last\r\nX-Sum: 1\r\nY: 2\r\n\r\nGET";
    constexpr std::size_t whole = stream.size() - 3;
    for (std::size_t at = 0; at < whole; ++at) {
        ChunkDecoder first(16, 10), second(16, 10);
        std::string decoded, body;
        ASSERT_TRUE(first.take(stream.substr(0, at), decoded));
        const auto again = first.encode_again(decoded);
        const auto used = second.take(again, body);
        ASSERT_TRUE(used) << again;
        EXPECT_EQ(*used, again.size());
        EXPECT_EQ(body, decoded);
        const auto rest = second.take(stream.substr(at), body);
        ASSERT_TRUE(rest) << "after byte " << at << ": " << again;
        EXPECT_EQ(*rest, whole - at);
        EXPECT_EQ(body, "hello0123456789!");
        EXPECT_TRUE(second.is_complete());
    }
}

TEST(EncodedAgain, the_limits_of_chunks_hold_as_if_one_decoder_had_read_all) {
    for (const std::string_view stream :
         {"5;12345678901\r\n", "5\r\nhello\r\nc\r\n", "0000000000000001\r\n", "5\r\nhello\r\n\r\n", "5\r\nhello!"}) {
        for (std::size_t at = 0; at < stream.size() - 1; ++at) {
            ChunkDecoder first(16, 10), second(16, 10);
            std::string decoded, body;
            if (!first.take(stream.substr(0, at), decoded)) break;
            ASSERT_TRUE(second.take(first.encode_again(decoded), body));
            EXPECT_FALSE(second.take(stream.substr(at), body)) << stream << " after byte " << at;
        }
    }
}

}  // namespace
}  // namespace forebay::http
