#pragma once
// What status and top show: the node, its processes and queues as they are just now.

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/verb.h"
#include "cli/verbs/seen_database.h"
#include "cli/verbs/seen_process.h"

namespace forebay::cli {

/// Everything that was asked; what did not answer is empty.
struct Seen {
    std::optional<json::Value> node;
    std::optional<json::Value> queues;
    std::optional<json::Value> audit;
    std::optional<std::vector<SeenProcess>> processes;
    std::vector<supervisor::PoolStatus> pools;
    std::vector<SeenDatabase> databases;
    std::string why_no_node, why_no_processes;
    bool is_elsewhere = false;  ///< --node: the supervisor of another machine cannot be asked
};

Seen look(Invocation& invocation, const Configuration& configuration);

/// All of it, a row for each worker.
std::string screen_of(const Seen& seen, const Configuration& configuration, Timestamp now, const Terminal& terminal);

/// Those that one of the names means; all if there are no names.
std::vector<SeenProcess> chosen_of(const Seen& seen, const std::vector<std::string>& names);
/// As the supervisor told them, of one that answered.
std::vector<supervisor::ProcessStatus> processes_of(const Seen& seen);

}  // namespace forebay::cli
