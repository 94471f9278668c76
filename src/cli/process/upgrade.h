#pragma once
// How the parent becomes a new binary: execve of the file at its own place, with the arguments it was started with. The process
// stays the same, so its children stay its children and whoever watches its pid notices nothing.

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace forebay::cli {

/// The file this process runs, by the name it was called by, a symbolic link for example, if that was a path.
std::string own_executable();

/// Whether the binary that lies there now starts and takes the configuration: it is asked to check it. Waits at most 4 seconds.
Result<void, std::string> would_run(const std::string& executable, const std::vector<std::string>& words_of_file);

/// Only returns when it was not possible, which is logged. The descriptors named in `left` must survive execve.
void become_new_binary(const std::string& executable, const json::Value& left);

/// What become_new_binary() was given, in the process that it made; nothing if this one was started afresh.
std::optional<json::Value> left_by_the_binary_before();

}  // namespace forebay::cli
