#include "sqs/reply.h"

#include "base/entropy.h"
#include "base/uuid.h"
#include "sqs/json.h"
#include "sqs/query_xml.h"

namespace forebay::sqs {
namespace {

std::string new_request_id() {
    thread_local SystemEntropy entropy;
    return to_text(make_uuid_v4(entropy));
}

}  // namespace

http::Response refusal(Protocol protocol, const Error& error) {
    auto id = new_request_id();
    auto response = protocol == Protocol::json ? json_protocol::failure(error, id) : query_protocol::failure(error, id);
    if (error.kind == ErrorKind::service_unavailable) response.headers.emplace_back("Retry-After", "1");
    return response;
}

void Reply::succeed(const json::Value& result, UniqueFunction<void()> on_undelivered) {
    auto id = new_request_id();
    auto response =
        protocol_ == Protocol::json ? json_protocol::success(result, id) : query_protocol::success(action_, has_result_, result, id);
    response.on_undelivered = std::move(on_undelivered);
    responder_(std::move(response));
}

void Reply::fail(const Error& error) { responder_(refusal(protocol_, error)); }

}  // namespace forebay::sqs
