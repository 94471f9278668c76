#include "db/errors.h"

#include <gtest/gtest.h>

namespace forebay::db {
namespace {

using Fate = Error::Fate;

struct Row {
    int code;
    const char* state;
    bool committing;
    ErrorKind kind;
    Fate fate;
};

TEST(Errors, each_code_of_mariadb_leaves_known_what_it_leaves) {
    constexpr auto conflict = ErrorKind::conflict, dependency = ErrorKind::dependency, poison = ErrorKind::poison,
                   unknown = ErrorKind::unknown_outcome;
    for (auto& row : {Row{1213, "40001", false, conflict, Fate::keep},       Row{1213, "40001", true, conflict, Fate::keep},
                      Row{1205, "HY000", false, conflict, Fate::keep},       Row{1047, "08S01", false, dependency, Fate::drop},
                      Row{1180, "HY000", true, unknown, Fate::drop},         Row{1317, "70100", true, unknown, Fate::drop},
                      Row{1969, "70100", true, unknown, Fate::drop},         Row{2013, "HY000", true, unknown, Fate::drop},
                      Row{2006, "HY000", true, unknown, Fate::drop},         Row{1927, "70100", true, unknown, Fate::drop},
                      Row{2013, "HY000", false, dependency, Fate::drop},     Row{2002, "HY000", false, dependency, Fate::drop},
                      Row{2003, "HY000", false, dependency, Fate::drop},     Row{1040, "08004", false, dependency, Fate::drop},
                      Row{1203, "42000", false, dependency, Fate::drop},     Row{1290, "HY000", false, dependency, Fate::drop_all},
                      Row{1836, "HY000", false, dependency, Fate::drop_all}, Row{1021, "HY000", false, dependency, Fate::keep},
                      Row{1114, "HY000", false, dependency, Fate::keep},     Row{1969, "70100", false, dependency, Fate::keep},
                      Row{1045, "28000", false, dependency, Fate::keep},     Row{1146, "42S02", false, dependency, Fate::drop},
                      Row{1054, "42S22", false, dependency, Fate::keep},     Row{1064, "42000", false, dependency, Fate::keep},
                      Row{1406, "22001", false, poison, Fate::keep},         Row{1366, "22007", false, poison, Fate::keep},
                      Row{1264, "22003", false, poison, Fate::keep},         Row{1048, "23000", false, poison, Fate::keep},
                      Row{1292, "22007", false, poison, Fate::keep},         Row{1452, "23000", false, poison, Fate::keep},
                      Row{1062, "23000", false, poison, Fate::keep},         Row{4025, "23000", false, poison, Fate::keep}}) {
        auto found = sorted_mysql(row.code, row.state, "", row.committing);
        EXPECT_EQ(found.kind, row.kind) << row.code << (row.committing ? " at commit" : "");
        EXPECT_EQ(found.fate, row.fate) << row.code << (row.committing ? " at commit" : "");
        EXPECT_EQ(found.is_duplicate, row.code == 1062);
    }
}

TEST(Errors, each_state_of_postgresql_leaves_known_what_it_leaves) {
    for (auto& row :
         {Row{0, "40001", true, ErrorKind::conflict, Fate::keep}, Row{0, "40P01", false, ErrorKind::conflict, Fate::keep},
          Row{0, "55P03", false, ErrorKind::conflict, Fate::keep}, Row{0, "40003", true, ErrorKind::unknown_outcome, Fate::drop},
          Row{0, "", true, ErrorKind::unknown_outcome, Fate::drop}, Row{0, "57P01", true, ErrorKind::unknown_outcome, Fate::drop},
          Row{0, "", false, ErrorKind::dependency, Fate::drop}, Row{0, "57P01", false, ErrorKind::dependency, Fate::drop},
          Row{0, "53300", false, ErrorKind::dependency, Fate::drop}, Row{0, "53100", false, ErrorKind::dependency, Fate::keep},
          Row{0, "57014", false, ErrorKind::dependency, Fate::keep}, Row{0, "25006", false, ErrorKind::dependency, Fate::drop_all},
          Row{0, "42P01", false, ErrorKind::dependency, Fate::drop}, Row{0, "42703", false, ErrorKind::dependency, Fate::keep},
          Row{0, "22001", false, ErrorKind::poison, Fate::keep}, Row{0, "23502", false, ErrorKind::poison, Fate::keep},
          Row{0, "23503", true, ErrorKind::poison, Fate::keep}, Row{0, "P0001", false, ErrorKind::poison, Fate::keep}}) {
        auto found = sorted_postgresql(row.state, "", row.committing);
        EXPECT_EQ(found.kind, row.kind) << row.state << (row.committing ? " at commit" : "");
        EXPECT_EQ(found.fate, row.fate) << row.state << (row.committing ? " at commit" : "");
    }
    EXPECT_TRUE(sorted_postgresql("23505", "", false).is_duplicate);
}

TEST(Errors, values_of_records_are_not_repeated) {
    auto text = [](int code, const char* from) { return sorted_mysql(code, "22000", from, false).what; };
    EXPECT_EQ(text(1062, "Duplicate entry 'jane@example.com' for key 'email'"), "Duplicate entry '…' for key 'email' (1062)");
    EXPECT_EQ(text(1366, "Incorrect integer value: 'it's Jane' for column `d`.`leads`.`n` at row 1"),
              "Incorrect integer value: '…' for column `d`.`leads`.`n` at row 1 (1366)");
    EXPECT_EQ(text(1292, "Truncated incorrect DOUBLE value: 'Jane'"), "Truncated incorrect DOUBLE value: '…' (1292)");
    EXPECT_EQ(text(1406, "Data too long for column 'zip' at row 1"), "Data too long for column 'zip' at row 1 (1406)");
    EXPECT_EQ(sorted_postgresql("22P02", "invalid input syntax for type integer: \"Jane\"", false).what,
              "invalid input syntax for type integer (22P02)");
}

}  // namespace
}  // namespace forebay::db
