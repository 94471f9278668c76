#pragma once
// What /proc says of the processes of this machine. A process may end between any two looks: then it is not there.

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::supervisor {

struct SeenPid {
    pid_t pid = 0;
    pid_t parent = 0, group = 0, session = 0;
    bool is_zombie = false;
    std::string name;  ///< the first 15 bytes of the program's name
};

/// Every process there is.
std::vector<SeenPid> all_pids();
/// Of those, what descends from `ancestor`, nearest first.
std::vector<SeenPid> descendants(const std::vector<SeenPid>& all, pid_t ancestor);
/// The value of a variable that the process was started with. Nothing: it has none, or belongs to another user.
std::optional<std::string> variable_of(pid_t pid, std::string_view name);

}  // namespace forebay::supervisor
