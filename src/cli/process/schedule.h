#pragma once
// [schedule.NAME]: what the parent runs at its times, one after the other, as `forebay RUN`. Says in the log what came of it.
// One thread; its children end with it.

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
    /// From now on these; what runs is finished. Any thread.
    void take(std::vector<ScheduleConfiguration> schedules);
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

  private:
    void work();
    /// The one that is due first, when it is due; nothing when this is to end.
    std::optional<ScheduleConfiguration> wait_for_next();
    /// Times that passed while it ran are let go.
    void has_run(const ScheduleConfiguration& schedule);
    void run(const ScheduleConfiguration& schedule);
    /// The wait status, or nothing when it had to be ended.
    std::optional<int> wait_for(pid_t pid, Descriptor output, Descriptor errors, std::string& out, std::string& err);
    bool is_ending();

    struct Planned {
        ScheduleConfiguration schedule;
        std::optional<Timestamp> due;
    };
    const std::string executable_;
    const std::vector<std::string> last_words_;
    std::mutex lock_;  ///< guards planned_ and ending_
    std::condition_variable wake_;
    std::vector<Planned> planned_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace forebay::cli
