#pragma once
// Names of queues to which something was done less than a while ago. In memory only; of more than the bound the oldest are
// forgotten early.

#include <deque>
#include <map>
#include <string>
#include <utility>

#include "base/time.h"

namespace forebay::broker {

class CoolOff {
  public:
    static constexpr std::size_t names_max = 10'000;
    explicit CoolOff(Duration length) : length_(length) {}

    void begin(const std::string& name, Instant now) {
        if (length_ == Duration(0)) return;
        begun_[name] = now;
        in_order_.emplace_back(now, name);
        forget_ended(now);
    }
    bool is_on(const std::string& name, Instant now) {
        forget_ended(now);
        return begun_.contains(name);
    }

  private:
    void forget_ended(Instant now) {
        while (!in_order_.empty() && (in_order_.size() > names_max || now - in_order_.front().first >= length_)) {
            const auto& [at, name] = in_order_.front();
            // Begun again since, it has a later place in the order.
            if (auto found = begun_.find(name); found != begun_.end() && found->second == at) begun_.erase(found);
            in_order_.pop_front();
        }
    }
    Duration length_;
    std::map<std::string, Instant> begun_;
    std::deque<std::pair<Instant, std::string>> in_order_;
};

}  // namespace forebay::broker
