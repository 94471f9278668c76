#pragma once
// What each server's error codes leave known (storage.md section 11 as code). Pure; inside db/ only.

#include <string>
#include <string_view>

#include "db/error.h"

namespace forebay::db {

/// `code` and `sqlstate` of MariaDB or MySQL, also of the client library; `committing` where COMMIT itself failed.
Error sorted_mysql(int code, std::string_view sqlstate, std::string_view text, bool committing);
/// An SQLSTATE of PostgreSQL; empty where the server did not answer.
Error sorted_postgresql(std::string_view sqlstate, std::string_view text, bool committing);

}  // namespace forebay::db
