#pragma once
// The databases that a verb is about.

#include <optional>
#include <vector>

#include "cli/verb.h"

namespace forebay::cli {

/// Those that are named on the command line, or all; complains of a name that is none, and when there are none.
std::optional<std::vector<const DatabaseConfiguration*>> chosen_databases(Invocation& invocation, const Configuration& configuration);

}  // namespace forebay::cli
