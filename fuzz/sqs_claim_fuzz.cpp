// What a request says of its signature, and the canonical form that is signed. The input is a request: method, target, headers, an empty
// line, the body. As it stands it must be read without harm; signed by us it must be found signed, and changed, not.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/text.h"
#include "sqs/claim.h"

namespace {

using namespace forebay;

const Timestamp now{1'764'072'000'000};
const sqs::Credentials holder{"FUZZ", "a secret of the fuzzer", "token"};

std::string_view take_line(std::string_view& text) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    return line;
}

http::Request read(std::string_view text) {
    http::Request request;
    request.method = take_line(text);
    request.target = take_line(text);
    request.path = request.target.substr(0, request.target.find('?'));
    request.query = request.target.substr(std::min(request.target.size(), request.path.size() + 1));
    for (auto line = take_line(text); !line.empty(); line = take_line(text)) {
        auto name = line.substr(0, line.find(':'));
        // What the server's parser lets through.
        if (name.empty() || !std::all_of(name.begin(), name.end(), http::is_token_character) || request.headers.size() == 90) continue;
        request.headers.push_back({name, http::trimmed(line.substr(std::min(line.size(), name.size() + 1)))});
    }
    request.body = text;
    return request;
}

bool is_of_a_signature(std::string_view name) {
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(), http::to_lower);
    return lower == "authorization" || lower.starts_with("x-amz-") || lower == "host";
}

void sign_and_check(http::Request request) {
    std::vector<std::pair<std::string, std::string>> pairs;
    if (!http::parse_query(request.query, 1000, pairs)) return;
    for (auto& [name, value] : pairs)
        if (name.starts_with("X-Amz-")) return;
    std::erase_if(request.headers, [](auto& header) { return is_of_a_signature(header.name); });
    request.headers.push_back({"Host", "queue.example.com"});
    sqs::SigningKeys keys;
    auto added = sqs::sign({request.method, request.path, request.query, request.headers, {}, {}}, request.body, holder, "us-east-1", "sqs",
                           now, keys);
    for (auto& [name, value] : added) request.headers.push_back({name, value});
    auto claim = sqs::read_claim(request, {}, now);
    CHECK(claim.ok(), "what we sign is a claim");
    CHECK(claim->key_id == holder.id && claim->session_token == holder.session_token, "it is that of the holder");
    CHECK(sqs::is_signed_with(request, *claim, holder.secret, keys), "what we sign is signed");
    std::string changed(request.body);
    changed += 'x';
    request.body = changed;
    CHECK(!sqs::is_signed_with(request, *claim, holder.secret, keys), "another body is not");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto request = read({reinterpret_cast<const char*>(data), size});
    if (auto claim = sqs::read_claim(request, {}, now); claim.ok()) {
        CHECK(std::is_sorted(claim->signed_headers.begin(), claim->signed_headers.end()), "names are sorted");
        sqs::SigningKeys keys;
        claim->signature = keys.sign(holder.secret, claim->scope, sqs::string_to_sign(request, *claim));
        CHECK(sqs::is_signed_with(request, *claim, holder.secret, keys), "the right signature is right");
    }
    sign_and_check(std::move(request));
    return 0;
}
