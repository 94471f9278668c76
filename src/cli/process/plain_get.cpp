#include "cli/process/plain_get.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/spawn.h"
#include "cli/config/slot.h"

namespace forebay::cli {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

class PlainGet {
  public:
    explicit PlainGet(Duration at_most) : end_(clock_.now() + at_most) {}

    Result<std::string, std::string> ask(const Listen& from, const std::string& request) {
        TRY(connect(from));
        TRY(send(request));
        return receive();
    }

  private:
    Result<void, std::string> connect(const Listen& from) {
        bool is_any = from.address == "0.0.0.0" || from.address == "::";
        auto host = is_any ? std::string("127.0.0.1") : from.address;
        addrinfo wish{};
        wish.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        if (int code = ::getaddrinfo(host.c_str(), std::to_string(from.port).c_str(), &wish, &found); code != 0)
            return Failure{std::string(::gai_strerror(code))};
        Addresses addresses(found, &::freeaddrinfo);
        socket_ = Descriptor(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!socket_) return Failure{std::string(std::strerror(errno))};
        if (::connect(socket_.get(), found->ai_addr, found->ai_addrlen) == 0) return {};
        if (errno != EINPROGRESS) return Failure{std::string(std::strerror(errno))};
        TRY(wait_for(POLLOUT));
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) return Failure{std::string(std::strerror(error))};
        return {};
    }

    Result<void, std::string> send(std::string_view request) {
        while (!request.empty()) {
            auto n = ::send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL);
            if (n < 0 && errno != EAGAIN && errno != EINTR) return Failure{std::string(std::strerror(errno))};
            if (n > 0)
                request.remove_prefix(static_cast<std::size_t>(n));
            else
                TRY(wait_for(POLLOUT));
        }
        return {};
    }

    /// The other side closes after its answer.
    Result<std::string, std::string> receive() {
        std::string answer;
        for (;;) {
            char buffer[8 * 1024];
            auto n = ::recv(socket_.get(), buffer, sizeof buffer, 0);
            if (n == 0) return body_of(answer);
            if (n < 0 && errno != EAGAIN && errno != EINTR) return Failure{std::string(std::strerror(errno))};
            if (n < 0) {
                TRY(wait_for(POLLIN));
                continue;
            }
            answer.append(buffer, static_cast<std::size_t>(n));
            if (answer.size() > plain_answer_bytes_max) return Failure{std::string("the answer is too long")};
        }
    }

    static Result<std::string, std::string> body_of(const std::string& answer) {
        auto head_end = answer.find("\r\n\r\n");
        if (!answer.starts_with("HTTP/1.1 ") || head_end == std::string::npos) return Failure{std::string("the answer is cut off")};
        if (answer.compare(9, 4, "200 ") != 0) return Failure{"it answered " + answer.substr(9, answer.find('\r') - 9)};
        return answer.substr(head_end + 4);
    }

    Result<void, std::string> wait_for(short event) {
        pollfd ready{socket_.get(), event, 0};
        auto left = end_ - clock_.now();
        if (left <= Duration::zero() || ::poll(&ready, 1, static_cast<int>(left.count())) == 0)
            return Failure{std::string("no answer in time")};
        return {};
    }

    SystemClock clock_;
    Instant end_;
    Descriptor socket_;
};

}  // namespace

Result<std::string, std::string> plain_get(const Listen& from, std::string_view path, Duration at_most) {
    auto request = "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + address_text(from) + "\r\nConnection: close\r\n\r\n";
    return PlainGet(at_most).ask(from, request);
}

}  // namespace forebay::cli
