#include "http/server.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log_line.h"
#include "base/spawn.h"
#include "http/connection.h"
#include "http/listening.h"
#include "http/loop.h"

namespace forebay::http {
namespace {

constexpr std::size_t connections_ever_max = 20000;

/// Files of the journal, databases and logs need descriptors too: half of a small limit, 256 of a large one.
std::size_t connections_that_fit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return connections_ever_max;
    const std::size_t all = limit.rlim_cur;
    return std::clamp<std::size_t>(all - std::min<std::size_t>(all / 2, 256), 1, connections_ever_max);
}

}  // namespace

struct Server::Inside {
    Shared shared;
    std::uint16_t port = 0;
    std::vector<std::unique_ptr<Loop>> loops;  ///< goes before shared
    std::atomic<std::size_t> adopted{0};       ///< whose turn it is to adopt one
};

Result<std::unique_ptr<Server>, std::string> Server::open(ServerOptions options, Handler handler) {
    const Descriptor given(options.listener);
    if (given) TRY(take_up_listener(given.get()));
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
        TRY_ASSIGN(const int listener,
                   given ? copy_listener(given.get()) : listen_on(shared.options.address, inside->port, shared.options.loops > 1));
        inside->port = port_of(listener);
        inside->loops.emplace_back(std::make_unique<Loop>(shared))->accept_from(listener, is_ipv6(listener));
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
    inside_->shared.loops_to_leave.fetch_add(inside_->loops.size());
    for (auto& loop : inside_->loops) loop->drain();
}

void Server::hand_over(UniqueFunction<void(HandedConnection)> give) {
    CHECK(!inside_->shared.give, "a server hands over once");
    inside_->shared.give = std::move(give);
    inside_->shared.loops_to_leave.fetch_add(inside_->loops.size());
    for (auto& loop : inside_->loops) loop->hand_over();
}

void Server::adopt(HandedConnection handed) {
    auto& loops = inside_->loops;
    loops[inside_->adopted.fetch_add(1, std::memory_order_relaxed) % loops.size()]->adopt(std::move(handed));
}

bool Server::has_left() const { return inside_->shared.loops_to_leave.load() == 0; }

bool Server::wait_until_drained(Duration at_most) {
    std::unique_lock guard(inside_->shared.lock);
    return inside_->shared.all_closed.wait_for(guard, at_most, [this] { return inside_->shared.is_empty(); });
}

void Server::stop() {
    for (auto& loop : inside_->loops) loop->stop();
}

}  // namespace forebay::http
