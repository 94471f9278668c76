// The text of the files; whether HAProxy and MariaDB take them, the black-box tests ask them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generate/galera.h"
#include "generate/haproxy.h"
#include "generate/text.h"

using namespace forebay;
using namespace forebay::generate;
using testing::HasSubstr;
using testing::Not;

namespace {

Cluster three() {
    Cluster cluster;
    cluster.name = "main";
    for (int i = 1; i <= 3; ++i) {
        Node node;
        node.name = "galera" + std::to_string(i);
        node.address = "10.0.3.1" + std::to_string(i);
        node.port = 3306;
        cluster.nodes.push_back(node);
    }
    return cluster;
}

TEST(Haproxy, reads_spare_the_writer_and_writes_have_their_order) {
    auto file = haproxy_file({three()}, std::nullopt);
    EXPECT_THAT(file, HasSubstr("bind 127.0.0.1:3306\n    balance roundrobin"));
    EXPECT_THAT(file, HasSubstr("server galera1 10.0.3.11:3306 check port 9200 weight 1\n"));
    EXPECT_THAT(file, HasSubstr("server galera2 10.0.3.12:3306 check port 9200 weight 50\n"));
    EXPECT_THAT(file, HasSubstr("server galera1 10.0.3.11:3306 check port 9200\n"
                                "    server galera2 10.0.3.12:3306 check port 9200 backup\n"
                                "    server galera3 10.0.3.13:3306 check port 9200 backup\n"));
}

TEST(Haproxy, a_given_weight_is_taken_also_of_the_writer_and_also_none) {
    auto cluster = three();
    cluster.nodes[0].weight = 0;
    cluster.nodes[1].weight = 7;
    auto file = haproxy_file({cluster}, std::nullopt);
    EXPECT_THAT(file, HasSubstr("galera1 10.0.3.11:3306 check port 9200 weight 0\n"));
    EXPECT_THAT(file, HasSubstr("galera2 10.0.3.12:3306 check port 9200 weight 7\n"));
}

TEST(Haproxy, sessions_end_when_their_server_is_down_and_when_a_better_writer_is_back) {
    auto file = haproxy_file({three()}, std::nullopt);
    auto writes = file.substr(file.find("listen main_write"));
    EXPECT_THAT(writes, HasSubstr("on-marked-down shutdown-sessions"));
    EXPECT_THAT(writes, HasSubstr("on-marked-up shutdown-backup-sessions"));
    auto reads = file.substr(0, file.find("listen main_write"));
    EXPECT_THAT(reads, Not(HasSubstr("shutdown-backup-sessions")));
    EXPECT_THAT(reads, HasSubstr("slowstart 20s"));
}

TEST(Haproxy, the_query_check_speaks_the_protocol_and_asks_the_writer_more) {
    auto cluster = three();
    cluster.check = Check::query;
    auto file = haproxy_file({cluster}, std::nullopt);
    EXPECT_THAT(file, HasSubstr("tcp-check send-binary 29000001"  // 41 bytes, packet 1
                                "0082000000000001"
                                "21"
                                "0000000000000000000000000000000000000000000000"
                                "686170726f7879"
                                "0000\n"));
    EXPECT_THAT(file, HasSubstr("expect string state=Primary,4,ON\n"));
    EXPECT_THAT(file, HasSubstr("expect string state=Primary,4,ON,open\n"));
    EXPECT_THAT(file, Not(HasSubstr("check port")));
}

TEST(Haproxy, the_password_of_the_statistics_page_is_only_there_as_its_hash) {
    auto file = haproxy_file({three()}, StatisticsPage{"127.0.0.1", 8404, "ops", "hunter2-hunter2"});
    EXPECT_THAT(file, Not(HasSubstr("hunter2")));
    EXPECT_THAT(file, HasSubstr("user ops password $6$"));
    EXPECT_EQ(file, haproxy_file({three()}, StatisticsPage{"127.0.0.1", 8404, "ops", "hunter2-hunter2"}));
}

TEST(Haproxy, bounds_and_times_are_those_of_the_cluster) {
    auto cluster = three();
    cluster.connections_max = 30;
    cluster.queue_max = 10;
    cluster.queue_timeout = 1500ms;
    cluster.idle_timeout = 3min;
    cluster.listen = {"10.0.0.1", "::1"};
    auto file = haproxy_file({cluster}, std::nullopt);
    EXPECT_THAT(file, HasSubstr("maxconn 30 maxqueue 10"));
    EXPECT_THAT(file, HasSubstr("timeout queue 1500ms"));
    EXPECT_THAT(file, HasSubstr("timeout client 180s\n    timeout server 180s"));
    EXPECT_THAT(file, HasSubstr("bind 10.0.0.1:3307\n    bind [::1]:3307\n"));
    EXPECT_THAT(file, HasSubstr("global\n    maxconn 340\n"));
}

TEST(Galera, a_node_is_durable_strict_and_asks_the_writer_last_for_the_data) {
    auto cluster = three();
    auto file = galera_settings(cluster, cluster.nodes[1]);
    for (const char* line : {"innodb_flush_log_at_trx_commit=1\n", "innodb_doublewrite=ON\n", "innodb_force_primary_key=ON\n",
                             "wsrep_cluster_address=gcomm://10.0.3.11:4567,10.0.3.12:4567,10.0.3.13:4567\n", "wsrep_node_name=galera2\n",
                             "wsrep_sst_donor=galera3,\n", "wsrep_sst_method=mariabackup\n", "max_connections=450\n"})
        EXPECT_THAT(file, HasSubstr(line));
    EXPECT_THAT(galera_settings(cluster, cluster.nodes[0]), HasSubstr("wsrep_sst_donor=galera3,galera2,\n"));
}

TEST(Galera, users_are_made_without_their_passwords_in_clear) {
    auto cluster = three();
    auto sql = galera_users(cluster, {"le`ads", "fore'bay", "password"});
    EXPECT_THAT(sql, HasSubstr("CREATE DATABASE IF NOT EXISTS `le``ads`"));
    EXPECT_THAT(sql, HasSubstr("'fore\\'bay'@'%' IDENTIFIED VIA mysql_native_password USING '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19'"));
    EXPECT_THAT(sql, Not(HasSubstr("haproxy")));
    cluster.check = Check::query;
    EXPECT_THAT(galera_users(cluster, {"leads", "forebay", "password"}), HasSubstr("CREATE USER IF NOT EXISTS 'haproxy'@'%';"));
}

}  // namespace
