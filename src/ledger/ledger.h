#pragma once
// Which effects of which records are done: rows beside the user's rows, written in the transaction of the
// effect itself. Tables (version 1): forebay_records (one row a record), forebay_effects (one a record and
// effect), forebay_search (e-mail and phone -> record). ledger/TABLES.md describes every column.

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
#include "record/envelope.h"

namespace forebay::ledger {

/// A field of the envelope that `find` can search by.
struct SearchField {
    std::string field;
    std::string kind;  ///< "email" (kept in lower case) or "phone" (kept as digits)
};
std::vector<SearchField> usual_search_fields();

/// One effect of one record as its row says.
struct Effect {
    std::string record;  ///< id as text
    std::string effect;  ///< the worker's name
    std::string state;   ///< done, retrying, held, dead
    std::uint32_t attempts = 0;
    Timestamp first_at;                ///< of the first attempt noted
    Timestamp at;                      ///< of this state
    std::optional<Timestamp> next_at;  ///< of a retry
    std::string worker;                ///< "store:1"
    std::string answer;                ///< what the other side said, when done
    std::string error;                 ///< why not, otherwise
};

/// Creates the tables where they are missing. Refuses a file whose version is newer than this program.
Result<void, db::Error> prepare(db::WriteTransaction& transaction);

/// Whether the effect of this record is done already: then nothing must be run.
Result<std::optional<Effect>, db::Error> look_up(db::ReadTransaction& transaction, const Uuid& id, std::string_view effect);

/// The effect of this record where it is retrying; nothing for every other state.
Result<std::optional<Effect>, db::Error> look_up_retry(db::ReadTransaction& transaction, const Uuid& id, std::string_view effect);

/// Writes the record's own row and its search rows (once) and the effect's row (replacing an older state;
/// a done row never goes back).
Result<void, db::Error> note(db::WriteTransaction& transaction, const record::Envelope& envelope, const Effect& effect,
                             const std::vector<SearchField>& search);

/// One record with its effects, as find and show need it.
struct Story {
    std::string id;
    std::string endpoint;
    Timestamp received_at;
    std::vector<Effect> effects;  ///< by time
};

/// Read-only over several files: the database of each `sql` worker and the effects files of `exec` workers.
/// A file that is missing or has no ledger yet counts as empty.
class Ledger {
  public:
    explicit Ledger(std::vector<std::string> paths);
    ~Ledger();
    /// Other files from now on; those already open stay so.
    void look_at(std::vector<std::string> paths) { paths_ = std::move(paths); }

    /// By e-mail, phone or id (whole, or its first 8 characters and more), newest first.
    Result<std::vector<Story>, db::Error> find(std::string_view what, std::size_t most = 100);
    /// Nothing = no file knows this record.
    Result<std::optional<Story>, db::Error> timeline(const Uuid& id);
    /// Those of `ids` whose effect is not done: what a replay would run.
    Result<std::vector<std::string>, db::Error> missing(std::span<const std::string> ids, std::string_view effect);
    /// The done rows of one effect among these ids.
    Result<std::map<std::string, Effect>, db::Error> done(std::span<const std::string> ids, std::string_view effect);

  private:
    using Look = std::function<Result<void, db::Error>(db::ReadTransaction&)>;
    /// Null = no such file yet.
    Result<db::ReadOnly*, db::Error> reader(const std::string& path);
    Result<void, db::Error> each(const Look& look);
    Result<std::map<std::string, Story>, db::Error> stories_of(const std::set<std::string>& ids);

    std::vector<std::string> paths_;
    std::map<std::string, std::unique_ptr<db::ReadOnly>> open_;
};

/// `<data_dir>/effects/<worker>-<n>.db`
std::string effects_path(std::string_view data_dir, std::string_view worker, unsigned n);
/// All effects files of that worker, or of all workers when it is empty.
std::vector<std::string> effects_files(std::string_view data_dir, std::string_view worker = {});

}  // namespace forebay::ledger
