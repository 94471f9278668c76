#pragma once
// One thread with its listener, its connections and its share of every bound of the server. Nothing is
// shared between loops. Answers reach it from any thread through a mailbox without a lock: exchanges
// themselves are the links of its list, and only the first of a burst wakes the thread.
// For http/*.cpp only: it includes Asio.

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/spawn.h"
#include "http/addresses.h"
#include "http/answer.h"
#include "http/exchange.h"
#include "http/server.h"
#include "http/socket_watch.h"

namespace forebay::http {

class Connection;

/// Milliseconds of the monotonic clock, to a few of them; cheap enough to be asked for every request.
std::int64_t coarse_now_ms();

/// What a server counts, shared by its loops.
struct Counters {
    Counters(metrics::Registry& registry, const std::string& listener);
    void refused(unsigned status);
    metrics::Gauge& open_connections;
    metrics::Counter& connections;
    metrics::Counter& requests;
    metrics::Counter& accepts_paused;
    metrics::Counter& turned_away;
    metrics::Counter& bytes_received;
    metrics::Counter& bytes_sent;
    metrics::Counter& undelivered;
    metrics::Counter& handed_over;
    metrics::Counter& adopted;

  private:
    metrics::Registry& registry_;
    std::string listener_;
};

/// What the loops of one server have in common; not changed while they run.
struct Shared {
    ServerOptions options;
    Handler handler;
    TrustedProxies trusted_proxies;
    std::unique_ptr<metrics::Registry> own_registry;  ///< where counts go when nobody wants them
    std::unique_ptr<Counters> counters;
    std::atomic<bool> draining{false};
    std::atomic<std::size_t> connections{0};
    std::atomic<std::size_t> loops_to_leave{0};  ///< told to stop accepting, and have not done so
    std::mutex lock;                             ///< pairs with all_closed; guards nothing else
    std::condition_variable all_closed;
    std::mutex give_lock;  ///< guards calls of give
    UniqueFunction<void(HandedConnection)> give;

    bool is_empty() const { return connections.load() == 0 && loops_to_leave.load() == 0; }
    /// One of those that is_empty() looks at has gone down.
    void tell_if_empty();
};

class Loop final : public Responder::Sink {
  public:
    explicit Loop(Shared& shared);
    ~Loop() override;

    /// Takes over a listening socket.
    void accept_from(int listener, bool ipv6);
    void start();
    void drain();                         ///< any thread
    void hand_over();                     ///< any thread
    void adopt(HandedConnection handed);  ///< any thread
    void stop();                          ///< any thread but its own; returns when the thread has ended
    /// After stop(): how many requests somebody may still answer.
    std::size_t unanswered();

    // Responder::Sink, any thread.
    void respond(std::uint64_t token, Response response) override;
    bool is_connected(std::uint64_t token) override;
    void forget_request(std::uint64_t token) override;

    // For its connections, on its thread.
    const ServerOptions& options() const { return shared_.options; }
    const TrustedProxies& trusted_proxies() const { return shared_.trusted_proxies; }
    Counters& counters() { return *shared_.counters; }
    ExchangeTable& exchanges() { return exchanges_; }
    AnswerWriter& writer() { return writer_; }
    bool is_draining() const { return shared_.draining.load(std::memory_order_relaxed); }
    bool is_handing_over() const { return handing_over_; }
    std::optional<Response> admit(const Request& head);
    void handle(Connection& connection, Exchange& exchange);
    void hold_bytes(std::uint64_t n) { bytes_in_flight_ += n; }
    void release_bytes(std::uint64_t n) { bytes_in_flight_ -= n; }
    bool has_room_for(std::uint64_t n) const { return bytes_in_flight_ + n <= bytes_in_flight_max_; }
    /// False when the address already has its number; else it counts until dropped.
    bool count_address(const std::string& address);
    /// Counts it whatever its number.
    void count_adopted(const std::string& address);
    void drop_address(const std::string& address);
    /// Tells whoever gave the answer that nobody got it.
    void undelivered(UniqueFunction<void()>& on_undelivered);
    /// Gives back an exchange that is answered or was never handed out.
    void release(Exchange& exchange);
    /// Lets the others have their turn first.
    void advance_later(Connection& connection);
    /// Before its socket is closed.
    void unwatch(int descriptor) { watch_.remove(descriptor); }
    /// The connection is left to another server.
    void give_away(Connection& connection, HandedConnection handed);
    /// The connection has closed.
    void retire(Connection& connection);
    /// Room for one read; its bytes are taken before anything else can read.
    std::vector<char>& scratch() { return scratch_; }

  private:
    void accept_when_ready();
    void accept_some();
    void accept_failed(int error);
    void pause_accepting();
    void welcome(int descriptor, const sockaddr& peer);
    void stop_accepting();
    void has_left();
    void go_on_with(Descriptor socket, std::string_view bytes);
    Connection* keep(int descriptor, std::string peer, bool trusted);
    void give(HandedConnection handed);
    void turn_away(int descriptor);
    bool is_full() const { return connections_.size() >= connections_max_; }
    void deliver();
    void advance_waiting();
    void tick_later();
    void tick();
    void close_all();

    Shared& shared_;
    std::uint64_t bytes_in_flight_max_;
    std::size_t connections_max_;
    std::size_t connections_per_address_max_;
    Duration tick_every_;

    boost::asio::io_context io_;
    boost::asio::ip::tcp::acceptor acceptor_{io_};
    boost::asio::steady_timer accept_again_{io_};
    boost::asio::steady_timer ticker_{io_};
    SocketWatch watch_;
    bool accepting_ = false;
    bool accept_paused_ = false;
    bool handing_over_ = false;
    int spare_descriptor_;  ///< closed to have one for turning a client away when there is none left

    ExchangeTable exchanges_;
    std::atomic<Exchange*> mailbox_{nullptr};
    Connection* busy_ = nullptr;  ///< whose request is being handed to the handler right now
    std::vector<Connection*> to_advance_;
    std::vector<Connection*> advancing_;  ///< empty but for its room, outside advance_waiting()

    AnswerWriter writer_;
    std::vector<char> scratch_;
    std::uint64_t bytes_in_flight_ = 0;
    std::unordered_map<std::string, std::size_t> per_address_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::vector<std::unique_ptr<Connection>> retired_;
    std::thread thread_;
};

}  // namespace forebay::http
