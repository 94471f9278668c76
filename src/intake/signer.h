#pragma once
// What intake signs with its secret: receipts, which prove that a post was accepted, and form tokens, which
// tell when a form was rendered. The key schedule of the HMAC is done once.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/time.h"
#include "base/uuid.h"

namespace forebay::intake {

class Signer {
  public:
    explicit Signer(std::string_view secret);
    ~Signer();
    Signer(const Signer&) = delete;
    Signer& operator=(const Signer&) = delete;

    /// `v1,UNIX,sha256:HEX,hmac:BASE64URL`. HEX is the hash of the body as it came; the HMAC is over
    /// `receipt\nUNIX\nID\nENDPOINT\nHEX`.
    void append_receipt(std::string& out, Timestamp at, const Uuid& id, std::string_view endpoint, const Sha256& body) const;
    bool is_receipt(std::string_view receipt, const Uuid& id, std::string_view endpoint, const Sha256& body) const;

    /// `UNIXMS.BASE64URL` for the forms of `endpoint`.
    std::string token(Timestamp at, std::string_view endpoint) const;
    /// When a genuine token was made.
    std::optional<Timestamp> time_of_token(std::string_view token, std::string_view endpoint) const;

  private:
    Sha256 sign(std::string_view text) const;
    struct Keyed;
    std::unique_ptr<Keyed> keyed_;
};

}  // namespace forebay::intake
