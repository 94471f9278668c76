// `generate haproxy`, `generate galera`: files for the servers around Forebay, made from its configuration.
#include "cli/verb.h"
#include "cli/verbs/made_files.h"
#include "cli/verbs/verbs.h"
#include "generate/galera.h"
#include "generate/haproxy.h"

namespace forebay::cli {
namespace {

/// The databases that have a cluster: all, or the one that is named. Complains when there is none.
std::vector<const DatabaseConfiguration*> with_cluster(Invocation& invocation, const Configuration& configuration,
                                                       const std::string& name) {
    std::vector<const DatabaseConfiguration*> found;
    for (const auto& database : configuration.databases)
        if (!database.cluster.nodes.empty() && (name.empty() || database.name == name)) found.push_back(&database);
    if (found.empty())
        invocation.terminal().complain("no database " + (name.empty() ? "" : name + " ") +
                                       "with a cluster: [db.NAME.cluster] nodes = [{ name = \"galera1\", address = \"10.0.3.11\" }, …]");
    return found;
}

}  // namespace

int run_generate_haproxy(Invocation& invocation) {
    if (!invocation.has("db")) return invocation.misused("for databases: generate haproxy --db; others are not in this version");
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    std::vector<generate::Cluster> clusters;
    for (const auto* database : with_cluster(invocation, *configuration, "")) clusters.push_back(database->cluster);
    if (clusters.empty()) return exit_code::configuration;
    std::optional<generate::StatisticsPage> page;
    const auto& proxy = configuration->proxy;
    if (proxy.statistics) page = {proxy.statistics->address, proxy.statistics->port, proxy.user, proxy.password};
    Made made{"haproxy.cfg", generate::haproxy_file(clusters, page), for_the_owner};
    if (auto out = invocation.value("out")) return write_all(invocation, {made}, *out, false);
    return show(invocation, {made});
}

int run_generate_galera(Invocation& invocation) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    auto found = with_cluster(invocation, *configuration, invocation.word(0));
    if (found.empty()) return exit_code::configuration;
    if (found.size() > 1)
        return invocation.misused("there are several databases with a cluster: which one? generate galera " + found[0]->name);
    const auto& database = *found[0];
    if (database.options.driver != db::Driver::mariadb) {
        invocation.terminal().complain("db." + database.name + " is " + std::string(db::name_of(database.options.driver)) +
                                       "; Galera is for driver = \"mariadb\"");
        return exit_code::configuration;
    }
    std::vector<Made> files;
    for (const auto& node : database.cluster.nodes)
        files.push_back({node.name + ".cnf", generate::galera_settings(database.cluster, node), for_all});
    generate::GaleraUsers users{database.options.database, database.options.user, database.options.password};
    files.push_back({"users.sql", generate::galera_users(database.cluster, users), for_the_owner});
    files.push_back({"galera.sh", generate::galera_script(database.cluster), to_run});
    if (auto out = invocation.value("out")) return write_all(invocation, files, *out, true);
    return show(invocation, files);
}

}  // namespace forebay::cli
