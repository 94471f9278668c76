#pragma once
// What an operator needs to set up a MariaDB Galera cluster: a settings file for each node, SQL for the users, and a script with the
// steps of bootstrap, join, maintenance and recovery.

#include <string>

#include "generate/cluster.h"

namespace forebay::generate {

/// The [mysqld] settings of one node: those that a durable cluster needs and those that make it one. Paths stay Debian's.
std::string galera_settings(const Cluster& cluster, const Node& node);

struct GaleraUsers {
    std::string database;
    std::string user;
    std::string password;  ///< only its hash stands in the SQL
};
/// To be run once, on the node that bootstrapped; the others get it from there.
std::string galera_users(const Cluster& cluster, const GaleraUsers& users);

/// A script for /bin/sh on each node: `galera.sh bootstrap|join|state|leave|maintain|position|recover`.
std::string galera_script(const Cluster& cluster);

}  // namespace forebay::generate
