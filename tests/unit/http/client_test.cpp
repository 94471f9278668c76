#include "http/client.h"

#include "raw_client.h"

namespace forebay::http {
namespace {

/// A server that answers every connection with the same bytes, whatever it is asked, and then closes or keeps silent.
class Scripted {
  public:
    explicit Scripted(std::string bytes, bool closes = true)
        : bytes_(std::move(bytes)), closes_(closes), socket_(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), length), 0);
        EXPECT_EQ(listen(socket_, 10), 0);
        getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
        url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
        thread_ = std::thread([this] { serve(); });
    }
    ~Scripted() {
        shutdown(socket_, SHUT_RDWR);
        thread_.join();
        close(socket_);
    }
    std::string url;

  private:
    void serve() {
        for (int peer; (peer = accept(socket_, nullptr, nullptr)) >= 0;) {
            char request[4096];
            [[maybe_unused]] auto n = recv(peer, request, sizeof request, 0);
            n = ::send(peer, bytes_.data(), bytes_.size(), MSG_NOSIGNAL);
            while (!closes_ && recv(peer, request, sizeof request, 0) > 0) continue;
            close(peer);
        }
    }
    std::string bytes_;
    bool closes_;
    int socket_;
    std::thread thread_;
};

class ClientTest : public ServerTest {
  protected:
    std::string url(std::string_view path) { return "http://127.0.0.1:" + std::to_string(server->port()) + std::string(path); }
};

using Kind = ClientError::Kind;

TEST_F(ClientTest, sends_what_it_is_given_and_keeps_the_connection) {
    open_with({}, [](const Request& request, Responder responder) {
        std::string body = std::string(request.method) + ' ' + std::string(request.target) + '\n';
        for (const auto& header : request.headers)
            if (header.name != "Host") body += std::string(header.name) + ": " + std::string(header.value) + '\n';
        responder(Response{201, {{"X-Answer", "yes "}}, "text/plain", body + std::string(request.body)});
    });
    Client client;
    const ClientRequest request{
        .method = "PUT", .url = url("/a?b=%20"), .headers = {{"Content-Type", "text/x"}, {"X-Empty", ""}}, .body = std::string("a\0b", 3)};
    for (int i = 0; i < 3; ++i) {
        const auto answer = client.send(request);
        ASSERT_TRUE(answer) << answer.error().detail;
        EXPECT_EQ(answer->status, 201u);
        EXPECT_EQ(answer->find("x-answer"), "yes");
        EXPECT_EQ(answer->find("content-type"), "text/plain");
        EXPECT_EQ(answer->body, "PUT /a?b=%20\nAccept: */*\nContent-Type: text/x\nX-Empty: \nContent-Length: 3\n" + request.body);
    }
    EXPECT_EQ(registry.counter("forebay_http_connections_total", {{"listener", "http"}}).value(), 1u);
}

TEST_F(ClientTest, a_kept_connection_that_was_closed_meanwhile_is_replaced) {
    open({.idle_deadline = 40ms});
    Client client;
    EXPECT_TRUE(client.send({.url = url("/")}));
    EXPECT_TRUE(comes_true([&] { return server->connections() == 0; }));
    EXPECT_TRUE(client.send({.method = "POST", .url = url("/"), .body = "again"}));
}

TEST_F(ClientTest, a_request_that_must_not_go_twice_has_a_connection_of_its_own) {
    open();
    Client client;
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(client.send({.method = "POST", .url = url("/"), .never_twice = true}));
    EXPECT_EQ(registry.counter("forebay_http_connections_total", {{"listener", "http"}}).value(), 3u);
}

TEST_F(ClientTest, each_method_goes_as_it_is_named) {
    open();
    Client client;
    for (const char* method : {"GET", "POST", "PUT", "DELETE", "PATCH", "GET"}) {
        const auto answer = client.send({.method = method, .url = url("/m")});
        ASSERT_TRUE(answer) << method;
        EXPECT_EQ(answer->body, std::string(method) + " /m ");
    }
    const auto head = client.send({.method = "HEAD", .url = url("/m")});
    ASSERT_TRUE(head);
    EXPECT_EQ(head->body, "");
    EXPECT_EQ(head->find("content-length"), "8");
}

TEST_F(ClientTest, a_large_body_goes_and_comes) {
    open();
    Client client;
    const std::string body(1000000, 'x');
    const auto answer = client.send({.method = "POST", .url = url("/"), .body = body});
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "POST / " + body);
}

TEST_F(ClientTest, an_answer_that_does_not_come_is_a_time_out_after_sending) {
    open();
    Client client;
    const auto answer = client.send({.url = url("/wait"), .total_deadline = 50ms});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, Kind::timed_out);
}

TEST_F(ClientTest, nobody_listening_means_nothing_was_sent) {
    open();
    const auto gone = url("/");
    server = nullptr;
    const auto answer = Client().send({.url = gone});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, Kind::not_connected);
}

TEST(Client, tells_apart_what_is_known_after_each_failure) {
    struct Row {
        const char* what;
        std::string bytes;
        bool closes;
        Kind kind;
    };
    const Row rows[] = {
        {"closed without an answer", "", true, Kind::broken},
        {"an answer that is no HTTP", "hello\r\n\r\n", true, Kind::broken},
        {"an answer that stops in its head", "HTTP/1.1 200 OK\r\nContent-Le", false, Kind::timed_out},
        {"an answer that stops in its body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", false, Kind::timed_out},
        {"an answer cut in its body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", true, Kind::broken},
        {"an answer that is too large", "HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" + std::string(200, 'x'), true,
         Kind::response_too_large},
        {"an answer without end", "HTTP/1.1 200 OK\r\n\r\n" + std::string(2000, 'x'), false, Kind::response_too_large},
        {"chunks that are too much", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFF\r\n" + std::string(255, 'x'), false,
         Kind::response_too_large},
    };
    for (const auto& row : rows) {
        Scripted server(row.bytes, row.closes);
        const auto answer = Client().send({.url = server.url, .total_deadline = 200ms, .response_bytes_max = 100});
        ASSERT_FALSE(answer) << row.what;
        EXPECT_EQ(answer.error().kind, row.kind) << row.what << ": " << answer.error().detail;
    }
}

TEST(Client, does_not_follow_redirects_and_drops_interim_answers) {
    Scripted server(
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    const auto answer = Client().send({.url = server.url});
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 302u);
    EXPECT_EQ(answer->find("location"), "http://127.0.0.1:1/");
    EXPECT_EQ(answer->find("link"), "");
}

TEST(Client, what_cannot_be_sent_is_refused_before_connecting) {
    Client client;
    EXPECT_EQ(client.send({.url = "file:///etc/passwd"}).error().kind, Kind::invalid_request);
    EXPECT_EQ(client.send({.url = "gopher://127.0.0.1:1/"}).error().kind, Kind::invalid_request);
    EXPECT_EQ(client.send({.url = "http://"}).error().kind, Kind::invalid_request);
    EXPECT_EQ(client.send({.url = "http://127.0.0.1:1/", .headers = {{"X", "a\r\nY: b"}}}).error().kind, Kind::invalid_request);
    EXPECT_EQ(client.send({.url = "http://127.0.0.1:1/", .headers = {{"X: Y", "a"}}}).error().kind, Kind::invalid_request);
    EXPECT_EQ(client.send({.method = "GET /\r\n", .url = "http://127.0.0.1:1/"}).error().kind, Kind::invalid_request);
}

TEST(Client, an_address_that_is_not_public_is_refused_whatever_name_leads_there) {
    Scripted server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    const auto port = server.url.substr(server.url.rfind(':'));
    Client client({.public_addresses_only = true});
    for (const char* host : {"127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"}) {
        const auto answer = client.send({.url = "http://" + std::string(host) + port});
        ASSERT_FALSE(answer) << host;
        EXPECT_EQ(answer.error().kind, Kind::refused_address) << host << ": " << answer.error().detail;
    }
    EXPECT_TRUE(Client().send({.url = server.url}));
}

}  // namespace
}  // namespace forebay::http
