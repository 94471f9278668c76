#pragma once
// The queues a node has by its configuration: the declared ones, the dead-letter targets they name, and the
// quarantine. Made, or brought to their settings, at every start and reload.

#include <string>

#include "base/result.h"
#include "broker/broker.h"
#include "cli/config/configuration.h"

namespace forebay::cli {

/// The error is a sentence. Safe to repeat.
Result<void, std::string> declare_queues(broker::Commands& commands, const Configuration& configuration);

}  // namespace forebay::cli
