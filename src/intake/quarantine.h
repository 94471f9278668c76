#pragma once
// Refused posts as messages of the quarantine queue, and back again for readmission. Decides what may be
// kept: a cap in bytes, and a rate for posts of callers nobody knows (D14).

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "intake/examination.h"
#include "intake/rate_limiter.h"

namespace forebay::intake {

struct Quarantined {
    Uuid id;
    std::string endpoint;
    Timestamp received_at;
    unsigned status = 0;
    std::string code;
    std::vector<FieldError> errors;  ///< written only; not read back
    std::string raw_type;
    std::string raw;
    std::string client_ip;
    std::string key;       ///< the caller's name, "key:website"; empty if it was not known
    std::string source{};  ///< of an imported row, "leads.csv:42"; else empty
};
/// The JSON of the message: v, id, endpoint, received_at, status, code, errors, raw_type, raw or raw_base64, ip, key, source.
std::string to_json(const Quarantined& post);
/// The error is a sentence.
Result<Quarantined, std::string> quarantined_of(std::string_view json);

class QuarantineGate {
  public:
    QuarantineGate(std::uint64_t bytes_max, Rate unauthorized, std::uint64_t seed)
        : bytes_max_(bytes_max), unauthorized_(std::move(unauthorized)), limiter_(1, seed) {}
    /// Whether a message of `bytes` may be kept; counts it if so. Warns once when 80 % are reached.
    bool admit(std::uint64_t bytes);
    /// Whether one more 401 or 403 may be kept now.
    bool admit_unauthorized(Instant now) { return limiter_.take(unauthorized_, "unauthorized", {}, now).allowed; }
    void set_bytes(std::uint64_t bytes);

  private:
    std::uint64_t bytes_max_;
    Rate unauthorized_;
    RateLimiter limiter_;
    std::atomic<std::uint64_t> bytes_{0};
    std::atomic<bool> warned_{false};
};

}  // namespace forebay::intake
