#include "ledger/erase.h"

#include "db/dialect.h"

namespace forebay::ledger {

Result<bool, db::Error> erase(db::WriteTransaction& transaction, const Uuid& id, std::string_view endpoint, Timestamp received_at,
                              Timestamp at) {
    auto record = to_text(id);
    TRY_ASSIGN(auto known, transaction.execute("UPDATE forebay_records SET erased_at = ?, value = NULL, body_sha = NULL WHERE id = ?",
                                               {at.ms, record}));
    if (known == 0) {
        auto insert = db::insert_or_keep(transaction.driver(), "forebay_records", {"id", "endpoint", "received_at", "erased_at"}, {"id"});
        TRY(transaction.execute(insert, {record, std::string(endpoint), received_at.ms, at.ms}));
    }
    TRY(transaction.execute("UPDATE forebay_effects SET answer = '', error = '' WHERE record = ?", {record}));
    TRY(transaction.execute(
        "UPDATE forebay_effects SET state = 'discarded', next_at = NULL WHERE record = ? AND state NOT IN ('done', 'skipped')", {record}));
    for (auto* table : {"forebay_search", "forebay_dead"})
        TRY(transaction.execute("DELETE FROM " + std::string(table) + " WHERE record = ?", {record}));
    TRY(transaction.execute("DELETE FROM forebay_outbox WHERE record = ? AND sent_at IS NULL", {record}));
    return known > 0;
}

}  // namespace forebay::ledger
