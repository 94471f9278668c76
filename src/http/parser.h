#pragma once
// From bytes to a Request, without a socket: where a head ends, what it says, and the chunked coding.
// Strict on purpose: what RFC 9112 lets a recipient repair is refused here, because the proxy in front
// may repair it differently.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace forebay::http {

/// Why the bytes are no request we take: the status to answer, a word and a sentence (literals).
struct Malformed {
    unsigned status = 400;
    std::string_view code;
    std::string_view why;
};

struct HeadLimits {
    std::size_t head_bytes_max;
    std::size_t fields_max;
    std::size_t target_bytes_max;
};

/// Looks for the empty line that ends a head in bytes that come in pieces. Every line must end in CRLF, and
/// none may be folded. One empty line before the request line is let pass (RFC 9112 §2.2).
class HeadScanner {
  public:
    /// How many of `bytes` belong to the head: all of them until is_complete().
    Result<std::size_t, Malformed> take(std::string_view bytes, const HeadLimits& limits);
    bool is_complete() const { return complete_; }
    /// Whether a byte of a request has been seen.
    bool has_begun() const { return lines_ > 0 || line_bytes_ > 0; }

  private:
    Result<void, Malformed> check_size(const HeadLimits& limits) const;
    std::size_t bytes_ = 0;
    std::size_t lines_ = 0;
    std::size_t line_bytes_ = 0;  ///< of the line that has no end yet
    char last_ = 0;
    bool skipped_empty_line_ = false;
    bool complete_ = false;
};

/// What a head says about what follows it.
struct Framing {
    bool chunked = false;
    std::uint64_t length = 0;  ///< of the body, where it is not chunked
    bool keep_alive = true;
    bool expects_continue = false;  ///< the client waits for 100 Continue before it sends the body
    bool is_http10 = false;
    bool has_body() const { return chunked || length > 0; }
};

/// Reads a whole head into `request`, whose views will point into `head`.
Result<Framing, Malformed> parse_head(std::string_view head, const HeadLimits& limits, Request& request);

/// Decodes a chunked body that comes in pieces. Extensions and trailers are checked and dropped.
class ChunkDecoder {
  public:
    ChunkDecoder(std::uint64_t body_bytes_max, std::size_t extension_bytes_max)
        : body_bytes_left_(body_bytes_max), extension_bytes_max_(extension_bytes_max) {}
    /// Appends what `bytes` decode to; returns how many of them were used: all until is_complete().
    Result<std::size_t, Malformed> take(std::string_view bytes, std::string& body);
    bool is_complete() const { return state_ == State::complete; }
    /// Bytes that bring another decoder to where this one is, until is_complete(): `body`, which is what it has decoded, as one
    /// chunk, and what has come of the next. Trailers that came whole are left out.
    std::string encode_again(std::string_view body) const;

  private:
    enum class State : std::uint8_t { size, extension, size_lf, data, data_cr, data_lf, trailer, trailer_lf, complete };
    Result<void, Malformed> step(char c);
    Result<void, Malformed> size_digit(char c);
    Result<void, Malformed> extension_character(char c);
    Result<void, Malformed> size_ended();
    Result<void, Malformed> trailer_character(char c);
    Result<void, Malformed> trailer_ended();

    std::uint64_t body_bytes_left_;
    std::size_t extension_bytes_max_;
    State state_ = State::size;
    unsigned digits_ = 0;
    std::uint64_t chunk_bytes_left_ = 0;
    std::size_t extension_bytes_ = 0;
    std::size_t trailer_bytes_ = 0;
    std::string trailer_line_;
};

}  // namespace forebay::http
