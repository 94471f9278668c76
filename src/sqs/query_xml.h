#pragma once
// The Query protocol of 2012-11-05: parameters as a form or in the URL with flattened lists
// (`Attribute.1.Name=…`), answers as XML. Both ways go through JSON's names, so actions know one form only.

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "http/message.h"
#include "sqs/error.h"

namespace forebay::sqs::query_protocol {

inline constexpr std::size_t parameters_max = 1000;

struct Parameters {
    std::string action;   ///< empty = none given
    json::Value members;  ///< an object with the JSON protocol's names; values are texts
};
/// Reads the URL's parameters and, of a POST, the form's. Errors: serialization (too many, nested too deep, not UTF-8).
Result<Parameters, Error> decode(const http::Request& request);

/// `has_result`: whether the action's answer has an element for its result at all.
http::Response success(std::string_view action, bool has_result, const json::Value& result, std::string_view request_id);
http::Response failure(const Error& error, std::string_view request_id);
/// The answer to a request without any Action: 404.
http::Response no_action();

}  // namespace forebay::sqs::query_protocol
