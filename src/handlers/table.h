#pragma once
// A user's table made of a list of columns: created where it is missing, columns added that it lacks.

#include <string>
#include <vector>

#include "db/database.h"
#include "handlers/sql.h"

namespace forebay::handlers {

/// One insert that leaves a row with the same id as it is; parameters in the columns' order.
std::string insert_statement(db::Driver driver, const std::string& table, const std::vector<Column>& columns);
/// Creates the table (id is its key) or adds the columns that it lacks. Never drops or changes one.
Result<void, db::Error> ensure_table(db::WriteTransaction& transaction, const std::string& table, const std::vector<Column>& columns);

}  // namespace forebay::handlers
