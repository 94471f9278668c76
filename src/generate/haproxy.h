#pragma once
// A file for HAProxy 2.4 and later in front of database clusters: one port for reads, one for writes.

#include <optional>
#include <string>
#include <vector>

#include "generate/cluster.h"

namespace forebay::generate {

struct StatisticsPage {
    std::string address;
    std::uint16_t port = 0;
    std::string user;
    std::string password;  ///< only its hash stands in the file
};

/// Reads go to all nodes by weight; writes to the first node that is well, sessions of another one are cut. Names, addresses and the
/// user are written as they are: letters, digits, `-_.:` only.
std::string haproxy_file(const std::vector<Cluster>& clusters, const std::optional<StatisticsPage>& statistics);

}  // namespace forebay::generate
