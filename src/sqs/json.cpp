#include "sqs/json.h"

namespace forebay::sqs::json_protocol {
namespace {

constexpr std::string_view media_type = "application/x-amz-json-1.0";
constexpr std::string_view target_prefix = "AmazonSQS.";

http::Response response(unsigned status, std::string_view request_id) {
    http::Response out;
    out.status = status;
    out.content_type = media_type;
    out.headers.emplace_back("x-amzn-RequestId", request_id);
    return out;
}

}  // namespace

bool speaks(const http::Request& request) {
    return !request.find("x-amz-target").empty() || request.find("content-type").starts_with("application/x-amz-json");
}

Result<std::string_view, Error> action_of(const http::Request& request) {
    auto target = request.find("x-amz-target");
    if (!target.starts_with(target_prefix))
        return Failure{Error{ErrorKind::unknown_operation, "The header X-Amz-Target must be AmazonSQS.ACTION."}};
    return target.substr(target_prefix.size());
}

Result<json::Value, Error> decode(std::string_view body) {
    if (body.empty()) return json::Value::object();
    auto parsed = json::parse(body);
    if (!parsed.ok())
        return Failure{Error{ErrorKind::serialization, "The request body is not JSON as it should be: " + parsed.error().what}};
    if (!parsed->is_object()) return Failure{Error{ErrorKind::serialization, "The request body must be a JSON object."}};
    return std::move(*parsed);
}

http::Response success(const json::Value& result, std::string_view request_id) {
    auto out = response(200, request_id);
    out.body = json::to_text(result);
    return out;
}

http::Response failure(const Error& error, std::string_view request_id) {
    auto& row = row_of(error.kind);
    auto out = response(row.status, request_id);
    out.headers.emplace_back("x-amzn-query-error", std::string(row.query_code) + (row.senders_fault ? ";Sender" : ";Receiver"));
    auto body = json::Value::object();
    body.set("__type", std::string(row.is_modelled ? "com.amazonaws.sqs#" : "com.amazon.coral.service#") + std::string(row.shape));
    body.set("message", error.message);
    out.body = json::to_text(body);
    return out;
}

}  // namespace forebay::sqs::json_protocol
