// forebay node: intake, queue and admin in this process; what the parent starts.

#include "cli/process/node.h"

#include "base/log_line.h"
#include "cli/run_verbs.h"
#include "cli/verb.h"

namespace forebay::cli {

int run_node(Invocation& invocation) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    set_log(configuration->log.level, configuration->log.format);
    return run_node_process(invocation.load_options(), std::move(*configuration), invocation.has("dev"));
}

}  // namespace forebay::cli
