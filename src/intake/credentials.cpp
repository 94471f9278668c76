#include "intake/credentials.h"

#include "base/digest.h"
#include "intake/check_field.h"

namespace forebay::intake {
namespace {

std::string_view view_of(const Sha256& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

/// Looks at every key, whatever it finds, so that the time tells nothing. `id` empty = any (a bearer token names none).
Caller caller_with_secret(const PreparedEndpoint& endpoint, std::string_view id, std::string_view secret) {
    auto hash = sha256(secret);
    const PreparedKey* found = nullptr;
    for (auto& key : endpoint.keys) {
        bool same = equal_in_constant_time(view_of(hash), key.hash);
        bool named = id.empty() || equal_in_constant_time(id, key.id);
        if (same && named) found = &key;
    }
    if (found == nullptr) return {Caller::Verdict::unknown_key, {}, nullptr, nullptr};
    return {Caller::Verdict::known, found->name, found->rate ? &*found->rate : nullptr, nullptr};
}

std::optional<std::string_view> bearer_token(std::string_view authorization) {
    constexpr std::string_view scheme = "bearer ";
    if (authorization.size() <= scheme.size()) return std::nullopt;
    for (std::size_t i = 0; i < scheme.size(); ++i)
        if ((authorization[i] | 0x20) != (scheme[i] | 0x20)) return std::nullopt;
    authorization.remove_prefix(scheme.size());
    return authorization.substr(std::min(authorization.find_first_not_of(' '), authorization.size()));
}

}  // namespace

std::string_view origin_of_url(std::string_view url) {
    if (!host_of_url(url)) return {};
    return url.substr(0, url.find_first_of("/?#", url.find("//") + 2));
}

Caller caller_with_key(const PreparedEndpoint& endpoint, std::string_view id, std::string_view secret) {
    if (!endpoint.spec.key_id_field.empty() && id.empty()) return {Caller::Verdict::missing, {}, nullptr, nullptr};
    return caller_with_secret(endpoint, id, secret);
}

Caller caller_of(const PreparedEndpoint& endpoint, const http::Request& request) {
    if (!endpoint.needs_auth()) return {};
    if (auto token = bearer_token(request.find("authorization"))) return caller_with_secret(endpoint, {}, *token);
    if (auto secret = request.find("x-api-key"); !secret.empty()) return caller_with_secret(endpoint, request.find("x-api-id"), secret);
    auto origin = request.find("origin");
    // A browser that keeps the origin to itself may still say the page.
    if (origin.empty()) origin = origin_of_url(request.find("referer"));
    if (origin.empty() || endpoint.sites.empty()) return {Caller::Verdict::missing, {}, nullptr, nullptr};
    auto* site = endpoint.site_of(origin);
    if (site == nullptr) return {Caller::Verdict::wrong_origin, {}, nullptr, nullptr};
    return {Caller::Verdict::known, site->name, site->rate ? &*site->rate : nullptr, site};
}

}  // namespace forebay::intake
