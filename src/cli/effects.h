#pragma once
// What must happen to a record, by the configuration, beside what has happened, by the ledger.

#include <optional>
#include <string>
#include <vector>

#include "cli/config/configuration.h"
#include "ledger/ledger.h"

namespace forebay::cli {

/// The workers a record sent to this queue comes to, `then` included, in that order. Programs have no effect.
std::vector<const WorkerConfiguration*> effects_of(const Configuration& configuration, const std::string& queue);
/// The workers a record may come through before it comes to this one.
std::vector<const WorkerConfiguration*> effects_before(const Configuration& configuration, const WorkerConfiguration& worker);
/// The files that know what was done: the database of each `sql` worker and the effects files of `exec` workers.
std::vector<db::Options> ledger_sources(const Configuration& configuration);

/// One effect as people are told: done, queued, retrying, held or dead.
struct EffectState {
    std::string effect;
    std::string state;
    std::optional<ledger::Effect> row;  ///< nothing while no worker has noted anything
};
/// Those that are expected and those that the ledger knows besides.
std::vector<EffectState> states_of(const Configuration& configuration, const std::string& queue, const std::vector<ledger::Effect>& rows);

/// `settled in 0.46s`, or what is missing: `store queued`, `store retrying (3 attempts), next in 5m`.
std::string summary_of(const std::vector<EffectState>& states, Timestamp received_at, Timestamp now);

}  // namespace forebay::cli
