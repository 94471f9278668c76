#include "db/requirements.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "db/dialect.h"

namespace forebay::db {
namespace {

using Level = Finding::Level;

constexpr int nodes_min = 3;
constexpr std::size_t tables_named_max = 5;

/// A setting that must have one of `good` (compared without case).
struct Wanted {
    const char* setting;
    std::vector<const char*> good;
    Level otherwise;
    const char* next;
};

const std::vector<Wanted> of_mariadb = {
    {"innodb_flush_log_at_trx_commit",
     {"1"},
     Level::error,
     "a power cut loses commits that were answered: innodb_flush_log_at_trx_commit = 1"},
    {"innodb_doublewrite", {"ON", "DETECT_AND_RECOVER"}, Level::error, "a power cut can tear a page for good: innodb_doublewrite = ON"},
    {"character_set_server", {"utf8mb4"}, Level::warn, "new tables would not hold every character: character_set_server = utf8mb4"},
    {"default_storage_engine", {"InnoDB"}, Level::warn, "only InnoDB has transactions: default_storage_engine = InnoDB"},
};
const std::vector<Wanted> of_galera = {
    {"binlog_format", {"ROW"}, Level::error, "nodes would differ: binlog_format = ROW"},
    {"innodb_autoinc_lock_mode", {"2"}, Level::error, "Galera needs innodb_autoinc_lock_mode = 2"},
};
const std::vector<Wanted> of_mariadb_session = {
    {"time_zone", {"+00:00"}, Level::error, "times would be shifted; Forebay sets it itself: is something between that resets sessions?"},
    {"character_set_client",
     {"utf8mb4"},
     Level::error,
     "characters would be lost; Forebay sets it itself: is something between that resets sessions?"},
};
const std::vector<Wanted> of_postgresql = {
    {"fsync", {"on"}, Level::error, "a power cut ruins the database: fsync = on"},
    {"synchronous_commit",
     {"on", "remote_apply", "remote_write", "local"},
     Level::error,
     "a power cut loses commits that were answered: synchronous_commit = on"},
    {"full_page_writes", {"on"}, Level::error, "a power cut can tear a page for good: full_page_writes = on"},
    {"server_encoding", {"UTF8"}, Level::error, "the database does not hold every character: make one with ENCODING 'UTF8'"},
};
const std::vector<Wanted> of_postgresql_session = {
    {"timezone", {"UTC", "GMT", "Etc/UTC"}, Level::warn, "times in texts would be shifted: timezone = 'UTC'"},
    {"client_encoding",
     {"UTF8"},
     Level::error,
     "characters would be lost; Forebay sets it itself: is something between that resets sessions?"},
};

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::string value_in(const std::map<std::string, std::string>& values, const std::string& name) {
    auto at = values.find(name);
    return at == values.end() ? std::string() : at->second;
}

class Judgement {
  public:
    explicit Judgement(const Facts& facts) : facts_(facts) {}

    std::vector<Finding> run() {
        if (is_mysql(facts_.driver)) {
            compare(of_mariadb, facts_.settings, "");
            if (value_in(facts_.settings, "log_bin") == "ON")
                add(value_in(facts_.settings, "sync_binlog") == "1", Level::warn, "sync_binlog", value_in(facts_.settings, "sync_binlog"),
                    "after a power cut the binary log, and replicas, may lack commits: sync_binlog = 1");
            compare(of_mariadb_session, facts_.session, "session ");
            judge_strictness();
            if (value_in(facts_.settings, "wsrep_on") == "ON") judge_cluster();
            tables(facts_.tables_of_other_engines, Level::error, "tables without transactions", "ALTER TABLE … ENGINE = InnoDB");
            tables(facts_.tables_without_utf8mb4, Level::warn, "tables without utf8mb4", "ALTER TABLE … CONVERT TO CHARACTER SET utf8mb4");
        } else if (facts_.driver == Driver::postgresql) {
            compare(of_postgresql, facts_.settings, "");
            compare(of_postgresql_session, facts_.session, "session ");
        } else {
            add(true, Level::ok, "durability", "journal_mode=TRUNCATE, synchronous=EXTRA, set at each opening", "");
        }
        if (facts_.driver != Driver::sqlite)
            tables(facts_.tables_without_key, Level::error, "tables without a primary key",
                   "a row cannot be told from its double, and Galera does not replicate it well: ALTER TABLE … ADD PRIMARY KEY");
        return std::move(findings_);
    }

  private:
    void add(bool is_good, Level otherwise, std::string what, std::string found, std::string next) {
        findings_.push_back({is_good ? Level::ok : otherwise, std::move(what), found.empty() ? "not known" : std::move(found),
                             is_good ? std::string() : std::move(next)});
    }

    void compare(const std::vector<Wanted>& all, const std::map<std::string, std::string>& values, const std::string& prefix) {
        for (const auto& wanted : all) {
            auto value = value_in(values, wanted.setting);
            bool is_good =
                std::any_of(wanted.good.begin(), wanted.good.end(), [&](const char* good) { return lower(good) == lower(value); });
            add(is_good, wanted.otherwise, prefix + wanted.setting, value, wanted.next);
        }
    }

    void judge_strictness() {
        auto mode = value_in(facts_.session, "sql_mode");
        bool is_strict = mode.find("STRICT_ALL_TABLES") != mode.npos || mode.find("STRICT_TRANS_TABLES") != mode.npos;
        add(is_strict, Level::error, "session sql_mode", mode,
            "what does not fit would be shortened silently: STRICT_ALL_TABLES must be in it");
    }

    void judge_cluster() {
        compare(of_galera, facts_.settings, "");
        auto status = value_in(facts_.states, "wsrep_cluster_status");
        add(status == "Primary", Level::error, "wsrep_cluster_status", status, "this node is cut off: galera.sh state on every node");
        auto state = value_in(facts_.states, "wsrep_local_state");
        add(state == "4", Level::error, "wsrep_local_state", state + " (" + value_in(facts_.states, "wsrep_local_state_comment") + ")",
            "it is joining, or giving data to another node: wait until it is 4 (Synced)");
        auto size = value_in(facts_.states, "wsrep_cluster_size");
        add(std::atoi(size.c_str()) >= nodes_min, Level::warn, "wsrep_cluster_size", size,
            "when one of two dies the other stops too: three nodes, or two and the arbitrator garbd");
    }

    void tables(const std::vector<std::string>& names, Level otherwise, const char* what, const char* next) {
        std::string found = names.empty() ? "none" : "";
        for (std::size_t i = 0; i < std::min(names.size(), tables_named_max); ++i) found += (i == 0 ? "" : ", ") + names[i];
        if (names.size() > tables_named_max) found += " and " + std::to_string(names.size() - tables_named_max) + " more";
        add(names.empty(), otherwise, what, found, next);
    }

    const Facts& facts_;
    std::vector<Finding> findings_;
};

/// Rows of (name, value).
Result<void, Error> into(std::map<std::string, std::string>& values, ReadTransaction& transaction, std::string_view sql) {
    TRY_ASSIGN(auto rows, transaction.query(sql));
    for (const auto& row : rows) values[lower(text_of(row[0]))] = text_of(row[1]);
    return {};
}

Result<void, Error> into(std::vector<std::string>& names, ReadTransaction& transaction, std::string_view sql) {
    TRY_ASSIGN(auto rows, transaction.query(sql));
    for (const auto& row : rows) names.push_back(text_of(row[0]));
    return {};
}

constexpr std::string_view without_key =
    "SELECT t.table_name FROM information_schema.tables t LEFT JOIN information_schema.table_constraints c ON c.table_schema = "
    "t.table_schema "
    "AND c.table_name = t.table_name AND c.constraint_type = 'PRIMARY KEY' WHERE t.table_type = 'BASE TABLE' AND c.constraint_name IS NULL "
    "AND ";

Result<void, Error> ask_mysql(Facts& facts, ReadTransaction& transaction) {
    TRY(into(
        facts.settings, transaction,
        "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_flush_log_at_trx_commit', 'innodb_doublewrite', 'character_set_server', "
        "'default_storage_engine', 'log_bin', 'sync_binlog', 'binlog_format', 'innodb_autoinc_lock_mode', 'wsrep_on')"));
    TRY(into(facts.session, transaction,
             "SHOW SESSION VARIABLES WHERE Variable_name IN ('sql_mode', 'time_zone', 'character_set_client')"));
    TRY(into(facts.states, transaction,
             "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_cluster_status', 'wsrep_local_state', 'wsrep_local_state_comment', "
             "'wsrep_cluster_size')"));
    TRY(into(facts.tables_without_key, transaction, std::string(without_key) + "t.table_schema = DATABASE() ORDER BY t.table_name"));
    TRY(into(facts.tables_of_other_engines, transaction,
             "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND engine <> "
             "'InnoDB' ORDER BY table_name"));
    return into(facts.tables_without_utf8mb4, transaction,
                "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND "
                "table_collation NOT LIKE 'utf8mb4%' ORDER BY table_name");
}

Result<void, Error> ask_postgresql(Facts& facts, ReadTransaction& transaction) {
    TRY(into(facts.settings, transaction,
             "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'server_encoding')"));
    TRY(into(facts.session, transaction, "SELECT name, setting FROM pg_settings WHERE name IN ('TimeZone', 'client_encoding')"));
    return into(facts.tables_without_key, transaction,
                std::string(without_key) + "t.table_schema = ANY (current_schemas(false)) ORDER BY t.table_name");
}

}  // namespace

std::vector<Finding> judge(const Facts& facts) { return Judgement(facts).run(); }

Result<Facts, Error> facts_of(ReadTransaction& transaction) {
    Facts facts;
    facts.driver = transaction.driver();
    if (is_mysql(facts.driver)) {
        TRY(ask_mysql(facts, transaction));
    } else if (facts.driver == Driver::postgresql) {
        TRY(ask_postgresql(facts, transaction));
    }
    return facts;
}

}  // namespace forebay::db
