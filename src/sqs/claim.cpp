#include "sqs/claim.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "base/json.h"
#include "http/text.h"

namespace forebay::sqs {
namespace {

constexpr std::size_t parameters_max = 1000, signed_headers_max = 100;
constexpr std::string_view must_be_signed_prefixes[] = {"x-amz-", "x-forebay-"};

Error incomplete(std::string why) { return {ErrorKind::incomplete_signature, std::move(why)}; }
Error mismatch(std::string why) { return {ErrorKind::signature_does_not_match, std::move(why)}; }
Error unsigned_request() { return {ErrorKind::missing_authentication_token, "Request is missing Authentication Token"}; }

/// What either form says, before it is looked at.
struct Said {
    std::string algorithm, credential, signed_headers, signature, time, session_token, payload_hash;
    std::optional<std::string> expires;
    bool is_presigned = false;
};

/// The value of `Name=value` among the parts of the header that commas and spaces separate. Of one that is there twice,
/// whoever else looks at the header may believe the other: it is as if it were not there.
std::string part_of(std::string_view header, std::string_view name) {
    std::optional<std::string_view> found;
    while (!header.empty()) {
        auto part = header.substr(0, header.find_first_of(", "));
        header.remove_prefix(std::min(header.size(), part.size() + 1));
        if (!part.starts_with(name) || !part.substr(name.size()).starts_with('=')) continue;
        if (found) return {};
        found = part.substr(name.size() + 1);
    }
    return std::string(found.value_or(""));
}

Result<Said, Error> said_in_header(const http::Request& request, std::string_view header) {
    Said said;
    said.algorithm = header.substr(0, header.find(' '));
    said.credential = part_of(header, "Credential");
    said.signature = part_of(header, "Signature");
    said.signed_headers = part_of(header, "SignedHeaders");
    said.time = request.find("x-amz-date");
    said.session_token = request.find("x-amz-security-token");
    said.payload_hash = request.find("x-amz-content-sha256");
    std::string why;
    for (auto [name, value] : {std::pair("Credential", &said.credential), std::pair("Signature", &said.signature),
                               std::pair("SignedHeaders", &said.signed_headers)})
        if (value->empty()) why += "Authorization header requires '" + std::string(name) + "' parameter. ";
    if (said.time.empty()) why += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
    // The header itself is not said back: it may hold what somebody mistook for it.
    auto hash = sha256(header);
    if (!why.empty())
        return Failure{incomplete(why + "(Hashed with SHA-256 and encoded with Base64) Authorization=" +
                                  to_base64({reinterpret_cast<const char*>(hash.data()), hash.size()}))};
    return said;
}

Result<Said, Error> said_in_query(const std::vector<std::pair<std::string, std::string>>& pairs) {
    Said said;
    said.is_presigned = true;
    std::set<std::string_view> names;
    for (const auto& [name, value] : pairs) {
        // It would stand in an answer that says it back, which then is neither JSON nor XML.
        if (!json::is_utf8(name) || !json::is_utf8(value)) return Failure{incomplete("A parameter is not UTF-8.")};
        // Of two signatures, whoever else looks at the address may believe the other.
        if (!names.insert(name).second) return Failure{incomplete("The parameter '" + name.substr(0, 64) + "' is given twice.")};
        if (name == "X-Amz-Algorithm") said.algorithm = value;
        if (name == "X-Amz-Credential") said.credential = value;
        if (name == "X-Amz-Signature") said.signature = value;
        if (name == "X-Amz-SignedHeaders") said.signed_headers = value;
        if (name == "X-Amz-Date") said.time = value;
        if (name == "X-Amz-Security-Token") said.session_token = value;
        if (name == "X-Amz-Content-Sha256") said.payload_hash = value;
        if (name == "X-Amz-Expires") said.expires = value;
    }
    std::string why;
    for (auto [name, value] : {std::pair("X-Amz-Algorithm", &said.algorithm), std::pair("X-Amz-Credential", &said.credential),
                               std::pair("X-Amz-Signature", &said.signature), std::pair("X-Amz-SignedHeaders", &said.signed_headers),
                               std::pair("X-Amz-Date", &said.time)})
        if (value->empty()) why += "AWS query-string parameters must include '" + std::string(name) + "'. ";
    if (!why.empty()) return Failure{incomplete(why + "Re-examine the query-string parameters.")};
    return said;
}

Result<Said, Error> said_by(const http::Request& request) {
    auto header = request.find("authorization");
    std::vector<std::pair<std::string, std::string>> pairs;
    if (!http::parse_query(request.query, parameters_max, pairs)) return Failure{incomplete("The address has too many parameters.")};
    bool in_query = std::any_of(pairs.begin(), pairs.end(), [](auto& pair) { return pair.first.starts_with("X-Amz-"); });
    if (in_query && !header.empty())
        return Failure{mismatch("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")};
    if (in_query) return said_in_query(pairs);
    if (!header.starts_with("AWS4-")) return Failure{unsigned_request()};
    return said_in_header(request, header);
}

Result<Duration, Error> expiry_of(const Said& said, const ClaimRules& rules) {
    if (!said.expires) return rules.skew;
    const auto most = std::chrono::duration_cast<std::chrono::seconds>(rules.presigned_max).count();
    std::int64_t seconds = 0;
    const auto* end = said.expires->data() + said.expires->size();
    auto [stop, error] = std::from_chars(said.expires->data(), end, seconds);
    if (error != std::errc() || stop != end || seconds < 1 || seconds > most)
        return Failure{incomplete("X-Amz-Expires must be a number of seconds from 1 to " + std::to_string(most) + ".")};
    return Duration(std::chrono::seconds(seconds));
}

Result<void, Error> check_time(const Said& said, const ClaimRules& rules, Timestamp now) {
    auto at = parse_signature_time(said.time);
    if (!at)
        return Failure{incomplete("Date must be in ISO-8601 'basic format'. Got '" + said.time.substr(0, 64) +
                                  "'. See http://en.wikipedia.org/wiki/ISO_8601")};
    const auto minutes = std::to_string(std::chrono::duration_cast<std::chrono::minutes>(rules.skew).count()) + " min.)";
    if (*at > now + rules.skew)
        return Failure{mismatch("Signature not yet current: " + said.time + " is still later than " + to_signature_time(now + rules.skew) +
                                " (" + to_signature_time(now) + " + " + minutes)};
    TRY_ASSIGN(auto expiry, expiry_of(said, rules));
    if (*at + expiry >= now) return {};
    if (said.is_presigned) return Failure{Error{ErrorKind::request_expired, "Request has expired."}};
    return Failure{mismatch("Signature expired: " + said.time + " is now earlier than " + to_signature_time(now - rules.skew) + " (" +
                            to_signature_time(now) + " - " + minutes)};
}

std::vector<std::string> split(std::string_view text, char by) {
    std::vector<std::string> out;
    for (;;) {
        auto at = text.find(by);
        out.emplace_back(text.substr(0, at));
        if (at == std::string_view::npos) return out;
        text.remove_prefix(at + 1);
    }
}

Result<std::vector<std::string>, Error> signed_headers_of(const http::Request& request, const Said& said) {
    auto names = split(said.signed_headers, ';');
    if (names.size() > signed_headers_max) return Failure{incomplete("There are too many SignedHeaders.")};
    for (auto& name : names) std::transform(name.begin(), name.end(), name.begin(), http::to_lower);
    std::sort(names.begin(), names.end());
    auto is_signed = [&](const std::string& name) { return std::binary_search(names.begin(), names.end(), name); };
    if (!is_signed("host")) return Failure{mismatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")};
    // Unsigned, they could be changed on the way, and they decide what is done.
    for (const auto& header : request.headers) {
        std::string name(header.name);
        std::transform(name.begin(), name.end(), name.begin(), http::to_lower);
        bool decides = std::any_of(std::begin(must_be_signed_prefixes), std::end(must_be_signed_prefixes),
                                   [&](auto prefix) { return name.starts_with(prefix); });
        if (decides && !is_signed(name)) return Failure{mismatch("'" + name + "' must be a 'SignedHeader' in the AWS Authorization.")};
    }
    return names;
}

Result<void, Error> check_scope(const std::vector<std::string>& parts, const Said& said, const ClaimRules& rules) {
    std::string why;
    if (parts[2].empty() || (!rules.region.empty() && parts[2] != rules.region))
        why += "Credential should be scoped to a valid region, not '" + parts[2] + "'. ";
    if (parts[3] != rules.service) why += "Credential should be scoped to correct service: '" + rules.service + "'. ";
    if (parts[4] != signature_terminator)
        why += "Credential should be scoped with a valid terminator: 'aws4_request', not '" + parts[4] + "'. ";
    if (parts[1] != said.time.substr(0, 8))
        why += "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" + parts[1] + "' != '" +
               said.time.substr(0, 8) + "', from '" + said.time + "'.";
    if (why.empty()) return {};
    if (why.ends_with(' ')) why.pop_back();
    return Failure{mismatch(std::move(why))};
}

}  // namespace

Result<Claim, Error> read_claim(const http::Request& request, const ClaimRules& rules, Timestamp now) {
    TRY_ASSIGN(auto said, said_by(request));
    TRY(check_time(said, rules, now));
    TRY_ASSIGN(auto names, signed_headers_of(request, said));
    if (said.algorithm != signature_algorithm)
        return Failure{incomplete("Unsupported AWS 'algorithm': '" + said.algorithm.substr(0, 64) + "' (only AWS4-HMAC-SHA256 for now).")};
    auto parts = split(said.credential, '/');
    if (parts.size() != 5)
        return Failure{incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" +
                                  said.credential.substr(0, 256) + "'")};
    TRY(check_scope(parts, said, rules));
    if (said.payload_hash == unsigned_payload) return Failure{mismatch("The body must be signed: UNSIGNED-PAYLOAD is not taken.")};
    return Claim{parts[0], {parts[1], parts[2], parts[3]}, said.time, std::move(names), said.signature, said.session_token};
}

std::string string_to_sign(const http::Request& request, const Claim& claim) {
    const auto hash = to_hex(sha256(request.body));
    SignedParts parts{request.method, request.path, request.query, request.headers, claim.signed_headers, hash};
    return string_to_sign(claim.time, claim.scope, canonical_request(parts));
}

bool is_signed_with(const http::Request& request, const Claim& claim, std::string_view secret, SigningKeys& keys) {
    return equal_in_constant_time(keys.sign(secret, claim.scope, string_to_sign(request, claim)), claim.signature);
}

}  // namespace forebay::sqs
