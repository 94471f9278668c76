#include "http/server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/log_line.h"
#include "http/connection.h"
#include "http/loop.h"

namespace forebay::http {
namespace {

constexpr int backlog = 4096;  // the kernel takes less where somaxconn says so
constexpr std::size_t connections_ever_max = 20000;
constexpr int keepalive_idle_s = 30, keepalive_interval_s = 10, keepalive_probes = 3;
constexpr unsigned unacknowledged_ms_max = 30000;

/// Files of the journal, databases and logs need descriptors too: half of a small limit, 256 of a large one.
std::size_t connections_that_fit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return connections_ever_max;
    const std::size_t all = limit.rlim_cur;
    return std::clamp<std::size_t>(all - std::min<std::size_t>(all / 2, 256), 1, connections_ever_max);
}

struct Listener {
    int descriptor = -1;
    std::uint16_t port = 0;
    bool ipv6 = false;
};

void set(int socket, int level, int name, int value) { setsockopt(socket, level, name, &value, sizeof value); }

/// Linux hands these on to accepted connections. A peer that has vanished is noticed within a minute.
void set_options(int socket, bool share_port) {
    set(socket, SOL_SOCKET, SO_REUSEADDR, 1);
    if (share_port) set(socket, SOL_SOCKET, SO_REUSEPORT, 1);
    set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(socket, IPPROTO_TCP, TCP_KEEPIDLE, keepalive_idle_s);
    set(socket, IPPROTO_TCP, TCP_KEEPINTVL, keepalive_interval_s);
    set(socket, IPPROTO_TCP, TCP_KEEPCNT, keepalive_probes);
    set(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(unacknowledged_ms_max));
}

std::uint16_t port_of(int socket) {
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &length);
    const bool ipv6 = bound.ss_family == AF_INET6;
    return ntohs(ipv6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port : reinterpret_cast<sockaddr_in&>(bound).sin_port);
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

Result<Listener, std::string> listen_on(const std::string& address, std::uint16_t port, bool share_port) {
    if (!parse_address(address)) return Failure{fmt::format("{}: not an IP address", address)};
    const bool ipv6 = address.find(':') != address.npos;
    Listener listener{::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 0, ipv6};
    if (listener.descriptor >= 0) set_options(listener.descriptor, share_port);
    const bool listens =
        listener.descriptor >= 0 && bind_to(listener.descriptor, address, port, ipv6) && listen(listener.descriptor, backlog) == 0;
    if (!listens) {
        const int error = errno;
        if (listener.descriptor >= 0) close(listener.descriptor);
        return Failure{fmt::format("cannot listen on {}:{}: {}", address, port, std::strerror(error))};
    }
    listener.port = port_of(listener.descriptor);
    return listener;
}

}  // namespace

struct Server::Inside {
    Shared shared;
    std::uint16_t port = 0;
    std::vector<std::unique_ptr<Loop>> loops;  ///< goes before shared
};

Result<std::unique_ptr<Server>, std::string> Server::open(ServerOptions options, Handler handler) {
    auto inside = std::make_unique<Inside>();
    Shared& shared = inside->shared;
    TRY_ASSIGN(shared.trusted_proxies, TrustedProxies::parse(options.trusted_proxies));
    options.loops = std::max(options.loops, 1u);
    if (options.connections_max == 0) options.connections_max = connections_that_fit();
    if (options.registry == nullptr) {
        shared.own_registry = std::make_unique<metrics::Registry>();
        options.registry = shared.own_registry.get();
    }
    shared.counters = std::make_unique<Counters>(*options.registry, options.name);
    shared.handler = std::move(handler);
    shared.options = std::move(options);
    inside->port = shared.options.port;
    for (unsigned i = 0; i < shared.options.loops; ++i) {
        TRY_ASSIGN(const auto listener, listen_on(shared.options.address, inside->port, shared.options.loops > 1));
        inside->port = listener.port;
        inside->loops.emplace_back(std::make_unique<Loop>(shared))->accept_from(listener.descriptor, listener.ipv6);
    }
    for (auto& loop : inside->loops) loop->start();
    return std::unique_ptr<Server>(new Server(std::move(inside)));
}

Server::Server(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}

/// Somebody who answers late still finds the tables to put the answer into: they stay until the process ends.
void Server::leave_behind() {
    static auto& left_behind = *new std::vector<std::unique_ptr<Inside>>;
    left_behind.push_back(std::move(inside_));
}

Server::~Server() {
    stop();
    std::size_t unanswered = 0;
    for (auto& loop : inside_->loops) unanswered += loop->unanswered();
    if (unanswered == 0) return;
    log_warn("http.unanswered").with("listener", inside_->shared.options.name).with("requests", unanswered);
    leave_behind();
}

std::uint16_t Server::port() const { return inside_->port; }
std::size_t Server::connections() const { return inside_->shared.connections.load(std::memory_order_relaxed); }

void Server::drain() {
    inside_->shared.draining.store(true, std::memory_order_relaxed);
    for (auto& loop : inside_->loops) loop->drain();
}

bool Server::wait_until_drained(Duration at_most) {
    std::unique_lock guard(inside_->shared.lock);
    return inside_->shared.all_closed.wait_for(guard, at_most, [this] { return connections() == 0; });
}

void Server::stop() {
    for (auto& loop : inside_->loops) loop->stop();
}

}  // namespace forebay::http
