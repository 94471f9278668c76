#include "sqs/signature.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "http/text.h"

namespace forebay::sqs {
namespace {

constexpr std::string_view signature_parameter = "X-Amz-Signature";

/// The path without `.`, `..` and empty segments, each segment encoded once more; a slash at the end stays.
std::string canonical_path(std::string_view path) {
    std::vector<std::string_view> segments;
    bool ends_in_slash = path.ends_with('/');
    while (!path.empty()) {
        auto segment = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(path.size(), segment.size() + 1));
        if (segment == ".." && !segments.empty()) segments.pop_back();
        if (!segment.empty() && segment != "." && segment != "..") segments.push_back(segment);
    }
    std::string out;
    for (auto segment : segments) out.append("/").append(http::percent_encode(segment));
    if (ends_in_slash || out.empty()) out += '/';
    return out;
}

/// Parameters decoded as the server reads them and encoded in the one way that is signed, sorted. A plus is the space
/// it will be read as, so that what is signed is what is done.
void append_query(std::string& out, std::string_view query) {
    std::vector<std::pair<std::string, std::string>> pairs;
    while (!query.empty()) {
        auto pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        auto name = pair.substr(0, pair.find('='));
        if (pair.empty() || name == signature_parameter) continue;
        auto value = pair.substr(std::min(pair.size(), name.size() + 1));
        pairs.emplace_back(http::percent_encode(http::percent_decode(name, true)), http::percent_encode(http::percent_decode(value, true)));
    }
    std::sort(pairs.begin(), pairs.end());
    for (std::size_t i = 0; i < pairs.size(); ++i) out.append(i == 0 ? "" : "&").append(pairs[i].first).append("=").append(pairs[i].second);
}

/// Without white space around it, and with one space for several in a row.
void append_value(std::string& out, std::string_view value) {
    bool is_first = true;
    while (!value.empty()) {
        auto word = value.substr(0, value.find_first_of(" \t"));
        value.remove_prefix(std::min(value.size(), word.size() + 1));
        if (word.empty()) continue;
        out.append(std::exchange(is_first, false) ? "" : " ").append(word);
    }
}

void append_header(std::string& out, std::string_view name, std::span<const http::Header> headers) {
    out.append(name).append(":");
    bool is_first = true;
    for (const auto& header : headers) {
        if (!http::equals_ignoring_case(header.name, name)) continue;
        if (!std::exchange(is_first, false)) out += ',';
        append_value(out, header.value);
    }
    out += '\n';
}

void append_names(std::string& out, std::span<const std::string> names) {
    for (std::size_t i = 0; i < names.size(); ++i) out.append(i == 0 ? "" : ";").append(names[i]);
}

std::string_view view_of(const Sha256& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

HmacKey signing_key(std::string_view secret, const Scope& scope) {
    auto key = hmac_sha256("AWS4" + std::string(secret), scope.date);
    key = hmac_sha256(view_of(key), scope.region);
    key = hmac_sha256(view_of(key), scope.service);
    key = hmac_sha256(view_of(key), signature_terminator);
    return HmacKey(view_of(key));
}

std::vector<std::string> names_of(std::span<const http::Header> headers) {
    std::vector<std::string> names;
    for (const auto& header : headers) {
        std::transform(header.name.begin(), header.name.end(), std::back_inserter(names.emplace_back()), http::to_lower);
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

Scope scope_of(std::string_view time, std::string_view region, std::string_view service) {
    return {std::string(time.substr(0, 8)), std::string(region), std::string(service)};
}

}  // namespace

std::string Scope::text() const { return date + "/" + region + "/" + service + "/" + std::string(signature_terminator); }

std::string canonical_request(const SignedParts& parts) {
    std::string out;
    out.reserve(1024);
    out.append(parts.method).append("\n");
    out.append(canonical_path(parts.path)).append("\n");
    append_query(out, parts.query);
    out += '\n';
    for (const auto& name : parts.signed_headers) append_header(out, name, parts.headers);
    out += '\n';
    append_names(out, parts.signed_headers);
    out.append("\n").append(parts.payload_hash);
    return out;
}

std::string string_to_sign(std::string_view time, const Scope& scope, std::string_view canonical_request) {
    std::string out(signature_algorithm);
    out.append("\n").append(time).append("\n").append(scope.text()).append("\n").append(to_hex(sha256(canonical_request)));
    return out;
}

std::string to_signature_time(Timestamp at) {
    auto text = to_rfc3339(at).substr(0, 19);
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text + "Z";
}

std::optional<Timestamp> parse_signature_time(std::string_view text) {
    if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
    auto part = [&](std::size_t at, std::size_t width) { return std::string(text.substr(at, width)); };
    return parse_timestamp(part(0, 4) + "-" + part(4, 2) + "-" + part(6, 2) + "T" + part(9, 2) + ":" + part(11, 2) + ":" + part(13, 2) +
                           "Z");
}

std::string SigningKeys::sign(std::string_view secret, const Scope& scope, std::string_view string_to_sign) {
    auto found = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) { return kept.secret == secret && kept.scope == scope; });
    if (found != kept_.end()) {
        std::rotate(found, found + 1, kept_.end());
    } else {
        if (kept_.size() == kept_max) kept_.erase(kept_.begin());
        kept_.push_back({std::string(secret), scope, signing_key(secret, scope)});
    }
    return to_hex(kept_.back().key(string_to_sign));
}

std::vector<std::pair<std::string, std::string>> sign(SignedParts parts, std::string_view body, const Credentials& credentials,
                                                      std::string_view region, std::string_view service, Timestamp now, SigningKeys& keys) {
    std::vector<std::pair<std::string, std::string>> added{{"X-Amz-Date", to_signature_time(now)}};
    if (!credentials.session_token.empty()) added.emplace_back("X-Amz-Security-Token", credentials.session_token);
    std::vector<http::Header> headers(parts.headers.begin(), parts.headers.end());
    for (const auto& [name, value] : added) headers.push_back({name, value});
    const auto names = names_of(headers);
    const auto hash = to_hex(sha256(body));
    parts.headers = headers;
    parts.signed_headers = names;
    parts.payload_hash = hash;
    const auto& time = added[0].second;
    const auto scope = scope_of(time, region, service);
    std::string authorization(signature_algorithm);
    authorization.append(" Credential=").append(credentials.id).append("/").append(scope.text()).append(", SignedHeaders=");
    append_names(authorization, names);
    authorization.append(", Signature=")
        .append(keys.sign(credentials.secret, scope, string_to_sign(time, scope, canonical_request(parts))));
    added.emplace_back("Authorization", std::move(authorization));
    return added;
}

std::string presign(std::string_view method, std::string_view host, std::string_view path, std::string_view query,
                    const Credentials& credentials, std::string_view region, std::string_view service, Duration expires, Timestamp now,
                    SigningKeys& keys) {
    const auto time = to_signature_time(now);
    const auto scope = scope_of(time, region, service);
    std::string signed_query(query);
    auto add = [&](std::string_view name, std::string_view value) {
        signed_query.append(signed_query.empty() ? "" : "&").append(name).append("=").append(http::percent_encode(value));
    };
    add("X-Amz-Algorithm", signature_algorithm);
    add("X-Amz-Credential", credentials.id + "/" + scope.text());
    add("X-Amz-Date", time);
    add("X-Amz-Expires", std::to_string(std::chrono::duration_cast<std::chrono::seconds>(expires).count()));
    add("X-Amz-SignedHeaders", "host");
    if (!credentials.session_token.empty()) add("X-Amz-Security-Token", credentials.session_token);
    const http::Header headers[] = {{"Host", host}};
    const std::string names[] = {"host"};
    const auto hash = to_hex(sha256({}));
    SignedParts parts{method, path, signed_query, headers, names, hash};
    add(signature_parameter, keys.sign(credentials.secret, scope, string_to_sign(time, scope, canonical_request(parts))));
    return signed_query;
}

}  // namespace forebay::sqs
