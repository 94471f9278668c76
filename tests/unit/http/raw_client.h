#pragma once
// A client that sends exactly the bytes it is given, and a server to send them to.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/log_line.h"
#include "http/server.h"

namespace forebay::http {

class RawClient {
  public:
    explicit RawClient(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
        timeval at_most{20, 0};  // a test that hangs fails instead
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &at_most, sizeof at_most);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;
    ~RawClient() { hang_up(); }

    RawClient& send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) return *this;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return *this;
    }
    /// Sends each byte as a packet of its own.
    RawClient& send_bytewise(std::string_view bytes) {
        never_delay();
        for (char c : bytes) send({&c, 1});
        return *this;
    }
    /// What is sent does not wait until what was sent before is acknowledged.
    void never_delay() {
        int on = 1;
        setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    void end_sending() { shutdown(socket_, SHUT_WR); }
    void hang_up() {
        if (socket_ >= 0) close(std::exchange(socket_, -1));
    }
    /// Closes with a reset instead of an orderly end.
    void reset() {
        linger at_once{1, 0};
        setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        hang_up();
    }
    int descriptor() const { return socket_; }

    struct Answer {
        unsigned status = 0;  ///< 0: the connection ended without an answer
        std::string head;
        std::string body;
        bool has(std::string_view text) const { return head.find(text) != head.npos; }
    };
    Answer answer(bool to_head = false) {
        Answer got;
        std::size_t end = 0;
        while ((end = read_.find("\r\n\r\n")) == read_.npos)
            if (!read_more()) return got;
        got.head = read_.substr(0, end + 4);
        read_.erase(0, end + 4);
        got.status = static_cast<unsigned>(std::atoi(got.head.c_str() + 9));
        const auto length = got.head.find("Content-Length: ");
        if (length == got.head.npos || to_head) return got;
        const auto bytes = static_cast<std::size_t>(std::atol(got.head.c_str() + length + 16));
        while (read_.size() < bytes && read_more()) continue;
        got.body = read_.substr(0, bytes);
        read_.erase(0, bytes);
        return got;
    }
    /// Whether nothing more comes before the server closes.
    bool is_closed() {
        while (read_.empty())
            if (!read_more()) return ended_;
        return false;
    }

  private:
    bool read_more() {
        char bytes[65536];
        const auto n = recv(socket_, bytes, sizeof bytes, 0);
        ended_ = n == 0 || (n < 0 && errno == ECONNRESET);
        if (n <= 0) return false;
        read_.append(bytes, static_cast<std::size_t>(n));
        return true;
    }
    int socket_;
    std::string read_;
    bool ended_ = false;
};

/// Keeps Responders until the test answers them, from the test's thread.
class Waiting {
  public:
    void add(const Request& request, Responder responder) {
        std::lock_guard guard(lock_);
        paths_.emplace_back(request.path);
        responders_.push_back(std::move(responder));
        come_.notify_all();
    }
    void wait_for(std::size_t n) {
        std::unique_lock guard(lock_);
        EXPECT_TRUE(come_.wait_for(guard, 20s, [&] { return responders_.size() >= n; }))
            << "only " << responders_.size() << " requests came";
    }
    std::size_t size() {
        std::lock_guard guard(lock_);
        return responders_.size();
    }
    std::string path(std::size_t i) {
        std::lock_guard guard(lock_);
        return paths_.at(i);
    }
    Responder take(std::size_t i) {
        wait_for(i + 1);
        std::lock_guard guard(lock_);
        return std::move(responders_.at(i));
    }
    void drop_all() {
        std::lock_guard guard(lock_);
        responders_.clear();
    }
    void answer(std::size_t i, std::string body) {
        Response response;
        response.body = std::move(body);
        take(i)(std::move(response));
    }

  private:
    std::mutex lock_;  // guards everything here
    std::condition_variable come_;
    std::vector<std::string> paths_;
    std::vector<Responder> responders_;
};

/// Waits for something that becomes true in another thread, without a fixed time.
inline bool comes_true(const std::function<bool()>& what) {
    for (const auto until = std::chrono::steady_clock::now() + 20s; std::chrono::steady_clock::now() < until;) {
        if (what()) return true;
        std::this_thread::yield();
    }
    return false;
}

class ServerTest : public testing::Test {
  protected:
    /// Warnings that the tests provoke are not of interest (and UBSan cannot check a log line's clock without a descriptor).
    static void SetUpTestSuite() { set_log(LogLevel::error, LogFormat::logfmt); }
    /// What nobody answered is given up while the server still stands.
    void TearDown() override {
        waiting.drop_all();
        server = nullptr;
    }
    void open(ServerOptions options = {}) {
        open_with(std::move(options), [this](const Request& request, Responder responder) {
            handled.fetch_add(1);
            if (request.path.starts_with("/wait")) return waiting.add(request, std::move(responder));
            Response response;
            response.body = std::string(request.method) + ' ' + std::string(request.path) + ' ' + std::string(request.body);
            responder(std::move(response));
        });
    }
    void open_with(ServerOptions options, Handler handler) {
        options.registry = &registry;
        auto opened = Server::open(std::move(options), std::move(handler));
        ASSERT_TRUE(opened) << opened.error();
        server = std::move(*opened);
    }
    std::uint64_t refused(const char* code) {
        return registry.counter("forebay_http_refused_total", {{"listener", "http"}, {"code", code}}).value();
    }
    metrics::Registry registry;
    std::atomic<int> handled{0};
    Waiting waiting;
    std::unique_ptr<Server> server;
};

}  // namespace forebay::http
