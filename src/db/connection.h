#pragma once
// One SQLite connection with its prepared statements, inside db/ only: sqlite3.h stays in sqlite.cpp.

#include <memory>
#include <string>
#include <string_view>

#include "db/database.h"

namespace forebay::db {

enum class Access { read_only, read_write };

class Connection {
  public:
    static Result<std::unique_ptr<Connection>, Error> open(const Options& options, Access access);
    virtual ~Connection() = default;

    /// `begin`, `commit`, `rollback` and pragmas.
    virtual Result<void, Error> command(const char* sql) = 0;
    /// Runs one statement to its end. Named parameters come from `named`, positional ones from `values`.
    /// Errors of preparing are dependency errors (the schema is not there yet), those of running are sorted.
    virtual Result<Rows, Error> run(std::string_view sql, const std::vector<Value>& values, const Named* named) = 0;
    virtual std::int64_t changes() = 0;
    virtual bool in_transaction() = 0;
    /// Statements begun from now on are interrupted `timeout` after they began.
    virtual void set_timeout(Duration timeout) = 0;
};

/// Which file a path leads to, as one number; 0 = none.
std::uint64_t file_at(const std::string& path);

/// What an (extended) SQLite result code leaves known, `committing` where COMMIT itself failed.
ErrorKind classify(int extended_code, bool committing);

}  // namespace forebay::db
