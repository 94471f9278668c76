#pragma once
// A queue reached over the SQS protocol, which is how workers reach the node, on this machine or another. What goes
// into batches, is tried again and how often: sqs/client/client.h. An error names the queue, what was asked and what
// the server said.

#include <optional>
#include <string>
#include <vector>

#include "sqs/client/client.h"
#include "transport/source.h"

namespace forebay::transport {

struct SqsSourceOptions {
    sqs::client::ClientOptions client{};
    /// In queue URLs, which then need not be asked for. Empty = GetQueueUrl tells them.
    std::string account = "123456789012";
    /// Whether the other side is Forebay: attempts and releases are known to it alone (D16).
    bool is_forebay = true;
};

class SqsSource final : public Source {
  public:
    /// Without credentials requests are not signed.
    explicit SqsSource(SqsSourceOptions options, std::optional<sqs::Credentials> credentials = {});

    /// At most ten messages, or a hundred of a node of ours; a wait is cut to whole seconds and to 20 of them.
    Result<std::vector<Received>, SourceError> receive(const std::string& queue, unsigned max, Duration wait,
                                                       std::optional<Duration> visibility) override;
    Result<void, SourceError> settle(const std::string& queue, const std::vector<std::string>& handles) override;
    Result<void, SourceError> extend(const std::string& queue, const std::string& handle, Duration timeout,
                                     std::optional<std::uint32_t> attempts) override;
    Result<void, SourceError> release(const std::string& queue, const std::string& handle) override;
    Result<std::uint64_t, SourceError> ready(const std::string& queue) override;
    /// All are durable, or an error; some may then have been sent, as an at-least-once queue allows.
    Result<void, SourceError> send(const std::string& queue, const std::vector<OutgoingBody>& messages) override;

  private:
    std::string url_of(const std::string& queue) const;
    Result<void, SourceError> change_visibility(const std::string& queue, const sqs::client::HandleTimeout& change,
                                                const sqs::client::Headers& headers);

    SqsSourceOptions options_;
    SystemClock clock_;
    SystemEntropy entropy_;
    sqs::client::Client client_;
};

}  // namespace forebay::transport
