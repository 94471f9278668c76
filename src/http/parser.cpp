#include "http/parser.h"

#include <fmt/format.h>

#include <boost/beast/http/basic_parser.hpp>
#include <limits>
#include <optional>
#include <utility>

#include "http/text.h"

namespace forebay::http {
namespace {

namespace beast = boost::beast;
using ErrorCode = beast::error_code;

constexpr std::size_t trailer_bytes_max = 4096;
constexpr unsigned chunk_size_digits_max = 15;  // 60 bits: no sum of two overflows

Failure<Malformed> bad(std::string_view code, std::string_view why) { return Failure{Malformed{400, code, why}}; }

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

std::optional<std::uint64_t> decimal(std::string_view digits) {
    if (digits.empty() || digits.size() > 18) return std::nullopt;
    std::uint64_t value = 0;
    for (char c : digits) {
        if (!is_digit(c)) return std::nullopt;
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return value;
}

/// reg-name, IPv4 or [IPv6], with an optional port. Nothing that could be read as two hosts.
bool is_host(std::string_view host) {
    if (host.empty()) return false;
    for (char c : host)
        if (!is_letter_or_digit(c) && std::string_view("-._~:[]%!$&'()*+;=").find(c) == std::string_view::npos) return false;
    const auto colon = host.rfind(':');
    const bool in_brackets = host.find(']') != host.npos && colon < host.find(']');
    if (colon == host.npos || in_brackets) return true;
    const auto port = host.substr(colon + 1);
    return colon > 0 && port.size() <= 5 && std::all_of(port.begin(), port.end(), is_digit);
}

/// Beast's parser does the grammar; this collects what it finds and refuses what it would let pass.
class HeadReader final : public beast::http::basic_parser<true> {
  public:
    HeadReader(const HeadLimits& limits, Request& request) : limits_(limits), request_(request) {
        header_limit(std::numeric_limits<std::uint32_t>::max());
        body_limit(boost::none);
        request.headers.clear();
    }
    Result<Framing, Malformed> framing();
    std::optional<Malformed> refused;  ///< set when one of our own rules ended the parsing

  private:
    void refuse(unsigned status, std::string_view code, std::string_view why, ErrorCode& error) {
        refused = Malformed{status, code, why};
        error = beast::http::error::bad_value;
    }
    void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int version, ErrorCode& error) override;
    void on_field_impl(beast::http::field field, beast::string_view name, beast::string_view value, ErrorCode& error) override;
    void on_content_length(std::string_view value, ErrorCode& error);
    void on_transfer_encoding(std::string_view value, ErrorCode& error);
    void on_host(std::string_view value, ErrorCode& error);
    Result<void, Malformed> split_target();

    void on_response_impl(int, beast::string_view, int, ErrorCode&) override {}
    void on_header_impl(ErrorCode&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
    std::size_t on_body_impl(beast::string_view, ErrorCode&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, beast::string_view, ErrorCode&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, ErrorCode&) override { return 0; }
    void on_finish_impl(ErrorCode&) override {}

    const HeadLimits& limits_;
    Request& request_;
    Framing framing_;
    bool has_length_ = false;
    std::optional<std::string_view> host_;
    std::optional<std::string_view> expectation_;
};

void HeadReader::on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int version, ErrorCode& error) {
    request_.method = view(method);
    request_.target = view(target);
    framing_.is_http10 = version == 10;
    if (target.size() > limits_.target_bytes_max)
        return refuse(414, "target_too_long", "The address in the request line is too long.", error);
    auto printable = [](char c) { return c > 0x20 && c < 0x7f && c != '#'; };
    if (!std::all_of(target.begin(), target.end(), printable))
        return refuse(400, "bad_target", "The address in the request line holds a character that must be percent-encoded.", error);
}

void HeadReader::on_field_impl(beast::http::field field, beast::string_view name, beast::string_view value, ErrorCode& error) {
    if (request_.headers.size() == limits_.fields_max)
        return refuse(431, "too_many_fields", "The request has too many header fields.", error);
    request_.headers.push_back({view(name), view(value)});
    switch (field) {
        case beast::http::field::content_length:
            return on_content_length(view(value), error);
        case beast::http::field::transfer_encoding:
            return on_transfer_encoding(view(value), error);
        case beast::http::field::host:
            return on_host(view(value), error);
        case beast::http::field::expect:
            expectation_ = view(value);
            return;
        default:
            return;
    }
}

void HeadReader::on_content_length(std::string_view value, ErrorCode& error) {
    const auto length = decimal(value);
    if (!length || has_length_) return refuse(400, "bad_content_length", "Content-Length must be one decimal number, given once.", error);
    has_length_ = true;
    framing_.length = *length;
}

void HeadReader::on_transfer_encoding(std::string_view value, ErrorCode& error) {
    if (framing_.chunked || framing_.is_http10)
        return refuse(400, "bad_transfer_encoding", "Transfer-Encoding may be given once, and in HTTP/1.1 only.", error);
    if (!equals_ignoring_case(value, "chunked"))
        return refuse(501, "unknown_transfer_encoding", "The only Transfer-Encoding understood is chunked.", error);
    framing_.chunked = true;
}

void HeadReader::on_host(std::string_view value, ErrorCode& error) {
    if (host_ || !is_host(value)) return refuse(400, "bad_host", "Host must name one host, once.", error);
    host_ = value;
}

/// Origin form, absolute form of the same host, or `*` for OPTIONS.
Result<void, Malformed> HeadReader::split_target() {
    std::string_view rest = request_.target;
    for (std::string_view scheme : {"http://", "https://"}) {
        if (rest.size() < scheme.size() || !equals_ignoring_case(rest.substr(0, scheme.size()), scheme)) continue;
        rest.remove_prefix(scheme.size());
        const auto authority = rest.substr(0, rest.find_first_of("/?"));
        if (!is_host(authority) || (host_ && !equals_ignoring_case(authority, *host_)))
            return bad("host_mismatch", "The address in the request line and Host name different hosts.");
        rest.remove_prefix(authority.size());
        if (rest.empty()) rest = "/";
        break;
    }
    if (request_.method == "CONNECT") return Failure{Malformed{501, "no_tunnels", "This server opens no tunnels."}};
    if (rest[0] != '/' && !(rest == "*" && request_.method == "OPTIONS"))
        return bad("bad_target", "The address in the request line must begin with a slash.");
    const auto question = rest.find('?');
    request_.path = rest.substr(0, question);
    request_.query = question == rest.npos ? std::string_view() : rest.substr(question + 1);
    return {};
}

Result<Framing, Malformed> HeadReader::framing() {
    TRY(split_target());
    if (!host_ && !framing_.is_http10) return bad("no_host", "An HTTP/1.1 request must have a Host field.");
    if (framing_.chunked && has_length_) return bad("ambiguous_length", "Content-Length and Transfer-Encoding exclude each other.");
    if (expectation_) {
        if (!equals_ignoring_case(*expectation_, "100-continue"))
            return Failure{Malformed{417, "unknown_expectation", "The only expectation understood is 100-continue."}};
        framing_.expects_continue = !framing_.is_http10 && framing_.has_body();
    }
    framing_.keep_alive = keep_alive();
    return framing_;
}

/// A request line that names another version is answered as such; anything else wrong is just wrong.
Malformed malformed_of(const ErrorCode& code, std::string_view head) {
    using Error = beast::http::error;
    if (code == Error::bad_version) {
        const auto line = head.substr(0, head.find('\r'));
        const auto version = line.substr(std::min(line.size(), line.rfind(' ') + 1));
        const bool is_version =
            version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) && version[6] == '.' && is_digit(version[7]);
        if (is_version && version != "HTTP/1.0" && version != "HTTP/1.1")
            return {505, "bad_version", "Only HTTP/1.0 and HTTP/1.1 are spoken here."};
    }
    if (code == Error::bad_content_length || code == Error::multiple_content_length)
        return {400, "bad_content_length", "Content-Length must be one decimal number, given once."};
    if (code == Error::bad_transfer_encoding)
        return {400, "ambiguous_length", "Content-Length and Transfer-Encoding exclude each other, and neither may come twice."};
    if (code == Error::bad_field || code == Error::bad_value || code == Error::bad_line_ending)
        return {400, "bad_field", "A header field is not of the form \"name: value\", or holds a control character."};
    return {400, "bad_request_line", "The first line is not of the form \"METHOD /path HTTP/1.1\"."};
}

}  // namespace

Result<void, Malformed> HeadScanner::check_size(const HeadLimits& limits) const {
    constexpr std::size_t around_the_target = 64;  // method and version
    if (lines_ == 0 && line_bytes_ > limits.target_bytes_max + around_the_target)
        return Failure{Malformed{414, "target_too_long", "The address in the request line is too long."}};
    if (bytes_ > limits.head_bytes_max || lines_ > limits.fields_max + 1)
        return Failure{Malformed{431, "head_too_large", "The request has too many or too large header fields."}};
    return {};
}

Result<std::size_t, Malformed> HeadScanner::take(std::string_view bytes, const HeadLimits& limits) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        const char first = bytes[at];
        if (line_bytes_ == 0 && lines_ > 0 && (first == ' ' || first == '\t'))
            return bad("folded_line", "A header line must not begin with white space.");
        if (line_bytes_ == 0 && lines_ == 0 && first != '\r' && first != '\n' && !is_token_character(first))
            return bad("bad_request_line", "The first line is not of the form \"METHOD /path HTTP/1.1\".");
        const auto end = std::min(bytes.find('\n', at), bytes.size());
        line_bytes_ += end - at;
        bytes_ += end - at + 1;
        if (end > at) last_ = bytes[end - 1];
        TRY(check_size(limits));
        if (end == bytes.size()) return end;
        if (line_bytes_ == 0 || last_ != '\r') return bad("bare_line_feed", "Lines must end in CR LF.");
        at = end + 1;
        if (std::exchange(line_bytes_, 0) > 1) {
            ++lines_;
        } else if (lines_ > 0) {
            complete_ = true;
            return at;
        } else if (std::exchange(skipped_empty_line_, true)) {
            return bad("bad_request_line", "There are empty lines where the request line should be.");
        }
    }
    return at;
}

Result<Framing, Malformed> parse_head(std::string_view head, const HeadLimits& limits, Request& request) {
    if (head.starts_with("\r\n")) head.remove_prefix(2);
    HeadReader reader(limits, request);
    ErrorCode error;
    reader.put(boost::asio::const_buffer(head.data(), head.size()), error);
    if (reader.refused) return Failure{*reader.refused};
    if (error || !reader.is_header_done()) return Failure{malformed_of(error, head)};
    return reader.framing();
}

Result<std::size_t, Malformed> ChunkDecoder::take(std::string_view bytes, std::string& body) {
    std::size_t at = 0;
    while (at < bytes.size() && state_ != State::complete) {
        if (state_ == State::data) {
            const auto n = std::min<std::uint64_t>(chunk_bytes_left_, bytes.size() - at);
            body.append(bytes, at, n);
            at += n;
            chunk_bytes_left_ -= n;
            if (chunk_bytes_left_ == 0) state_ = State::data_cr;
        } else {
            TRY(step(bytes[at++]));
        }
    }
    return at;
}

std::string ChunkDecoder::encode_again(std::string_view body) const {
    std::string out;
    const auto size = body.size() + (state_ == State::data ? chunk_bytes_left_ : 0);
    if (size > 0) out = fmt::format("{:x}\r\n{}", size, body);
    if (state_ == State::data || state_ == State::data_cr) return out;
    if (state_ == State::data_lf) return out + '\r';
    if (size > 0) out += "\r\n";
    if (state_ == State::trailer || state_ == State::trailer_lf)
        return out + "0\r\n" + trailer_line_ + (state_ == State::trailer ? "" : "\r");
    if (digits_ > 0) out += fmt::format("{:0{}x}", chunk_bytes_left_, digits_);
    if (state_ == State::extension || extension_bytes_ > 0) out += ';' + std::string(extension_bytes_, 'x');
    return state_ == State::size_lf ? out + '\r' : out;
}

Result<void, Malformed> ChunkDecoder::step(char c) {
    static constexpr auto no_line_end = "A chunk must end in CR LF.";
    switch (state_) {
        case State::size:
            return size_digit(c);
        case State::extension:
            return extension_character(c);
        case State::size_lf:
            return c == '\n' ? size_ended() : bad("bad_chunk", no_line_end);
        case State::data_cr:
            if (c != '\r') return bad("bad_chunk", no_line_end);
            state_ = State::data_lf;
            return {};
        case State::data_lf:
            if (c != '\n') return bad("bad_chunk", no_line_end);
            state_ = State::size;
            return {};
        case State::trailer:
            return trailer_character(c);
        case State::trailer_lf:
            return c == '\n' ? trailer_ended() : bad("bad_chunk", no_line_end);
        case State::data:
        case State::complete:
            break;
    }
    return {};
}

Result<void, Malformed> ChunkDecoder::size_digit(char c) {
    if (const int digit = hex_value(c); digit >= 0) {
        if (++digits_ > chunk_size_digits_max) return bad("bad_chunk", "The size of a chunk has too many digits.");
        chunk_bytes_left_ = chunk_bytes_left_ * 16 + static_cast<std::uint64_t>(digit);
        return {};
    }
    if (digits_ == 0 || (c != ';' && c != '\r')) return bad("bad_chunk", "A chunk must begin with its size in hexadecimal digits.");
    state_ = c == ';' ? State::extension : State::size_lf;
    return {};
}

Result<void, Malformed> ChunkDecoder::extension_character(char c) {
    if (c == '\r') {
        state_ = State::size_lf;
        return {};
    }
    if (is_control(c) && c != '\t') return bad("bad_chunk", "A chunk extension holds a control character.");
    if (++extension_bytes_ > extension_bytes_max_) return bad("bad_chunk", "A chunk extension is too long.");
    return {};
}

Result<void, Malformed> ChunkDecoder::size_ended() {
    digits_ = 0;
    extension_bytes_ = 0;
    if (chunk_bytes_left_ > body_bytes_left_)
        return Failure{Malformed{413, "body_too_large", "The body is larger than this server takes."}};
    body_bytes_left_ -= chunk_bytes_left_;
    state_ = chunk_bytes_left_ > 0 ? State::data : State::trailer;
    return {};
}

Result<void, Malformed> ChunkDecoder::trailer_character(char c) {
    if (++trailer_bytes_ > trailer_bytes_max) return Failure{Malformed{431, "trailers_too_large", "The trailer fields are too large."}};
    if (c == '\r')
        state_ = State::trailer_lf;
    else if (is_control(c) && c != '\t')
        return bad("bad_trailer", "A trailer field holds a control character.");
    else
        trailer_line_ += c;
    return {};
}

/// Trailers are dropped; those that would change how the message is read must not be there at all.
Result<void, Malformed> ChunkDecoder::trailer_ended() {
    if (trailer_line_.empty()) {
        state_ = State::complete;
        return {};
    }
    const auto name = std::string_view(trailer_line_).substr(0, trailer_line_.find(':'));
    const bool is_field = name.size() < trailer_line_.size() && !name.empty() && std::all_of(name.begin(), name.end(), is_token_character);
    if (!is_field) return bad("bad_trailer", "A trailer field is not of the form \"name: value\".");
    for (std::string_view forbidden :
         {"content-length", "transfer-encoding", "host", "trailer", "content-encoding", "content-type", "authorization"})
        if (equals_ignoring_case(name, forbidden)) return bad("bad_trailer", "A trailer field of that name is not allowed.");
    trailer_line_.clear();
    state_ = State::trailer;
    return {};
}

}  // namespace forebay::http
