#pragma once
// What a request says of its signature, in its Authorization header or in its address, and whether that is so. Refuses in
// AWS's order and with AWS's sentences. Knows nothing of who holds which key: the caller looks the secret up.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "sqs/error.h"
#include "sqs/signature.h"

namespace forebay::sqs {

struct Claim {
    std::string key_id;
    Scope scope;
    std::string time;                         ///< as signed
    std::vector<std::string> signed_headers;  ///< lower case, sorted
    std::string signature;
    std::string session_token;  ///< empty = none
};

struct ClaimRules {
    std::string region;  ///< empty = any
    std::string service = "sqs";
    Duration skew = std::chrono::minutes(15);  ///< between the client's clock and ours
    Duration presigned_max = std::chrono::hours(7 * 24);
};

/// Errors: missing_authentication_token (nothing is signed), incomplete_signature, signature_does_not_match (time, scope,
/// a header that must be signed, a body that is not), request_expired (a presigned address).
Result<Claim, Error> read_claim(const http::Request& request, const ClaimRules& rules, Timestamp now);

/// What whoever made the claim must have signed, the body included.
std::string string_to_sign(const http::Request& request, const Claim& claim);
/// Whether the holder of `secret` signed this request. Takes the same time whatever is wrong.
bool is_signed_with(const http::Request& request, const Claim& claim, std::string_view secret, SigningKeys& keys);

}  // namespace forebay::sqs
