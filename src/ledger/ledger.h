#pragma once
// Which effects of which records are done: rows beside the user's rows, written in the transaction of the
// effect itself, in whatever database that is. ledger/TABLES.md describes every table and column (version 2).

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "db/database.h"
#include "ledger/outbox.h"
#include "record/envelope.h"

namespace forebay::ledger {

/// A field of the envelope that `find` can search by.
struct SearchField {
    std::string field;
    std::string kind;  ///< "email", "reference" (both kept in lower case, without spaces) or "phone" (kept as digits)
};
std::vector<SearchField> usual_search_fields();

/// One effect of one record as its row says.
struct Effect {
    std::string record;  ///< id as text
    std::string effect;  ///< the worker's name
    std::string state;   ///< done, retrying, held, dead, skipped, discarded
    std::uint32_t attempts = 0;
    Timestamp first_at;                ///< of the first attempt noted
    Timestamp at;                      ///< of this state
    std::optional<Timestamp> next_at;  ///< of a retry
    std::string worker;                ///< "store:1"
    std::string answer;                ///< what the other side said, when done
    std::string error;                 ///< why not, otherwise
};

inline constexpr std::int64_t schema_version = 2;
/// That of the tables there are; 0 = there are none.
Result<std::int64_t, db::Error> version_of(db::ReadTransaction& transaction);

/// Creates the tables where they are missing and brings older ones to this version. Refuses a newer version, and says what to do
/// where the user of the database may not create them.
Result<void, db::Error> prepare(db::WriteTransaction& transaction);

/// The rows of one effect that there are for these records, of any state, by the record's id.
using Known = std::map<std::string, Effect>;
Result<Known, db::Error> rows_of(db::ReadTransaction& transaction, const std::vector<std::string>& ids, std::string_view effect);

/// Whether the effect of this record is done already: then nothing must be run.
Result<std::optional<Effect>, db::Error> look_up(db::ReadTransaction& transaction, const Uuid& id, std::string_view effect);

/// The effect of this record where it is retrying; nothing for every other state.
Result<std::optional<Effect>, db::Error> look_up_retry(db::ReadTransaction& transaction, const Uuid& id, std::string_view effect);

/// Of which record the row is, and what it shall say.
struct Entry {
    const record::Envelope* envelope;
    Effect effect;
};
/// Writes each record's own row and its search rows (once) and the effect's row (replacing an older state; a done row never
/// goes back), in few round trips. `known` are rows_of the same records in the same transaction; where another transaction
/// settled one of them meanwhile, that is a conflict. Poison: a record of that id is there with another body. Of a record that was erased
/// while somebody had it in hand nothing is written: the ids of those are returned, and nothing else may be kept of them either.
Result<std::set<std::string>, db::Error> note_all(db::WriteTransaction& transaction, std::span<const Entry> entries, const Known& known,
                                                  const std::vector<SearchField>& search);
/// The same for one, asking itself what is known.
Result<void, db::Error> note(db::WriteTransaction& transaction, const record::Envelope& envelope, const Effect& effect,
                             const std::vector<SearchField>& search);

/// The effect's name in the ledger: the worker's, or `store again-2` when an operator had it run again (record/FORMAT.md).
std::string effect_name(std::string_view worker, std::uint32_t again);
/// The worker and the number of such a name; 0 = the effect itself.
std::pair<std::string_view, std::uint32_t> split_effect(std::string_view effect);

/// One record with its effects, as find and show need it.
struct Story {
    std::string id;
    std::string endpoint;
    Timestamp received_at;
    std::vector<Effect> effects;  ///< by time
};

/// Read-only over several databases: that of each `sql` worker, and the effects files of `exec` workers. A SQLite file that is
/// missing, and a database that has no ledger yet, count as empty.
class Ledger {
  public:
    explicit Ledger(std::vector<db::Options> sources);
    ~Ledger();
    /// Others from now on; those already open stay so.
    void look_at(std::vector<db::Options> sources) { sources_ = std::move(sources); }

    /// By e-mail, phone, reference or id (whole, or its first 8 characters and more), newest first.
    Result<std::vector<Story>, db::Error> find(std::string_view what, std::size_t most = 100);
    /// Nothing = no file knows this record.
    Result<std::optional<Story>, db::Error> timeline(const Uuid& id);
    /// Everything that is known of these records; those that no file knows are not there.
    Result<std::map<std::string, Story>, db::Error> stories(const std::set<std::string>& ids);
    /// Those of `ids` whose effect is not done: what a replay would run.
    Result<std::vector<std::string>, db::Error> missing(std::span<const std::string> ids, std::string_view effect);
    /// Follow-ups of one effect among these ids that are sent.
    Result<std::set<OutboxKey>, db::Error> sent(std::span<const std::string> ids, std::string_view effect);
    /// The done rows of one effect among these ids.
    Result<std::map<std::string, Effect>, db::Error> done(std::span<const std::string> ids, std::string_view effect);

  private:
    using Look = std::function<Result<void, db::Error>(db::ReadTransaction&)>;
    /// Null = no such file yet.
    Result<db::Reader*, db::Error> reader(const db::Options& source);
    Result<void, db::Error> each(const Look& look);
    Result<std::map<std::string, Story>, db::Error> stories_of(const std::set<std::string>& ids);

    std::vector<db::Options> sources_;
    std::map<std::string, std::unique_ptr<db::Reader>> open_;  ///< by name and place
};

/// `<data_dir>/effects/<worker>-<n>.db`
std::string effects_path(std::string_view data_dir, std::string_view worker, unsigned n);
/// A SQLite file of a ledger as a source.
db::Options file_source(const std::string& path);
/// All effects files of that worker, or of all workers when it is empty.
std::vector<db::Options> effects_files(std::string_view data_dir, std::string_view worker = {});

}  // namespace forebay::ledger
