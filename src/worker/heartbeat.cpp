#include "worker/heartbeat.h"

#include <algorithm>

#include "base/log_line.h"

namespace forebay::worker {

Heartbeat::Heartbeat(transport::Source& source, std::string queue, Duration visibility, UniqueFunction<void()> overran)
    : source_(source), queue_(std::move(queue)), visibility_(visibility), overran_(std::move(overran)), thread_([this] { run(); }) {}

Heartbeat::~Heartbeat() {
    {
        std::lock_guard lock(mutex_);
        leaving_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Heartbeat::watch(std::vector<std::string> handles, std::optional<Duration> limit) {
    std::lock_guard lock(mutex_);
    handles_ = std::move(handles);
    renewed_ = Steady::now();
    limit_ = limit ? std::optional(renewed_ + *limit) : std::nullopt;
}

void Heartbeat::watch_ahead(std::vector<std::string> handles) {
    std::lock_guard lock(mutex_);
    ahead_ = std::move(handles);
    if (handles_.empty()) renewed_ = Steady::now();
}

void Heartbeat::forget_ahead() {
    std::unique_lock lock(mutex_);
    ahead_.clear();
    changed_.wait(lock, [this] { return !renewing_; });
}

void Heartbeat::forget() {
    std::unique_lock lock(mutex_);
    handles_.clear();
    limit_.reset();
    changed_.wait(lock, [this] { return !renewing_; });
}

void Heartbeat::run() {
    // It looks often and is not woken for each batch: waking it would cost more than the batch.
    auto tick = std::clamp<Duration>(visibility_ / 12, 5ms, 1s);
    std::unique_lock lock(mutex_);
    while (!leaving_) {
        changed_.wait_for(lock, tick, [this] { return leaving_; });
        if (!leaving_) look(lock);
    }
}

void Heartbeat::look(std::unique_lock<std::mutex>& lock) {
    if (limit_ && Steady::now() > *limit_) {
        limit_.reset();
        overran_();
    }
    if ((!handles_.empty() || !ahead_.empty()) && Steady::now() - renewed_ >= visibility_ / 3) renew(lock);
}

void Heartbeat::renew(std::unique_lock<std::mutex>& lock) {
    for (const auto* of : {&handles_, &ahead_}) {
        auto handles = *of;
        for (auto& handle : handles) {
            if (of->empty()) break;  // forgotten meanwhile
            renew_one(handle, lock);
        }
    }
    renewed_ = Steady::now();
}

void Heartbeat::renew_one(const std::string& handle, std::unique_lock<std::mutex>& lock) {
    renewing_ = true;
    lock.unlock();
    auto renewed = source_.extend(queue_, handle, visibility_, std::nullopt);
    if (!renewed) log_warn("heartbeat.failed").with("queue", queue_).with("why", renewed.error().what);
    lock.lock();
    renewing_ = false;
    changed_.notify_all();
}

}  // namespace forebay::worker
