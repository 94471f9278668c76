#pragma once
// The language of the configuration: which tables and settings there are.

#include "cli/config/configuration.h"
#include "cli/config/scope.h"

namespace forebay::cli {

void declare(Scope& root, Configuration& configuration);

/// The parts of it, one file each.
void declare_endpoints(Scope& root, Configuration& configuration);
void declare_queues(Scope& root, Configuration& configuration);
void declare_workers(Scope& root, Configuration& configuration);
void declare_schedules(Scope& root, Configuration& configuration);
void declare_access(Scope& root, Configuration& configuration);
void declare_cluster(Scope& scope, DatabaseConfiguration& database);
void declare_proxy(Scope& root, Configuration& configuration);

}  // namespace forebay::cli
