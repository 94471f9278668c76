#pragma once
// One open SQLite file; inside db/ only.

#include <memory>

#include "db/connection.h"

namespace forebay::db {

class SqliteFile : public Connection {
  public:
    static Result<std::unique_ptr<SqliteFile>, Error> open(const Options& options, Access access);
    /// Pragmas and the like.
    virtual Result<void, Error> command(const char* sql) = 0;
};

/// Which file a path leads to, as one number; 0 = none.
std::uint64_t file_at(const std::string& path);

/// What an (extended) SQLite result code leaves known, `committing` where COMMIT itself failed.
ErrorKind classify_sqlite(int extended_code, bool committing);

Result<std::unique_ptr<Database>, Error> open_sqlite(Options options);
Result<std::unique_ptr<Reader>, Error> open_sqlite_reader(const Options& options);

}  // namespace forebay::db
