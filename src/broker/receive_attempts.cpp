#include "broker/receive_attempts.h"

namespace forebay::broker {

std::vector<ReceiveAttempts::Handed>* ReceiveAttempts::find(const Name& name, Instant now) {
    forget_ended(now);
    auto found = attempts_.find(name);
    return found == attempts_.end() ? nullptr : &found->second.handed;
}

void ReceiveAttempts::keep(Name name, std::vector<Handed> handed, Instant now) {
    in_order_.push_back({now, name});
    attempts_[std::move(name)] = {std::move(handed), now};
    forget_ended(now);
}

void ReceiveAttempts::forget_ended(Instant now) {
    while (!in_order_.empty() && (in_order_.size() > max_ || now - in_order_.front().first >= window)) {
        const auto& [at, name] = in_order_.front();
        // Kept again since, it has a later place in the order.
        if (auto found = attempts_.find(name); found != attempts_.end() && found->second.at == at) attempts_.erase(found);
        in_order_.pop_front();
    }
}

}  // namespace forebay::broker
