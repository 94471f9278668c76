#pragma once
// The effects of an exec worker's process: written to a file of its own, looked up in those of all
// processes of the worker.

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "db/database.h"
#include "ledger/ledger.h"
#include "worker/handler.h"

namespace forebay::handlers {

class Effects {
  public:
    Effects(std::string data_dir, std::string worker, unsigned n, std::vector<ledger::SearchField> search, Clock& clock);
    ~Effects();

    /// The effects of these jobs that are done already, by the record's id.
    Result<std::map<std::string, ledger::Effect>, db::Error> done_among(std::span<const worker::Job> jobs);

    /// The waits of those that are retrying, by the newest row of any process.
    std::vector<std::optional<worker::Wait>> waits(std::span<const worker::Job> jobs);

    struct Entry {
        const worker::Job* job;
        ledger::Effect effect;
    };
    /// All in one transaction: durable when it returns.
    Result<void, db::Error> write(const std::vector<Entry>& entries);
    /// With the worker's name, the process and now filled in.
    ledger::Effect effect(std::string_view state, std::uint32_t attempts) const;

  private:
    Result<db::Database*, db::Error> opened();
    std::string data_dir_, worker_, process_, path_;
    std::vector<ledger::SearchField> search_;
    Clock& clock_;
    std::unique_ptr<db::Database> database_;
    std::uint64_t prepared_ = 0;  ///< the opening after which the tables were made
    ledger::Ledger ledger_;
};

/// `done`, `retrying`, `held`, `dead`
std::string_view state_name(worker::Outcome::Kind kind);
/// The effect's row of a settlement.
void fill(ledger::Effect& effect, const worker::Settlement& settlement);
/// The wait that such a row tells of.
std::optional<worker::Wait> wait_of(const ledger::Effect& effect);

}  // namespace forebay::handlers
