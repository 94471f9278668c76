#pragma once
// What a database must be set to for its "committed" to be worth ours, and what was found. Judging is pure; facts_of() asks the server.

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/database.h"

namespace forebay::db {

/// What one server says about itself. Names of settings and states are the server's own, in lower case.
struct Facts {
    Driver driver = Driver::sqlite;
    std::map<std::string, std::string> settings;  ///< of the server
    std::map<std::string, std::string> session;   ///< of a connection as Forebay makes it
    std::map<std::string, std::string> states;    ///< wsrep_*
    std::vector<std::string> tables_without_key;
    std::vector<std::string> tables_of_other_engines;  ///< MariaDB: not InnoDB
    std::vector<std::string> tables_without_utf8mb4;   ///< MariaDB
};

struct Finding {
    enum class Level { ok, warn, error } level = Level::ok;
    std::string what;   ///< innodb_flush_log_at_trx_commit
    std::string found;  ///< 2
    std::string next;   ///< what to do; empty when it is well
};

std::vector<Finding> judge(const Facts& facts);
Result<Facts, Error> facts_of(ReadTransaction& transaction);

}  // namespace forebay::db
