#include "handlers/follow_ups.h"

#include "ledger/ledger.h"
#include "record/envelope.h"

namespace forebay::handlers {

std::vector<worker::FollowUp> follow_ups_of(const record::Envelope& envelope, const json::Value& set,
                                            const std::vector<std::string>& then) {
    std::vector<worker::FollowUp> all;
    if (then.empty()) return all;
    auto next = envelope;
    next.again = 0;  // the order was about this effect, not about those that follow
    for (auto& [field, value] : set.members()) next.fields.set(field, value);
    auto body = record::encode(next, record::BodyForm::json);
    for (auto& queue : then) all.push_back({queue, body, queue});
    return all;
}

void name_targets(std::vector<worker::FollowUp>& sends, std::uint32_t again) {
    std::size_t place = 0;
    for (auto& one : sends) one.target = ledger::effect_name(one.queue + "#" + std::to_string(++place), again);
}

std::vector<ledger::OutboxKey> outbox_keys(const Uuid& record, std::span<const worker::FollowUp> follow_ups) {
    std::vector<ledger::OutboxKey> keys;
    for (auto& one : follow_ups) keys.push_back({to_text(record), one.target});
    return keys;
}

std::vector<ledger::OutboxKey> outbox_keys(std::span<const worker::Sent> sent) {
    std::vector<ledger::OutboxKey> keys;
    for (auto& one : sent)
        for (auto& target : one.targets) keys.push_back({to_text(one.record), target});
    return keys;
}

void leave_unsent(const Uuid& record, std::vector<worker::FollowUp>& follow_ups, const std::set<ledger::OutboxKey>& sent) {
    std::erase_if(follow_ups, [&, id = to_text(record)](const worker::FollowUp& one) { return sent.contains({id, one.target}); });
}

}  // namespace forebay::handlers
