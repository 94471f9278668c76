#pragma once
// Who posts: a key in the headers, a key in named fields, or a web page by its origin. Secrets are compared
// as hashes, in constant time, and a wrong id costs the same work as a wrong secret.

#include <string>
#include <string_view>

#include "http/message.h"
#include "intake/rules.h"

namespace forebay::intake {

struct Caller {
    enum class Verdict {
        known,
        missing,       ///< nothing that could tell: 401 missing_api_key
        unknown_key,   ///< 401 unknown_api_key
        wrong_origin,  ///< 403 wrong_origin
    };
    Verdict verdict = Verdict::known;
    std::string_view name;               ///< "key:website", "site:quotes"; empty where anyone may post
    const Rate* rate = nullptr;          ///< null = none
    const PreparedSite* site = nullptr;  ///< of a web page
};

/// From the headers. An endpoint without `auth` knows everyone.
Caller caller_of(const PreparedEndpoint& endpoint, const http::Request& request);
/// From a key in form fields.
Caller caller_with_key(const PreparedEndpoint& endpoint, std::string_view id, std::string_view secret);
/// `https://a.example` of `https://a.example/page?x`; empty if it is no such address.
std::string_view origin_of_url(std::string_view url);

}  // namespace forebay::intake
