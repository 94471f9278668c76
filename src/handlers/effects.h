#pragma once
// The effects of an exec worker's process. Written to the ledger's database where there is one, and looked up there at the
// writer, because a reader may lag behind; else written to a file of its own, and looked up in those of all processes. What
// such files know counts in either case.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "db/database.h"
#include "ledger/ledger.h"
#include "ledger/outbox.h"
#include "worker/handler.h"

namespace forebay::handlers {

struct EffectsOptions {
    std::string data_dir;  ///< effects/ is in it
    std::string worker;
    unsigned n = 1;
    std::vector<ledger::SearchField> search;
    std::optional<db::Options> ledger;  ///< instead of a file of this process's own; several processes may write it
};

/// Of a record, and the effect's name: the worker's, or one that an operator has run again.
using EffectKey = std::pair<std::string, std::string>;

class Effects {
  public:
    Effects(EffectsOptions options, Clock& clock);
    ~Effects();

    struct Known {
        std::map<EffectKey, ledger::Effect> done;
        std::set<ledger::OutboxKey> sent;  ///< follow-ups of these
    };
    /// What is done of these jobs already.
    Result<Known, db::Error> known_of(std::span<const worker::Job> jobs);

    /// The waits of those that are retrying, by the newest row of any process.
    std::vector<std::optional<worker::Wait>> waits(std::span<const worker::Job> jobs);

    struct Entry {
        const worker::Job* job;
        ledger::Effect effect;
        std::vector<ledger::OutboxKey> follow_ups;
    };
    /// All in one transaction: durable when it returns.
    Result<void, db::Error> write(const std::vector<Entry>& entries);
    /// Durable when it returns.
    Result<void, db::Error> mark_sent(const std::vector<ledger::OutboxKey>& follow_ups);
    /// Whether the ledger's database can be written.
    Result<void, db::Error> probe();
    EffectKey key_of(const worker::Job& job) const;
    /// With its name, the process and now filled in.
    ledger::Effect effect(const worker::Job& job, std::string_view state, std::uint32_t attempts) const;

  private:
    Result<db::Database*, db::Error> opened();
    std::vector<db::Options> files() const;
    using Rows = std::map<EffectKey, ledger::Effect>;
    Result<void, db::Error> ask_ledger(std::span<const worker::Job> jobs, Rows& rows, std::set<ledger::OutboxKey>& sent);
    std::map<std::string, std::vector<std::string>> ids_by_effect(std::span<const worker::Job> jobs) const;
    EffectsOptions options_;
    std::string process_;
    Clock& clock_;
    std::unique_ptr<db::Database> database_;
    std::uint64_t prepared_ = 0;  ///< the opening after which the tables were made
    ledger::Ledger ledger_;       ///< the files of all processes
};

/// `done`, `skipped`, `discarded`, `retrying`, `held`, `dead`
std::string_view state_name(worker::Outcome::Kind kind);
/// The effect's row of a settlement.
void fill(ledger::Effect& effect, const worker::Settlement& settlement);
/// The wait that such a row tells of.
std::optional<worker::Wait> wait_of(const ledger::Effect& effect);

}  // namespace forebay::handlers
