#include "db/statement.h"

#include <gtest/gtest.h>

#include "db/dialect.h"

namespace forebay::db {
namespace {

using Names = std::vector<std::string>;

TEST(Statement, names_become_positions) {
    auto found = with_names("INSERT INTO leads (id, ip) VALUES (:id, :_ip)", Driver::mariadb);
    EXPECT_EQ(found.sql, "INSERT INTO leads (id, ip) VALUES (?, ?)");
    EXPECT_EQ(found.names, (Names{"id", "_ip"}));
}

TEST(Statement, a_name_used_twice_is_asked_for_twice) {
    auto found = with_names("SELECT :a, :b, :a", Driver::postgresql);
    EXPECT_EQ(found.sql, "SELECT $1, $2, $3");
    EXPECT_EQ(found.names, (Names{"a", "b", "a"}));
}

TEST(Statement, what_may_lose_a_record_without_a_word_is_told) {
    struct Case {
        Driver driver;
        const char* sql;
        const char* what;
    };
    for (auto& [driver, sql, what] : {Case{Driver::mariadb, "insert ignore into leads (id) values (:id)", "IGNORE"},
                                      Case{Driver::mysql, "/* x */ REPLACE INTO leads VALUES (:id)", "REPLACE"},
                                      Case{Driver::sqlite, "INSERT OR IGNORE INTO leads VALUES (:id)", "IGNORE"},
                                      Case{Driver::sqlite, "INSERT OR REPLACE INTO leads VALUES (:id)", "REPLACE"},
                                      Case{Driver::postgresql, "INSERT INTO leads VALUES (:id) ON CONFLICT\n DO NOTHING", "ON CONFLICT"}}) {
        auto caution = caution_of(sql, driver);
        ASSERT_TRUE(caution) << sql;
        EXPECT_TRUE(caution->what.starts_with(what)) << caution->what;
    }
    for (auto& [driver, sql, what] : {Case{Driver::mariadb, "INSERT INTO leads VALUES (:id, 'insert ignore') -- replace", ""},
                                      Case{Driver::mariadb, "INSERT INTO leads SELECT REPLACE(:email, 'a', 'b')", ""},
                                      Case{Driver::sqlite, "INSERT INTO leads VALUES (:id) ON CONFLICT (id) DO NOTHING", ""}})
        EXPECT_FALSE(caution_of(sql, driver)) << sql;
}

TEST(Statement, mariadb_takes_any_unique_key_for_the_duplicate_one) {
    auto* sql = "INSERT INTO leads VALUES (:id) ON DUPLICATE KEY UPDATE id = id";
    EXPECT_TRUE(takes_any_key(sql, Driver::mariadb));
    EXPECT_FALSE(takes_any_key("INSERT INTO leads VALUES ('ON DUPLICATE KEY')", Driver::mariadb));
    EXPECT_FALSE(takes_any_key(sql, Driver::postgresql));
}

struct Left {
    Driver driver;
    const char* sql;
};

TEST(Statement, what_is_no_parameter_is_left_as_it_is) {
    for (auto& left : {Left{Driver::sqlite, "SELECT ':a', ''':b', \":c\", [:d], `:e` -- :f\n /* :g */"},
                       Left{Driver::mariadb, "SELECT 'it\\'s :a', \":b\", `:c` # :d\n, -- :e\n 1"},
                       Left{Driver::postgresql, "SELECT now()::date, $$ :a $$, $tag$ :b $$ $tag$, '\\', a[1 : 2], 1 :: int"}}) {
        auto found = with_names(left.sql, left.driver);
        EXPECT_EQ(found.sql, left.sql);
        EXPECT_TRUE(found.names.empty()) << left.sql << ": " << found.names[0];
    }
}

TEST(Statement, an_unfinished_string_or_comment_ends_the_statement) {
    for (const char* sql : {"SELECT ':a", "SELECT /* :a", "SELECT \":a", "SELECT 'a\\"})
        EXPECT_TRUE(with_names(sql, Driver::mariadb).names.empty());
}

TEST(Statement, question_marks_are_numbered_outside_of_strings) {
    EXPECT_EQ(numbered("SELECT '?', ?, \"?\", ? -- ?"), "SELECT '?', $1, \"?\", $2 -- ?");
    EXPECT_EQ(numbered("SELECT $1 ? 'a'"), "SELECT $1 ? 'a'");
}

TEST(Dialect, names_are_quoted_as_each_database_wants_it) {
    EXPECT_EQ(quoted(Driver::sqlite, "a\"b"), "\"a\"\"b\"");
    EXPECT_EQ(quoted(Driver::mariadb, "crm.le`ads"), "`crm`.`le``ads`");
    EXPECT_EQ(quoted(Driver::postgresql, "public.leads"), "\"public\".\"leads\"");
}

TEST(Dialect, an_insert_keeps_the_row_that_is_there) {
    EXPECT_EQ(insert_or_keep(Driver::mariadb, "t", {"id", "a"}, {"id"}),
              "INSERT INTO `t` (`id`, `a`) VALUES (?, ?) ON DUPLICATE KEY UPDATE `id` = `id`");
    EXPECT_EQ(insert_or_keep(Driver::postgresql, "t", {"id", "a"}, {"id", "a"}),
              "INSERT INTO \"t\" (\"id\", \"a\") VALUES (?, ?) ON CONFLICT (\"id\", \"a\") DO NOTHING");
}

}  // namespace
}  // namespace forebay::db
