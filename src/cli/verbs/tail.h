#pragma once
// Reading logs for people: `tail` of processes, `maintail` of their parent.

#include <string>
#include <vector>

#include "cli/verb.h"

namespace forebay::cli {

struct TailedLog {
    std::string path;
    std::string name;  ///< before each line when there are several
};

/// As the options say: --lines, --bytes, --failed, --follow.
int tail_logs(Invocation& invocation, std::vector<TailedLog> logs);

}  // namespace forebay::cli
