#pragma once
// Keeps messages in hand invisible to others while a handler works on them: a thread with a Source of its
// own that renews them every third of the visibility timeout. Also the watchman: work that has overrun its
// limit is reported, so that the process can end and the message go to another.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/time.h"
#include "base/unique_function.h"
#include "transport/source.h"

namespace forebay::worker {

class Heartbeat {
  public:
    /// `overran` is called on the thread, once, when what is watched lasts longer than its limit.
    Heartbeat(transport::Source& source, std::string queue, Duration visibility, UniqueFunction<void()> overran);
    ~Heartbeat();
    Heartbeat(const Heartbeat&) = delete;
    Heartbeat& operator=(const Heartbeat&) = delete;

    /// These are in hand from now on; without a limit for as long as it takes.
    void watch(std::vector<std::string> handles, std::optional<Duration> limit);
    /// Nothing is in hand. When it returns no renewal is on its way: what is asked of the messages next counts.
    void forget();
    /// The same for messages that wait to be taken in hand. From any thread.
    void watch_ahead(std::vector<std::string> handles);
    void forget_ahead();

  private:
    using Steady = std::chrono::steady_clock;
    void run();
    void look(std::unique_lock<std::mutex>& lock);
    void renew(std::unique_lock<std::mutex>& lock);
    void renew_one(const std::string& handle, std::unique_lock<std::mutex>& lock);

    transport::Source& source_;
    std::string queue_;
    Duration visibility_;
    UniqueFunction<void()> overran_;

    std::mutex mutex_;  ///< guards everything below
    std::condition_variable changed_;
    std::vector<std::string> handles_, ahead_;
    Steady::time_point renewed_;
    std::optional<Steady::time_point> limit_;
    bool renewing_ = false;
    bool leaving_ = false;
    std::thread thread_;  // last: it starts when the rest is there
};

}  // namespace forebay::worker
