#pragma once
// Everything that knows what was done for records, as an audit reads it: the ledgers, each a page at a time.

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/config/configuration.h"
#include "ledger/states.h"

namespace forebay::cli {

class LedgerSources {
  public:
    explicit LedgerSources(const Configuration& configuration) : configuration_(configuration) {}

    /// Every state of a record received in [from, to), and before those every queue that one was sent on to. The errors are
    /// sentences, one for each source that could not be read.
    std::vector<std::string> visit(Timestamp from, Timestamp to, const std::function<void(const ledger::FollowUp&)>& visit_follow_up,
                                   const std::function<void(const ledger::EffectState&)>& visit_state);
    /// What all sources have of these records, by record; an effect that is finished in one of them is told so.
    Result<std::map<Uuid, std::vector<ledger::EffectState>>, std::string> states_of(std::span<const Uuid> records);

  private:
    /// Opens what is there and not open: a database may be made while others are read. The errors are sentences.
    std::vector<std::string> open();

    const Configuration& configuration_;
    std::map<std::string, std::unique_ptr<db::Reader>> readers_;  ///< by name and place
};

/// Whether nothing is left to do for an effect in this state.
bool is_finished(std::string_view state);

}  // namespace forebay::cli
