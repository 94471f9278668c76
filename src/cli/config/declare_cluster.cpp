// [db.NAME.cluster], [proxy]: the servers behind a database's two ports, for `generate`.
#include <memory>

#include "cli/config/declare.h"

namespace forebay::cli {
namespace {

using generate::Cluster;
using generate::Node;
using Problem = std::optional<std::string>;

struct NodeKey {
    std::string_view key;
    Slot (*slot)(Node&);
};

Slot weight(Node& node) {
    auto stored = std::make_shared<std::uint32_t>(node.weight.value_or(0));
    auto slot = count(*stored, 0, 256);
    slot.take = [&node, stored, take = slot.take](const Given& given) {
        auto problem = take(given);
        if (!problem) node.weight = *stored;
        return problem;
    };
    slot.toml = [&node] { return node.weight ? std::to_string(*node.weight) : std::string(); };
    return slot;
}

constexpr NodeKey node_keys[] = {
    {"name", [](Node& node) { return text(node.name); }},
    {"address", [](Node& node) { return text(node.address); }},
    {"weight", weight},
    {"port", [](Node& node) { return port(node.port); }},
    {"check_port", [](Node& node) { return port(node.check_port); }},
    {"group_port", [](Node& node) { return port(node.group_port); }},
    {"ist_port", [](Node& node) { return port(node.ist_port); }},
    {"transfer_port", [](Node& node) { return port(node.transfer_port); }},
};

Problem take_node(const Given& given, Node& node) {
    constexpr std::string_view shape = "must be a list such as [{ name = \"galera1\", address = \"10.0.3.11\", weight = 1 }, …]";
    if (given.kind != Given::Kind::table) return std::string(shape) + ", not of " + std::string(name_of(given.kind));
    for (const auto& member : given.members) {
        const NodeKey* known = nullptr;
        for (const auto& key : node_keys)
            if (key.key == member.key) known = &key;
        if (known == nullptr)
            return "has a node with " + in_quotes(member.key) +
                   "; a node has name, address, weight, port, check_port, group_port, ist_port and transfer_port";
        if (auto problem = known->slot(node).take(member.value)) return "has a node whose " + member.key + " " + *problem;
    }
    return std::nullopt;
}

/// What differs from a fresh node.
std::string node_toml(Node node) {
    Node fresh;
    std::string out;
    for (const auto& key : node_keys) {
        auto value = key.slot(node).toml();
        if (value.empty() || value == key.slot(fresh).toml()) continue;
        out += (out.empty() ? "{ " : ", ") + std::string(key.key) + " = " + value;
    }
    return out.empty() ? "{}" : out + " }";
}

Slot nodes(std::vector<Node>& field) {
    return {"list of { name, address, weight, port, check_port, group_port, ist_port, transfer_port }",
            [&field](const Given& given) -> Problem {
                if (given.kind != Given::Kind::array) return take_node(given, *std::make_unique<Node>());
                std::vector<Node> taken;
                for (const auto& element : given.elements)
                    if (auto problem = take_node(element, taken.emplace_back())) return problem;
                field = std::move(taken);
                return std::nullopt;
            },
            [&field] {
                std::string out;
                for (const auto& node : field) out += (out.empty() ? "[" : ", ") + node_toml(node);
                return out.empty() ? out : out + "]";
            }};
}

}  // namespace

void declare_cluster(Scope& scope, DatabaseConfiguration& database) {
    scope.table("cluster", [&](Scope& s) {
        auto& cluster = database.cluster;
        s.setting("nodes", nodes(cluster.nodes), "the servers; the first one writes, the others take over in this order");
        s.setting("listen", texts(cluster.listen), "addresses of the balancer itself, without ports");
        s.setting("read_port", port(cluster.read_port), "of the balancer: reads, on every node by weight");
        s.setting("write_port", port(cluster.write_port), "of the balancer: writes, on one node");
        s.setting("check",
                  choice<generate::Check>(
                      cluster.check,
                      {{"dbcheck", generate::Check::dbcheck}, {"query", generate::Check::query}, {"connect", generate::Check::connect}}),
                  "what the balancer asks: `forebay dbcheck` on the node, MariaDB itself, or only whether the port is open");
        s.setting("check_user", text(cluster.check_user), "of check = \"query\": who logs in, without a password");
        s.setting("max_connections", count(cluster.connections_max, 1, 10000), "to one node through one of the two ports");
        s.setting("max_queue", count(cluster.queue_max, 1, 10000), "clients that may wait for a connection, for each node and port");
        s.setting("queue_timeout", duration(cluster.queue_timeout), "how long they may wait");
        s.setting("transfer",
                  choice<generate::Transfer>(cluster.transfer,
                                             {{"mariabackup", generate::Transfer::mariabackup}, {"rsync", generate::Transfer::rsync}}),
                  "how a node that joins gets all data; with rsync the node that gives it stands still meanwhile");
        s.setting("gcache", size(cluster.gcache, 1_MiB), "changes kept for nodes that come back, so that they need no full transfer");
    });
}

void declare_proxy(Scope& root, Configuration& c) {
    root.table("proxy", [&](Scope& s) {
        s.table("stats", [&](Scope& inner) {
            inner.setting("listen", address(c.proxy.statistics), "address of the balancer's statistics page; none if it is not set");
            inner.setting("user", text(c.proxy.user), "who may see it");
            inner.setting("password", secret(c.proxy.password), "from ${file:…} or ${env:…}; only its hash gets into the file");
        });
        s.later({"bind", "certificate"});
    });
}

}  // namespace forebay::cli
