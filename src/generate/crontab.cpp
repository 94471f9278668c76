#include "generate/crontab.h"

#include "generate/text.h"

namespace forebay::generate {
namespace {

/// `%` would be a new line.
std::string for_cron(std::string_view command) {
    std::string out;
    for (char c : command) out += c == '%' ? "\\%" : std::string(1, c);
    return out;
}

std::string by_hand(const Processes& all, const ScheduledRun& run) {
    auto out =
        "cd " + shell_word(all.directory) + " && " + shell_word(all.binary) + " schedule run " + run.name + " -c " + shell_word(all.file);
    return all.environment.empty() ? out : out + " -e " + shell_word(all.environment);
}

}  // namespace

std::vector<std::string> crontab_lines(const Processes& all, const std::function<std::string(const ScheduledRun&)>& about_processes) {
    std::vector<std::string> lines;
    std::string zone;
    for (const auto& run : all.schedules) {
        if (run.verb == "scale") {
            lines.push_back("# " + run.name + ": how many processes there are only `forebay serve` changes while they run");
            continue;
        }
        auto command = run.processes.empty() ? by_hand(all, run) : about_processes(run);
        if (run.crontab.empty()) {
            lines.push_back("# " + run.name + " (" + run.times + "): no line of a crontab says that; the command is");
            lines.push_back("# " + command);
            continue;
        }
        if (zone.empty()) lines.push_back("# CRON_TZ is known to cronie; Debian's cron goes by the clocks of the machine");
        if (zone != run.timezone) lines.push_back("CRON_TZ=" + run.timezone);
        zone = run.timezone;
        lines.push_back(run.crontab + " " + for_cron(command));
    }
    return lines;
}

std::string rolling(const std::string& command, const std::string& verb, const std::vector<std::string>& names) {
    std::string all;
    for (const auto& name : names) all += (all.empty() ? "" : " ") + name;
    if (verb != "restart" || names.size() < 2) return command + " " + verb + " " + all;
    return "for p in " + all + "; do " + command + " restart $p; done";
}

}  // namespace forebay::generate
