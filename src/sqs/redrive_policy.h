#pragma once
// RedrivePolicy and RedriveAllowPolicy: where a queue's dead letters go, and whose a queue takes. An allow policy is asked when
// a queue names its dead-letter queue; those that named it before stay.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "broker/broker.h"
#include "sqs/error.h"
#include "sqs/names.h"

namespace forebay::sqs {

/// An empty value takes the policy away. Errors: invalid_parameter_value.
Result<void, Error> set_redrive_policy(broker::QueueSettings& settings, std::string_view name, std::string_view value);
/// The same. Errors: invalid_attribute_value.
Result<void, Error> set_redrive_allow_policy(broker::QueueSettings& settings, std::string_view name, std::string_view value);
/// As it is told; nothing without a policy.
std::optional<std::string> redrive_policy_of(const broker::QueueStatus& queue, const Names& outside);

/// What a queue is to have for its dead letters: the policy as it was given, and the queue it names.
struct NamedDeadLetterQueue {
    std::string policy;
    std::string queue;
};
/// Nothing if the attributes name none, or not in a form that set_redrive_policy takes.
std::optional<NamedDeadLetterQueue> dead_letter_queue_in(const std::vector<std::pair<std::string, std::string>>& attributes);
/// Whether `source` may have it. `target` is what the broker says of the queue.
/// Errors: invalid_parameter_value (it is not there, of the other kind, or does not take this queue's), what the broker refused.
Result<void, Error> check_dead_letter_queue(const NamedDeadLetterQueue& named, std::string_view source,
                                            const Result<broker::QueueStatus, broker::Refusal>& target);

}  // namespace forebay::sqs
