#pragma once
// A cluster of database servers as the files for it need it: [db.X.cluster] of the configuration as plain values. The functions of this
// folder turn such values into text; they read no file, open no socket and know nothing of a configuration.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace forebay::generate {

/// How the balancer learns what a node is good for.
enum class Check {
    dbcheck,  ///< asks `forebay dbcheck` on the node: /writer and /reader
    query,    ///< logs in as `check_user` without a password and asks MariaDB for its state in the cluster
    connect,  ///< only whether the port takes a connection
};

/// How a node that joins gets the data.
enum class Transfer {
    mariabackup,  ///< the donor goes on serving
    rsync,        ///< the donor stands still meanwhile
};

struct Node {
    std::string name;
    std::string address;                  ///< host name, IPv4 or IPv6 address
    std::optional<std::uint32_t> weight;  ///< share of the reads; not set: 1 for the first node, which writes, 50 for the others
    std::uint16_t port = 0;               ///< SQL; 0 = the usual one of the server
    std::uint16_t check_port = 9200;      ///< of `forebay dbcheck`
    std::uint16_t group_port = 4567;      ///< Galera's
    std::uint16_t ist_port = 4568;
    std::uint16_t transfer_port = 4444;
    bool operator==(const Node&) const = default;
};

struct Cluster {
    std::string name;  ///< of the [db.NAME]
    /// The first one writes; the others take over in this order.
    std::vector<Node> nodes;

    // the balancer
    std::vector<std::string> listen = {"127.0.0.1"};  ///< addresses of the balancer itself
    std::uint16_t read_port = 3306;
    std::uint16_t write_port = 3307;
    Check check = Check::dbcheck;
    std::string check_user = "haproxy";
    std::uint32_t connections_max = 200;  ///< to one node through one of the two ports
    std::uint32_t queue_max = 200;        ///< clients that wait for one of those, for each node and port
    Duration queue_timeout = 5s;
    Duration idle_timeout = 2min;  ///< a connection that says nothing so long is cut; longer than clients keep one, and than a statement

    // Galera
    Transfer transfer = Transfer::mariabackup;
    std::uint64_t gcache = 1_GiB;  ///< changes kept for nodes that come back
};

std::uint32_t weight_of(const Cluster& cluster, std::size_t node);

}  // namespace forebay::generate
