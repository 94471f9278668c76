#include "condition/record_scope.h"

#include <algorithm>

namespace forebay::condition {
namespace {

constexpr std::string_view own_names[] = {"id", "endpoint", "received_at", "_ip", "_value", "_currency", "_flags"};

json::Value text_or_nothing(const std::string& text) { return text.empty() ? json::Value() : json::Value(text); }

}  // namespace

bool RecordScope::is_own(std::string_view name) {
    return name == "fields" || std::find(std::begin(own_names), std::end(own_names), name) != std::end(own_names);
}

const json::Value* RecordScope::find(std::string_view name) const {
    if (name == "fields") return &record_.fields;
    if (!is_own(name)) return record_.fields.find(name);
    auto made = made_.find(name);
    if (made == made_.end()) made = made_.emplace(std::string(name), own(name)).first;
    return &made->second;
}

json::Value RecordScope::own(std::string_view name) const {
    if (name == "id") return to_text(record_.id);
    if (name == "endpoint") return record_.endpoint;
    if (name == "received_at") return to_rfc3339(record_.received_at);
    if (name == "_ip") return text_or_nothing(record_.client_ip);
    if (name == "_value") return record_.value.empty() ? json::Value() : json::Value::number(record_.value);
    if (name == "_currency") return text_or_nothing(record_.currency);
    auto flags = json::Value::array();
    for (const auto& flag : record_.flags) flags.push(flag);
    return flags;
}

bool holds_for(const Condition& condition, const record::Envelope& record) { return condition.holds(RecordScope(record)); }

}  // namespace forebay::condition
