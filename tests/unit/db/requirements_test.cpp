// What is found wanting about a database's settings.
#include <gtest/gtest.h>

#include <algorithm>

#include "db/requirements.h"

using namespace forebay::db;
using Level = Finding::Level;

namespace {

Facts good_galera() {
    Facts facts;
    facts.driver = Driver::mariadb;
    facts.settings = {{"innodb_flush_log_at_trx_commit", "1"},
                      {"innodb_doublewrite", "ON"},
                      {"character_set_server", "utf8mb4"},
                      {"default_storage_engine", "InnoDB"},
                      {"log_bin", "OFF"},
                      {"sync_binlog", "0"},
                      {"binlog_format", "ROW"},
                      {"innodb_autoinc_lock_mode", "2"},
                      {"wsrep_on", "ON"}};
    facts.session = {
        {"sql_mode", "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION"}, {"time_zone", "+00:00"}, {"character_set_client", "utf8mb4"}};
    facts.states = {{"wsrep_cluster_status", "Primary"},
                    {"wsrep_local_state", "4"},
                    {"wsrep_local_state_comment", "Synced"},
                    {"wsrep_cluster_size", "3"}};
    return facts;
}

Finding found(const Facts& facts, const std::string& what) {
    auto findings = judge(facts);
    auto at = std::find_if(findings.begin(), findings.end(), [&](const Finding& finding) { return finding.what == what; });
    return at == findings.end() ? Finding{Level::ok, "not among them", "", ""} : *at;
}

std::size_t bad(const Facts& facts) {
    auto findings = judge(facts);
    return static_cast<std::size_t>(
        std::count_if(findings.begin(), findings.end(), [](const Finding& finding) { return finding.level != Level::ok; }));
}

TEST(Requirements, a_good_cluster_has_nothing_wrong) { EXPECT_EQ(bad(good_galera()), 0U); }

TEST(Requirements, each_setting_is_seen_alone) {
    auto spoilt = [](std::map<std::string, std::string> Facts::* where, const char* name, const char* value) {
        auto facts = good_galera();
        (facts.*where)[name] = value;
        return bad(facts);
    };
    EXPECT_EQ(spoilt(&Facts::settings, "innodb_flush_log_at_trx_commit", "2"), 1U);
    EXPECT_EQ(spoilt(&Facts::settings, "innodb_doublewrite", "OFF"), 1U);
    EXPECT_EQ(spoilt(&Facts::settings, "binlog_format", "MIXED"), 1U);
    EXPECT_EQ(spoilt(&Facts::settings, "log_bin", "ON"), 1U);
    EXPECT_EQ(spoilt(&Facts::session, "sql_mode", "NO_ENGINE_SUBSTITUTION"), 1U);
    EXPECT_EQ(spoilt(&Facts::session, "time_zone", "SYSTEM"), 1U);
    EXPECT_EQ(spoilt(&Facts::states, "wsrep_cluster_size", "2"), 1U);
    EXPECT_EQ(spoilt(&Facts::states, "wsrep_cluster_status", "non-Primary"), 1U);
}

TEST(Requirements, a_single_server_is_not_asked_for_a_cluster) {
    auto facts = good_galera();
    facts.settings["wsrep_on"] = "OFF";
    facts.settings["binlog_format"] = "MIXED";
    facts.states.clear();
    EXPECT_EQ(bad(facts), 0U);
}

TEST(Requirements, tables_are_named_up_to_five) {
    auto facts = good_galera();
    facts.tables_without_key = {"a", "b", "c", "d", "e", "f", "g"};
    auto finding = found(facts, "tables without a primary key");
    EXPECT_EQ(finding.level, Level::error);
    EXPECT_EQ(finding.found, "a, b, c, d, e and 2 more");
}

TEST(Requirements, what_a_server_does_not_tell_is_no_good) {
    auto facts = good_galera();
    facts.settings.erase("innodb_doublewrite");
    EXPECT_EQ(found(facts, "innodb_doublewrite").found, "not known");
    EXPECT_EQ(found(facts, "innodb_doublewrite").level, Level::error);
}

TEST(Requirements, postgresql_must_sync) {
    Facts facts;
    facts.driver = Driver::postgresql;
    facts.settings = {{"fsync", "on"}, {"synchronous_commit", "on"}, {"full_page_writes", "on"}, {"server_encoding", "UTF8"}};
    facts.session = {{"timezone", "UTC"}, {"client_encoding", "UTF8"}};
    EXPECT_EQ(bad(facts), 0U);
    facts.settings["synchronous_commit"] = "off";
    EXPECT_EQ(found(facts, "synchronous_commit").level, Level::error);
}

}  // namespace
