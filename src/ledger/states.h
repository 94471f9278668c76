#pragma once
// What the ledger says of many records, and the rows of the user's table, a page at a time: what an audit counts. Every page is
// a short transaction of its own, since a reader of a SQLite file holds up its writer.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "db/database.h"

namespace forebay::ledger {

/// A record with one of its effects.
struct EffectState {
    Uuid record;
    Timestamp received_at;
    std::string effect;  ///< empty: the ledger knows the record, and no effect of it
    std::string state;
    bool is_erased = false;  ///< the record
};

/// Where a page begins: with this record of those received then.
struct StatesFrom {
    Timestamp received_at;
    std::string record;
};
struct StatesPage {
    std::vector<EffectState> states;
    std::optional<StatesFrom> next;  ///< tells the last record again, which may have more effects
};
/// Of records received before `to`, oldest first. At most `max` states, which must be more than a record has effects.
Result<StatesPage, db::Error> states_between(db::ReadTransaction& t, const StatesFrom& from, Timestamp to, std::size_t max);

/// A queue that a record was sent on to, or is to be, when an effect of it was done.
struct FollowUp {
    Uuid record;
    std::string target;
};
struct FollowUpsPage {
    std::vector<FollowUp> follow_ups;
    std::optional<StatesFrom> next;
};
/// As states_between.
Result<FollowUpsPage, db::Error> follow_ups_between(db::ReadTransaction& t, const StatesFrom& from, Timestamp to, std::size_t max);

/// Everything the ledger has of these records.
Result<std::vector<EffectState>, db::Error> states_of(db::ReadTransaction& t, std::span<const Uuid> records);

/// Whether the tables of a ledger are there at all.
Result<bool, db::Error> has_ledger(db::ReadTransaction& t);

/// An id in the user's table and in how many rows it stands.
struct IdRows {
    Uuid id;
    std::int64_t rows = 0;
};

/// The user's table, which may keep ids as text or as 16 bytes.
class IdColumn {
  public:
    IdColumn(db::Driver driver, std::string_view table, std::string_view column);
    /// Looks how ids are kept. Fails when the table or the column is not there.
    Result<void, db::Error> learn(db::ReadTransaction& t);
    struct Page {
        std::vector<IdRows> rows;
        std::optional<db::Value> after;  ///< of the next page; nothing = that was all
    };
    /// Rows with ids from `first` on and below `end`, or, where a page before has said so, after `after`; at most `max` ids.
    Result<Page, db::Error> between(db::ReadTransaction& t, const Uuid& first, const Uuid& end, const std::optional<db::Value>& after,
                                    std::size_t max);
    /// The rows of these ids, at most `ids_at_once`.
    Result<std::vector<IdRows>, db::Error> of(db::ReadTransaction& t, std::span<const Uuid> ids);
    static constexpr std::size_t ids_at_once = 100;

  private:
    db::Value value_of(const Uuid& id) const;
    std::string table_, column_;  ///< quoted
    bool is_binary_ = false;
};

}  // namespace forebay::ledger
