#include "sqs/client/client_error.h"

#include <algorithm>
#include <iterator>

#include "base/json.h"

namespace forebay::sqs::client {
namespace {

/// Source: the lists of throttling codes that AWS's SDKs share, and SQS's own RequestThrottled.
constexpr std::string_view throttling_codes[] = {"RequestThrottled",        "RequestThrottledException", "Throttling",
                                                 "ThrottlingException",     "ThrottledException",        "KmsThrottled",
                                                 "KMS.ThrottlingException", "RequestLimitExceeded",      "BandwidthLimitExceeded",
                                                 "LimitExceededException",  "TooManyRequestsException",  "SlowDown",
                                                 "PriorRequestNotComplete"};

}  // namespace

std::string to_text(const ClientError& error) {
    auto out = "queue " + error.queue + " at " + error.endpoint + ": " + error.action + ": ";
    if (!error.code.empty()) out += error.code + ": ";
    out += error.message;
    if (!error.request_id.empty()) out += " (request " + error.request_id + ")";
    return out;
}

void read_error(const http::ClientResponse& response, ClientError& into) {
    into.request_id = response.find("x-amzn-requestid");
    auto body = json::parse(response.body);
    if (!body.ok() || !(*body)["__type"].is_string()) {
        into.message = "HTTP " + std::to_string(response.status);
        return;
    }
    const auto& type = (*body)["__type"].text();
    into.code = type.substr(type.find('#') + 1);
    const auto* message = body->find("message");
    if (message == nullptr) message = body->find("Message");
    if (message != nullptr) into.message = message->text();
}

bool is_throttling(std::string_view code) {
    return std::find(std::begin(throttling_codes), std::end(throttling_codes), code) != std::end(throttling_codes);
}

}  // namespace forebay::sqs::client
