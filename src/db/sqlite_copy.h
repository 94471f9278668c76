#pragma once
// A SQLite file copied while others write it, by SQLite's own means: the copy is the file as it was between two transactions.

#include <string>

#include "db/database.h"

namespace forebay::db {

/// Whoever writes waits until it is done. The copy is readable by its owner only, and on the disk when this returns.
Result<void, Error> copy_sqlite(const std::string& from, const std::string& to);

}  // namespace forebay::db
