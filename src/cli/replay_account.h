#pragma once
// What is known of one effect for the records of a range: from the log, the queues and the ledger, in pages.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "cli/admin_client.h"
#include "cli/money.h"
#include "cli/verb.h"

namespace forebay::cli {

/// Records that one replay can tell apart; a longer range is taken in parts.
inline constexpr std::size_t replayed_max = 2'000'000;
/// Messages of queues that are looked at; with a longer backlog nobody can say what is missing.
inline constexpr std::size_t waiting_max = 100'000;

struct ReplayWish {
    Timestamp from;
    std::optional<Timestamp> to;  ///< nothing: as far as the effect's worker has got
    std::string endpoint, where;
    const WorkerConfiguration* worker = nullptr;
    bool again = false;
};

struct Counted {
    std::uint64_t records = 0;
    Money money;
    void add(const Counted& other) {
        records += other.records;
        money.add(other.money);
    }
};

struct ReplayRecord {
    Uuid id;
    Timestamp sent_at;  ///< when the log has it
};

/// The records of the range by what the effect is for them.
struct ReplayAccount {
    Timestamp to;  ///< the range's end
    Counted in_range, done, skipped, discarded, waiting, retrying, dead, missing;
    std::uint64_t later = 0;             ///< records in the queues that came after the range's end, which was not given
    std::optional<Timestamp> unsettled;  ///< the oldest record in the queues that its worker has not had
    std::uint32_t again = 0;             ///< the number of a replay of what is done
    Counted to_run;
    std::vector<ReplayRecord> records;  ///< what is to run, oldest first
};

/// Reads it all; complains of what fails and returns its exit code. The queues are read before the ledger: what a worker finishes
/// meanwhile counts as done or waiting, never as missing.
Result<ReplayAccount, int> count_replay(Invocation& invocation, const Configuration& configuration, const ReplayWish& wish);

}  // namespace forebay::cli
