#include "broker/long_poll.h"

#include "base/check.h"

namespace forebay::broker {

void LongPoll::add(queue::QueueId queue, Receive receive, Instant deadline) {
    auto ticket = next_++;
    waiting_[queue].emplace(ticket, Waiting{std::move(receive), deadline});
    deadlines_.insert({deadline, queue, ticket});
}

Receive* LongPoll::first(queue::QueueId queue) {
    auto found = waiting_.find(queue);
    return found == waiting_.end() ? nullptr : &found->second.begin()->second.receive;
}

Receive LongPoll::take_first(queue::QueueId queue) {
    auto found = waiting_.find(queue);
    CHECK(found != waiting_.end(), "somebody waits");
    auto first = found->second.begin();
    deadlines_.erase({first->second.deadline, queue, first->first});
    auto receive = std::move(first->second.receive);
    found->second.erase(first);
    if (found->second.empty()) waiting_.erase(found);
    return receive;
}

std::vector<Receive> LongPoll::take_expired(Instant now) {
    std::vector<Receive> out;
    while (!deadlines_.empty() && std::get<0>(*deadlines_.begin()) <= now) {
        auto [deadline, queue, ticket] = *deadlines_.begin();
        deadlines_.erase(deadlines_.begin());
        auto found = waiting_.find(queue);
        auto one = found->second.find(ticket);
        out.push_back(std::move(one->second.receive));
        found->second.erase(one);
        if (found->second.empty()) waiting_.erase(found);
    }
    return out;
}

std::vector<Receive> LongPoll::take_all(queue::QueueId queue) {
    std::vector<Receive> out;
    while (anyone_waits(queue)) out.push_back(take_first(queue));
    return out;
}

std::vector<Receive> LongPoll::take_all() { return take_expired(Instant{INT64_MAX}); }

std::vector<Receive> LongPoll::take_unwanted() {
    std::vector<Receive> out;
    for (auto queue = waiting_.begin(); queue != waiting_.end();) {
        auto& [id, polls] = *queue;
        for (auto one = polls.begin(); one != polls.end();) {
            auto& receive = one->second.receive;
            if (!receive.still_wanted || receive.still_wanted()) {
                ++one;
                continue;
            }
            deadlines_.erase({one->second.deadline, id, one->first});
            out.push_back(std::move(receive));
            one = polls.erase(one);
        }
        queue = polls.empty() ? waiting_.erase(queue) : std::next(queue);
    }
    return out;
}

std::optional<Instant> LongPoll::next_deadline() const {
    if (deadlines_.empty()) return std::nullopt;
    return std::get<0>(*deadlines_.begin());
}

}  // namespace forebay::broker
