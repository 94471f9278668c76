#include "sqs/client/caller.h"

#include <algorithm>

#include "base/bytes.h"
#include "queue/limits.h"

namespace forebay::sqs::client {
namespace {

using Kind = ClientError::Kind;

constexpr std::size_t answer_bytes_max = 64_MiB;  // ten bodies of 1 MiB, each byte escaped to six
constexpr unsigned ok = 200, too_many_requests = 429, server_error = 500, service_unavailable = 503;

std::string_view after_scheme(std::string_view url) {
    auto scheme = url.find("://");
    return scheme == std::string_view::npos ? url : url.substr(scheme + 3);
}

/// libcurl sends neither.
std::string authority_of(std::string_view url) {
    auto rest = after_scheme(url);
    rest = rest.substr(0, rest.find_first_of("/?#"));
    return std::string(rest.substr(rest.find('@') == std::string_view::npos ? 0 : rest.find('@') + 1));
}

std::string path_of(std::string_view url) {
    auto rest = after_scheme(url);
    auto begin = rest.find_first_of("/?#");
    if (begin == std::string_view::npos || rest[begin] != '/') return "/";
    rest.remove_prefix(begin);
    return std::string(rest.substr(0, rest.find_first_of("?#")));
}

}  // namespace

Caller::Caller(ClientOptions options, std::optional<Credentials> credentials, Clock& clock, Entropy& entropy)
    : options_(std::move(options)),
      authority_(authority_of(options_.endpoint_url)),
      path_(path_of(options_.endpoint_url)),
      credentials_(std::move(credentials)),
      clock_(clock),
      entropy_(entropy) {}

ClientError Caller::error(Kind kind, const Call& call, std::string message) const {
    return {kind, std::string(call.action), call.queue, options_.endpoint_url, {}, std::move(message), {}};
}

ClientError Caller::damaged(const Call& call, const Answer& answer, std::string message) const {
    auto out = error(Kind::damaged, call, std::move(message));
    out.request_id = answer.request_id;
    return out;
}

/// Host is named here, so that what is signed is what is sent.
Headers Caller::headers_of(const Call& call, std::string_view body) {
    Headers out{
        {"Host", authority_}, {"Content-Type", "application/x-amz-json-1.0"}, {"X-Amz-Target", "AmazonSQS." + std::string(call.action)}};
    out.insert(out.end(), call.headers.begin(), call.headers.end());
    if (options_.batch_max > queue::limits::batch_entries_max) out.emplace_back("x-forebay-batch", std::to_string(options_.batch_max));
    if (!credentials_) return out;
    std::vector<http::Header> views;
    for (const auto& [name, value] : out) views.push_back({name, value});
    auto added = sign({"POST", path_, {}, views, {}, {}}, body, *credentials_, options_.region, "sqs", clock_.wall(), keys_);
    out.insert(out.end(), std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()));
    return out;
}

Caller::NotDone Caller::refusal_of(const Call& call, const http::ClientResponse& response) const {
    auto out = error(Kind::refused, call, {});
    read_error(response, out);
    const bool did_nothing = response.status == service_unavailable || response.status == too_many_requests || is_throttling(out.code);
    const bool cannot_now = did_nothing || response.status >= server_error;
    if (cannot_now) out.kind = Kind::unreachable;
    return {std::move(out), did_nothing || (cannot_now && call.repeatable)};
}

Result<Answer, Caller::NotDone> Caller::call_once(const Call& call, const std::string& body, Duration deadline) {
    http::ClientRequest request;
    request.method = "POST";
    request.url = options_.endpoint_url;
    request.headers = headers_of(call, body);
    request.body = body;
    request.connect_deadline = options_.connect_deadline;
    request.total_deadline = deadline;
    request.response_bytes_max = answer_bytes_max;
    auto response = http_.send(request);
    if (!response.ok()) {
        using Http = http::ClientError::Kind;
        const auto kind = response.error().kind;
        const bool is_broken = kind == Http::broken || kind == Http::timed_out;
        if (kind == Http::response_too_large)
            return Failure{NotDone{error(Kind::damaged, call, "the answer has more than " + std::to_string(answer_bytes_max) + " bytes")}};
        return Failure{NotDone{error(kind == Http::invalid_request ? Kind::refused : Kind::unreachable, call, response.error().detail),
                               kind == Http::not_connected || (is_broken && call.repeatable)}};
    }
    if (response->status != ok) return Failure{refusal_of(call, *response)};
    Answer answer{json::Value::object(), std::string(response->find("x-amzn-requestid"))};
    if (response->body.empty()) return answer;
    auto members = json::parse(response->body);
    if (!members.ok()) return Failure{NotDone{damaged(call, answer, "the answer is no JSON: " + members.error().what)}};
    answer.members = std::move(*members);
    return answer;
}

Result<Answer, ClientError> Caller::call(const Call& call, Tries& tries) {
    const auto body = json::to_text(call.members);
    const auto whole = options_.answer_deadline + call.wait;
    for (;;) {
        auto deadline = tries.is_first() ? whole : std::clamp(tries.left(), Duration(1), whole);
        auto answer = call_once(call, body, deadline);
        if (answer.ok()) return std::move(*answer);
        if (!answer.error().may_repeat || !tries.pause()) return Failure{answer.error().error};
    }
}

}  // namespace forebay::sqs::client
