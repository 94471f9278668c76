#pragma once
// [schedule.NAME]: what the parent runs at its times, one after the other, as `forebay RUN`. Says in the log what came of it.
// Read once, when the parent starts. One thread; its children end with it.

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/spawn.h"
#include "cli/config/configuration.h"

namespace forebay::cli {

/// When it is due next after `at`: whole multiples of `every` since 1970, or as cron says.
std::optional<Timestamp> next_due(const ScheduleConfiguration& schedule, Timestamp at);

class Scheduler {
  public:
    /// `command` is the program with what goes before and after the words of each run: the file of the configuration.
    Scheduler(std::vector<ScheduleConfiguration> schedules, std::string executable, std::vector<std::string> last_words);
    /// Ends what runs.
    ~Scheduler();
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

  private:
    void work();
    /// False when it is to end.
    bool sleep_until(Timestamp at);
    void run(const ScheduleConfiguration& schedule);
    /// The wait status, or nothing when it had to be ended.
    std::optional<int> wait_for(pid_t pid, Descriptor output, Descriptor errors, std::string& out, std::string& err);
    bool is_ending();

    const std::vector<ScheduleConfiguration> schedules_;
    const std::string executable_;
    const std::vector<std::string> last_words_;
    std::mutex lock_;  ///< guards ending_
    std::condition_variable wake_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace forebay::cli
