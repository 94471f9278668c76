#include "sqs/redrive_policy.h"

#include <algorithm>

#include "base/json.h"
#include "queue/limits.h"
#include "sqs/text.h"

namespace forebay::sqs {
namespace {

using broker::QueueSettings;

constexpr std::string_view redrive_name = "RedrivePolicy", allow_name = "RedriveAllowPolicy";
constexpr std::size_t source_queues_max = 10, allow_policy_bytes_max = 8192;

Error bad_redrive(std::string_view value, std::string_view reason) { return invalid_value(value, redrive_name, reason); }

Error bad_allow_policy(std::string_view reason) {
    return {ErrorKind::invalid_attribute_value, "Invalid value for the parameter RedriveAllowPolicy. Reason: " + std::string(reason)};
}

std::optional<std::int64_t> number_or_digits(const json::Value& value) {
    return value.is_string() ? integer_of(value.text()) : value.integer();
}

Result<broker::Redrive, Error> read_redrive(std::string_view value) {
    auto policy = json::parse(value);
    if (!policy.ok() || !policy->is_object())
        return Failure{bad_redrive(value, "Amazon SQS can't create the redrive policy, as it's in an unsupported format.")};
    for (auto required : {"deadLetterTargetArn", "maxReceiveCount"})
        if (policy->find(required) == nullptr)
            return Failure{bad_redrive(value, "Redrive policy does not contain mandatory attribute: " + std::string(required) + ".")};
    auto count = number_or_digits((*policy)["maxReceiveCount"]);
    if (!count || *count < 1 || *count > queue::limits::max_receive_count_max)
        return Failure{bad_redrive(value, "Invalid value for maxReceiveCount: " + (*policy)["maxReceiveCount"].text() +
                                              ", valid values are from 1 to 1000 both inclusive.")};
    auto target = name_of_arn((*policy)["deadLetterTargetArn"].text());
    if (!target) return Failure{bad_redrive(value, "Invalid value for deadLetterTargetArn.")};
    return broker::Redrive{std::string(*target), static_cast<std::uint32_t>(*count)};
}

Error other_kind(std::string_view policy) {
    return bad_redrive(policy, "Dead-letter queue must be same type of queue as the source..");  // AWS's two dots
}

Result<void, Error> check_sources(const json::Value* sources, bool is_by_queue) {
    if (!is_by_queue && sources != nullptr) return Failure{bad_allow_policy("sourceQueueArns is only for the redrivePermission byQueue.")};
    if (!is_by_queue) return {};
    if (sources == nullptr || !sources->is_array() || sources->elements().empty() || sources->elements().size() > source_queues_max)
        return Failure{bad_allow_policy("The redrivePermission byQueue needs sourceQueueArns, a list of 1 to 10.")};
    for (const auto& source : sources->elements())
        if (!source.is_string() || !name_of_arn(source.text())) return Failure{bad_allow_policy("sourceQueueArns must be ARNs of queues.")};
    return {};
}

Result<void, Error> check_allow_policy(std::string_view value) {
    auto policy = json::parse(value);
    if (!policy.ok() || !policy->is_object()) return Failure{bad_allow_policy("It must be a JSON object.")};
    auto permission = (*policy)["redrivePermission"].text();
    if (permission != "allowAll" && permission != "denyAll" && permission != "byQueue")
        return Failure{bad_allow_policy("redrivePermission must be allowAll, denyAll or byQueue.")};
    return check_sources(policy->find("sourceQueueArns"), permission == "byQueue");
}

/// Which is in its form: it was checked when it was set.
bool allows(const QueueSettings& target, std::string_view source) {
    auto kept = target.extra.find(std::string(allow_name));
    if (kept == target.extra.end()) return true;
    auto policy = json::parse(kept->second);
    if (!policy.ok() || (*policy)["redrivePermission"].text() == "denyAll") return false;
    if ((*policy)["redrivePermission"].text() == "allowAll") return true;
    const auto& sources = (*policy)["sourceQueueArns"].elements();
    return std::any_of(sources.begin(), sources.end(), [&](const auto& arn) { return name_of_arn(arn.text()) == source; });
}

}  // namespace

Result<void, Error> set_redrive_policy(QueueSettings& settings, std::string_view, std::string_view value) {
    if (value.empty()) {
        settings.redrive.reset();
        return {};
    }
    TRY_ASSIGN(auto redrive, read_redrive(value));
    if (is_fifo_name(redrive.dead_letter) != settings.fifo) return Failure{other_kind(value)};
    settings.redrive = std::move(redrive);
    return {};
}

Result<void, Error> set_redrive_allow_policy(QueueSettings& settings, std::string_view name, std::string_view value) {
    if (value.empty()) {
        settings.extra.erase(std::string(name));
        return {};
    }
    if (value.size() > allow_policy_bytes_max) return Failure{bad_allow_policy("It must be shorter than 8192 bytes.")};
    TRY(check_allow_policy(value));
    settings.extra.insert_or_assign(std::string(name), std::string(value));
    return {};
}

std::optional<std::string> redrive_policy_of(const broker::QueueStatus& queue, const Names& outside) {
    if (!queue.settings.redrive) return std::nullopt;
    auto policy = json::Value::object();
    policy.set("deadLetterTargetArn", outside.arn_of(queue.settings.redrive->dead_letter));
    policy.set("maxReceiveCount", queue.settings.redrive->max_receive_count);
    return json::to_text(policy);
}

std::optional<NamedDeadLetterQueue> dead_letter_queue_in(const std::vector<std::pair<std::string, std::string>>& attributes) {
    for (const auto& [name, value] : attributes) {
        if (name != redrive_name) continue;
        auto redrive = read_redrive(value);
        if (redrive.ok()) return NamedDeadLetterQueue{value, redrive->dead_letter};
    }
    return std::nullopt;
}

Result<void, Error> check_dead_letter_queue(const NamedDeadLetterQueue& named, std::string_view source,
                                            const Result<broker::QueueStatus, broker::Refusal>& target) {
    if (!target.ok() && target.error() != broker::Refusal::no_such_queue) return Failure{error_of(target.error())};
    if (!target.ok() || named.queue == source) return Failure{bad_redrive(named.policy, "Dead letter target does not exist.")};
    if (target->settings.fifo != is_fifo_name(source)) return Failure{other_kind(named.policy)};
    if (!allows(target->settings, source))
        return Failure{bad_redrive(named.policy, "The RedriveAllowPolicy of the dead-letter queue does not allow this source queue.")};
    return {};
}

}  // namespace forebay::sqs
