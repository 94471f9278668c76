#pragma once
// ReceiveRequestAttemptIds of FIFO receives: what each was answered with, for five minutes, so that who repeats one gets the same
// messages. In memory only, as many as the bound allows; without its entry a repetition is a receive like any other.

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "queue/message.h"

namespace forebay::broker {

class ReceiveAttempts {
  public:
    static constexpr Duration window = 5min;
    struct Handed {
        queue::Receipt receipt;
        std::int64_t visible_at = 0;
    };
    using Name = std::pair<queue::QueueId, std::string>;

    explicit ReceiveAttempts(std::size_t max) : max_(max) {}

    /// What was handed out under the name; null if it is not remembered.
    std::vector<Handed>* find(const Name& name, Instant now);
    void keep(Name name, std::vector<Handed> handed, Instant now);
    std::size_t size() const { return attempts_.size(); }

  private:
    struct Attempt {
        std::vector<Handed> handed;
        Instant at;
    };
    void forget_ended(Instant now);
    std::size_t max_;
    std::map<Name, Attempt> attempts_;
    std::deque<std::pair<Instant, Name>> in_order_;
};

}  // namespace forebay::broker
