#pragma once
// Whether one database server may be written to and read from now, as a balancer in front of several wants to know it. The decision
// is pure; look_at() asks the server.

#include <string>

#include "base/result.h"
#include "db/database.h"

namespace forebay::db {

struct Health {
    bool is_in_cluster = false;  ///< MariaDB with wsrep_on
    std::string ready;           ///< wsrep_ready: ON
    int state = 0;               ///< wsrep_local_state: 4 is synced
    std::string state_name;      ///< wsrep_local_state_comment
    std::string cluster_status;  ///< wsrep_cluster_status: Primary
    int cluster_size = 0;
    bool is_read_only = false;  ///< MariaDB's read_only; PostgreSQL's default_transaction_read_only
    bool is_standby = false;    ///< PostgreSQL: pg_is_in_recovery()
    std::string data_folder;    ///< MariaDB's datadir, on its own machine
    std::string why_full;       ///< its disk has no room; look_at() does not know that
};

struct Fitness {
    bool is_fit = false;
    std::string why;  ///< for people: "synced, 3 nodes", "wsrep_local_state is 2 (Donor/Desynced), not 4"
};

Fitness may_read(const Health& health);
Fitness may_write(const Health& health);

/// Reads the state of a server. A node that is not part of a primary component may refuse even that: an error.
Result<Health, Error> look_at(ReadTransaction& transaction);

}  // namespace forebay::db
