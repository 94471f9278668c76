#include "sqs/queue_attributes.h"

#include <algorithm>
#include <optional>
#include <span>

#include "queue/limits.h"
#include "sqs/policy.h"
#include "sqs/redrive_policy.h"
#include "sqs/text.h"

namespace forebay::sqs {
namespace {

namespace limits = queue::limits;
using broker::QueueSettings;
using broker::QueueStatus;
using std::chrono::seconds;

constexpr std::string_view tag_prefix = "tag:";
constexpr std::size_t tags_max = 50, tag_key_bytes_max = 128, tag_value_bytes_max = 256;

Error invalid_attribute(std::string_view name) {
    return {ErrorKind::invalid_attribute_value, "Invalid value for the parameter " + std::string(name) + "."};
}

/// A whole number between bounds, both included.
Result<std::int64_t, Error> bounded(std::string_view name, std::string_view value, std::int64_t least, std::int64_t most) {
    auto number = integer_of(value);
    if (!number || *number < least || *number > most) return Failure{invalid_attribute(name)};
    return *number;
}

std::int64_t in_seconds(Duration d) { return std::chrono::duration_cast<seconds>(d).count(); }

Result<void, Error> set_seconds(Duration& target, std::string_view name, std::string_view value, Duration least, Duration most) {
    TRY_ASSIGN(auto number, bounded(name, value, in_seconds(least), in_seconds(most)));
    target = seconds(number);
    return {};
}

Result<void, Error> keep(QueueSettings& settings, std::string_view name, std::string_view value) {
    if (value.empty())
        settings.extra.erase(std::string(name));
    else
        settings.extra.insert_or_assign(std::string(name), std::string(value));
    return {};
}

Result<void, Error> keep_policy(QueueSettings& settings, std::string_view name, std::string_view value) {
    if (!value.empty()) {
        // What is wrong with a policy is wrong for whatever queue.
        if (auto policy = Policy::parse(value, {}); !policy.ok())
            return Failure{Error{ErrorKind::invalid_attribute_value, invalid_attribute(name).message + " Reason: " + policy.error()}};
    }
    return keep(settings, name, value);
}

std::string text_of(Duration d) { return std::to_string(in_seconds(d)); }
std::string text_of(std::uint64_t n) { return std::to_string(n); }
std::string_view text_of(bool value) { return value ? "true" : "false"; }
std::string text_of_seconds(Timestamp at) { return std::to_string(at.ms / 1000); }

/// Booleans come in any case.
bool is_text(std::string_view value, std::string_view lower_case) {
    return std::equal(value.begin(), value.end(), lower_case.begin(), lower_case.end(),
                      [](char c, char lower) { return (c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) == lower; });
}

Result<bool, Error> read_boolean(std::string_view name, std::string_view value) {
    if (is_true(value)) return true;
    if (is_text(value, "false")) return false;
    return Failure{invalid_attribute(name)};
}

Result<void, Error> keep_boolean(QueueSettings& settings, std::string_view name, std::string_view value) {
    TRY_ASSIGN(bool wanted, read_boolean(name, value));
    return keep(settings, name, text_of(wanted));
}

// Of FIFO queues only.

Result<void, Error> set_fifo(QueueSettings& settings, std::string_view name, std::string_view value) {
    if (!settings.fifo) return Failure{unknown_attribute(name)};
    TRY_ASSIGN(bool wanted, read_boolean(name, value));
    if (!wanted)
        return Failure{Error{ErrorKind::invalid_attribute_value,
                             "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."}};
    return {};
}

Result<void, Error> set_content_deduplication(QueueSettings& settings, std::string_view name, std::string_view value) {
    if (!settings.fifo) return Failure{unknown_attribute(name)};
    TRY_ASSIGN(settings.content_deduplication, read_boolean(name, value));
    return {};
}

constexpr std::string_view scope_names[] = {"queue", "messageGroup"}, limit_names[] = {"perQueue", "perMessageGroupId"};

/// One of two: false is the first.
Result<void, Error> set_choice(QueueSettings& settings, bool QueueSettings::* target, std::span<const std::string_view, 2> choices,
                               std::string_view name, std::string_view value) {
    if (!settings.fifo)
        return Failure{
            Error{ErrorKind::invalid_attribute_value, "You can specify the " + std::string(name) + " only when FifoQueue is set to true."}};
    if (value != choices[0] && value != choices[1]) return Failure{invalid_attribute(name)};
    settings.*target = value == choices[1];
    return {};
}

using Value = std::optional<std::string>;

Value kept(const QueueStatus& queue, std::string_view name) {
    auto found = queue.settings.extra.find(std::string(name));
    return found == queue.settings.extra.end() ? Value() : Value(found->second);
}

Value of_fifo(const QueueStatus& queue, std::string_view value) { return queue.settings.fifo ? Value(value) : std::nullopt; }

using Set = Result<void, Error> (*)(QueueSettings&, std::string_view name, std::string_view value);
using Get = Value (*)(const QueueStatus&, const Names&);

/// What SQS knows of an attribute: how it is set (empty: it cannot be) and what it is.
struct Attribute {
    std::string_view name;
    Set set;
    Get get;
};

constexpr Attribute attributes[] = {
    {"VisibilityTimeout", [](auto& s, auto n, auto v) { return set_seconds(s.visibility_timeout, n, v, 0s, limits::visibility_max); },
     [](auto& q, auto&) { return Value(text_of(q.settings.visibility_timeout)); }},
    {"DelaySeconds", [](auto& s, auto n, auto v) { return set_seconds(s.delay, n, v, 0s, limits::delay_max); },
     [](auto& q, auto&) { return Value(text_of(q.settings.delay)); }},
    {"ReceiveMessageWaitTimeSeconds", [](auto& s, auto n, auto v) { return set_seconds(s.receive_wait, n, v, 0s, limits::wait_max); },
     [](auto& q, auto&) { return Value(text_of(q.settings.receive_wait)); }},
    {"MessageRetentionPeriod",
     [](auto& s, auto n, auto v) { return set_seconds(s.retention, n, v, limits::retention_min, limits::retention_max); },
     [](auto& q, auto&) { return Value(text_of(q.settings.retention)); }},
    {"MaximumMessageSize",
     [](auto& s, auto n, auto v) -> Result<void, Error> {
         TRY_ASSIGN(auto bytes, bounded(n, v, limits::maximum_message_size_min, limits::message_bytes_max));
         s.message_bytes_max = static_cast<std::uint64_t>(bytes);
         return {};
     },
     [](auto& q, auto&) { return Value(text_of(q.settings.message_bytes_max)); }},
    {"RedrivePolicy", set_redrive_policy, redrive_policy_of},
    {"RedriveAllowPolicy", set_redrive_allow_policy, [](auto& q, auto&) { return kept(q, "RedriveAllowPolicy"); }},
    {"Policy", keep_policy, [](auto& q, auto&) { return kept(q, "Policy"); }},
    {"KmsMasterKeyId", keep, [](auto& q, auto&) { return kept(q, "KmsMasterKeyId"); }},
    {"KmsDataKeyReusePeriodSeconds",
     [](auto& s, auto n, auto v) -> Result<void, Error> {
         TRY_ASSIGN(auto period, bounded(n, v, 60, 86400));
         return keep(s, n, period == 300 ? std::string_view() : v);
     },
     [](auto& q, auto&) { return kept(q, "KmsDataKeyReusePeriodSeconds"); }},
    {"SqsManagedSseEnabled", keep_boolean, [](auto& q, auto&) { return Value(kept(q, "SqsManagedSseEnabled").value_or("false")); }},
    {"FifoQueue", set_fifo, [](auto& q, auto&) { return of_fifo(q, "true"); }},
    {"ContentBasedDeduplication", set_content_deduplication,
     [](auto& q, auto&) { return of_fifo(q, text_of(q.settings.content_deduplication)); }},
    {"DeduplicationScope",
     [](auto& s, auto n, auto v) { return set_choice(s, &QueueSettings::deduplication_per_group, scope_names, n, v); },
     [](auto& q, auto&) { return of_fifo(q, scope_names[q.settings.deduplication_per_group]); }},
    {"FifoThroughputLimit", [](auto& s, auto n, auto v) { return set_choice(s, &QueueSettings::throughput_per_group, limit_names, n, v); },
     [](auto& q, auto&) { return of_fifo(q, limit_names[q.settings.throughput_per_group]); }},
    {"QueueArn", nullptr, [](auto& q, auto& outside) { return Value(outside.arn_of(q.name)); }},
    {"ApproximateNumberOfMessages", nullptr, [](auto& q, auto&) { return Value(text_of(q.ready)); }},
    {"ApproximateNumberOfMessagesNotVisible", nullptr, [](auto& q, auto&) { return Value(text_of(q.in_flight)); }},
    {"ApproximateNumberOfMessagesDelayed", nullptr, [](auto& q, auto&) { return Value(text_of(q.delayed)); }},
    {"CreatedTimestamp", nullptr, [](auto& q, auto&) { return Value(text_of_seconds(q.created_at)); }},
    {"LastModifiedTimestamp", nullptr, [](auto& q, auto&) { return Value(text_of_seconds(q.modified_at)); }},
};

const Attribute* find_attribute(std::string_view name) {
    auto found = std::find_if(std::begin(attributes), std::end(attributes), [&](auto& row) { return row.name == name; });
    return found == std::end(attributes) ? nullptr : found;
}
bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

Error invalid_tag(std::string message) { return {ErrorKind::invalid_parameter_value, std::move(message)}; }

Result<void, Error> check_tag(std::string_view key, std::string_view value) {
    if (key.empty() || key.size() > tag_key_bytes_max)
        return Failure{invalid_tag("Tag keys must be between 1 and 128 characters in length.")};
    if (key.starts_with("aws:")) return Failure{invalid_tag("Tag keys must not start with aws:, which AWS reserves.")};
    if (value.size() > tag_value_bytes_max) return Failure{invalid_tag("Tag values must be between 0 and 256 characters in length.")};
    return {};
}

}  // namespace

bool is_true(std::string_view value) { return is_text(value, "true"); }

Result<void, Error> set_attribute(QueueSettings& settings, std::string_view name, std::string_view value) {
    auto* attribute = find_attribute(name);
    if (attribute != nullptr && attribute->set != nullptr) return attribute->set(settings, name, value);
    return Failure{unknown_attribute(name)};
}

Result<void, Error> set_attributes(QueueSettings& settings, const std::vector<std::pair<std::string, std::string>>& attributes) {
    for (const auto& [name, value] : attributes) TRY(set_attribute(settings, name, value));
    if (settings.throughput_per_group && !settings.deduplication_per_group)
        return Failure{
            Error{ErrorKind::invalid_attribute_value,
                  "You can specify perMessageGroupId for FifoThroughputLimit only when DeduplicationScope is set to messageGroup."}};
    return {};
}

Result<void, Error> check_attribute_names(const std::vector<std::string>& names) {
    for (auto& name : names)
        if (name != "All" && find_attribute(name) == nullptr) return Failure{unknown_attribute(name)};
    return {};
}

json::Value attributes_of(const QueueStatus& queue, const std::vector<std::string>& names, const Names& outside) {
    auto out = json::Value::object();
    bool all = contains(names, "All");
    for (auto& attribute : attributes) {
        if (!all && !contains(names, attribute.name)) continue;
        if (auto value = attribute.get(queue, outside)) out.set(attribute.name, std::move(*value));
    }
    return out;
}

std::string policy_in(const QueueSettings& settings) {
    auto found = settings.extra.find("Policy");
    return found == settings.extra.end() ? std::string() : found->second;
}

std::vector<std::pair<std::string, std::string>> tags_of(const QueueSettings& settings) {
    std::vector<std::pair<std::string, std::string>> out;
    for (auto it = settings.extra.lower_bound(std::string(tag_prefix)); it != settings.extra.end() && it->first.starts_with(tag_prefix);
         ++it)
        out.emplace_back(it->first.substr(tag_prefix.size()), it->second);
    return out;
}

Result<void, Error> set_tags(QueueSettings& settings, const std::vector<std::pair<std::string, std::string>>& tags) {
    for (auto& [key, value] : tags) {
        TRY(check_tag(key, value));
        settings.extra.insert_or_assign(std::string(tag_prefix) + key, value);
    }
    if (tags_of(settings).size() > tags_max) return Failure{invalid_tag("Too many tags added for queue: at most 50 are allowed.")};
    return {};
}

void remove_tags(QueueSettings& settings, const std::vector<std::string>& keys) {
    for (auto& key : keys) settings.extra.erase(std::string(tag_prefix) + key);
}

}  // namespace forebay::sqs
