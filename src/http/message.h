#pragma once
// A request as handlers see it and the response they give. Views in a Request are valid until its
// Responder has answered.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/unique_function.h"

namespace forebay::http {

struct Header {
    std::string_view name;   ///< as sent; compare with find(), which ignores case
    std::string_view value;  ///< without surrounding white space
};

struct Request {
    std::string_view method;  ///< "GET", "POST", …
    std::string_view target;  ///< as sent
    std::string_view path;    ///< target up to '?', still percent-encoded
    std::string_view query;   ///< after '?', still percent-encoded
    std::vector<Header> headers;
    std::string_view body;
    std::string client_address;       ///< of the socket, or of X-Forwarded-For where the socket is a trusted proxy
    bool secure = false;              ///< TLS, or X-Forwarded-Proto of a trusted proxy
    bool from_trusted_proxy = false;  ///< the socket's peer is one of trusted_proxies: its X-Forebay-Request is believed

    /// The first header of that name (case ignored), empty if there is none.
    std::string_view find(std::string_view name) const;
    /// The one of `names` that came more than once, empty if none did. What decides something may be said once:
    /// of two, the next program may believe the other.
    std::string_view repeated(std::span<const std::string_view> names) const;
};

struct Response {
    unsigned status = 200;
    std::vector<std::pair<std::string_view, std::string>> headers;  ///< names must be literals; Content-Length, Date, Connection are ours
    std::string_view content_type;                                  ///< a literal; empty = none
    std::string body;
    /// For an answer that must reach somebody: runs at most once, on the network loop, when the client was gone before the
    /// answer could be handed to the kernel as a whole. Must not block. What a client that dies later got, nobody knows.
    /// A client that has ended its side of the connection counts as gone.
    UniqueFunction<void()> on_undelivered{};
};

/// The right to answer one request exactly once, from any thread. Destroyed without an answer it sends 500.
class Responder {
  public:
    class Sink {
      public:
        virtual ~Sink() = default;
        virtual void respond(std::uint64_t token, Response response) = 0;
        /// Whether the client's connection is still there. Any thread; may be late.
        virtual bool is_connected(std::uint64_t token) = 0;
        /// May keep it all the same.
        virtual void forget_request(std::uint64_t) {}
    };
    Responder() = default;
    Responder(Sink& sink, std::uint64_t token) : sink_(&sink), token_(token) {}
    Responder(Responder&& other) noexcept : sink_(std::exchange(other.sink_, nullptr)), token_(other.token_) {}
    Responder& operator=(Responder&& other) noexcept;
    ~Responder();
    void operator()(Response response) { std::exchange(sink_, nullptr)->respond(token_, std::move(response)); }
    bool is_connected() const { return sink_ != nullptr && sink_->is_connected(token_); }
    /// The request is needed no longer: what it takes up is freed while the answer is waited for, and views of it end. Only
    /// before the handler returns.
    void forget_request() { sink_->forget_request(token_); }
    /// For asking later whether the client is there, after the Responder itself has moved on.
    UniqueFunction<bool()> connection_probe() const {
        return [sink = sink_, token = token_] { return sink->is_connected(token); };
    }

  private:
    Sink* sink_ = nullptr;
    std::uint64_t token_ = 0;
};

/// What serves a listener. Called on a network loop; must not block.
using Handler = UniqueFunction<void(const Request&, Responder)>;

/// `a=1&b=x%20y` as pairs, percent-decoded, '+' as space. At most `pairs_max` pairs, else nothing.
/// Malformed percent signs are kept as they are.
bool parse_query(std::string_view text, std::size_t pairs_max, std::vector<std::pair<std::string, std::string>>& out);
std::string percent_decode(std::string_view text, bool plus_is_space);
std::string percent_encode(std::string_view text);
/// The reason phrase of a status code.
std::string_view reason_of(unsigned status);

}  // namespace forebay::http
