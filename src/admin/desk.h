#pragma once
// One thread with a short, bounded queue of jobs: where the admin port may wait for answers and read files.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>

#include "base/unique_function.h"

namespace forebay::admin {

class Desk {
  public:
    /// `false` means: do not work, only say no (the desk is closing).
    using Job = UniqueFunction<void(bool)>;

    explicit Desk(std::size_t waiting_max) : waiting_max_(waiting_max), thread_([this] { work(); }) {}
    ~Desk() {
        {
            std::lock_guard guard(lock_);
            closing_ = true;
        }
        wake_.notify_one();
        thread_.join();
    }
    Desk(const Desk&) = delete;
    Desk& operator=(const Desk&) = delete;

    /// Takes the job, or runs it at once with `false` when too many wait.
    void submit(Job job) {
        {
            std::lock_guard guard(lock_);
            if (!closing_ && jobs_.size() < waiting_max_) {
                jobs_.push_back(std::move(job));
                wake_.notify_one();
                return;
            }
        }
        job(false);
    }

  private:
    void work() {
        std::unique_lock guard(lock_);
        for (;;) {
            wake_.wait(guard, [this] { return closing_ || !jobs_.empty(); });
            if (jobs_.empty()) return;
            auto job = std::move(jobs_.front());
            jobs_.pop_front();
            bool work = !closing_;
            guard.unlock();
            job(work);
            guard.lock();
        }
    }

    const std::size_t waiting_max_;
    std::mutex lock_;  ///< guards jobs_ and closing_
    std::condition_variable wake_;
    std::deque<Job> jobs_;
    bool closing_ = false;
    std::thread thread_;
};

}  // namespace forebay::admin
