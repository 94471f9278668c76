// The HTTP parser fed with anything, in ways that must agree: whole, in pieces, and each piece to another parser, as when a
// connection is handed over. Whatever it accepts must also hold what the server relies on.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/parser.h"
#include "http/text.h"

namespace {

using namespace forebay::http;

constexpr HeadLimits limits{4096, 20, 1024};
constexpr std::uint64_t body_bytes_max = 2048;
constexpr std::size_t chunk_extension_bytes_max = 64;

/// What became of some bytes: a status of refusal, or the request and its body.
struct Outcome {
    unsigned refused = 0;
    bool complete = false;
    std::size_t used = 0;
    std::string head;
    std::string body;
    Framing framing;
    bool operator==(const Outcome& o) const {
        return refused == o.refused && complete == o.complete && (refused != 0 || (used == o.used && head == o.head && body == o.body));
    }
};

void check_request(const Request& request, const Framing& framing) {
    CHECK(!request.method.empty() && std::all_of(request.method.begin(), request.method.end(), is_token_character), "a method is a token");
    CHECK(request.path == "*" || request.path.starts_with('/'), "a path starts with a slash");
    CHECK(!(framing.chunked && framing.length > 0), "one way of knowing the length");
    std::size_t lengths = 0, codings = 0, hosts = 0;
    for (const auto& header : request.headers) {
        CHECK(!header.name.empty() && std::all_of(header.name.begin(), header.name.end(), is_token_character), "a name is a token");
        for (char c : header.value) CHECK(!is_control(c) || c == '\t', "no control characters in a value");
        lengths += equals_ignoring_case(header.name, "content-length");
        codings += equals_ignoring_case(header.name, "transfer-encoding");
        hosts += equals_ignoring_case(header.name, "host");
    }
    CHECK(lengths + codings <= 1, "one field says the length");
    CHECK((codings == 1) == framing.chunked, "a coding is chunked");
    CHECK(hosts == 1 || (hosts == 0 && framing.is_http10), "one host");
    CHECK(request.headers.size() <= limits.fields_max, "bounded fields");
}

ChunkDecoder successor_of(const ChunkDecoder& decoder, const std::string& decoded) {
    ChunkDecoder next(body_bytes_max, chunk_extension_bytes_max);
    std::string again;
    const auto bytes = decoder.encode_again(decoded);
    const auto used = next.take(bytes, again);
    CHECK(used && *used == bytes.size() && again == decoded, "a chunked body can be encoded again");
    return next;
}

/// Feeds `bytes` in pieces of at most `piece`.
Outcome feed(std::string_view bytes, std::size_t piece, bool to_successors = false) {
    Outcome outcome;
    HeadScanner scanner;
    auto next = [&] { return bytes.substr(outcome.used, piece); };
    while (!scanner.is_complete()) {
        if (next().empty()) return outcome;
        const auto used = scanner.take(next(), limits);
        if (!used) return outcome.refused = used.error().status, outcome;
        outcome.head += bytes.substr(outcome.used, *used);
        outcome.used += *used;
    }
    CHECK(outcome.head.size() <= limits.head_bytes_max, "a bounded head");
    Request request;
    const auto framing = parse_head(outcome.head, limits, request);
    if (!framing) return outcome.refused = framing.error().status, outcome;
    outcome.framing = *framing;
    check_request(request, *framing);
    ChunkDecoder decoder(body_bytes_max, chunk_extension_bytes_max);
    while (framing->chunked && !decoder.is_complete()) {
        if (next().empty()) return outcome;
        const auto used = decoder.take(next(), outcome.body);
        if (!used) return outcome.refused = used.error().status, outcome;
        outcome.used += *used;
        CHECK(outcome.body.size() <= body_bytes_max, "a bounded body");
        if (to_successors && !decoder.is_complete()) decoder = successor_of(decoder, outcome.body);
    }
    outcome.complete = true;
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto whole = feed(bytes, bytes.size() + 1);
    CHECK(whole == feed(bytes, 1), "bytes mean the same one by one");
    CHECK(whole == feed(bytes, 7), "bytes mean the same in pieces");
    // Trailers are counted by each parser for itself.
    if (whole.refused != 431) CHECK(whole == feed(bytes, 5, true), "bytes mean the same to one parser after the other");
    return 0;
}
