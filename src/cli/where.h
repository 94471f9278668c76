#pragma once
// --where: a condition on the command line.

#include <optional>
#include <string>

#include "base/result.h"
#include "cli/verb.h"

namespace forebay::cli {

/// The text of --where, empty if it was not given. One that cannot be read is complained of, with the place; then the exit code.
/// Warns of a name that no endpoint of the configuration has.
Result<std::string, int> read_where(Invocation& invocation, const Configuration& configuration);

/// The nearest field to a name that no endpoint of `queue` (empty: of any) has; nothing if the name is known, or if an endpoint takes
/// fields that it does not list.
std::optional<std::string> unknown_field(const Configuration& configuration, const std::string& queue, const std::string& name);

}  // namespace forebay::cli
