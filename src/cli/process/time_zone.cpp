#include "cli/process/time_zone.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace forebay::cli {
namespace {

namespace fs = std::filesystem;

constexpr cctz::civil_minute beginning(1970, 1, 1, 0, 0);

cctz::time_point<cctz::seconds> seconds_of(Timestamp at) {
    return std::chrono::floor<cctz::seconds>(std::chrono::sys_time<Duration>(Duration(at.ms)));
}

Timestamp timestamp_of(cctz::time_point<cctz::seconds> at) { return {std::chrono::duration_cast<Duration>(at.time_since_epoch()).count()}; }

/// Of a place or a standard; the folder has other files too (posixrules, localtime), and copies that count leap seconds (right/).
bool is_name_of_zone(std::string_view name) {
    auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; };
    return !name.empty() && name[0] >= 'A' && name[0] <= 'Z' &&
           std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || c == '/' || c == '-' || c == '+'; });
}

fs::path zoneinfo() {
    const char* folder = std::getenv("TZDIR");
    return folder != nullptr && *folder != '\0' ? folder : "/usr/share/zoneinfo";
}

}  // namespace

std::optional<TimeZone> TimeZone::find(const std::string& name) {
    cctz::time_zone zone;
    if (!is_name_of_zone(name) || !cctz::load_time_zone(name, &zone)) return std::nullopt;
    return TimeZone(zone);
}

LocalMinute TimeZone::local(Timestamp at) const { return cctz::civil_minute(zone_.lookup(seconds_of(at)).cs) - beginning; }

TimeZone::Moments TimeZone::moments_of(LocalMinute minute) const {
    using Lookup = cctz::time_zone::civil_lookup;
    auto found = zone_.lookup(cctz::civil_second(beginning + minute));
    if (found.kind == Lookup::SKIPPED) return {timestamp_of(found.trans), std::nullopt};
    if (found.kind == Lookup::REPEATED) return {timestamp_of(found.pre), timestamp_of(found.post)};
    return {timestamp_of(found.pre), std::nullopt};
}

std::string TimeZone::text(Timestamp at) const {
    auto seconds = seconds_of(at);
    bool is_whole = zone_.lookup(seconds).cs.second() == 0;
    return cctz::format(is_whole ? "%Y-%m-%d %H:%M %Z" : "%Y-%m-%d %H:%M:%S %Z", seconds, zone_);
}

std::vector<std::string> time_zone_names() {
    std::vector<std::string> names;
    std::error_code error;
    auto folder = zoneinfo();
    for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        auto name = at->path().lexically_relative(folder).string();
        if (!is_name_of_zone(name)) {
            at.disable_recursion_pending();
            continue;
        }
        if (!at->is_directory(error)) names.push_back(std::move(name));
    }
    return names;
}

}  // namespace forebay::cli
