#include "cli/verbs/process_use.h"

#include <unistd.h>

#include <fstream>
#include <sstream>

namespace forebay::cli {
namespace {

/// Of /proc/PID/stat, behind the name, which may hold anything: the figures from field 3 on.
std::optional<std::istringstream> stat_fields(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    auto end = line.rfind(')');
    if (end == std::string::npos) return std::nullopt;
    return std::istringstream(line.substr(end + 1));
}

struct CpuTimes {
    std::uint64_t ticks = 0, started = 0;
};

std::optional<CpuTimes> times_of(const std::string& path) {
    auto fields = stat_fields(path);
    if (!fields) return std::nullopt;
    constexpr int utime = 14, stime = 15, starttime = 22;
    CpuTimes times;
    std::string word;
    for (int field = 3; field <= starttime && *fields >> word; ++field) {
        if (field == utime || field == stime) times.ticks += std::stoull(word);
        if (field == starttime) times.started = std::stoull(word);
    }
    return times;
}

std::uint64_t rss_of(const std::string& path) {
    std::ifstream file(path);
    std::uint64_t total = 0, resident = 0;
    file >> total >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

std::optional<ProcessUse> ProcessUses::look(int pid, Instant now) {
    auto folder = proc_ + "/" + std::to_string(pid);
    auto times = times_of(folder + "/stat");
    if (!times) return std::nullopt;
    auto a_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
    auto& before = seen_[pid];
    // The number may be another process's by now.
    if (before.started != times->started)
        before = {Instant{static_cast<std::int64_t>(static_cast<double>(times->started) / a_second * 1000)}, times->started, 0};
    auto seconds = static_cast<double>((now - before.at).count()) / 1000;
    ProcessUse use;
    use.rss_bytes = rss_of(folder + "/statm");
    if (seconds > 0) use.cpu = static_cast<double>(times->ticks - before.ticks) / a_second / seconds;
    before = {now, times->started, times->ticks};
    return use;
}

}  // namespace forebay::cli
