#pragma once
// What a message is: the body and attributes its sender gave, and what the queue knows about it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/strong.h"
#include "base/time.h"
#include "base/uuid.h"

namespace forebay::queue {

using QueueId = Strong<struct QueueIdTag, std::uint32_t>;  ///< never reused
using Sequence = Strong<struct SequenceTag>;               ///< of a message in its queue; grows with every send

/// A typed attribute as SQS knows it: `type` is String, Number or Binary with an optional `.label`.
struct MessageAttribute {
    std::string name;
    std::string type;
    std::string value;  ///< text, or the bytes of a Binary
    bool operator==(const MessageAttribute&) const = default;
};

/// What a sender hands over.
struct OutgoingMessage {
    Uuid id;  ///< MessageId; nil = the broker makes one
    std::string body;
    std::vector<MessageAttribute> attributes;
    std::vector<MessageAttribute> system_attributes;  ///< AWSTraceHeader
    std::string group;                                ///< MessageGroupId, empty = none
    std::optional<Duration> delay;                    ///< nothing = the queue's
    bool is_record = false;                           ///< an accepted record: counts for history and audit
    std::string deduplication{};                      ///< MessageDeduplicationId, empty = none given
};

/// Names one delivery of one message. Genuine receipts are told from forged ones by their MAC.
struct Receipt {
    QueueId queue;
    Sequence sequence;
    std::uint32_t epoch = 0;       ///< boot epoch of the delivery
    std::uint32_t generation = 0;  ///< count of deliveries and visibility changes
    bool operator==(const Receipt&) const = default;
};

/// What a receiver gets.
struct Delivery {
    Uuid id;
    Receipt receipt;
    std::string body;
    std::vector<MessageAttribute> attributes;
    std::vector<MessageAttribute> system_attributes;
    std::string group;
    std::string deduplication;  ///< of a FIFO message: the id it was sent under, or the SHA-256 of its body
    Timestamp sent_at;
    Timestamp first_received_at;
    std::uint32_t receive_count = 0;
    std::uint32_t attempts = 0;      ///< answers a worker noted with change_visibility (x-forebay-attempt)
    std::string dead_letter_source;  ///< name of the queue a dead letter came from, empty = none
};

}  // namespace forebay::queue
