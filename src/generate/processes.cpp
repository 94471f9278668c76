#include "generate/processes.h"

#include <algorithm>

namespace forebay::generate {

std::string crontab_of(Duration every) {
    constexpr std::int64_t hour = 60, day = 24 * hour, week = 7 * day;
    auto minutes = std::chrono::floor<std::chrono::minutes>(every).count();
    if (every <= Duration::zero() || every != std::chrono::minutes(minutes)) return {};
    if (minutes == 1) return "* * * * *";
    if (minutes < hour) return hour % minutes == 0 ? "*/" + std::to_string(minutes) + " * * * *" : "";
    if (minutes == hour) return "0 * * * *";
    if (minutes < day) return minutes % hour == 0 && day % minutes == 0 ? "0 */" + std::to_string(minutes / hour) + " * * *" : "";
    if (minutes == day) return "0 0 * * *";
    return minutes == week ? "0 0 * * 4" : "";  // 1970 began on a Thursday
}

std::vector<std::string> log_folders(const Processes& all) {
    std::vector<std::string> folders;
    auto add = [&](const std::string& folder) {
        if (std::find(folders.begin(), folders.end(), folder) == folders.end()) folders.push_back(folder);
    };
    if (all.has_node) add(all.data_dir + "/log");
    for (const auto& worker : all.workers) add(worker.log.substr(0, worker.log.rfind('/')));
    return folders;
}

std::int64_t whole_seconds(Duration duration) { return std::chrono::ceil<std::chrono::seconds>(duration).count(); }

}  // namespace forebay::generate
