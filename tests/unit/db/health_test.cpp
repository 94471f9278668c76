// What a balancer is told about a server in each state.
#include <gtest/gtest.h>

#include "db/health.h"

using namespace forebay::db;

namespace {

Health synced() {
    Health health;
    health.is_in_cluster = true;
    health.ready = "ON";
    health.state = 4;
    health.state_name = "Synced";
    health.cluster_status = "Primary";
    health.cluster_size = 3;
    return health;
}

TEST(Health, a_synced_node_takes_reads_and_writes) {
    EXPECT_TRUE(may_read(synced()).is_fit);
    EXPECT_TRUE(may_write(synced()).is_fit);
    EXPECT_EQ(may_write(synced()).why, "synced, 3 nodes");
}

TEST(Health, a_node_that_is_alone_by_force_takes_nothing) {
    auto health = synced();
    health.cluster_status = "non-Primary";
    EXPECT_FALSE(may_read(health).is_fit);
    EXPECT_EQ(may_write(health).why, "wsrep_cluster_status is non-Primary, not Primary");
}

TEST(Health, a_donor_or_a_node_that_joins_takes_nothing) {
    auto health = synced();
    health.state = 2;
    health.state_name = "Donor/Desynced";
    EXPECT_FALSE(may_read(health).is_fit);
    EXPECT_EQ(may_write(health).why, "wsrep_local_state is 2 (Donor/Desynced), not 4");
}

TEST(Health, a_node_that_is_not_ready_takes_nothing) {
    auto health = synced();
    health.ready = "OFF";
    EXPECT_FALSE(may_read(health).is_fit);
    EXPECT_EQ(may_write(health).why, "wsrep_ready is OFF, not ON");
}

TEST(Health, a_node_whose_state_is_unknown_takes_nothing) {
    Health health;
    health.is_in_cluster = true;
    EXPECT_FALSE(may_read(health).is_fit);
    EXPECT_EQ(may_write(health).why, "wsrep_cluster_status is unknown, not Primary");
}

TEST(Health, a_node_whose_disk_is_full_takes_reads) {
    auto health = synced();
    health.why_full = "its disk has 0 MiB left: /var/lib/mysql";
    EXPECT_TRUE(may_read(health).is_fit);
    EXPECT_FALSE(may_write(health).is_fit);
    EXPECT_EQ(may_write(health).why, health.why_full);
}

TEST(Health, a_read_only_node_takes_reads) {
    auto health = synced();
    health.is_read_only = true;
    EXPECT_TRUE(may_read(health).is_fit);
    EXPECT_EQ(may_write(health).why, "it is read-only");
}

TEST(Health, a_single_server_takes_both_unless_it_is_read_only) {
    Health health;
    EXPECT_TRUE(may_read(health).is_fit);
    EXPECT_TRUE(may_write(health).is_fit);
    health.is_read_only = true;
    EXPECT_TRUE(may_read(health).is_fit);
    EXPECT_FALSE(may_write(health).is_fit);
}

TEST(Health, a_standby_takes_reads) {
    Health health;
    health.is_standby = true;
    EXPECT_TRUE(may_read(health).is_fit);
    EXPECT_FALSE(may_write(health).is_fit);
}

}  // namespace
