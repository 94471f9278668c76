#pragma once
// A queue as a worker process sees it, wherever it lives: blocking calls, one at a time, from one thread
// (a heartbeat uses a Source of its own). The driver for the SQS protocol is sqs_source.h.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "queue/message.h"

namespace forebay::transport {

struct Received {
    std::string message_id;
    std::string handle;  ///< opaque receipt handle
    std::string body;
    std::vector<queue::MessageAttribute> attributes;
    Timestamp sent_at;
    Timestamp first_received_at;
    std::uint32_t receive_count = 0;
    std::uint32_t attempts = 0;  ///< answers noted so far (retries spent)
};

struct SourceError {
    enum class Kind { unreachable, refused } kind = Kind::unreachable;
    std::string what;  ///< what, which queue, what the server said
};

struct OutgoingBody {
    std::string body;
    std::vector<queue::MessageAttribute> attributes;
    std::optional<Duration> delay;
};

class Source {
  public:
    virtual ~Source() = default;
    virtual Result<std::vector<Received>, SourceError> receive(const std::string& queue, unsigned max, Duration wait,
                                                               std::optional<Duration> visibility) = 0;
    /// Deletes messages that are settled. Succeeds only when all are gone.
    virtual Result<void, SourceError> settle(const std::string& queue, const std::vector<std::string>& handles) = 0;
    /// Hides a message for `timeout` more; `attempts` is noted with it when given.
    virtual Result<void, SourceError> extend(const std::string& queue, const std::string& handle, Duration timeout,
                                             std::optional<std::uint32_t> attempts) = 0;
    /// Hold: gives a message back, visible at once, its receive not counted.
    virtual Result<void, SourceError> release(const std::string& queue, const std::string& handle) = 0;
    /// How many messages could be received now; SQS says about how many.
    virtual Result<std::uint64_t, SourceError> ready(const std::string& queue) = 0;
    virtual Result<void, SourceError> send(const std::string& queue, const std::vector<OutgoingBody>& messages) = 0;
};

}  // namespace forebay::transport
