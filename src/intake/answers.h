#pragma once
// What clients are told: accepted, or a problem (RFC 9457), as JSON, in LeadConduit's dialect, or as a
// redirect and pages for browsers. Pure: values in, Response out.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "intake/examination.h"
#include "intake/rules.h"

namespace forebay::intake {

struct Acceptance {
    Uuid id;
    Timestamp received_at;
    std::span<const std::string> flags;
    std::string_view receipt;
    std::string_view next;  ///< an allowed `_next`; empty = none
    bool replayed = false;  ///< the key was used before: `received_at` is not said, since it is not known
};
/// 202 (or ok_status), or 303 for a browser; our own page where no `thanks` is configured.
http::Response accepted(const PreparedEndpoint& endpoint, const Acceptance& what, bool as_html);

struct Refused {
    unsigned status = 400;
    std::string_view code;  ///< a literal: also the last part of `type`
    std::string title;
    std::string detail;  ///< empty = made from `errors`
    std::vector<FieldError> errors;
    Uuid id;                              ///< nil = none
    std::optional<bool> kept;             ///< in quarantine; nothing = not asked
    std::int64_t retry_after_s = 0;       ///< 0 = no Retry-After
    std::string rate_policy, rate_state;  ///< RateLimit-Policy and RateLimit; empty = none
};
/// problem+json or the dialect's form of it. `endpoint` may be null.
http::Response problem(const PreparedEndpoint* endpoint, const Refused& what);
/// For a browser: 303 to `form.error`, or our own page with the values that were sent.
http::Response problem_page(const PreparedEndpoint& endpoint, const Refused& what, std::span<const Input> values, std::string_view fresh_id,
                            std::string_view fresh_token);

/// For a browser whose values are not at hand any more: what happened, and to go back.
http::Response notice_page(const PreparedEndpoint& endpoint, const Refused& what);

/// "2 fields need attention" and one sentence of all of them.
std::string validation_title(std::size_t errors);
std::string validation_detail(std::span<const FieldError> errors);
/// Whether Accept asks for HTML rather than JSON.
bool prefers_html(std::string_view accept);
/// `text` with {id}, {endpoint}, {code} and {field} replaced, percent-encoded.
std::string fill_template(std::string_view text, std::string_view id, std::string_view endpoint, std::string_view code,
                          std::string_view field);
/// `next` if it is an absolute http(s) URL at one of the hosts, else empty.
std::string_view allowed_next(std::string_view next, const std::vector<std::string>& hosts);

}  // namespace forebay::intake
