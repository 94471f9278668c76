#pragma once
// A database with two verbs: read(fn) goes to the reader address, write(fn) to the writer address (one file with SQLite).
// What may change rows is a WriteTransaction, what may only look is a ReadTransaction; both end with the closure.
// Statements of ours use `?` for parameters with every driver; those of users use `:name` (db/statement.h).

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/unique_function.h"
#include "db/error.h"
#include "db/options.h"
#include "db/value.h"

namespace forebay::db {

class Connection;

class ReadTransaction {
  public:
    explicit ReadTransaction(Connection& connection) : connection_(connection) {}
    ReadTransaction(const ReadTransaction&) = delete;
    ReadTransaction& operator=(const ReadTransaction&) = delete;
    Result<Rows, Error> query(std::string_view sql, const std::vector<Value>& values = {});
    /// One query per 1 to 256 keys: `sql` has one `(?)` where the list stands, after the parameters of `before`. A list is filled
    /// up with its last key to a power of two, so that few statements are kept. No keys: no rows.
    Result<Rows, Error> query_keys(std::string_view sql, const std::vector<Value>& before, const std::vector<std::string>& keys);
    Driver driver() const;

  protected:
    Connection& connection_;
};

class WriteTransaction : public ReadTransaction {
  public:
    using ReadTransaction::ReadTransaction;
    /// Rows changed, as the driver counts them: a row that an upsert leaves as it is counts 0.
    Result<std::int64_t, Error> execute(std::string_view sql, const std::vector<Value>& values = {});
    /// The statement once for each of `rows`, in one round trip where the server can; rows changed in all.
    Result<std::int64_t, Error> execute_many(std::string_view sql, const Rows& rows);
};

/// Somewhere to look: creates nothing, waits for no writer.
class Reader {
  public:
    using Look = UniqueFunction<Result<void, Error>(ReadTransaction&)>;
    virtual ~Reader() = default;
    virtual Result<void, Error> read(Look look) = 0;
    virtual Driver driver() const = 0;
};

/// Threads: servers' databases may be used by several at once (each takes a connection of the pool), a SQLite file not.
class Database : public Reader {
  public:
    using Change = UniqueFunction<Result<void, Error>(WriteTransaction&)>;
    /// Runs `change` in a transaction and commits when it succeeds. It runs again, at most `tries_max` times, after a conflict,
    /// and once more on a fresh connection when the old one broke before the commit; after unknown_outcome it does not.
    Result<void, Error> write(Change change);
    /// Opens what is not open, and says how often that was done: after another number the tables may not be there.
    virtual Result<std::uint64_t, Error> opened() = 0;
    /// SQLite: set when the file was new though an earlier one had been written: since when that one was.
    virtual std::optional<Timestamp> began_anew() const { return std::nullopt; }
    /// Whether a write could begin now.
    virtual Result<void, Error> probe() = 0;

    static constexpr int tries_max = 10;
    static constexpr Duration wait_min = 5ms, wait_max = 50ms;

  private:
    virtual Result<void, Error> write_once(Change& change) = 0;
};

/// The place to write. SQLite: fails when the file cannot be opened, is gone, or another process writes it. Servers: connects to
/// the writer, so a server that is down fails here. All of that is `dependency`.
Result<std::unique_ptr<Database>, Error> open(Options options);

/// A look into a database that others write. SQLite: fails when there is no file; follows its path when the file is replaced.
/// Servers: connects at the first read.
Result<std::unique_ptr<Reader>, Error> open_reader(const Options& options);

/// Whether there is a file to read; of a server it is not known here, so yes. Costs no connection.
bool is_there(const Options& options);
/// SQLite: when the database at `options.path` was first written, by its note; nothing if it never was.
std::optional<Timestamp> made_at(const Options& options);
/// SQLite: why a file that was made is not used: it is not there any more. Nothing if it is there, never was, or is no file.
std::optional<std::string> why_gone(const Options& options);

}  // namespace forebay::db
