#pragma once
// Answers that are decided and wait for the disk. They are moved here with what they will say and run all at once,
// or, when the disk has failed, all with a refusal.

#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "broker/broker.h"

namespace forebay::broker {

class Answers {
  public:
    template <class R>
    void keep(UniqueFunction<void(R)>&& answer, std::type_identity_t<R> outcome) {
        std::get<std::vector<Kept<R>>>(kept_).push_back({std::move(answer), std::move(outcome)});
    }

    /// Runs all that are kept.
    void run() {
        each([](auto& kept) { kept.answer(std::move(kept.outcome)); });
    }
    void refuse(Refusal refusal) {
        each([&](auto& kept) { kept.answer(Failure{refusal}); });
    }

  private:
    template <class R>
    struct Kept {
        UniqueFunction<void(R)> answer;
        R outcome;
    };
    template <class Do>
    void each(Do action) {
        std::apply([&](auto&... lists) { (each_of(lists, action), ...); }, kept_);
    }
    template <class R, class Do>
    static void each_of(std::vector<Kept<R>>& list, Do& action) {
        for (auto& kept : list)
            if (kept.answer) action(kept);
        list.clear();
    }
    std::tuple<std::vector<Kept<Result<Sent, Refusal>>>, std::vector<Kept<Result<std::vector<Result<Sent, Refusal>>, Refusal>>>,
               std::vector<Kept<Result<std::vector<queue::Delivery>, Refusal>>>,
               std::vector<Kept<Result<std::vector<Result<void, Refusal>>, Refusal>>>, std::vector<Kept<Result<QueueStatus, Refusal>>>,
               std::vector<Kept<Result<void, Refusal>>>, std::vector<Kept<Result<std::vector<QueueStatus>, Refusal>>>,
               std::vector<Kept<Result<std::vector<Peek::Item>, Refusal>>>, std::vector<Kept<Result<MoveStatus, Refusal>>>,
               std::vector<Kept<Result<std::vector<MoveStatus>, Refusal>>>>
        kept_;
};

}  // namespace forebay::broker
