#pragma once
// What makes sense only together in [db.NAME.cluster] and [proxy]: names that a file for HAProxy or MariaDB can hold, no port twice.

#include <functional>
#include <string>

#include "cli/config/configuration.h"

namespace forebay::cli {

/// Called with the path of a setting, what is wrong with it, and what to write instead (may be empty).
using Complain = std::function<void(const std::string& path, std::string message, std::string hint)>;

void check_clusters(const Configuration& configuration, const Complain& error, const Complain& warning);

}  // namespace forebay::cli
