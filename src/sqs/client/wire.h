#pragma once
// Messages as members of requests and answers, and the digests with which SQS lets both sides see that what arrived
// is what was sent.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "queue/message.h"

namespace forebay::sqs::client {

struct ReceivedMessage {
    std::string message_id;
    std::string handle;  ///< opaque
    std::string body;
    std::vector<queue::MessageAttribute> attributes;
    std::map<std::string, std::string, std::less<>> system_attributes;  ///< those asked for: `SentTimestamp`, …
    /// A system attribute that is a number, as SQS writes it; 0 if it is not there.
    std::int64_t number(std::string_view name) const;
};

/// Of SendMessageBatch, without its Id.
json::Value entry_of(const queue::OutgoingMessage& message);
/// What a message counts for in a batch's size.
std::uint64_t bytes_of(const queue::OutgoingMessage& message);
/// Whether an entry of the answer has the digests of what was sent; an error says which is wrong.
Result<void, std::string> check_digests(const queue::OutgoingMessage& sent, const json::Value& entry);

/// An element of Messages. The error says which message is not what its digests say.
Result<ReceivedMessage, std::string> message_of(const json::Value& element);

/// SQS counts in seconds: more rather than less.
std::int64_t seconds_rounded_up(Duration d);

}  // namespace forebay::sqs::client
