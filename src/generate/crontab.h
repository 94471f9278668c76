#pragma once
// Schedules as lines of a crontab(5), for where no parent of Forebay's is there to run them.

#include <functional>
#include <string>
#include <vector>

#include "generate/processes.h"

namespace forebay::generate {

/// One line or more for each schedule, comments among them. `about_processes` is the shell command for those that start, stop and restart.
std::vector<std::string> crontab_lines(const Processes& processes, const std::function<std::string(const ScheduledRun&)>& about_processes);

/// `COMMAND VERB NAME…`; a restart of several one after the other.
std::string rolling(const std::string& command, const std::string& verb, const std::vector<std::string>& names);

}  // namespace forebay::generate
