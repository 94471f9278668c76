#pragma once
// Counting for an audit (decisions.md D18). The order of reading is what keeps a record in motion from being called missing: the
// log first, then the queues, then the ledgers, since a worker notes an effect before its message goes; and what is missing
// after that is looked for twice more, since a message may have moved behind the reader's back.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "cli/admin_client.h"
#include "cli/audit/sources.h"
#include "cli/config/configuration.h"
#include "ledger/balance.h"

namespace forebay::cli {

struct AuditRange {
    Timestamp from, to;
};

/// The table whose rows are counted again, and the workers that write it.
struct AuditTable {
    const DatabaseConfiguration* database = nullptr;
    std::string table, id_column;
    std::vector<const WorkerConfiguration*> workers;
};

struct AuditDifference {
    enum class Kind { missing, row_missing, row_surplus, row_doubled };
    Kind kind = Kind::missing;
    Uuid id;
    ledger::Line line;
    std::vector<std::string> queues = {};  ///< of one that is missing: where it was put, and no worker has finished
};

struct Audited {
    std::map<ledger::Line, ledger::Counts> lines;
    ledger::Counts total;
    ledger::Counts earlier;                    ///< of hours before the range that had not been settled when they were counted last
    std::vector<AuditDifference> differences;  ///< by hour; at most `differences_max`
    std::vector<std::string> gaps;             ///< what could not be read, as sentences: then nothing is proved
    bool is_counted = false;                   ///< all sources answered; else only total.accepted is known, as far as it was read

    static constexpr std::size_t differences_max = 1'000'000;
    std::uint64_t difference() const { return total.difference() + earlier.difference(); }
    bool is_balanced() const { return gaps.empty() && difference() == 0; }
    /// Takes the result of a time before this one, whose hours are counted as `earlier`.
    void add_earlier(Audited&& other);
    /// `balanced`, `mismatch`, `incomplete`
    std::string_view verdict() const;
};

class AuditCount {
  public:
    AuditCount(AdminClient& admin, const Configuration& configuration, const AuditTable* table);
    Audited run(const AuditRange& range);

  private:
    struct Effect {
        std::uint32_t queue = 0;  ///< the bit of its queue
        bool stores = false;      ///< it writes the rows that are counted
    };
    void learn_effects();
    void read_accepted(const AuditRange& range);
    bool take_accepted(const json::Value& page);
    void read_queues();
    void read_queue(const std::string& name, bool is_dead_letters);
    void read_ledgers(const AuditRange& range);
    /// The bit of a queue; 0 where no worker of ours empties it.
    std::uint32_t bit_of(const std::string& queue) const;
    void apply(ledger::Balance::Entry& entry, const ledger::EffectState& state);
    /// Whatever the ledgers have of them, by their ids.
    void ask_ledgers(std::span<ledger::Balance::Entry* const> entries);
    void ask_ledgers_about(const std::function<bool(const ledger::Balance::Entry&)>& is_doubtful);
    void ask_ledgers_about_doubts();
    bool has_missing();
    void read_rows(const AuditRange& range);
    void read_rows_by_time(db::Reader& reader, ledger::IdColumn& column, const AuditRange& range);
    void read_rows_by_id(db::Reader& reader, ledger::IdColumn& column);
    bool take_row(const ledger::IdRows& row);
    bool is_explained(const Uuid& id);
    void sum_up();
    void sum_row(const ledger::Balance::Entry& entry, const ledger::Line& line, ledger::Counts& counts);
    void differs(AuditDifference difference);
    void gap(const std::string& what);
    /// A source cannot be read: nothing more can be counted.
    void fail(const std::string& what);

    AdminClient& admin_;
    const Configuration& configuration_;
    const AuditTable* table_;  ///< may be null
    LedgerSources ledgers_;
    std::vector<std::string> queues_;        ///< by their bits
    std::map<std::string, Effect> effects_;  ///< by name
    ledger::Balance balance_;
    std::optional<Timestamp> log_begins_;
    bool has_failed_ = false;
    Audited out_;
};

}  // namespace forebay::cli
