#pragma once
// The few places where the databases' SQL differs.

#include <string>
#include <string_view>
#include <vector>

#include "db/options.h"

namespace forebay::db {

bool is_mysql(Driver driver);  ///< MariaDB and MySQL

/// A name safe inside a statement: "a ""quoted"" name", or `so` in MariaDB. `schema.table` is two names.
std::string quoted(Driver driver, std::string_view name);

/// An insert with one `?` per column that leaves a row with the same key (of `keys` columns) as it is. Never drops an error of
/// another kind (no INSERT IGNORE), except that MariaDB and MySQL also leave a row that meets another unique key of the table.
std::string insert_or_keep(Driver driver, std::string_view table, const std::vector<std::string>& columns,
                           const std::vector<std::string>& keys);

/// One row if the table named by the one parameter is there.
std::string_view table_query(Driver driver);
/// (name, type, "YES" where null is allowed) of each column of the table named by the one parameter, in their order.
std::string_view columns_query(Driver driver);

}  // namespace forebay::db
