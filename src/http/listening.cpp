#include "http/listening.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/spawn.h"
#include "http/addresses.h"

namespace forebay::http {
namespace {

constexpr int backlog = 4096;  // the kernel takes less where somaxconn says so
constexpr int keepalive_idle_s = 30, keepalive_interval_s = 10, keepalive_probes = 3;
constexpr unsigned unacknowledged_ms_max = 30000;

void set(int socket, int level, int name, int value) { setsockopt(socket, level, name, &value, sizeof value); }

/// Linux hands these on to accepted connections. A peer that has vanished is noticed within a minute.
void set_options(int socket) {
    set(socket, SOL_SOCKET, SO_REUSEADDR, 1);
    set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(socket, IPPROTO_TCP, TCP_KEEPIDLE, keepalive_idle_s);
    set(socket, IPPROTO_TCP, TCP_KEEPINTVL, keepalive_interval_s);
    set(socket, IPPROTO_TCP, TCP_KEEPCNT, keepalive_probes);
    set(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(unacknowledged_ms_max));
}

bool bind_to(int socket, const std::string& address, std::uint16_t port, bool ipv6) {
    if (ipv6) {
        sockaddr_in6 place{};
        place.sin6_family = AF_INET6;
        place.sin6_port = htons(port);
        inet_pton(AF_INET6, address.c_str(), &place.sin6_addr);
        return bind(socket, reinterpret_cast<sockaddr*>(&place), sizeof place) == 0;
    }
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(port);
    inet_pton(AF_INET, address.c_str(), &place.sin_addr);
    return bind(socket, reinterpret_cast<sockaddr*>(&place), sizeof place) == 0;
}

int socket_option(int socket, int name) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(socket, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

/// Empty when it is a TCP socket that listens.
std::string what_else_it_is(int descriptor) {
    struct stat file{};
    if (fstat(descriptor, &file) != 0) return "not open";
    if (!S_ISSOCK(file.st_mode)) return "no socket";
    const int family = socket_option(descriptor, SO_DOMAIN);
    if (family == AF_UNIX) return "a Unix socket";
    if (family != AF_INET && family != AF_INET6) return "a socket of another address family";
    if (socket_option(descriptor, SO_TYPE) != SOCK_STREAM) return "a datagram socket";
    return socket_option(descriptor, SO_ACCEPTCONN) == 1 ? "" : "a TCP socket that does not listen";
}

}  // namespace

std::uint16_t port_of(int socket) {
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &length);
    const bool ipv6 = bound.ss_family == AF_INET6;
    return ntohs(ipv6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port : reinterpret_cast<sockaddr_in&>(bound).sin_port);
}

bool is_ipv6(int socket) { return socket_option(socket, SO_DOMAIN) == AF_INET6; }

Result<int, std::string> listen_on(const std::string& address, std::uint16_t port, bool share_port) {
    if (!parse_address(address)) return Failure{fmt::format("{}: not an IP address", address)};
    const bool ipv6 = address.find(':') != address.npos;
    Descriptor listener(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (listener) set_options(listener.get());
    if (listener && share_port) set(listener.get(), SOL_SOCKET, SO_REUSEPORT, 1);
    const bool listens = listener && bind_to(listener.get(), address, port, ipv6) && listen(listener.get(), backlog) == 0;
    if (!listens) return Failure{fmt::format("cannot listen on {}:{}: {}", address, port, std::strerror(errno))};
    return listener.release();
}

Result<void, std::string> take_up_listener(int descriptor) {
    if (const auto other = what_else_it_is(descriptor); !other.empty())
        return Failure{fmt::format("descriptor {} is {}; give one of a TCP socket that listens", descriptor, other)};
    set_options(descriptor);
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    return {};
}

Result<int, std::string> copy_listener(int descriptor) {
    const int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return Failure{fmt::format("cannot copy descriptor {}: {}", descriptor, std::strerror(errno))};
    return copy;
}

}  // namespace forebay::http
