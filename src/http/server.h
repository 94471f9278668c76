#pragma once
// An HTTP/1.1 server: bytes of untrusted clients in, Requests to one handler, Responses out in order.
// Framing is strict (RFC 9112): whatever two parsers could read differently is answered 400 and the
// connection closed. Everything a client can make grow or last has a bound in ServerOptions.
// It knows nothing of paths or bodies; router.h and the handlers do.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "base/unique_function.h"
#include "http/message.h"
#include "metrics/metrics.h"

namespace forebay::http {

struct ServerOptions {
    std::string address = "127.0.0.1";  ///< IPv4 or IPv6 address to listen on
    std::uint16_t port = 0;             ///< 0 = one that is free
    /// A TCP socket that listens already, instead of address and port: inherited from a parent or systemd. The server's from
    /// then on, also when it cannot be opened. All loops take from its one queue of waiting connections.
    int listener = -1;
    unsigned loops = 1;  ///< threads, each with a listener of its own (SO_REUSEPORT)

    // Bounds of one request.
    std::size_t head_bytes_max = 32_KiB;          ///< request line and fields: above it 431
    std::size_t fields_max = 100;                 ///< above it 431
    std::size_t target_bytes_max = 8_KiB;         ///< above it 414
    std::uint64_t body_bytes_max = 1_MiB;         ///< above it 413, before reading where the length is declared
    std::size_t chunk_extension_bytes_max = 256;  ///< of one chunk

    // Bounds of one connection and of all. With several loops each has its share of those of all.
    std::size_t pipelined_max = 16;               ///< requests taken up before the first is answered
    std::size_t unsent_bytes_max = 64_KiB;        ///< no further request is taken up while more waits to be sent
    std::uint64_t bytes_in_flight_max = 64_MiB;   ///< requests and unsent answers held by all connections: above it 503
    std::size_t connections_max = 0;              ///< 0 = what RLIMIT_NOFILE leaves, at most 20,000
    std::size_t connections_per_address_max = 0;  ///< 0 = none. Trusted proxies are exempt; their clients are not

    // Deadlines.
    Duration head_deadline = 10s;         ///< from the first byte (or the connection) to the end of the head: 408
    Duration body_grace = 5s;             ///< then a body must have come with body_rate_min: 408
    std::uint64_t body_rate_min = 1_KiB;  ///< bytes a second
    Duration body_deadline = 60s;         ///< for a whole body: 408
    Duration write_deadline = 30s;        ///< for an answer the client is slow to read, plus a second for each KiB it took
    Duration idle_deadline = 75s;         ///< between requests of one connection
    Duration linger_deadline = 2s;        ///< after the last answer: how long surplus bytes are read and dropped

    /// Addresses or networks (10.0.0.0/8) whose X-Forwarded-For and X-Forwarded-Proto are believed.
    std::vector<std::string> trusted_proxies{};

    /// Asked when a head is whole and before its body is read or 100 Continue is said; an answer refuses the
    /// request and closes the connection if a body was announced. On the loop; must not block. May be empty.
    UniqueFunction<std::optional<Response>(const Request& head)> admit{};

    /// Counts connections, refusals and bytes under forebay_http_*. May be null; outlives the server.
    metrics::Registry* registry = nullptr;
    std::string name = "http";  ///< label `listener` of those metrics, and in log lines
};

/// An open connection on its way from one server to another, perhaps in another process.
struct HandedConnection {
    int descriptor = -1;  ///< whoever holds this closes it
    std::string bytes;    ///< what was read from it and not taken up: the beginning of what the client said, or equivalent to it
};

class Server {
  public:
    /// Listens and serves at once. The handler and `admit` run on the loops' threads: with more than one loop
    /// they are called from several threads at a time. The error says what could not be listened on, and why.
    static Result<std::unique_ptr<Server>, std::string> open(ServerOptions options, Handler handler);

    /// Stops. Requests should have been answered by then; what answers them later goes nowhere, and costs the
    /// memory of the server's tables until the process ends.
    ~Server();

    std::uint16_t port() const;
    std::size_t connections() const;

    /// Stops accepting, closes idle connections, and says Connection: close with every further answer. Any thread.
    void drain();
    /// Stops accepting, takes up no further request, and gives every connection away as soon as all requests taken up are
    /// answered and sent: nothing tells the client. A request that has not come whole goes along in `bytes`. What ends anyway
    /// (the client or an answer has said so) ends here. The listening socket is only closed, so another process that holds it
    /// accepts who comes meanwhile; without such a one they are refused.
    /// `give` gets the descriptor for its own and runs on the loops' threads, one call at a time; it may block for a moment.
    /// Any thread, once. wait_until_drained() tells when all are gone; stop() cuts those that are not.
    void hand_over(UniqueFunction<void(HandedConnection)> give);
    /// Goes on with a connection as if it had been accepted here and its bytes just been read. Deadlines begin anew. It was
    /// admitted before, so no cap on connections refuses it. Any thread.
    void adopt(HandedConnection handed);
    /// After drain() or hand_over(): every loop knows of it. Nobody is accepted any more, and after hand_over() no request taken up.
    bool has_left() const;
    /// After drain() or hand_over(): waits until nobody is accepted any more and the last connection has gone; false if
    /// `at_most` passed first.
    bool wait_until_drained(Duration at_most);
    /// Closes everything and ends the loops' threads. Answers given afterwards go nowhere. Idempotent; not from a handler.
    void stop();

  private:
    struct Inside;
    explicit Server(std::unique_ptr<Inside> inside);
    void leave_behind();
    std::unique_ptr<Inside> inside_;
};

}  // namespace forebay::http
