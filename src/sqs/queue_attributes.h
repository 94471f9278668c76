#pragma once
// A queue's attributes as SQS names and bounds them, to and from the broker's settings. Attributes that change
// nothing here (encryption) are kept and given back; Policy is policy.h's.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "broker/broker.h"
#include "sqs/error.h"
#include "sqs/names.h"

namespace forebay::sqs {

/// Sets one attribute of a queue whose kind, `settings.fifo`, is known. Errors: invalid_attribute_name, invalid_attribute_value,
/// invalid_parameter_value (RedrivePolicy).
Result<void, Error> set_attribute(broker::QueueSettings& settings, std::string_view name, std::string_view value);
/// Sets each, and sees whether they go together. On failure some may have been set.
Result<void, Error> set_attributes(broker::QueueSettings& settings, const std::vector<std::pair<std::string, std::string>>& attributes);
/// A boolean as SQS takes it: in any case.
bool is_true(std::string_view value);

/// The attributes among `names` (`All` for all), as a JSON object of texts.
/// Errors: invalid_attribute_name for a name SQS does not know.
Result<void, Error> check_attribute_names(const std::vector<std::string>& names);
json::Value attributes_of(const broker::QueueStatus& queue, const std::vector<std::string>& names, const Names& outside);

/// The Policy attribute; empty if there is none.
std::string policy_in(const broker::QueueSettings& settings);

/// Tags stand among the settings' extras.
std::vector<std::pair<std::string, std::string>> tags_of(const broker::QueueSettings& settings);
/// Errors: invalid_parameter_value (more than 50, a key or value too long, `aws:`).
Result<void, Error> set_tags(broker::QueueSettings& settings, const std::vector<std::pair<std::string, std::string>>& tags);
void remove_tags(broker::QueueSettings& settings, const std::vector<std::string>& keys);

}  // namespace forebay::sqs
