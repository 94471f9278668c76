#pragma once
// The statsd sender of a process, by [telemetry] statsd.

#include <memory>

#include "base/log_line.h"
#include "cli/config/configuration.h"
#include "metrics/statsd.h"

namespace forebay::cli {

/// Nothing when none is configured or its host cannot be resolved (which is logged and holds up nothing).
inline std::unique_ptr<metrics::Statsd> open_statsd(const metrics::Registry& registry, const StatsdConfiguration& given) {
    if (!given.to) return nullptr;
    metrics::StatsdOptions options;
    options.host = given.to->address;
    options.port = given.to->port;
    // The names begin with `forebay` by themselves; another prefix goes before it.
    if (given.prefix != "forebay") options.prefix = given.prefix;
    auto statsd = metrics::Statsd::open(registry, std::move(options));
    if (statsd.ok()) return std::move(*statsd);
    log_warn("statsd.unusable").with("why", statsd.error());
    return nullptr;
}

}  // namespace forebay::cli
