#pragma once
// GET /demo: an endpoint's form, made from its fields, to try it with a browser. Needs no JavaScript.

#include <string>
#include <string_view>

#include "intake/rules.h"

namespace forebay::intake {

/// `fresh_id` must be new for every rendering: it makes sending the same form twice one record.
std::string demo_page(const PreparedEndpoint& endpoint, std::string_view fresh_id, std::string_view fresh_token);

}  // namespace forebay::intake
