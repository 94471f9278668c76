#include "sim/knowledge.h"

#include <cstring>

namespace forebay::sim {
namespace {

std::uint64_t mixed(std::uint64_t hash, std::uint64_t value) {
    hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
    return hash ^ (hash >> 29);
}

std::uint64_t mixed(std::uint64_t hash, std::string_view bytes) {
    hash = mixed(hash, bytes.size());
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
        std::uint64_t part = 0;
        std::memcpy(&part, bytes.data(), 8);
        hash = mixed(hash, part);
    }
    std::uint64_t rest = 0;
    std::memcpy(&rest, bytes.data(), bytes.size());
    return mixed(hash, rest);
}

std::uint64_t mixed(std::uint64_t hash, const std::vector<queue::MessageAttribute>& attributes) {
    hash = mixed(hash, attributes.size());
    for (auto& attribute : attributes) hash = mixed(mixed(mixed(hash, attribute.name), attribute.type), attribute.value);
    return hash;
}

}  // namespace

std::uint64_t content_of(std::string_view body) { return mixed(1, body); }

std::uint64_t content_of(std::string_view body, const std::vector<queue::MessageAttribute>& attributes,
                         const std::vector<queue::MessageAttribute>& system_attributes, std::string_view group) {
    return mixed(mixed(mixed(mixed(1, body), attributes), system_attributes), group);
}

void ReceiveCount::is_now(std::uint32_t least, std::uint32_t most, Round round, Round last_synced) {
    if (changed_ <= last_synced) since_least_ = least_, since_most_ = most_;
    least_ = least, most_ = most;
    since_least_ = std::min(since_least_, least), since_most_ = std::max(since_most_, most);
    changed_ = round;
}

void ReceiveCount::may_have_changed(std::uint32_t up, std::uint32_t down) {
    least_ -= std::min(least_, down), most_ += up;
    since_least_ = std::min(since_least_, least_), since_most_ = std::max(since_most_, most_);
}

void ReceiveCount::forget_unsynced(Round last_synced) {
    if (changed_ > last_synced) least_ = since_least_, most_ = since_most_;
}

void MessageKnowledge::disturb(Round round) {
    disturbances = disturbed == round ? disturbances + 1 : 1;
    disturbed = round;
}

void MessageKnowledge::lower_visible_by(Instant at, Round round, Round last_synced) {
    visible_by_before = lowered > last_synced ? std::max(visible_by_before, visible_by) : visible_by;
    lowered = round;
    visible_by = at;
}

bool QueueKnowledge::carries_records() const {
    return std::any_of(settings.begin(), settings.end(), [](auto& s) { return s.carries_records; });
}

Duration QueueKnowledge::visibility(bool longest) const {
    Duration out = longest ? Duration(0) : Duration::max();
    for (auto& s : settings) out = longest ? std::max(out, s.visibility_timeout) : std::min(out, s.visibility_timeout);
    return out == Duration::max() ? Duration(0) : out;
}

Duration QueueKnowledge::delay(bool longest) const {
    Duration out = longest ? Duration(0) : Duration::max();
    for (auto& s : settings) out = longest ? std::max(out, s.delay) : std::min(out, s.delay);
    return out == Duration::max() ? Duration(0) : out;
}

std::optional<std::uint32_t> QueueKnowledge::receives_max() const {
    std::uint32_t most = 0;
    for (auto& s : settings) {
        if (!s.redrive) return std::nullopt;
        most = std::max(most, s.redrive->max_receive_count);
    }
    return settings.empty() ? std::nullopt : std::optional(most);
}

void QueueKnowledge::may_hold(const broker::QueueSettings& added) {
    settings.push_back(added);
    if (!added.carries_records) retention_least = std::min(retention_least, added.retention);
    if (!added.redrive) return;
    receives_max_least = std::min(receives_max_least, added.redrive->max_receive_count);
    dead_letters.insert(added.redrive->dead_letter);
}

void QueueKnowledge::holds(const broker::QueueSettings& now) {
    settings.clear();
    may_hold(now);
}

void QueueKnowledge::decide_existence(Certainty now, std::uint64_t operation) {
    if (operation < decided_by) return;
    exists = now;
    decided_by = operation;
}

void QueueKnowledge::drop(const MessageKnowledge* message) {
    auto found = std::find(messages.begin(), messages.end(), message);
    if (found == messages.end()) return;
    *found = messages.back();
    messages.pop_back();
}

}  // namespace forebay::sim
