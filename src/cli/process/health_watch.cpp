#include "cli/process/health_watch.h"

#include <algorithm>

namespace forebay::cli {

HealthWatch::HealthWatch(Look look, Clock& clock, Times times) : look_(std::move(look)), clock_(clock), times_(times) {
    thread_ = std::thread([this] { run(); });
}

HealthWatch::~HealthWatch() {
    {
        std::lock_guard guard(lock_);
        is_stopping_ = true;
    }
    wanted_.notify_one();
    thread_.join();
}

void HealthWatch::ask(Answer answer) {
    std::optional<Seen> seen;
    {
        std::lock_guard guard(lock_);
        auto now = clock_.now();
        if (seen_ && now - seen_at_ < times_.fresh)
            seen = seen_;
        else
            waiting_.push_back({now, std::move(answer)});
    }
    if (seen) return answer(*seen);
    wanted_.notify_one();
}

void HealthWatch::tick() {
    std::vector<Waiting> tired;
    {
        std::lock_guard guard(lock_);
        auto now = clock_.now();
        auto is_tired = [&](const Waiting& waiting) { return now - waiting.since >= times_.patience; };
        auto begin = std::stable_partition(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) { return !is_tired(waiting); });
        tired.assign(std::make_move_iterator(begin), std::make_move_iterator(waiting_.end()));
        waiting_.erase(begin, waiting_.end());
    }
    const Seen nothing = Failure{"the server has not answered for " + to_text(times_.patience)};
    for (auto& waiting : tired) waiting.answer(nothing);
}

void HealthWatch::run() {
    std::unique_lock held(lock_);
    for (;;) {
        wanted_.wait(held, [this] { return is_stopping_ || !waiting_.empty(); });
        if (is_stopping_) return;
        held.unlock();
        auto begun = clock_.now();
        auto seen = look_();
        held.lock();
        seen_ = seen;
        seen_at_ = begun;
        auto answered = std::move(waiting_);
        waiting_.clear();
        held.unlock();
        for (auto& waiting : answered) waiting.answer(seen);
        held.lock();
    }
}

}  // namespace forebay::cli
