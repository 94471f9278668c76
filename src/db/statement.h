#pragma once
// A user's statement with `:name` parameters as the drivers take it: positional ones. Knows quotes, comments and casts of each
// database, nothing else of SQL.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "db/options.h"

namespace forebay::db {

struct Statement {
    std::string sql;                 ///< with `?`, or $1, $2 … for PostgreSQL
    std::vector<std::string> names;  ///< of the parameters, in their order; a name used twice is there twice
};

Statement with_names(std::string_view sql, Driver driver);

/// Why a statement may leave a record out, or write over another, without an error that anybody sees, and what to write instead.
struct Caution {
    std::string what, next;
};
/// What can be told from its words: INSERT IGNORE, INSERT OR IGNORE, REPLACE, ON CONFLICT without a key.
std::optional<Caution> caution_of(std::string_view sql, Driver driver);
/// MariaDB, MySQL: ON DUPLICATE KEY, which means every unique key of the table.
bool takes_any_key(std::string_view sql, Driver driver);

/// `?` of a statement of ours as $1, $2 …; one that numbers its parameters already stays as it is.
std::string numbered(std::string_view sql);

}  // namespace forebay::db
