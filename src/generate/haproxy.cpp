#include "generate/haproxy.h"

#include <algorithm>
#include <cstdio>

#include "generate/text.h"

namespace forebay::generate {
namespace {

/// A dead machine is noticed after `fall` checks that each take `check_timeout` at most.
constexpr std::string_view check_times = "inter 1s fastinter 250ms downinter 1s rise 2 fall 2";
constexpr Duration connect_timeout = 2s;
constexpr Duration check_timeout = 2s;
constexpr Duration slow_start = 20s;
constexpr unsigned spare_connections = 100;  // of the balancer itself: checks, statistics

enum class Role { reader, writer };

std::string hex(std::string_view bytes) {
    std::string out;
    for (unsigned char c : bytes) {
        char digits[3];
        std::snprintf(digits, sizeof digits, "%02x", c);
        out += digits;
    }
    return out;
}

/// One packet of the MySQL protocol as hexadecimal digits: length, sequence number, content.
std::string packet(unsigned sequence, std::string_view content) {
    std::string head = {static_cast<char>(content.size() & 0xff), static_cast<char>(content.size() >> 8 & 0xff),
                        static_cast<char>(content.size() >> 16 & 0xff), static_cast<char>(sequence)};
    return hex(head) + hex(content);
}

/// HandshakeResponse41 of a user without a password: only CLIENT_PROTOCOL_41 and CLIENT_SECURE_CONNECTION.
std::string login(const std::string& user) {
    const std::string capabilities("\x00\x82\x00\x00", 4), packet_bytes_max("\x00\x00\x00\x01", 4), utf8("\x21");
    return capabilities + packet_bytes_max + utf8 + std::string(23, '\0') + user + std::string(2, '\0');
}

/// A non-primary or joining node lets anybody log in and refuses every statement: so it is asked for its state.
std::string query_check(const Cluster& cluster, Role role) {
    const std::string query =
        std::string("\x03", 1) +
        "select concat('state=',group_concat(variable_value order by variable_name),if(@@global.read_only,',read-only',',open'))"
        " from information_schema.global_status where variable_name in "
        "('wsrep_cluster_status','wsrep_local_state','wsrep_ready')";
    return "    option tcp-check\n"
           "    tcp-check connect\n"
           "    tcp-check expect binary 000a\n"
           "    tcp-check send-binary " +
           packet(1, login(cluster.check_user)) +
           "\n"
           "    tcp-check expect binary 0000000200\n"
           "    tcp-check send-binary " +
           packet(0, query) +
           "\n"
           "    tcp-check expect string state=Primary,4,ON" +
           (role == Role::writer ? ",open\n" : "\n");
}

std::string check_of(const Cluster& cluster, Role role) {
    switch (cluster.check) {
        case Check::dbcheck:
            return std::string("    option httpchk\n    http-check send meth GET uri ") + (role == Role::writer ? "/writer" : "/reader") +
                   " ver HTTP/1.1 hdr Host dbcheck\n    http-check expect status 200\n";
        case Check::query:
            return query_check(cluster, role);
        case Check::connect:
            return "    option tcp-check\n";
    }
    return {};
}

std::string server(const Cluster& cluster, std::size_t index, Role role) {
    const auto& node = cluster.nodes[index];
    std::string line = "    server " + node.name + " " + at(node.address, node.port) + " check";
    if (cluster.check == Check::dbcheck) line += " port " + std::to_string(node.check_port);
    if (role == Role::reader) return line + " weight " + std::to_string(weight_of(cluster, index)) + "\n";
    return line + (index == 0 ? "" : " backup") + "\n";
}

std::string defaults_of(const Cluster& cluster, Role role) {
    std::string line = "    default-server " + std::string(check_times) + " on-marked-down shutdown-sessions";
    // One that failed to connect is looked at again at once rather than at the next turn.
    line += " observe layer4 error-limit 1 on-error fastinter";
    line += " maxconn " + std::to_string(cluster.connections_max) + " maxqueue " + std::to_string(cluster.queue_max);
    // A better writer is back: who still writes to another one would be a second writer.
    return line + (role == Role::writer ? " on-marked-up shutdown-backup-sessions\n" : " slowstart " + haproxy_time(slow_start) + "\n");
}

std::size_t connections_of(const Cluster& cluster) {
    return std::size_t{cluster.connections_max + cluster.queue_max} * cluster.nodes.size();
}

std::string listener(const Cluster& cluster, Role role) {
    bool is_writer = role == Role::writer;
    std::string out = "\nlisten " + cluster.name + (is_writer ? "_write\n" : "_read\n");
    for (const auto& address : cluster.listen) out += "    bind " + at(address, is_writer ? cluster.write_port : cluster.read_port) + "\n";
    if (!is_writer) out += "    balance roundrobin\n";
    out += "    maxconn " + std::to_string(connections_of(cluster)) + "\n";
    out += "    timeout client " + haproxy_time(cluster.idle_timeout) + "\n    timeout server " + haproxy_time(cluster.idle_timeout) + "\n";
    out += "    timeout queue " + haproxy_time(cluster.queue_timeout) + "\n";
    out += check_of(cluster, role) + defaults_of(cluster, role);
    for (std::size_t i = 0; i < cluster.nodes.size(); ++i) out += server(cluster, i, role);
    return out;
}

std::string statistics_page(const StatisticsPage& page) {
    auto where = at(page.address, page.port);
    return "\nuserlist statistics\n    user " + page.user + " password " + crypt_hash(page.password, where + " " + page.user) +
           "\n\nlisten statistics\n    bind " + where +
           "\n    mode http\n    timeout client 30s\n    timeout server 30s\n    timeout http-request 5s\n    maxconn 50\n"
           "    http-request auth realm HAProxy unless { http_auth(statistics) }\n"
           "    stats enable\n    stats uri /haproxy?stats\n    stats refresh 5s\n    stats hide-version\n";
}

}  // namespace

std::string haproxy_file(const std::vector<Cluster>& clusters, const std::optional<StatisticsPage>& statistics) {
    std::size_t connections = spare_connections;
    std::string names;
    for (const auto& cluster : clusters) {
        connections += 2 * connections_of(cluster);
        names += (names.empty() ? "[db." : " and [db.") + cluster.name + ".cluster]";
    }
    std::string out =
        "# Made by `forebay generate haproxy --db` from " + names +
        ". Change that and make this anew.\n"
        "global\n    maxconn " +
        std::to_string(connections) +
        "\n    log stderr format short daemon notice\n"
        "\ndefaults\n    mode tcp\n    log global\n    option log-health-checks\n    option tcpka\n    retries 3\n    option redispatch 1\n"
        "    timeout connect " +
        haproxy_time(connect_timeout) + "\n    timeout check " + haproxy_time(check_timeout) + "\n";
    for (const auto& cluster : clusters) out += listener(cluster, Role::reader) + listener(cluster, Role::writer);
    if (statistics) out += statistics_page(*statistics);
    return out;
}

}  // namespace forebay::generate
