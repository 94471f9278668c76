#pragma once
// The pages browsers see where a site has none of its own: thank you, and what went wrong. Plain HTML that
// works without JavaScript; everything that was sent comes back escaped.

#include <span>
#include <string>
#include <string_view>

#include "intake/answers.h"

namespace forebay::intake {

/// For Content-Security-Policy: our pages load nothing and run nothing.
inline constexpr std::string_view page_policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

std::string thank_you_page(std::string_view title, std::string_view id);
/// The form again with the values that were sent and a sentence at each field that needs attention.
std::string error_page(const PreparedEndpoint& endpoint, const Refused& what, std::span<const Input> values, std::string_view fresh_id,
                       std::string_view fresh_token);
/// What happened, without a form: the browser's own has the values.
std::string try_again_page(std::string_view title, const Refused& what);
/// Text for HTML, inside and outside of attributes.
std::string escape_html(std::string_view text);

/// What a form is filled with when it is rendered.
struct FormFilling {
    std::span<const Input> values;
    std::span<const FieldError> errors;
    std::string_view fresh_id;     ///< for the idempotency field
    std::string_view fresh_token;  ///< for the token field; empty = none
};
/// The <form> of an endpoint, made from its fields.
std::string render_form(const PreparedEndpoint& endpoint, const FormFilling& filling);
/// A whole page around `main` (HTML) in the style all our pages share.
std::string render_page(std::string_view title, std::string_view main);

}  // namespace forebay::intake
