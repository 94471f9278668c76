#include "cli/config/check_cluster.h"

#include <algorithm>
#include <map>

#include "generate/text.h"

namespace forebay::cli {
namespace {

class ClusterCheck {
  public:
    ClusterCheck(const Complain& error, const Complain& warning) : error_(error), warning_(warning) {}

    void check(const DatabaseConfiguration& database) {
        const auto& cluster = database.cluster;
        if (cluster.nodes.empty()) return;
        path_ = "db." + database.name + ".cluster";
        check_driver(database);
        for (const auto& node : cluster.nodes) check_node(node);
        for (const auto& address : cluster.listen)
            if (!is_address(address)) error_(path_ + ".listen", path_ + ".listen: \"" + address + "\" is no address", addresses_hint);
        if (cluster.listen.empty()) error_(path_ + ".listen", path_ + ".listen has no address", "listen = [\"127.0.0.1\"]");
        if (!is_word(cluster.check_user)) error_(path_ + ".check_user", path_ + ".check_user has letters, digits, -, _ and .", "");
        for (const auto& address : cluster.listen) {
            claim(".read_port", address, cluster.read_port);
            claim(".write_port", address, cluster.write_port);
        }
    }

    void check(const ProxyConfiguration& proxy) {
        if (!proxy.statistics) return;
        if (!is_word(proxy.user)) error_("proxy.stats.user", "proxy.stats.user has letters, digits, -, _ and .", "user = \"admin\"");
        if (proxy.password.empty())
            error_("proxy.stats.listen", "the statistics page has no password",
                   "[proxy.stats] password = \"${file:/run/secrets/haproxy_stats}\"");
        if (!is_address(proxy.statistics->address))
            error_("proxy.stats.listen", "proxy.stats.listen: \"" + proxy.statistics->address + "\" is no address", addresses_hint);
        path_ = "proxy.stats";
        claim(".listen", proxy.statistics->address, proxy.statistics->port);
    }

  private:
    static constexpr const char* addresses_hint = "an IPv4 or IPv6 address or a host name, without a port";

    static bool has_only(std::string_view text, std::string_view others) {
        return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos;
        });
    }
    static bool is_word(std::string_view text) { return has_only(text, "-_."); }
    static bool is_address(std::string_view text) {
        return has_only(text, text.find("::") != text.npos || std::count(text.begin(), text.end(), ':') > 1 ? ":." : "-_.");
    }

    void check_driver(const DatabaseConfiguration& database) {
        const auto& options = database.options;
        if (options.driver == db::Driver::sqlite)
            return error_(path_, path_ + " is for servers, and db." + database.name + " is a SQLite file", "");
        if (options.driver == db::Driver::postgresql && database.cluster.check == generate::Check::query)
            error_(path_ + ".check", path_ + ".check = \"query\" asks MariaDB", "check = \"dbcheck\"");
        auto is_there = [&](const db::Address& writer) { return writer.port == database.cluster.write_port; };
        if (std::none_of(options.writer.begin(), options.writer.end(), is_there))
            warning_("db." + database.name + ".writer",
                     "db." + database.name + ".writer does not lead to port " + std::to_string(database.cluster.write_port) +
                         ", where the balancer of " + path_ + " takes writes",
                     "");
    }

    void check_node(const generate::Node& node) {
        auto nodes = path_ + ".nodes";
        if (!is_word(node.name))
            return error_(nodes, nodes + ": a node's name has letters, digits, -, _ and ., not \"" + node.name + "\"",
                          "name = \"galera1\"");
        if (!is_address(node.address))
            return error_(nodes, nodes + ": " + node.name + " has the address \"" + node.address + "\", which is none", addresses_hint);
        if (!names_.emplace(path_ + " " + node.name, path_).second) error_(nodes, nodes + " has two nodes called " + node.name, "");
        auto where = generate::at(node.address, node.port);
        auto [entry, is_new] = places_.emplace(where, node.name);
        if (!is_new && entry->second != node.name)
            error_(nodes, nodes + ": " + entry->second + " and " + node.name + " are both at " + where, "");
    }

    void claim(const std::string& setting, const std::string& address, std::uint16_t port) {
        auto where = generate::at(address, port);
        auto [entry, is_new] = listeners_.emplace(where, path_ + setting);
        if (!is_new) error_(path_ + setting, where + " is taken by " + entry->second, "");
    }

    const Complain &error_, &warning_;
    std::string path_;
    std::map<std::string, std::string> names_, places_, listeners_;
};

}  // namespace

void check_clusters(const Configuration& configuration, const Complain& error, const Complain& warning) {
    ClusterCheck check(error, warning);
    for (const auto& database : configuration.databases) check.check(database);
    check.check(configuration.proxy);
}

}  // namespace forebay::cli
