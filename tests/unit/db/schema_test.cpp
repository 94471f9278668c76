// What stands between a worker's columns and a table.
#include <gtest/gtest.h>

#include "db/schema.h"

using namespace forebay::db;

namespace {

TableSchema leads() { return {"leads", {{"id", "char(36)", false, false, 36}, {"email", "varchar(80)", true, false, 80}}, true}; }

TEST(Schema, a_table_that_has_all_has_no_difference) { EXPECT_TRUE(differences(leads(), {{"ID", 36}, {"email", 80}}).empty()); }

TEST(Schema, a_table_that_is_not_there_is_one_difference) {
    auto found = differences({"leads", {}, false}, {{"id"}, {"email"}});
    ASSERT_EQ(found.size(), 1U);
    EXPECT_TRUE(found[0].is_fatal);
    EXPECT_EQ(found[0].what, "there is no table leads");
}

TEST(Schema, a_missing_column_is_fatal_and_a_short_one_is_not) {
    auto found = differences(leads(), {{"id"}, {"email", 200}, {"phone"}});
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].column, "email");
    EXPECT_FALSE(found[0].is_fatal);
    EXPECT_EQ(found[1].column, "phone");
    EXPECT_TRUE(found[1].is_fatal);
}

TEST(Schema, a_column_that_nobody_fills_is_fatal_unless_it_has_a_default_or_takes_null) {
    auto table = leads();
    table.columns.push_back({"n", "bigint", false, true, {}});
    table.columns.push_back({"note", "text", true, false, {}});
    EXPECT_TRUE(differences(table, {{"id"}, {"email"}}).empty());
    table.columns.push_back({"site", "text", false, false, {}});
    ASSERT_EQ(differences(table, {{"id"}, {"email"}}).size(), 1U);
    EXPECT_EQ(differences(table, {{"id"}, {"email"}})[0].column, "site");
}

TEST(Schema, an_id_that_is_no_key_is_fatal) {
    auto table = leads();
    table.is_id_unique = false;
    ASSERT_EQ(differences(table, {{"id"}, {"email"}}).size(), 1U);
}

}  // namespace
