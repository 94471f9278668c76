#pragma once
// The supervising parent as a process of this machine.

#include <optional>
#include <string>

namespace forebay::cli {

/// Who listens on the control socket; nothing when nobody answers.
std::optional<int> pid_of_parent(const std::string& control_path);

/// Where the standard error of a process goes: the path of a file, or else what it is, in words.
struct StandardError {
    std::string file;  ///< empty = no file
    std::string what;  ///< `a terminal (/dev/pts/3)`, `a pipe`, `/dev/null`
};
std::optional<StandardError> standard_error_of(int pid);

}  // namespace forebay::cli
