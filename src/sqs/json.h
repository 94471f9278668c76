#pragma once
// AWS JSON 1.0: the action in X-Amz-Target, members in the body, errors as `__type` with the Query code in a
// header (awsQueryCompatible).

#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "http/message.h"
#include "sqs/error.h"

namespace forebay::sqs::json_protocol {

bool speaks(const http::Request& request);
/// `SendMessage` of `X-Amz-Target: AmazonSQS.SendMessage`.
Result<std::string_view, Error> action_of(const http::Request& request);
/// The members of the body. An empty body is an empty object.
Result<json::Value, Error> decode(std::string_view body);

http::Response success(const json::Value& result, std::string_view request_id);
http::Response failure(const Error& error, std::string_view request_id);

}  // namespace forebay::sqs::json_protocol
