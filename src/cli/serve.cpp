// forebay serve: the supervising parent, with the roles of the configuration or those named.

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/log_line.h"
#include "cli/process/parent.h"
#include "cli/run_verbs.h"
#include "cli/similar.h"
#include "cli/verb.h"

namespace forebay::cli {
namespace {

const std::vector<std::string> known_roles = {"intake", "queue", "workers", "admin"};

/// What is wrong with the roles that are asked for; nothing if they are known.
std::optional<std::string> problem_of(const std::vector<std::string>& roles) {
    for (const auto& role : roles) {
        if (std::find(known_roles.begin(), known_roles.end(), role) != known_roles.end()) continue;
        auto meant = nearest(role, known_roles);
        return "--role is intake, queue, workers or admin, not " + in_quotes(role) +
               (meant.empty() ? "" : "; did you mean " + in_quotes(meant) + "?");
    }
    return std::nullopt;
}

}  // namespace

int run_serve(Invocation& invocation) {
    ParentOptions options;
    options.roles = invocation.values("role");
    if (auto problem = problem_of(options.roles)) return invocation.misused(*problem);
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    options.environment = invocation.globals().environment;
    options.file = configuration_file(invocation.load_options()).value_or("");
    set_log(configuration->log.level, configuration->log.format);
    return run_parent_process(*configuration, options);
}

}  // namespace forebay::cli
