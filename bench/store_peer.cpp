// The plain program that bench/run store is measured beside: the inserts of the `sql` worker from memory, with the same client
// libraries, the same batches and commits, and neither queue nor ledger's knowledge.
//   store_peer sqlite FILE BATCH SECONDS WHAT FORM
//   store_peer mariadb|postgresql PORT DATABASE USER PASSWORD BATCH SECONDS WHAT FORM
// WHAT is `row` (the user's row), `effect` (and its effect's row) or `ledger` (and the record's and the search's). FORM is `plain`,
// a prepared statement executed for each row, or `many`, MariaDB's array parameters and PostgreSQL's pipeline. It makes its
// tables, inserts for SECONDS and prints one line of JSON: rows a second and microseconds of CPU a row of this program.
#include <libpq-fe.h>
#include <mysql.h>
#include <sqlite3.h>

#include <memory>

#include "bench/load.h"

namespace forebay::bench {
namespace {

constexpr std::size_t columns_max = 10;
using Values = std::vector<std::string>;

struct Insert {
    std::string table;
    std::vector<std::string> columns;
    std::string key;  ///< columns of its primary key
    Values values;    ///< those that do not differ; the first column is the id
};

std::vector<Insert> inserts_of(std::string_view what) {
    std::vector<Insert> all = {
        {"leads",
         {"id", "received_at", "email", "first_name", "last_name", "phone", "state", "zip", "amount", "campaign"},
         "id",
         {"", "2026-09-20 14:03:11.482", "jane.doe@example.com", "Jane", "Doe", "+14155552671", "CA", "94103", "25000",
          "auto-2026-autumn-search-brand-exact-match"}},
        {"effects",
         {"record", "effect", "state", "attempts", "first_at", "at", "next_at", "worker", "answer", "error"},
         "record, effect",
         {"", "store", "done", "1", "1789999391482", "1789999391482", "0", "store:1", "", ""}},
        {"records", {"id", "endpoint", "received_at", "body_sha"}, "id", {"", "lead", "1789999391482", "390d1e8e3c2b4f5a390d1e8e3c2b4f5a"}},
        {"search", {"record", "kind", "value"}, "record, kind, value", {"", "email", "jane.doe@example.com"}},
        {"search", {"record", "kind", "value"}, "record, kind, value", {"", "phone", "14155552671"}},
    };
    all.resize(what == "row" ? 1 : what == "effect" ? 2 : all.size());
    return all;
}

class Target {
  public:
    virtual ~Target() = default;
    virtual void run(const std::string& sql) = 0;
    virtual std::string place(std::size_t n) const = 0;
    virtual std::string type(std::string_view column) const = 0;
    /// One row per id.
    virtual void insert(const Insert& insert, const std::string& sql, const Values& ids) = 0;
};

class Sqlite final : public Target {
  public:
    explicit Sqlite(const char* path) {
        if (sqlite3_open(path, &handle_) != SQLITE_OK) give_up("cannot open", path);
        for (auto* pragma : {"PRAGMA journal_mode=TRUNCATE", "PRAGMA synchronous=EXTRA"}) run(pragma);
    }
    ~Sqlite() override {
        for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
        sqlite3_close(handle_);
    }
    void run(const std::string& sql) override {
        if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) give_up(sql, sqlite3_errmsg(handle_));
    }
    std::string place(std::size_t) const override { return "?"; }
    std::string type(std::string_view) const override { return "TEXT"; }
    void insert(const Insert& insert, const std::string& sql, const Values& ids) override {
        auto* statement = prepared(sql);
        for (auto& id : ids) {
            for (std::size_t i = 0; i < insert.columns.size(); ++i) {
                auto& value = i == 0 ? id : insert.values[i];
                sqlite3_bind_text(statement, static_cast<int>(i) + 1, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
            }
            if (sqlite3_step(statement) != SQLITE_DONE) give_up(sql, sqlite3_errmsg(handle_));
            sqlite3_reset(statement);
        }
    }

  private:
    sqlite3_stmt* prepared(const std::string& sql) {
        for (auto& [known, statement] : statements_)
            if (known == sql) return statement;
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) give_up(sql, sqlite3_errmsg(handle_));
        statements_.emplace_back(sql, statement);
        return statement;
    }
    sqlite3* handle_ = nullptr;
    std::vector<std::pair<std::string, sqlite3_stmt*>> statements_;
};

class Mariadb final : public Target {
  public:
    Mariadb(unsigned port, const char* database, const char* user, const char* password) : handle_(mysql_init(nullptr)) {
        if (mysql_real_connect(handle_, "127.0.0.1", user, password, database, port, nullptr, 0) == nullptr)
            give_up("cannot connect:", mysql_error(handle_));
    }
    ~Mariadb() override { mysql_close(handle_); }
    void run(const std::string& sql) override {
        if (mysql_query(handle_, sql.c_str()) != 0) give_up(sql, mysql_error(handle_));
    }
    std::string place(std::size_t) const override { return "?"; }
    std::string type(std::string_view column) const override {
        bool is_id = column == "id" || column == "record";
        return is_id ? "CHAR(36) CHARACTER SET ascii COLLATE ascii_bin" : "VARCHAR(128)";
    }
    void insert(const Insert& insert, const std::string& sql, const Values& ids) override {
        auto* statement = prepared(sql);
        auto rows = static_cast<unsigned>(ids.size());
        std::vector<MYSQL_BIND> binds(insert.columns.size());
        std::vector<std::vector<char*>> pointers(insert.columns.size());
        std::vector<std::vector<unsigned long>> lengths(insert.columns.size());
        for (std::size_t i = 0; i < insert.columns.size(); ++i) {
            for (auto& id : ids) {
                auto& value = i == 0 ? id : insert.values[i];
                pointers[i].push_back(const_cast<char*>(value.data()));
                lengths[i].push_back(value.size());
            }
            binds[i].buffer_type = MYSQL_TYPE_STRING;
            binds[i].buffer = pointers[i].data();
            binds[i].length = lengths[i].data();
        }
        mysql_stmt_attr_set(statement, STMT_ATTR_ARRAY_SIZE, &rows);
        if (mysql_stmt_bind_param(statement, binds.data()) != 0 || mysql_stmt_execute(statement) != 0)
            give_up(sql, mysql_stmt_error(statement));
    }

  private:
    MYSQL_STMT* prepared(const std::string& sql) {
        for (auto& [known, statement] : statements_)
            if (known == sql) return statement;
        auto* statement = mysql_stmt_init(handle_);
        if (mysql_stmt_prepare(statement, sql.data(), sql.size()) != 0) give_up(sql, mysql_stmt_error(statement));
        statements_.emplace_back(sql, statement);
        return statement;
    }
    MYSQL* handle_;
    std::vector<std::pair<std::string, MYSQL_STMT*>> statements_;
};

class Postgresql final : public Target {
  public:
    explicit Postgresql(const std::string& where) : handle_(PQconnectdb(where.c_str())) {
        if (PQstatus(handle_) != CONNECTION_OK) give_up("cannot connect:", PQerrorMessage(handle_));
    }
    ~Postgresql() override { PQfinish(handle_); }
    void run(const std::string& sql) override { check(PQexec(handle_, sql.c_str()), sql); }
    std::string place(std::size_t n) const override { return "$" + std::to_string(n); }
    std::string type(std::string_view) const override { return "TEXT"; }
    void insert(const Insert& insert, const std::string& sql, const Values& ids) override {
        auto& name = prepared(sql);
        PQenterPipelineMode(handle_);
        for (auto& id : ids) {
            const char* values[columns_max] = {id.c_str()};
            for (std::size_t i = 1; i < insert.columns.size(); ++i) values[i] = insert.values[i].c_str();
            PQsendQueryPrepared(handle_, name.c_str(), static_cast<int>(insert.columns.size()), values, nullptr, nullptr, 0);
        }
        PQpipelineSync(handle_);
        for (std::size_t i = 0; i < ids.size(); ++i) {
            check(PQgetResult(handle_), sql);
            PQgetResult(handle_);
        }
        PQclear(PQgetResult(handle_));  // of the sync
        PQexitPipelineMode(handle_);
    }

  private:
    void check(PGresult* answer, const std::string& sql) {
        auto status = PQresultStatus(answer);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) give_up(sql, PQerrorMessage(handle_));
        PQclear(answer);
    }
    const std::string& prepared(const std::string& sql) {
        for (auto& [known, name] : names_)
            if (known == sql) return name;
        auto name = "s" + std::to_string(names_.size());
        check(PQprepare(handle_, name.c_str(), sql.c_str(), 0, nullptr), sql);
        return names_.emplace_back(sql, name).second;
    }
    PGconn* handle_;
    std::vector<std::pair<std::string, std::string>> names_;
};

std::string list_of(const std::vector<std::string>& columns, auto&& part) {
    std::string out;
    for (auto& column : columns) out += (out.empty() ? "" : ", ") + part(column);
    return out;
}

/// Text columns and keys like the ledger's; both sides pay for the same indexes.
void make_tables(Target& target, const std::vector<Insert>& inserts) {
    for (auto& insert : inserts) {
        auto columns = list_of(insert.columns, [&](auto& column) { return column + " " + target.type(column) + " NOT NULL"; });
        target.run("CREATE TABLE IF NOT EXISTS peer_" + insert.table + " (" + columns + ", PRIMARY KEY (" + insert.key + "))");
    }
}

std::string statement_of(const Target& target, const Insert& insert) {
    std::size_t n = 0;
    return "INSERT INTO peer_" + insert.table + " (" + list_of(insert.columns, [](auto& c) { return c; }) + ") VALUES (" +
           list_of(insert.columns, [&](auto&) { return target.place(++n); }) + ")";
}

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// All at once, or one after the other.
void insert_all(Target& target, const Insert& insert, const std::string& sql, const Values& ids, bool at_once) {
    if (at_once) return target.insert(insert, sql, ids);
    for (auto& id : ids) target.insert(insert, sql, {id});
}

int run(Target& target, std::size_t batch, double seconds, std::string_view what, bool at_once) {
    auto inserts = inserts_of(what);
    make_tables(target, inserts);
    std::vector<std::string> statements;
    for (auto& insert : inserts) statements.push_back(statement_of(target, insert));
    std::size_t count = 0;
    auto begin = SteadyClock::now();
    auto cpu = cpu_seconds();
    auto elapsed = [&] { return std::chrono::duration<double>(SteadyClock::now() - begin).count(); };
    while (elapsed() < seconds) {
        Values ids;
        for (std::size_t i = 0; i < batch; ++i) {
            char id[37];
            std::snprintf(id, sizeof id, "01a20fe8-f1b1-7449-%04zx-%012zx", (count >> 48) & 0xffff, count);
            ids.emplace_back(id);
            ++count;
        }
        target.run("BEGIN");
        for (std::size_t i = 0; i < inserts.size(); ++i) insert_all(target, inserts[i], statements[i], ids, at_once);
        target.run("COMMIT");
    }
    std::printf("{\"rate\": %.1f, \"cpu_us\": %.2f, \"rows\": %zu}\n", static_cast<double>(count) / elapsed(),
                (cpu_seconds() - cpu) / static_cast<double>(count) * 1e6, count);
    return 0;
}

}  // namespace
}  // namespace forebay::bench

int main(int argc, char** argv) {
    using namespace forebay::bench;
    std::string_view driver = argc > 1 ? argv[1] : "";
    bool is_sqlite = driver == "sqlite";
    if (argc != (is_sqlite ? 7 : 10)) give_up("usage: see the head of bench/store_peer.cpp");
    auto batch = static_cast<std::size_t>(std::atol(argv[argc - 4]));
    auto seconds = std::atof(argv[argc - 3]);
    std::unique_ptr<Target> target;
    if (is_sqlite)
        target = std::make_unique<Sqlite>(argv[2]);
    else if (driver == "mariadb")
        target = std::make_unique<Mariadb>(static_cast<unsigned>(std::atoi(argv[2])), argv[3], argv[4], argv[5]);
    else
        target = std::make_unique<Postgresql>("host=127.0.0.1 port=" + std::string(argv[2]) + " dbname=" + argv[3] + " user=" + argv[4] +
                                              " password=" + argv[5]);
    return run(*target, batch, seconds, argv[argc - 2], std::string_view(argv[argc - 1]) == "many");
}
