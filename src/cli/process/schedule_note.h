#pragma once
// What is known of one schedule's runs, in `<data_dir>/schedules/NAME.json`, and the lock that whoever runs it holds (`NAME.lock`): the
// parent at its times, or `forebay schedule run`. The file is replaced as a whole and synced: that the machine lost power is what it is
// for.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/spawn.h"
#include "base/time.h"

namespace forebay::cli {

struct ScheduleRun {
    Timestamp began;
    std::optional<Timestamp> ended;  ///< not set: it still runs, or whoever ran it was killed
    int code = 0;                    ///< exit code; -1 = it had none
    std::string outcome;             ///< `done`, or why not: `exit 1: …`, `ended early`
};

struct ScheduleNote {
    std::string times;  ///< times_text of the schedule this was noted of; with other times it begins anew
    Timestamp seen;     ///< every time up to this one was run or counted as missed
    std::optional<ScheduleRun> last;
    std::uint64_t missed = 0;               ///< times that nothing was run at
    std::optional<Timestamp> missed_since;  ///< the first of those that were missed last
};

/// Nothing where there is none, or it cannot be read.
std::optional<ScheduleNote> read_schedule_note(const std::string& folder, std::string_view name);
/// Reads, changes, writes. The error says what failed.
Result<void, std::string> change_schedule_note(const std::string& folder, std::string_view name,
                                               const std::function<void(ScheduleNote&)>& change);

/// Held as long as the descriptor is open; nothing while somebody else holds it. The folder is made. The error says what failed.
Result<std::optional<Descriptor>, std::string> lock_schedule(const std::string& folder, std::string_view name);
/// Whether somebody holds it.
bool is_schedule_locked(const std::string& folder, std::string_view name);

}  // namespace forebay::cli
