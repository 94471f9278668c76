// forebay serve: the supervising parent, with the roles of the configuration or those named.

#include "base/log_line.h"
#include "cli/process/parent.h"
#include "cli/run_verbs.h"
#include "cli/verb.h"

namespace forebay::cli {

int run_serve(Invocation& invocation) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    ParentOptions options;
    options.environment = invocation.globals().environment;
    options.file = configuration_file(invocation.load_options()).value_or("");
    options.roles = invocation.values("role");
    set_log(configuration->log.level, configuration->log.format);
    return run_parent_process(*configuration, options);
}

}  // namespace forebay::cli
