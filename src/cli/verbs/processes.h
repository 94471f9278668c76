#pragma once
// Asking the supervising parent, as status, tail, start, stop and restart do.

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cli/verb.h"
#include "supervisor/control.h"

namespace forebay::cli {

/// The answer, or after a complaint the exit code.
Result<supervisor::ControlAnswer, int> ask_supervisor(Invocation& invocation, const std::string& path,
                                                      const supervisor::ControlRequest& request);

/// What is said when nobody answers on the control socket.
std::string no_supervisor(const std::string& path, const std::string& why);

/// The first name that no process has, if there is one.
std::optional<std::string> unknown_name(const std::vector<std::string>& names, const std::vector<supervisor::ProcessStatus>& processes);

/// Complains that no process has that name, with what was meant; exit_code::usage.
int refuse_name(Invocation& invocation, const std::string& name, const std::vector<supervisor::ProcessStatus>& processes);

/// Those that one of the names means; all if there are no names.
std::vector<supervisor::ProcessStatus> chosen_of(const std::vector<supervisor::ProcessStatus>& processes,
                                                 const std::vector<std::string>& names);

/// `store:1, store:2`
std::string names_of(const std::vector<supervisor::ProcessStatus>& processes);

json::Value processes_json(const std::vector<supervisor::ProcessStatus>& processes);

}  // namespace forebay::cli
