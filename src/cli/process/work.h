#pragma once
// One numbered worker process: `forebay work store 3`. Builds the handler its configuration names, talks to
// the queue port and runs until TERM or until it is due for recycling; both end with 0. A `program` it becomes: its own command, with
// the environment that the parent would give it.

#include <string_view>

#include "cli/config/configuration.h"
#include "sqs/signature.h"

namespace forebay::cli {

int run_work_process(const Configuration& configuration, std::string_view worker, unsigned n);

/// `http://127.0.0.1:9324`: where this machine's workers reach the queue.
std::string queue_endpoint(const Configuration& configuration);
/// What programs and exec children find in their environment (D24), the key to sign with among it.
std::vector<std::pair<std::string, std::string>> child_environment(const Configuration& configuration, const WorkerConfiguration& worker,
                                                                   const sqs::Credentials& key);

}  // namespace forebay::cli
