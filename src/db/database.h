#pragma once
// A database with two verbs: read(fn) and write(fn). What may change rows is a WriteTransaction, what may
// only look is a ReadTransaction; both end with the closure. The driver of this version is SQLite
// (db/sqlite.cpp), set up so that a commit that returned is on the disk: journal_mode=TRUNCATE,
// synchronous=EXTRA, BEGIN IMMEDIATE, one writing process per file (a lock beside it enforces that).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/unique_function.h"

namespace forebay::db {

/// What a failure leaves known, which is all that a caller may decide on.
enum class ErrorKind {
    dependency,       ///< the database is away, locked, full or not set up: rolled back; hold and try later
    poison,           ///< this statement with these values will never work: rolled back
    unknown_outcome,  ///< the commit failed half way: it may be there or not; replay by id
};
std::string_view name_of(ErrorKind kind);

struct Error {
    ErrorKind kind = ErrorKind::dependency;
    int code = 0;      ///< the driver's own (extended) code
    std::string what;  ///< "main: UNIQUE constraint failed: leads.email"
};

struct Blob {
    std::string bytes;
    bool operator==(const Blob&) const = default;
};
using Value = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;
using Row = std::vector<Value>;
using Rows = std::vector<Row>;

/// Text of a column; empty for null. Numbers as digits.
std::string text_of(const Value& value);
std::int64_t integer_of(const Value& value);

class Connection;

/// Positional parameters: `?`, bound in order. Named ones: `:name`, asked of `named`.
using Named = std::vector<std::pair<std::string, Value>>;

class ReadTransaction {
  public:
    explicit ReadTransaction(Connection& connection) : connection_(connection) {}
    ReadTransaction(const ReadTransaction&) = delete;
    ReadTransaction& operator=(const ReadTransaction&) = delete;
    Result<Rows, Error> query(std::string_view sql, const std::vector<Value>& values = {});

  protected:
    Connection& connection_;
};

class WriteTransaction : public ReadTransaction {
  public:
    using ReadTransaction::ReadTransaction;
    /// Rows changed.
    Result<std::int64_t, Error> execute(std::string_view sql, const std::vector<Value>& values = {});
    /// The same with `:name` parameters; a parameter that `values` lacks is null.
    Result<std::int64_t, Error> execute_named(std::string_view sql, const Named& values);
};

struct Options {
    std::string name = "main";  ///< in messages
    std::string path;
    Duration timeout = 10s;       ///< of one statement, a wait for a lock included
    Duration busy_timeout = 2s;   ///< wait for another process's lock
    std::uint64_t max_pages = 0;  ///< upper bound of the file in pages; 0 = SQLite's
    /// A file that remembers that the database was made: then one that is missing was deleted, or its disk is not
    /// there, and is not made again silently. Empty = only this process remembers.
    std::string made_note;
};

/// When the database at `options.path` was first written, by its note; nothing if it never was.
std::optional<Timestamp> made_at(const Options& options);
/// Why a file that was made is not used: it is not there any more. Nothing if it is there, or never was.
std::optional<std::string> why_gone(const Options& options);

/// The writing process of one database. Not for several threads.
class Database {
  public:
    /// Fails when the file cannot be opened, is gone, or another process writes it (dependency).
    static Result<std::unique_ptr<Database>, Error> open(Options options);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// Opens the file if it is not open, and says how often that was done: after another number the tables may not be
    /// there. A file that was deleted or moved while it was open is a dependency error until it is back, or an empty one
    /// is put there.
    Result<std::uint64_t, Error> opened();
    /// Set when the file was new though an earlier one had been written: since when that one was.
    std::optional<Timestamp> began_anew() const;
    /// Runs `body` in a transaction and commits when it succeeds. After unknown_outcome the connection has
    /// been closed; the next call opens a new one. A commit into a file that is gone is an unknown outcome.
    Result<void, Error> write(UniqueFunction<Result<void, Error>(WriteTransaction&)> body);
    Result<void, Error> read(UniqueFunction<Result<void, Error>(ReadTransaction&)> body);
    /// Whether a write could begin now: takes and gives back the write lock.
    Result<void, Error> probe();

  private:
    struct Inside;
    explicit Database(std::unique_ptr<Inside> inside);
    std::unique_ptr<Inside> inside_;
};

/// A look into a database file that another process writes. Takes no writer lock, creates nothing; follows its path
/// when the file is replaced.
class ReadOnly {
  public:
    static Result<std::unique_ptr<ReadOnly>, Error> open(const std::string& path, Duration busy_timeout = 5s);
    ~ReadOnly();
    Result<void, Error> read(UniqueFunction<Result<void, Error>(ReadTransaction&)> body);

  private:
    ReadOnly(Options options, std::unique_ptr<Connection> connection);
    Result<void, Error> follow_path();
    Options options_;
    std::unique_ptr<Connection> connection_;
    std::uint64_t file_;
};

}  // namespace forebay::db
