#include "http/loop.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <ctime>
#include <utility>

#include "base/check.h"
#include "base/log_line.h"
#include "http/connection.h"
#include "http/problem.h"

namespace forebay::http {
namespace {

constexpr std::size_t scratch_bytes = 64_KiB;
constexpr int accepts_in_a_row_max = 64;
constexpr Duration accept_pause = 100ms;
/// How long a connection may be idle when few are left.
constexpr Duration idle_when_crowded = 1s;

thread_local Loop* loop_of_this_thread = nullptr;

/// A fraction of the shortest deadline, so that none is noticed late by more than that.
Duration tick_of(const ServerOptions& o) {
    const auto shortest = std::min({o.head_deadline, o.body_grace, o.body_deadline, o.write_deadline, o.idle_deadline, o.linger_deadline});
    return std::clamp<Duration>(shortest / 8, 5ms, 1000ms);
}

std::size_t share_of(std::size_t whole, unsigned loops) { return (whole + loops - 1) / loops; }

int open_spare() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

}  // namespace

std::int64_t coarse_now_ms() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

Counters::Counters(metrics::Registry& registry, const std::string& listener)
    : open_connections(registry.gauge("forebay_http_connections", {{"listener", listener}})),
      connections(registry.counter("forebay_http_connections_total", {{"listener", listener}})),
      requests(registry.counter("forebay_http_requests_total", {{"listener", listener}})),
      accepts_paused(registry.counter("forebay_http_accepts_paused_total", {{"listener", listener}})),
      turned_away(registry.counter("forebay_http_turned_away_total", {{"listener", listener}})),
      bytes_received(registry.counter("forebay_http_received_bytes_total", {{"listener", listener}})),
      bytes_sent(registry.counter("forebay_http_sent_bytes_total", {{"listener", listener}})),
      undelivered(registry.counter("forebay_http_undelivered_total", {{"listener", listener}})),
      handed_over(registry.counter("forebay_http_handed_over_total", {{"listener", listener}})),
      adopted(registry.counter("forebay_http_adopted_total", {{"listener", listener}})),
      registry_(registry),
      listener_(listener) {
    registry.describe("forebay_http_accepts_paused_total", "How often no descriptor was left for a new connection.");
    registry.describe("forebay_http_adopted_total", "Open connections taken over from another server.");
    registry.describe("forebay_http_handed_over_total", "Open connections given to another server.");
    registry.describe("forebay_http_refused_total", "Requests refused before a handler saw them.");
    registry.describe("forebay_http_undelivered_total", "Answers with messages whose client had gone; they were given back.");
    registry.describe("forebay_http_turned_away_total", "Connections closed at once: too many of one address, or no descriptor.");
}

void Counters::refused(unsigned status) {
    registry_.counter("forebay_http_refused_total", {{"listener", listener_}, {"code", std::to_string(status)}}).add();
}

void Shared::tell_if_empty() {
    if (!is_empty()) return;
    std::lock_guard guard(lock);
    all_closed.notify_all();
}

Loop::Loop(Shared& shared)
    : shared_(shared),
      bytes_in_flight_max_(share_of(shared.options.bytes_in_flight_max, shared.options.loops)),
      connections_max_(share_of(shared.options.connections_max, shared.options.loops)),
      connections_per_address_max_(share_of(shared.options.connections_per_address_max, shared.options.loops)),
      tick_every_(tick_of(shared.options)),
      io_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      watch_(io_, [](Connection& connection, Readiness readiness) { connection.on_ready(readiness); }),
      spare_descriptor_(open_spare()),
      scratch_(scratch_bytes) {}

Loop::~Loop() {
    stop();
    if (spare_descriptor_ >= 0) close(spare_descriptor_);
}

void Loop::accept_from(int listener, bool ipv6) {
    using boost::asio::ip::tcp;
    acceptor_.assign(ipv6 ? tcp::v6() : tcp::v4(), listener);
}

void Loop::start() {
    thread_ = std::thread([this] {
        loop_of_this_thread = this;
        watch_.start();
        accept_when_ready();
        tick_later();
        io_.run();
    });
}

void Loop::drain() {
    boost::asio::post(io_, [this] {
        stop_accepting();
        for (auto i = connections_.size(); i-- > 0;) connections_[i]->drain();
        has_left();
    });
}

void Loop::hand_over() {
    boost::asio::post(io_, [this] {
        stop_accepting();
        handing_over_ = true;
        for (auto i = connections_.size(); i-- > 0;) connections_[i]->hand_over();
        has_left();
    });
}

/// Whoever else holds the listening socket is not disturbed.
void Loop::stop_accepting() {
    boost::system::error_code ignored;
    (void)acceptor_.close(ignored);
    accept_again_.cancel();
}

void Loop::has_left() {
    shared_.loops_to_leave.fetch_sub(1);
    shared_.tell_if_empty();
}

void Loop::adopt(HandedConnection handed) {
    boost::asio::post(io_, [this, socket = Descriptor(handed.descriptor), bytes = std::move(handed.bytes)]() mutable {
        go_on_with(std::move(socket), bytes);
    });
}

void Loop::stop() {
    if (!thread_.joinable()) return;
    boost::asio::post(io_, [this] {
        boost::system::error_code ignored;
        (void)acceptor_.close(ignored);
        close_all();
        io_.stop();
    });
    thread_.join();
}

std::size_t Loop::unanswered() {
    deliver();
    return exchanges_.in_use();
}

void Loop::close_all() {
    for (auto i = connections_.size(); i-- > 0;) connections_[i]->abort();
}

// ---- answers

/// An answer given while its connection is busy on this very thread is picked up at the end of its turn.
void Loop::respond(std::uint64_t token, Response response) {
    Exchange& exchange = exchanges_.find(token);
    CHECK(ExchangeTable::token_of(exchange) == token, "a request is answered once");
    exchange.response = std::move(response);
    if (loop_of_this_thread == this && busy_ != nullptr && exchange.connection == busy_) {
        exchange.answered = true;
        return;
    }
    Exchange* head = mailbox_.load(std::memory_order_relaxed);
    do exchange.next = head;
    while (!mailbox_.compare_exchange_weak(head, &exchange, std::memory_order_release, std::memory_order_relaxed));
    if (head == nullptr) boost::asio::post(io_, [this] { deliver(); });
}

bool Loop::is_connected(std::uint64_t token) { return exchanges_.is_connected(token); }

void Loop::forget_request(std::uint64_t token) {
    Exchange& exchange = exchanges_.find(token);
    release_bytes(std::exchange(exchange.bytes_held, 0));
    exchange.forget_request();
}

void Loop::deliver() {
    Exchange* newest = mailbox_.exchange(nullptr, std::memory_order_acquire);
    Exchange* oldest = nullptr;
    while (newest != nullptr) {
        Exchange* next = std::exchange(newest->next, oldest);
        oldest = std::exchange(newest, next);
    }
    while (oldest != nullptr) {
        Exchange& exchange = *oldest;
        oldest = exchange.next;
        exchange.answered = true;
        if (exchange.connection == nullptr) {
            release(exchange);
        } else if (!std::exchange(exchange.connection->to_advance, true)) {
            to_advance_.push_back(exchange.connection);
        }
    }
    advance_waiting();
}

void Loop::advance_waiting() {
    advancing_.swap(to_advance_);
    for (Connection* connection : advancing_) {
        connection->to_advance = false;
        connection->advance();
    }
    advancing_.clear();
}

void Loop::advance_later(Connection& connection) {
    if (std::exchange(connection.to_advance, true)) return;
    to_advance_.push_back(&connection);
    boost::asio::post(io_, [this] { advance_waiting(); });
}

std::optional<Response> Loop::admit(const Request& head) {
    if (!shared_.options.admit) return std::nullopt;
    return shared_.options.admit(head);
}

void Loop::handle(Connection& connection, Exchange& exchange) {
    busy_ = &connection;
    shared_.handler(exchange.request, Responder(*this, ExchangeTable::token_of(exchange)));
    busy_ = nullptr;
}

void Loop::undelivered(UniqueFunction<void()>& on_undelivered) {
    counters().undelivered.add();
    std::exchange(on_undelivered, {})();
}

void Loop::release(Exchange& exchange) {
    if (exchange.response.on_undelivered) undelivered(exchange.response.on_undelivered);
    release_bytes(std::exchange(exchange.bytes_held, 0));
    if (!exchange.counted_address.empty()) drop_address(std::exchange(exchange.counted_address, {}));
    exchanges_.release(exchange);
}

// ---- connections

bool Loop::count_address(const std::string& address) {
    if (connections_per_address_max_ == 0) return true;
    auto& count = per_address_[address];
    if (count >= connections_per_address_max_) return false;
    ++count;
    return true;
}

void Loop::count_adopted(const std::string& address) {
    if (connections_per_address_max_ > 0) ++per_address_[address];
}

void Loop::drop_address(const std::string& address) {
    const auto found = per_address_.find(address);
    if (found != per_address_.end() && --found->second == 0) per_address_.erase(found);
}

void Loop::accept_when_ready() {
    if (accepting_ || accept_paused_ || !acceptor_.is_open() || is_full()) return;
    accepting_ = true;
    acceptor_.async_wait(boost::asio::socket_base::wait_read, [this](const auto& error) {
        accepting_ = false;
        if (error) return;
        accept_some();
        accept_when_ready();
    });
}

void Loop::accept_some() {
    for (int i = 0; i < accepts_in_a_row_max && !is_full(); ++i) {
        sockaddr_storage peer{};
        socklen_t length = sizeof peer;
        const int descriptor =
            accept4(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0)
            welcome(descriptor, reinterpret_cast<const sockaddr&>(peer));
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            return;
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            return accept_failed(errno);
        // Anything else is the fate of one connection (ECONNABORTED and the network errors of accept(2)).
    }
}

/// The spare descriptor is given up to take one waiting client and close it, so that it learns at once.
void Loop::accept_failed(int error) {
    log_warn("http.accept_paused").with("listener", shared_.options.name).with("reason", std::generic_category().message(error));
    counters().accepts_paused.add();
    if (spare_descriptor_ >= 0) {
        close(spare_descriptor_);
        const int descriptor = accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) turn_away(descriptor);
    }
    spare_descriptor_ = open_spare();
    pause_accepting();
}

void Loop::pause_accepting() {
    accept_paused_ = true;
    accept_again_.expires_after(accept_pause);
    accept_again_.async_wait([this](const auto& cancelled) {
        accept_paused_ = false;
        if (!cancelled) accept_when_ready();
    });
}

void Loop::turn_away(int descriptor) {
    std::string bytes;
    writer_.append(bytes, problem(429, "too_many_connections", "There are too many connections from this address."), {.close = true});
    [[maybe_unused]] const auto sent = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    close(descriptor);
    counters().turned_away.add();
}

void Loop::welcome(int descriptor, const sockaddr& peer) {
    const Address address = address_of(peer);
    const bool trusted = trusted_proxies().trusts(address);
    auto text = to_text(address);
    if (!trusted && !count_address(text)) return turn_away(descriptor);
    counters().connections.add();
    if (auto* connection = keep(descriptor, std::move(text), trusted)) connection->start();
}

/// Null when the kernel does not watch its socket; then it is closed.
Connection* Loop::keep(int descriptor, std::string peer, bool trusted) {
    auto connection = std::make_unique<Connection>(*this, descriptor, std::move(peer), trusted, !trusted);
    if (!watch_.add(descriptor, *connection)) return nullptr;
    connection->place = connections_.size();
    shared_.connections.fetch_add(1, std::memory_order_relaxed);
    counters().open_connections.add(1);
    return connections_.emplace_back(std::move(connection)).get();
}

void Loop::go_on_with(Descriptor socket, std::string_view bytes) {
    if (handing_over_) return give({socket.release(), std::string(bytes)});
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    if (getpeername(socket.get(), reinterpret_cast<sockaddr*>(&peer), &length) != 0) return;  // the client has gone meanwhile
    fcntl(socket.get(), F_SETFL, fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
    fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
    const Address address = address_of(reinterpret_cast<const sockaddr&>(peer));
    const bool trusted = trusted_proxies().trusts(address);
    auto text = to_text(address);
    if (!trusted) count_adopted(text);
    auto* connection = keep(socket.release(), std::move(text), trusted);
    if (connection == nullptr) return;
    counters().adopted.add();
    connection->resume(bytes);
    if (is_draining()) connection->drain();
}

void Loop::give(HandedConnection handed) {
    counters().handed_over.add();
    std::lock_guard one_at_a_time(shared_.give_lock);
    shared_.give(std::move(handed));
}

void Loop::give_away(Connection& connection, HandedConnection handed) {
    watch_.remove(handed.descriptor);
    give(std::move(handed));
    retire(connection);
}

/// Its own functions may still be running and events of this turn may name it, so it is destroyed in a turn of its own.
void Loop::retire(Connection& connection) {
    if (std::exchange(connection.to_advance, false)) std::erase(to_advance_, &connection);
    const auto place = connection.place;
    if (retired_.empty()) boost::asio::post(io_, [this] { std::exchange(retired_, {}).clear(); });
    retired_.push_back(std::move(connections_[place]));
    if (place + 1 < connections_.size()) {
        connections_[place] = std::move(connections_.back());
        connections_[place]->place = place;
    }
    connections_.pop_back();
    counters().open_connections.add(-1);
    shared_.connections.fetch_sub(1);
    shared_.tell_if_empty();
    accept_when_ready();
}

void Loop::tick_later() {
    ticker_.expires_after(tick_every_);
    ticker_.async_wait([this](const auto& cancelled) {
        if (cancelled) return;
        tick();
        tick_later();
    });
}

void Loop::tick() {
    const auto now = coarse_now_ms();
    const bool crowded = connections_.size() > connections_max_ - connections_max_ / 8;
    const auto idle = crowded ? std::min(options().idle_deadline, idle_when_crowded) : options().idle_deadline;
    for (auto i = connections_.size(); i-- > 0;) connections_[i]->check_deadlines(now, idle);
}

}  // namespace forebay::http
