#pragma once
// AWS Signature Version 4: the canonical form of a request, the key of a day and region, and the signature made
// of both. The same code signs what we send and checks what we get. Knows nothing of who holds which key.
// Source: "Signature Version 4 signing process" in AWS's general reference; paths are normalised and encoded
// once more, as for every service but S3.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hmac.h"
#include "base/time.h"
#include "http/message.h"

namespace forebay::sqs {

inline constexpr std::string_view signature_algorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view signature_terminator = "aws4_request";
inline constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";

/// What a key is good for: `20150830`, `us-east-1`, `sqs`.
struct Scope {
    std::string date, region, service;
    bool operator==(const Scope&) const = default;
    /// `20150830/us-east-1/sqs/aws4_request`
    std::string text() const;
};

/// What of a request is signed.
struct SignedParts {
    std::string_view method;
    std::string_view path;   ///< as sent
    std::string_view query;  ///< as sent; a parameter X-Amz-Signature does not count
    std::span<const http::Header> headers;
    std::span<const std::string> signed_headers;  ///< names in lower case, sorted
    std::string_view payload_hash;                ///< hexadecimal, or UNSIGNED-PAYLOAD
};

std::string canonical_request(const SignedParts& parts);
/// `time` as in X-Amz-Date.
std::string string_to_sign(std::string_view time, const Scope& scope, std::string_view canonical_request);

/// `20150830T123600Z`, and back.
std::string to_signature_time(Timestamp at);
std::optional<Timestamp> parse_signature_time(std::string_view text);

/// Keys derived from secrets, kept ready: deriving one takes four digests, and a client signs all day with the same.
/// Of more than `kept_max` the one not used for longest is forgotten. Not for use from several threads at once.
class SigningKeys {
  public:
    static constexpr std::size_t kept_max = 64;
    /// In hexadecimal.
    std::string sign(std::string_view secret, const Scope& scope, std::string_view string_to_sign);
    std::size_t kept() const { return kept_.size(); }

  private:
    struct Kept {
        std::string secret;
        Scope scope;
        HmacKey key;
    };
    std::vector<Kept> kept_;  ///< last used last
};

struct Credentials {
    std::string id, secret;
    std::string session_token;  ///< empty = none
};

/// What a request must carry to be signed: X-Amz-Date, X-Amz-Security-Token if there is a token, Authorization. All of
/// `parts.headers` and Host must be what is sent; every one of them is signed. `parts.signed_headers` and
/// `parts.payload_hash` are filled in here.
std::vector<std::pair<std::string, std::string>> sign(SignedParts parts, std::string_view body, const Credentials& credentials,
                                                      std::string_view region, std::string_view service, Timestamp now, SigningKeys& keys);

/// The query of a URL that anybody may use until `expires` after `now`, with the same path, method and Host; `query`
/// is what it has beside the signature.
std::string presign(std::string_view method, std::string_view host, std::string_view path, std::string_view query,
                    const Credentials& credentials, std::string_view region, std::string_view service, Duration expires, Timestamp now,
                    SigningKeys& keys);

}  // namespace forebay::sqs
