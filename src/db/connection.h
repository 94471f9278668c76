#pragma once
// One connection with its prepared statements, inside db/ only: sqlite3.h, mysql.h and libpq-fe.h stay in their .cpp files.

#include <memory>
#include <string>
#include <string_view>

#include "db/database.h"

namespace forebay::db {

class Connection {
  public:
    virtual ~Connection() = default;
    virtual Driver driver() const = 0;
    virtual Result<void, Error> begin() = 0;
    /// A failure is unknown_outcome unless the code says that it was rolled back.
    virtual Result<void, Error> commit() = 0;
    /// Ends a transaction, if there is one. False: the connection is of no use any more.
    virtual bool roll_back() = 0;
    /// Runs one statement to its end, its `?` bound in order; those that `values` lacks are null.
    virtual Result<Rows, Error> run(std::string_view sql, const std::vector<Value>& values) = 0;
    /// Rows changed by the last run.
    virtual std::int64_t changes() = 0;
    /// The statement once per row; rows changed in all.
    virtual Result<std::int64_t, Error> run_many(std::string_view sql, const Rows& rows);
};

/// Whether this address shall be written to or only read.
enum class Access { read_only, read_write };

Result<std::unique_ptr<Connection>, Error> connect_mariadb(const Options& options, const Address& address, Access access);
Result<std::unique_ptr<Connection>, Error> connect_postgresql(const Options& options, const Address& address, Access access);

}  // namespace forebay::db
