#pragma once
// What workers of this host wait for, as the process that asks wrote it down, with how much waits.

#include <string>
#include <vector>

#include "base/json.h"
#include "cli/config/configuration.h"
#include "cli/verbs/seen_process.h"

namespace forebay::cli {

struct SeenOutage {
    std::string what;  ///< `db.main`, `worker.mail`
    std::string why;
    Timestamp since;
    std::vector<std::string> workers;  ///< `core:store`
    std::uint64_t waiting = 0;         ///< messages that could be received now in their queues

    /// `HOLD db.main  for 22s: connection refused, 1,093 records wait for core:store`
    std::string line(Timestamp now, const Terminal& terminal) const;
    json::Value to_json() const;
};

/// Those of which a process is held. `queues` are the node's; null where it did not answer.
std::vector<SeenOutage> seen_outages(const Configuration& configuration, const std::vector<SeenProcess>& processes,
                                     const json::Value& queues);

}  // namespace forebay::cli
