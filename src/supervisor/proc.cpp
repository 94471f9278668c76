#include "supervisor/proc.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <sstream>

#include "base/spawn.h"

namespace forebay::supervisor {
namespace {

/// Empty when the process has gone, which it may do while it is read.
std::string text_of(pid_t pid, const char* file) {
    Descriptor opened(::open(("/proc/" + std::to_string(pid) + "/" + file).c_str(), O_RDONLY | O_CLOEXEC));
    std::string text;
    char buffer[4096];
    for (ssize_t n = 0; opened && (n = ::read(opened.get(), buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
    return text;
}

/// `12 (a name (with what it likes)) S 1 …`
std::optional<SeenPid> seen(pid_t pid) {
    auto stat = text_of(pid, "stat");
    auto open = stat.find('('), close = stat.rfind(')');
    if (open == std::string::npos || close == std::string::npos || close + 4 >= stat.size()) return std::nullopt;
    SeenPid out;
    out.pid = pid;
    out.name = stat.substr(open + 1, close - open - 1);
    out.is_zombie = stat[close + 2] == 'Z';
    std::istringstream(stat.substr(close + 4)) >> out.parent >> out.group >> out.session;
    return out;
}

}  // namespace

std::vector<SeenPid> all_pids() {
    std::vector<SeenPid> out;
    std::error_code error;
    for (std::filesystem::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
        auto name = at->path().filename().string();
        pid_t pid = 0;
        auto [stop, wrong] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (wrong != std::errc() || stop != name.data() + name.size()) continue;
        if (auto one = seen(pid)) out.push_back(std::move(*one));
    }
    return out;
}

std::vector<SeenPid> descendants(const std::vector<SeenPid>& all, pid_t ancestor) {
    std::vector<SeenPid> out;
    auto add_children = [&](pid_t parent) {
        std::copy_if(all.begin(), all.end(), std::back_inserter(out), [&](auto& one) { return one.parent == parent; });
    };
    add_children(ancestor);
    for (std::size_t i = 0; i < out.size(); ++i) add_children(out[i].pid);
    return out;
}

std::optional<std::string> variable_of(pid_t pid, std::string_view name) {
    struct stat found{};
    if (::stat(("/proc/" + std::to_string(pid)).c_str(), &found) != 0 || found.st_uid != ::geteuid()) return std::nullopt;
    auto all = text_of(pid, "environ");
    for (std::string_view left = all; !left.empty();) {
        auto entry = left.substr(0, left.find('\0'));
        left.remove_prefix(std::min(entry.size() + 1, left.size()));
        if (entry.starts_with(name) && entry.size() > name.size() && entry[name.size()] == '=')
            return std::string(entry.substr(name.size() + 1));
    }
    return std::nullopt;
}

}  // namespace forebay::supervisor
