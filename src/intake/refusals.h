#pragma once
// Why a post is not taken, in the words its client reads: one function for each reason. Pure: values in, Refused out.
// That a value of a field is wrong is said in check_field.h.

#include <string>
#include <string_view>
#include <vector>

#include "broker/broker.h"
#include "intake/answers.h"
#include "intake/credentials.h"
#include "intake/rate_limiter.h"

namespace forebay::intake {

/// `code` is a literal.
Refused refusal(unsigned status, std::string_view code, std::string title, std::string detail);
/// The broker did not take it.
Refused unavailable(broker::Refusal why);
Refused validation(std::vector<FieldError> errors);
Refused key_reused();
Refused same_content();
/// Another post with the same key and content has no answer yet.
Refused key_in_progress();
/// For a verdict other than known.
Refused not_authorised(Caller::Verdict verdict);
/// For a caller that has a rate.
Refused rate_limited(const Caller& caller, const RateLimiter::Verdict& verdict);

}  // namespace forebay::intake
