#pragma once
// What a table is made of, as far as somebody who inserts into it must know. Comparing is pure; schema_of() asks the database.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/database.h"

namespace forebay::db {

struct ColumnSchema {
    std::string name;
    std::string type;  ///< the database's word
    bool takes_null = true;
    bool fills_itself = false;               ///< a default, or numbered
    std::optional<std::int64_t> characters;  ///< the most that fit, where the type says
};

struct TableSchema {
    std::string name;
    std::vector<ColumnSchema> columns;  ///< empty: there is no such table
    bool is_id_unique = false;          ///< a primary or unique key on `id` alone
};

/// What an insert gives for one column, and the most characters it may have (0 = not known).
struct GivenColumn {
    std::string name;
    std::int64_t characters_max = 0;
};

struct SchemaDifference {
    bool is_fatal = true;  ///< an insert would fail; else only some would
    std::string column;    ///< empty: the table as a whole
    std::string what, next;
};

/// What stands between these columns, keyed by `id`, and the table. SQLite tells no lengths and no table needs one.
std::vector<SchemaDifference> differences(const TableSchema& table, const std::vector<GivenColumn>& given);

/// MariaDB, MySQL: the unique keys of a table, as their columns, that a record of another id can meet.
Result<std::vector<std::string>, Error> other_unique_keys(ReadTransaction& transaction, const std::string& table);

Result<TableSchema, Error> schema_of(ReadTransaction& transaction, const std::string& table);

}  // namespace forebay::db
