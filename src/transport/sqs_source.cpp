#include "transport/sqs_source.h"

#include <utility>

#include "queue/limits.h"

namespace forebay::transport {
namespace {

Received received_of(sqs::client::ReceivedMessage message) {
    Received out;
    out.sent_at.ms = message.number("SentTimestamp");
    out.first_received_at.ms = message.number("ApproximateFirstReceiveTimestamp");
    out.receive_count = static_cast<std::uint32_t>(message.number("ApproximateReceiveCount"));
    out.attempts = static_cast<std::uint32_t>(message.number("ForebayAttempts"));
    out.message_id = std::move(message.message_id);
    out.handle = std::move(message.handle);
    out.body = std::move(message.body);
    out.attributes = std::move(message.attributes);
    return out;
}

SourceError error_of(const sqs::client::ClientError& error) {
    bool is_refused = error.kind == sqs::client::ClientError::Kind::refused;
    return {is_refused ? SourceError::Kind::refused : SourceError::Kind::unreachable, to_text(error)};
}

Result<void, SourceError> first_failure(const sqs::client::Outcomes& outcomes) {
    for (const auto& outcome : outcomes)
        if (!outcome.ok()) return Failure{error_of(outcome.error())};
    return {};
}

SqsSourceOptions with_batches(SqsSourceOptions options) {
    if (options.is_forebay) options.client.batch_max = queue::limits::own_batch_max;
    return options;
}

}  // namespace

SqsSource::SqsSource(SqsSourceOptions options, std::optional<sqs::Credentials> credentials)
    : options_(with_batches(std::move(options))), client_(options_.client, std::move(credentials), clock_, entropy_) {}

std::string SqsSource::url_of(const std::string& queue) const {
    return options_.account.empty() ? queue : options_.client.endpoint_url + "/" + options_.account + "/" + queue;
}

Result<std::vector<Received>, SourceError> SqsSource::receive(const std::string& queue, unsigned max, Duration wait,
                                                              std::optional<Duration> visibility) {
    sqs::client::ReceiveRequest request{max, wait, visibility};
    request.system_attributes = {"SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"};
    if (options_.is_forebay) request.system_attributes.emplace_back("ForebayAttempts");
    auto messages = client_.receive(url_of(queue), request);
    if (!messages.ok()) return Failure{error_of(messages.error())};
    std::vector<Received> out;
    for (auto& message : *messages) out.push_back(received_of(std::move(message)));
    return out;
}

Result<void, SourceError> SqsSource::settle(const std::string& queue, const std::vector<std::string>& handles) {
    return first_failure(client_.remove(url_of(queue), handles));
}

Result<void, SourceError> SqsSource::extend(const std::string& queue, const std::string& handle, Duration timeout,
                                            std::optional<std::uint32_t> attempts) {
    sqs::client::Headers headers;
    if (attempts && options_.is_forebay) headers.emplace_back("x-forebay-attempt", std::to_string(*attempts));
    return change_visibility(queue, {handle, timeout}, headers);
}

Result<void, SourceError> SqsSource::release(const std::string& queue, const std::string& handle) {
    sqs::client::Headers headers;
    if (options_.is_forebay) headers.emplace_back("x-forebay-release", "hold");
    return change_visibility(queue, {handle, Duration(0)}, headers);
}

Result<void, SourceError> SqsSource::change_visibility(const std::string& queue, const sqs::client::HandleTimeout& change,
                                                       const sqs::client::Headers& headers) {
    return first_failure(client_.change_visibility(url_of(queue), {&change, 1}, headers));
}

Result<std::uint64_t, SourceError> SqsSource::ready(const std::string& queue) {
    auto ready = client_.ready(url_of(queue));
    if (!ready.ok()) return Failure{error_of(ready.error())};
    return *ready;
}

Result<void, SourceError> SqsSource::send(const std::string& queue, const std::vector<OutgoingBody>& messages) {
    std::vector<queue::OutgoingMessage> out;
    for (const auto& message : messages) {
        auto& one = out.emplace_back();
        one.body = message.body;
        one.attributes = message.attributes;
        one.delay = message.delay;
    }
    return first_failure(client_.send(url_of(queue), out));
}

}  // namespace forebay::transport
