#pragma once
// What the ledger knows of a person, forgotten; that there was a record, and what became of it, stays.

#include "base/time.h"
#include "base/uuid.h"
#include "db/database.h"

namespace forebay::ledger {

/// The record's words to search by, the answers and errors of its effects and its follow-ups that are not sent go; its row says when.
/// A record that the ledger does not know gets a row, so that the balance has it. Nothing more is done for it: every effect it has that
/// is not done is `discarded`. True when something was there.
Result<bool, db::Error> erase(db::WriteTransaction& transaction, const Uuid& id, std::string_view endpoint, Timestamp received_at,
                              Timestamp at);

}  // namespace forebay::ledger
