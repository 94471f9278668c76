// The ledger's tables: made, and brought from older versions to this one, in each database's own words.
#include <string>

#include "db/dialect.h"
#include "ledger/ledger.h"

namespace forebay::ledger {
namespace {

struct Types {
    const char *id, *name, *text, *long_text, *value, *after;
};

/// Ids and names compare by bytes everywhere, so that ranges of them mean the same.
Types types_of(db::Driver driver) {
    switch (driver) {
        case db::Driver::mariadb:
        case db::Driver::mysql:
            return {"CHAR(36) CHARACTER SET ascii COLLATE ascii_bin",
                    "VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin",
                    "TEXT",
                    "MEDIUMTEXT",
                    "VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
                    " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"};
        case db::Driver::postgresql:
            return {"TEXT COLLATE \"C\"", "TEXT COLLATE \"C\"", "TEXT", "TEXT", "TEXT COLLATE \"C\"", ""};
        case db::Driver::sqlite:
            break;
    }
    return {"TEXT", "TEXT", "TEXT", "TEXT", "TEXT", " WITHOUT ROWID"};
}

class Schema {
  public:
    explicit Schema(db::WriteTransaction& transaction) : t_(transaction), types_(types_of(transaction.driver())) {}

    Result<void, db::Error> prepare() {
        TRY_ASSIGN(auto found, version_of(t_));
        if (found == schema_version) return {};
        if (found > schema_version) return refuse_newer(found);
        if (auto made = make(found); !made) return with_remedy(made.error());
        return {};
    }

  private:
    static Result<void, db::Error> refuse_newer(std::int64_t found) {
        db::Error error;
        error.what = "the ledger's tables have version " + std::to_string(found) + ", this program knows " + std::to_string(schema_version);
        return Failure{error};
    }
    static Result<void, db::Error> with_remedy(db::Error error) {
        if (error.kind != db::ErrorKind::conflict) {
            error.kind = db::ErrorKind::dependency;
            error.what += "; the ledger's tables are made by `forebay db migrate`, as a user who may create them";
        }
        return Failure{error};
    }

    Result<void, db::Error> make(std::int64_t found) {
        // Several processes may begin at once; PostgreSQL alone lets them collide over IF NOT EXISTS.
        if (t_.driver() == db::Driver::postgresql) TRY(t_.query("SELECT pg_advisory_xact_lock(7345231006)"));
        TRY(create("forebay_schema", "version BIGINT NOT NULL PRIMARY KEY"));
        TRY(create("forebay_records", column("id", types_.id) + "endpoint " + types_.name +
                                          " NOT NULL, received_at BIGINT NOT NULL, value " + types_.name + ", currency " + types_.name +
                                          ", body_sha " + types_.name + ", erased_at BIGINT, PRIMARY KEY (id)" + inner_index()));
        TRY(create("forebay_effects", column("record", types_.id) + column("effect", types_.name) + column("state", types_.name) +
                                          "attempts BIGINT NOT NULL, first_at BIGINT NOT NULL, at BIGINT NOT NULL, next_at BIGINT, " +
                                          column("worker", types_.text) + column("answer", types_.long_text) +
                                          column("error", types_.text) + "PRIMARY KEY (record, effect)"));
        TRY(create("forebay_dead", column("record", types_.id) + column("effect", types_.name) + "at BIGINT NOT NULL, " +
                                       column("cause", types_.text) + "PRIMARY KEY (record, effect)"));
        TRY(create("forebay_outbox", column("record", types_.id) + column("effect", types_.name) + column("target", types_.name) +
                                         "sent_at BIGINT, PRIMARY KEY (record, effect, target)"));
        TRY(create("forebay_search", "kind " + std::string(types_.name) + " NOT NULL, " + column("value", types_.value) +
                                         column("record", types_.id) + "PRIMARY KEY (kind, value, record)"));
        if (found == 1) TRY(from_version_1());
        if (!db::is_mysql(t_.driver()))
            TRY(t_.execute("CREATE INDEX IF NOT EXISTS forebay_records_by_time ON forebay_records (received_at, id)"));
        TRY(t_.execute("DELETE FROM forebay_schema"));
        TRY(t_.execute("INSERT INTO forebay_schema (version) VALUES (?)", {schema_version}));
        return {};
    }

    /// Version 1 was SQLite's alone.
    Result<void, db::Error> from_version_1() {
        for (auto* added : {"value TEXT", "currency TEXT", "body_sha TEXT", "erased_at BIGINT"})
            TRY(t_.execute(std::string("ALTER TABLE forebay_records ADD COLUMN ") + added));
        TRY(
            t_.execute("INSERT INTO forebay_dead (record, effect, at, cause) SELECT record, effect, at, error FROM forebay_effects "
                       "WHERE state = 'dead'"));
        return {};
    }

    static std::string column(std::string_view name, const char* type) { return std::string(name) + " " + type + " NOT NULL, "; }

    Result<void, db::Error> create(std::string_view table, const std::string& columns) {
        TRY(t_.execute("CREATE TABLE IF NOT EXISTS " + std::string(table) + " (" + columns + ")" + types_.after));
        return {};
    }

    /// MySQL knows no IF NOT EXISTS for an index of its own.
    std::string inner_index() const { return db::is_mysql(t_.driver()) ? ", INDEX forebay_records_by_time (received_at, id)" : ""; }

    db::WriteTransaction& t_;
    Types types_;
};

}  // namespace

Result<std::int64_t, db::Error> version_of(db::ReadTransaction& transaction) {
    TRY_ASSIGN(auto tables, transaction.query(db::table_query(transaction.driver()), {std::string("forebay_schema")}));
    if (tables.empty()) return std::int64_t{0};
    TRY_ASSIGN(auto rows, transaction.query("SELECT version FROM forebay_schema"));
    return rows.empty() ? 0 : db::integer_of(rows[0][0]);
}

Result<void, db::Error> prepare(db::WriteTransaction& transaction) { return Schema(transaction).prepare(); }

}  // namespace forebay::ledger
