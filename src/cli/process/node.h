#pragma once
// The node process: intake, the embedded queue with its SQS port, and the admin port, in one process that
// owns the log. It is what `forebay node` runs and what the parent keeps alive. TERM drains and ends with 0
// (a second one leaves at once, which is safe); HUP reads the configuration again; QUIT logs its state.

#include "cli/config/load.h"

namespace forebay::cli {

/// Serves until a signal ends it; the exit code. `options` is kept for reloads. `is_dev`: requests to the queue port need
/// not be signed unless the configuration says so.
int run_node_process(const LoadOptions& options, Configuration configuration, bool is_dev);

}  // namespace forebay::cli
