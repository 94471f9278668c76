#include "db/health.h"

#include <cstdlib>

#include "db/dialect.h"

namespace forebay::db {
namespace {

constexpr int synced = 4;

Fitness cluster_fitness(const Health& health) {
    if (health.cluster_status != "Primary")
        return {false, "wsrep_cluster_status is " + (health.cluster_status.empty() ? "unknown" : health.cluster_status) + ", not Primary"};
    if (health.state != synced)
        return {false, "wsrep_local_state is " + std::to_string(health.state) + " (" + health.state_name + "), not 4"};
    if (health.ready != "ON") return {false, "wsrep_ready is " + health.ready + ", not ON"};
    return {true, "synced, " + std::to_string(health.cluster_size) + (health.cluster_size == 1 ? " node" : " nodes")};
}

void take_mysql(Health& health, const std::string& name, const std::string& value) {
    if (name == "wsrep_on") health.is_in_cluster = value == "ON";
    if (name == "datadir") health.data_folder = value;
    if (name == "read_only") health.is_read_only = value != "OFF" && value != "0";
    if (name == "wsrep_ready") health.ready = value;
    if (name == "wsrep_local_state") health.state = std::atoi(value.c_str());
    if (name == "wsrep_local_state_comment") health.state_name = value;
    if (name == "wsrep_cluster_status") health.cluster_status = value;
    if (name == "wsrep_cluster_size") health.cluster_size = std::atoi(value.c_str());
}

Result<Health, Error> look_at_mysql(ReadTransaction& transaction) {
    Health health;
    for (const char* sql : {"SHOW GLOBAL VARIABLES WHERE Variable_name IN ('datadir', 'read_only', 'wsrep_on')",
                            "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_ready', 'wsrep_local_state', 'wsrep_local_state_comment', "
                            "'wsrep_cluster_status', 'wsrep_cluster_size')"}) {
        TRY_ASSIGN(auto rows, transaction.query(sql));
        for (const auto& row : rows) take_mysql(health, text_of(row[0]), text_of(row[1]));
    }
    return health;
}

Result<Health, Error> look_at_postgresql(ReadTransaction& transaction) {
    Health health;
    TRY_ASSIGN(auto rows, transaction.query("SELECT CASE WHEN pg_is_in_recovery() THEN 1 ELSE 0 END, "
                                            "CASE WHEN reset_val = 'on' THEN 1 ELSE 0 END "
                                            "FROM pg_settings WHERE name = 'default_transaction_read_only'"));
    health.is_standby = !rows.empty() && text_of(rows[0][0]) == "1";
    health.is_read_only = !rows.empty() && text_of(rows[0][1]) == "1";
    return health;
}

}  // namespace

Fitness may_read(const Health& health) {
    if (health.is_in_cluster) return cluster_fitness(health);
    return {true, health.is_standby ? "standby" : health.is_read_only ? "read-only" : "open"};
}

Fitness may_write(const Health& health) {
    if (health.is_read_only) return {false, "it is read-only"};
    if (!health.why_full.empty()) return {false, health.why_full};
    if (health.is_standby) return {false, "it is a standby: pg_is_in_recovery() is true"};
    return may_read(health);
}

Result<Health, Error> look_at(ReadTransaction& transaction) {
    if (is_mysql(transaction.driver())) return look_at_mysql(transaction);
    if (transaction.driver() == Driver::postgresql) return look_at_postgresql(transaction);
    return Health{};
}

}  // namespace forebay::db
