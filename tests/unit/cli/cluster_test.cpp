// [db.NAME.cluster] and [proxy]: what is read, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/config/load.h"
#include "cli/config/settings.h"

using namespace forebay;
using namespace forebay::cli;
using testing::HasSubstr;
using testing::Not;

namespace {

const std::string server = R"(
[db.main]
driver = "mariadb"
writer = ["10.0.2.10:3307"]
database = "leads"
user = "forebay"
password = "${env:DB_PASSWORD}"
)";
const std::string cluster = server + "[db.main.cluster]\n";
const std::string two_nodes =
    R"(nodes = [{ name = "g1", address = "10.0.3.11" }, { name = "g2", address = "::1", weight = 0, port = 3310, check_port = 9300 }]
)";

Loaded load_text(const std::string& text) {
    return load_layers({{"forebay.toml", text}}, {{"DB_PASSWORD", "app-secret"}, {"STATS_PASSWORD", "hunter2-hunter2"}});
}
std::string problems(const std::string& text) { return load_text(text).diagnostics.text(false); }

TEST(Cluster, nodes_have_their_ports_weights_and_defaults) {
    auto loaded = load_text(cluster + two_nodes + "check = \"query\"\nqueue_timeout = \"2s\"\n");
    EXPECT_EQ(loaded.diagnostics.text(false), "");
    const auto& read = loaded.configuration.databases[0].cluster;
    ASSERT_EQ(read.nodes.size(), 2U);
    EXPECT_EQ(read.name, "main");
    EXPECT_EQ(read.nodes[0].port, 3306);
    EXPECT_EQ(read.nodes[0].check_port, 9200);
    EXPECT_FALSE(read.nodes[0].weight);
    EXPECT_EQ(read.nodes[1].weight, 0U);
    EXPECT_EQ(read.nodes[1].port, 3310);
    EXPECT_EQ(read.check, generate::Check::query);
    EXPECT_EQ(read.queue_timeout, 2s);
    EXPECT_EQ(read.idle_timeout, 2min);
}

TEST(Cluster, an_idle_connection_outlives_the_pools_and_a_statement) {
    auto idle = [](const std::string& more) {
        return load_text(server + more + "[db.main.cluster]\n" + two_nodes).configuration.databases[0].cluster.idle_timeout;
    };
    EXPECT_EQ(idle("pool = { idle = \"5m\" }\n"), 10min);
    EXPECT_EQ(idle("timeout = { statement = \"3m\" }\n"), 6min);
}

TEST(Cluster, what_is_shown_can_be_read_again) {
    auto first = load_text(cluster + two_nodes).configuration;
    auto shown = to_toml(settings_of(first), {}, {});
    EXPECT_THAT(shown, HasSubstr("{ name = \"g2\", address = \"::1\", weight = 0, port = 3310, check_port = 9300 }"));
    auto part = shown.substr(shown.find("[db.main.cluster]"));
    auto again = load_text(server + part.substr(0, part.find("\n\n")) + "\n");
    EXPECT_EQ(again.diagnostics.text(false), "");
    EXPECT_EQ(again.configuration.databases[0].cluster.nodes, first.databases[0].cluster.nodes);
}

TEST(Cluster, what_makes_no_sense_is_refused_by_name) {
    EXPECT_THAT(problems(cluster + "nodes = [{ name = \"g1\", adress = \"x\" }]\n"),
                HasSubstr("has a node with \"adress\"; a node has name, address"));
    EXPECT_THAT(problems(cluster + "nodes = [{ name = \"g1\", address = \"10.0.0.1\", weight = 300 }]\n"),
                HasSubstr("has a node whose weight must be a whole number from 0 to 256, not 300"));
    EXPECT_THAT(problems(cluster + "nodes = [\"10.0.0.1\"]\n"), HasSubstr("must be a list such as [{ name = \"galera1\""));
    EXPECT_THAT(problems(cluster + "nodes = [{ name = \"g 1\", address = \"10.0.0.1\" }]\n"), HasSubstr("a node's name has letters"));
    EXPECT_THAT(problems(cluster + "nodes = [{ name = \"g1\", address = \"10.0.0.1:3306\" }]\n"), HasSubstr("which is none"));
    EXPECT_THAT(problems(cluster + "nodes = [{ name = \"g1\", address = \"a\" }, { name = \"g1\", address = \"b\" }]\n"),
                HasSubstr("two nodes called g1"));
    EXPECT_THAT(problems(cluster + "nodes = [{ name = \"g1\", address = \"a\" }, { name = \"g2\", address = \"a\" }]\n"),
                HasSubstr("g1 and g2 are both at a:3306"));
    EXPECT_THAT(problems(cluster + two_nodes + "read_port = 3307\n"), HasSubstr("127.0.0.1:3307 is taken by db.main.cluster.read_port"));
    EXPECT_THAT(problems(cluster + two_nodes + "listen = [\"a b\"]\n"), HasSubstr("\"a b\" is no address"));
    EXPECT_THAT(problems("[db.x]\ndriver = \"sqlite\"\npath = \"x.db\"\n[db.x.cluster]\n" + two_nodes), HasSubstr("db.x is a SQLite file"));
}

TEST(Cluster, a_writer_that_leads_past_the_balancer_is_a_warning) {
    auto loaded = load_text(cluster + two_nodes + "write_port = 3308\n");
    EXPECT_TRUE(loaded.is_usable());
    EXPECT_THAT(loaded.diagnostics.text(false), HasSubstr("db.main.writer does not lead to port 3308"));
}

TEST(Proxy, the_statistics_page_needs_a_user_and_a_password_that_is_never_shown) {
    const std::string page = "[proxy.stats]\nlisten = \"127.0.0.1:8404\"\n";
    EXPECT_THAT(problems(page + "user = \"ops\"\n"), HasSubstr("the statistics page has no password"));
    EXPECT_THAT(problems(page + "user = \"a b\"\npassword = \"${env:STATS_PASSWORD}\"\n"), HasSubstr("proxy.stats.user has letters"));
    EXPECT_THAT(problems(page + "user = \"ops\"\npassword = \"hunter2-hunter2\"\n"), HasSubstr("is a secret in clear text"));
    auto good = load_text(page + "user = \"ops\"\npassword = \"${env:STATS_PASSWORD}\"\n");
    EXPECT_EQ(good.diagnostics.text(false), "");
    EXPECT_THAT(to_toml(settings_of(good.configuration), {}, {}), Not(HasSubstr("hunter2")));
}

}  // namespace
