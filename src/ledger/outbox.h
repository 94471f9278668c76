#pragma once
// The follow-ups of done effects (TABLES.md, forebay_outbox): written in the effect's own transaction, marked when they are
// in their queues, before the message that led to them is deleted. A done effect without a row for a follow-up says nothing
// about it: it is sent, perhaps again.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "db/database.h"

namespace forebay::ledger {

/// A follow-up of one record.
struct OutboxKey {
    std::string record;  ///< id as text
    std::string target;
    auto operator<=>(const OutboxKey&) const = default;
};

/// In the transaction that writes their effect as done.
Result<void, db::Error> add_to_outbox(db::WriteTransaction& transaction, std::string_view effect, const std::vector<OutboxKey>& follow_ups);

/// Those of these records that are sent.
Result<std::set<OutboxKey>, db::Error> sent_of(db::ReadTransaction& transaction, std::string_view effect,
                                               const std::vector<std::string>& records);

/// Also where there was no row: another process's file, or an effect of a time before this table, has it.
Result<void, db::Error> mark_sent(db::WriteTransaction& transaction, std::string_view effect, const std::vector<OutboxKey>& follow_ups,
                                  Timestamp now);

}  // namespace forebay::ledger
