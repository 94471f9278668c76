#include "intake/refusals.h"

#include <algorithm>

namespace forebay::intake {

Refused refusal(unsigned status, std::string_view code, std::string title, std::string detail) {
    Refused what;
    what.status = status;
    what.code = code;
    what.title = std::move(title);
    what.detail = std::move(detail);
    return what;
}

Refused unavailable(broker::Refusal why) {
    if (why == broker::Refusal::message_too_long) {
        auto what = refusal(413, "too_large", "Too large", "this is larger than the queue takes; nothing was kept");
        what.kept = false;
        return what;
    }
    auto code = why == broker::Refusal::no_room      ? "no_room"
                : why == broker::Refusal::stopping   ? "stopping"
                : why == broker::Refusal::overloaded ? "overloaded"
                                                     : "unavailable";
    auto what = refusal(503, code, "Not accepted",
                        "this could not be stored safely just now, and nothing was kept; please send it again in a few seconds");
    what.kept = false;
    what.retry_after_s = 5;
    return what;
}

Refused validation(std::vector<FieldError> errors) {
    auto what = refusal(422, "validation", validation_title(errors.size()), {});
    what.errors = std::move(errors);
    return what;
}

Refused key_reused() {
    return refusal(422, "key_reused", "This key was used before",
                   "the idempotency key was used for another submission; send this one with a key of its own");
}

Refused same_content() {
    return refusal(422, "same_content", "This was sent before", "the same submission was accepted before; nothing more needs to be sent");
}

Refused key_in_progress() {
    auto what = refusal(409, "key_in_progress", "The first one is still under way",
                        "another post with the same key has not been answered yet; ask again in a second");
    what.retry_after_s = 1;
    return what;
}

Refused not_authorised(Caller::Verdict verdict) {
    switch (verdict) {
        case Caller::Verdict::wrong_origin:
            return refusal(403, "wrong_origin", "This page may not post here",
                           "the page's origin is not one of those listed for this endpoint");
        case Caller::Verdict::missing:
            return refusal(401, "missing_api_key", "Not authorised",
                           "this endpoint needs a key: Authorization: Bearer …, or X-Api-Id and X-Api-Key");
        default:
            return refusal(401, "unknown_api_key", "Not authorised", "the key is not known here");
    }
}

Refused rate_limited(const Caller& caller, const RateLimiter::Verdict& verdict) {
    auto wait = std::to_string(verdict.retry_after_s) + (verdict.retry_after_s == 1 ? " second" : " seconds");
    auto what = refusal(429, "rate_limited", "Too many at once", "wait " + wait + " and send it again; nothing was kept");
    what.kept = false;
    what.retry_after_s = std::max<std::int64_t>(1, verdict.retry_after_s);
    const auto& rate = *caller.rate;
    auto window = static_cast<std::int64_t>(std::max(1.0, rate.burst / rate.per_second));
    what.rate_policy =
        "\"" + std::string(caller.name) + "\";q=" + std::to_string(static_cast<std::int64_t>(rate.burst)) + ";w=" + std::to_string(window);
    what.rate_state = "\"" + std::string(caller.name) + "\";r=0;t=" + std::to_string(what.retry_after_s);
    return what;
}

}  // namespace forebay::intake
