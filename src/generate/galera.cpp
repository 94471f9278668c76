#include "generate/galera.h"

#include "generate/text.h"

namespace forebay::generate {
namespace {

/// What the balancer may have open on one node through its two ports, and people, checks and transfers beside it.
constexpr std::uint32_t connections_for_people = 50;

std::string members(const Cluster& cluster) {
    std::string out;
    for (const auto& node : cluster.nodes) out += (out.empty() ? "" : ",") + at(node.address, node.group_port);
    return out;
}

/// The last ones first and the writer last, for a donor is taken out of the balancer meanwhile; the comma lets any node help.
std::string donors(const Cluster& cluster, const Node& joiner) {
    std::string out;
    for (auto node = cluster.nodes.rbegin(); node != cluster.nodes.rend(); ++node)
        if (*node != joiner && *node != cluster.nodes.front()) out += node->name + ",";
    return out;
}

std::string provider_options(const Cluster& cluster, const Node& node) {
    // A node that does not answer is given up after 2 s rather than 5: that is most of what a dead writer costs. One second was seen
    // to split a cluster whose machines were only busy.
    return "gmcast.listen_addr=tcp://" + at(node.address, node.group_port) + ";ist.recv_addr=" + at(node.address, node.ist_port) +
           ";gcache.size=" + std::to_string(cluster.gcache) +
           ";gcache.recover=yes;evs.keepalive_period=PT0.5S;evs.inactive_check_period=PT0.25S;evs.suspect_timeout=PT2S;"
           "evs.inactive_timeout=PT5S;evs.install_timeout=PT5S";
}

}  // namespace

std::string galera_settings(const Cluster& cluster, const Node& node) {
    bool has_backup = cluster.transfer == Transfer::mariabackup;
    return "# Made by `forebay generate galera` from [db." + cluster.name + ".cluster] for " + node.name +
           ": /etc/mysql/mariadb.conf.d/70-forebay.cnf\n"
           "[mysqld]\n"
           "# A commit that was answered is on the disk of this node.\n"
           "innodb_flush_log_at_trx_commit=1\n"
           "innodb_doublewrite=ON\n"
           "# What does not fit is an error, not a shortened value. Every table has a key, every text is utf8mb4, every time UTC.\n"
           "sql_mode=STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION\n"
           "innodb_force_primary_key=ON\n"
           "character_set_server=utf8mb4\n"
           "collation_server=utf8mb4_unicode_ci\n"
           "default_time_zone='+00:00'\n"
           "default_storage_engine=InnoDB\n"
           "max_connections=" +
           std::to_string(2 * cluster.connections_max + connections_for_people) +
           "\n"
           "skip_name_resolve=ON\n"
           "\n"
           "# The cluster.\n"
           "bind_address=" +
           node.address + "\nport=" + std::to_string(node.port) +
           "\n"
           "binlog_format=ROW\n"
           "innodb_autoinc_lock_mode=2\n"
           "wsrep_on=ON\n"
           "wsrep_provider=/usr/lib/galera/libgalera_smm.so\n"
           "wsrep_cluster_name=" +
           cluster.name + "\nwsrep_cluster_address=gcomm://" + members(cluster) + "\nwsrep_node_name=" + node.name +
           "\nwsrep_node_address=" + at(node.address, node.group_port) + "\nwsrep_node_incoming_address=" + at(node.address, node.port) +
           "\nwsrep_slave_threads=4\n"
           "wsrep_sst_method=" +
           (has_backup ? "mariabackup\nwsrep_sst_auth=mysql:\n" : "rsync\n") +
           "wsrep_sst_receive_address=" + at(node.address, node.transfer_port) + "\nwsrep_sst_donor=" + donors(cluster, node) +
           "\nwsrep_provider_options=\"" + provider_options(cluster, node) + "\"\n";
}

std::string galera_users(const Cluster& cluster, const GaleraUsers& users) {
    auto user = sql_text(users.user) + "@'%'";
    std::string out = "-- Made by `forebay generate galera` from [db." + cluster.name +
                      "]. Once, on the node that bootstrapped: mariadb < users.sql\n"
                      "CREATE DATABASE IF NOT EXISTS " +
                      sql_name(users.database) +
                      " CHARACTER SET utf8mb4;\n"
                      "-- Forebay, and `forebay dbcheck` on the nodes. The hash is that of the password in its configuration.\n"
                      "CREATE USER IF NOT EXISTS " +
                      user + ";\nALTER USER " + user + " IDENTIFIED VIA mysql_native_password USING '" +
                      native_password_hash(users.password) + "';\nGRANT ALL PRIVILEGES ON " + sql_name(users.database) + ".* TO " + user +
                      ";\n";
    if (cluster.check == Check::query)
        out += "-- HAProxy's checks: it may log in and see that the node is well, and nothing else.\nCREATE USER IF NOT EXISTS " +
               sql_text(cluster.check_user) + "@'%';\n";
    if (cluster.transfer == Transfer::mariabackup)
        out +=
            "-- The transfer of the data to a node that joins: the system's user mysql, over the socket, without a password.\n"
            "CREATE USER IF NOT EXISTS mysql@localhost IDENTIFIED VIA unix_socket;\n"
            "GRANT RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR ON *.* TO mysql@localhost;\n";
    return out;
}

}  // namespace forebay::generate
