#pragma once
// A queue reached over the SQS protocol (AWS JSON 1.0), which is how workers reach the node, on this machine or
// another. One kept-alive connection; deletes and sends go in batches of ten; entries that a batch reports as
// failed through no fault of ours are tried again a bounded number of times. An error names the queue, what was
// asked and what the server said.

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "http/client.h"
#include "transport/source.h"

namespace forebay::transport {

struct SqsSourceOptions {
    std::string endpoint_url = "http://127.0.0.1:9324";
    std::string account = "123456789012";  ///< in queue URLs
    Duration connect_deadline = 2s;
    Duration answer_deadline = 30s;  ///< beyond the time a receive waits
    unsigned tries = 3;              ///< of what the server says it could not do
    Duration pause = 50ms;           ///< between tries, doubled each time
    /// Whether the other side is Forebay: attempts and releases are known to it alone (D16).
    bool is_forebay = true;
};

class SqsSource final : public Source {
  public:
    explicit SqsSource(SqsSourceOptions options) : options_(std::move(options)) {}

    /// At most ten messages; a wait is cut to whole seconds and to 20 of them.
    Result<std::vector<Received>, SourceError> receive(const std::string& queue, unsigned max, Duration wait,
                                                       std::optional<Duration> visibility) override;
    Result<void, SourceError> settle(const std::string& queue, const std::vector<std::string>& handles) override;
    Result<void, SourceError> extend(const std::string& queue, const std::string& handle, Duration timeout,
                                     std::optional<std::uint32_t> attempts) override;
    Result<void, SourceError> release(const std::string& queue, const std::string& handle) override;
    /// All are durable, or an error; some may then have been sent, as an at-least-once queue allows.
    Result<void, SourceError> send(const std::string& queue, const std::vector<OutgoingBody>& messages) override;

  private:
    using Headers = std::vector<std::pair<std::string, std::string>>;
    /// One request and its answer, tried again a bounded number of times while the server says that it cannot now.
    Result<json::Value, SourceError> call(std::string_view action, const std::string& queue, json::Value members, Headers headers = {},
                                          Duration wait = Duration(0));
    struct NotDone {
        SourceError error;
        bool is_busy = false;  ///< the server did nothing and asks to be asked again
    };
    Result<json::Value, NotDone> call_once(std::string_view action, const std::string& queue, const http::ClientRequest& request);
    /// A batch action until every entry has succeeded; `entries` without their ids.
    Result<void, SourceError> call_batch(std::string_view action, const std::string& queue, std::vector<json::Value> entries);
    SourceError error(SourceError::Kind kind, std::string_view action, const std::string& queue, std::string_view why) const;
    void pause_after(unsigned attempt) const;

    SqsSourceOptions options_;
    http::Client client_;
};

}  // namespace forebay::transport
