#pragma once
// [schedule.NAME]: what the parent runs at its times, as `forebay RUN`, and says in the log what came of it. Different schedules run side
// by side, at most `runs_most` at once; one schedule never runs twice at once. A time at which nothing could be run is missed: that is
// said, and it is made up for only where the configuration says so. One thread; its children end with it.

#include <atomic>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/spawn.h"
#include "cli/config/configuration.h"
#include "cli/process/schedule_note.h"
#include "cli/process/timetable.h"

namespace forebay::cli {

/// The words of its command line: nobody is asked, what wants a reason gets `schedule NAME`, `{date}` and `{time}` are those of `at` in
/// its time zone (`2026-11-29`, `0600`).
std::vector<std::string> words_to_run(const ScheduleConfiguration& schedule, Timestamp at);

/// Those whose place is this parent: what is about processes wherever it runs, the rest where the node is.
std::vector<ScheduleConfiguration> schedules_of(const Configuration& configuration, bool has_node);

struct SchedulerOptions {
    std::string executable;
    std::vector<std::string> last_words;                                ///< after the words of each run: the file of the configuration
    std::string folder;                                                 ///< schedule_note.h
    std::vector<std::pair<std::string, std::string>> environment = {};  ///< of what is run, besides this process's own
};

class Scheduler {
  public:
    Scheduler(std::vector<ScheduleConfiguration> schedules, SchedulerOptions options);
    /// Ends what runs, and says so.
    ~Scheduler();
    /// From now on these; what runs is finished. Any thread.
    void take(std::vector<ScheduleConfiguration> schedules);
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    static constexpr std::size_t runs_most = 8;

  private:
    struct Plan {
        ScheduleConfiguration schedule;
        Timetable times;
        Timestamp seen;                 ///< times up to this one were run or counted as missed
        std::optional<Timestamp> next;  ///< the one after those
        std::optional<Timestamp> owed;  ///< was due, and waits for its turn to begin
        bool is_new = true;             ///< its times were not yet looked at
        Timetable::Times missed{};      ///< since its run began
    };
    struct Run {
        ScheduleConfiguration schedule;
        pid_t pid = -1;
        Descriptor end, output, errors, lock;
        std::string out, err;
        Timestamp began;
        Instant since;
    };

    void work();
    void take_up();
    Plan plan_of(const ScheduleConfiguration& schedule);
    void look_at(Plan& plan, Timestamp now);
    void miss(Plan& plan, const Timetable::Times& times, std::string_view why);
    void miss_while_busy(Plan& plan, const Timetable::Times& times);
    void begin_owed();
    void begin(Plan& plan, Timestamp due);
    void wait();
    void arm_timer();
    void read(Run& run);
    /// Reaps it if it has ended, or has to. True = it is no more.
    bool has_ended(Run& run);
    void finish(Run& run, int status);
    void end_early(Run& run, std::string_view why);
    void note_end(const Run& run, int code, const std::string& outcome);
    void change_note(const std::string& name, const std::function<void(ScheduleNote&)>& change);
    Run* run_of(const std::string& name);

    const SchedulerOptions options_;
    std::vector<Plan> plans_;
    std::list<Run> runs_;
    Descriptor timer_, wake_;
    std::mutex lock_;  ///< guards given_
    std::optional<std::vector<ScheduleConfiguration>> given_;
    std::atomic<bool> ending_{false};
    std::thread thread_;
};

}  // namespace forebay::cli
