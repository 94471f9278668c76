#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <unordered_map>

#include "db/sqlite_connection.h"

namespace forebay::db {

ErrorKind classify_sqlite(int extended_code, bool committing) {
    switch (extended_code & 0xff) {
        case SQLITE_CONSTRAINT:  // also at COMMIT (deferred foreign keys): SQLite says so before it writes
        case SQLITE_MISMATCH:
        case SQLITE_TOOBIG:
        case SQLITE_RANGE:
            return ErrorKind::poison;
        case SQLITE_ERROR:
            return committing ? ErrorKind::unknown_outcome : ErrorKind::poison;
        default:
            return committing ? ErrorKind::unknown_outcome : ErrorKind::dependency;
    }
}

namespace {

constexpr std::size_t statements_kept_max = 64;
constexpr int instructions_between_clock_looks = 10'000;

struct CloseStatement {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
};
using Statement = std::unique_ptr<sqlite3_stmt, CloseStatement>;
struct CloseConnection {
    void operator()(sqlite3* c) const { sqlite3_close_v2(c); }
};

/// Lets the next use of a kept statement begin anew, whatever happened in this one.
struct ResetAfter {
    sqlite3_stmt* statement;
    ~ResetAfter() {
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
    }
};

Value column_of(sqlite3_stmt* s, int i) {
    auto bytes = [&](const void* from) {
        return std::string(static_cast<const char*>(from), static_cast<std::size_t>(sqlite3_column_bytes(s, i)));
    };
    switch (sqlite3_column_type(s, i)) {
        case SQLITE_INTEGER:
            return static_cast<std::int64_t>(sqlite3_column_int64(s, i));
        case SQLITE_FLOAT:
            return sqlite3_column_double(s, i);
        case SQLITE_TEXT:
            return bytes(sqlite3_column_text(s, i));
        case SQLITE_BLOB: {
            const void* from = sqlite3_column_blob(s, i);
            return from == nullptr ? Value(Blob{}) : Value(Blob{bytes(from)});
        }
        default:
            return std::monostate{};
    }
}

int bind(sqlite3_stmt* s, int i, const Value& value) {
    struct Binder {
        sqlite3_stmt* s;
        int i;
        int operator()(std::monostate) const { return sqlite3_bind_null(s, i); }
        int operator()(std::int64_t v) const { return sqlite3_bind_int64(s, i, v); }
        int operator()(double v) const { return sqlite3_bind_double(s, i, v); }
        int operator()(const std::string& v, sqlite3_destructor_type whose = SQLITE_STATIC) const {
            return sqlite3_bind_text64(s, i, v.data(), v.size(), whose, SQLITE_UTF8);
        }
        int operator()(Timestamp v) const { return (*this)(to_rfc3339(v), SQLITE_TRANSIENT); }
        int operator()(const Blob& v) const { return sqlite3_bind_blob64(s, i, v.bytes.data(), v.bytes.size(), SQLITE_STATIC); }
    };
    return std::visit(Binder{s, i}, value);
}

class SqliteConnection final : public SqliteFile {
  public:
    SqliteConnection(const Options& options, Access access, std::unique_ptr<sqlite3, CloseConnection> handle)
        : name_(options.name), access_(access), handle_(std::move(handle)), timeout_(options.timeout) {
        sqlite3_progress_handler(handle_.get(), instructions_between_clock_looks, &SqliteConnection::is_overdue, this);
    }

    Result<void, Error> command(const char* sql) override {
        began_ = now();
        int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
        if (code != SQLITE_OK) return Failure{error(std::string_view(sql) == "COMMIT")};
        return {};
    }

    Driver driver() const override { return Driver::sqlite; }
    Result<void, Error> begin() override { return command(access_ == Access::read_write ? "BEGIN IMMEDIATE" : "BEGIN"); }
    Result<void, Error> commit() override { return command("COMMIT"); }
    bool roll_back() override { return sqlite3_get_autocommit(handle_.get()) != 0 || command("ROLLBACK").ok(); }

    Result<Rows, Error> run(std::string_view sql, const std::vector<Value>& values) override {
        TRY_ASSIGN(auto* statement, prepared(sql));
        ResetAfter reset{statement};
        TRY(bind_all(statement, values));
        began_ = now();
        Rows rows;
        int code = 0;
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) rows.push_back(row_of(statement));
        if (code != SQLITE_DONE) return Failure{step_error(sql)};
        return rows;
    }

    /// Bound, stepped and reset: nothing of it is looked up again for each row.
    Result<std::int64_t, Error> run_many(std::string_view sql, const Rows& rows) override {
        TRY_ASSIGN(auto* statement, prepared(sql));
        std::int64_t changed = 0;
        for (auto& values : rows) {
            ResetAfter reset{statement};
            began_ = now();
            TRY(bind_all(statement, values));
            int code = 0;
            while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
            }
            if (code != SQLITE_DONE) return Failure{step_error(sql)};
            changed += changes();
        }
        return changed;
    }

    std::int64_t changes() override { return sqlite3_changes64(handle_.get()); }

  private:
    static std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }
    static int is_overdue(void* self) {
        auto& c = *static_cast<SqliteConnection*>(self);
        return c.timeout_ > Duration::zero() && now() - c.began_ > c.timeout_;
    }

    static Row row_of(sqlite3_stmt* statement) {
        Row row;
        int columns = sqlite3_column_count(statement);
        row.reserve(static_cast<std::size_t>(columns));
        for (int i = 0; i < columns; ++i) row.push_back(column_of(statement, i));
        return row;
    }

    Error error(bool committing = false) {
        int code = sqlite3_extended_errcode(handle_.get());
        Error out{classify_sqlite(code, committing), code, name_ + ": " + sqlite3_errmsg(handle_.get())};
        out.is_duplicate = code == SQLITE_CONSTRAINT_PRIMARYKEY || code == SQLITE_CONSTRAINT_UNIQUE;
        return out;
    }

    /// SQLITE_ERROR while stepping is either the row's fault (malformed JSON, integer overflow) or that of a
    /// schema that changed under a kept statement; preparing it again tells.
    Error step_error(std::string_view sql) {
        auto failure = error();
        if ((failure.code & 0xff) != SQLITE_ERROR) return failure;
        if (!compile(sql)) failure.kind = ErrorKind::dependency;
        return failure;
    }

    Statement compile(std::string_view sql) {
        sqlite3_stmt* raw = nullptr;
        sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
        return Statement(raw);
    }

    Result<sqlite3_stmt*, Error> prepared(std::string_view sql) {
        auto kept = statements_.find(std::string(sql));
        if (kept != statements_.end()) return kept->second.get();
        began_ = now();
        auto statement = compile(sql);
        if (!statement) {
            auto failure = error();
            failure.kind = ErrorKind::dependency;
            if (failure.code == SQLITE_OK) failure.what = name_ + ": an empty statement";
            return Failure{failure};
        }
        if (statements_.size() >= statements_kept_max) statements_.clear();
        return statements_.emplace(sql, std::move(statement)).first->second.get();
    }

    Result<void, Error> bind_all(sqlite3_stmt* statement, const std::vector<Value>& values) {
        auto count = std::min(values.size(), static_cast<std::size_t>(sqlite3_bind_parameter_count(statement)));
        for (std::size_t i = 0; i < count; ++i)
            if (bind(statement, static_cast<int>(i) + 1, values[i]) != SQLITE_OK) return Failure{error()};
        return {};
    }

    std::string name_;
    Access access_;
    std::unique_ptr<sqlite3, CloseConnection> handle_;
    std::unordered_map<std::string, Statement> statements_;  // before handle_ in destruction order
    Duration timeout_;
    std::chrono::steady_clock::time_point began_;
};

Result<void, Error> set_up(SqliteFile& connection, const Options& options, Access access) {
    if (access == Access::read_only) return connection.command("PRAGMA query_only=ON");
    // PERSIST would commit a seventh faster, and keep in the journal what was erased from the file.
    TRY(connection.command("PRAGMA journal_mode=TRUNCATE"));
    TRY(connection.command("PRAGMA synchronous=EXTRA"));
    TRY(connection.command("PRAGMA foreign_keys=ON"));
    if (options.max_pages == 0) return {};
    return connection.command(("PRAGMA max_page_count=" + std::to_string(options.max_pages)).c_str());
}

}  // namespace

Result<std::unique_ptr<SqliteFile>, Error> SqliteFile::open(const Options& options, Access access) {
    // A reader is opened for writing too (query_only keeps it from it): it must be able to roll back what a
    // writer that was killed left half written, or it could not read until that writer comes back.
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_READWRITE;
    if (access == Access::read_write) flags |= SQLITE_OPEN_CREATE;
    sqlite3* raw = nullptr;
    int code = sqlite3_open_v2(options.path.c_str(), &raw, flags, nullptr);
    std::unique_ptr<sqlite3, CloseConnection> handle(raw);
    if (code != SQLITE_OK)
        return Failure{Error{ErrorKind::dependency, code, options.name + ": cannot open " + options.path + ": " + sqlite3_errstr(code)}};
    sqlite3_busy_timeout(raw, static_cast<int>(options.busy_timeout.count()));
    auto connection = std::make_unique<SqliteConnection>(options, access, std::move(handle));
    TRY(set_up(*connection, options, access));
    return std::unique_ptr<SqliteFile>(std::move(connection));
}

}  // namespace forebay::db
