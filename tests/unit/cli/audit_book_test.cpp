#include "cli/process/audit_book.h"

#include <gtest/gtest.h>

#include <memory>

#include "testing/manual_clock.h"
#include "testing/simulated_disk.h"

using namespace forebay;
using namespace forebay::cli;

namespace {

constexpr std::int64_t hour = 3'600'000;
constexpr std::int64_t now = 500'000 * hour + hour / 2;

class Book : public ::testing::Test {
  protected:
    Book() { open(); }
    void open() { book = std::make_unique<AuditBook>(disk, clock, registry); }
    static json::Value line(std::int64_t at, int accepted, int settled, int difference, const char* endpoint = "lead") {
        return json::Value()
            .set("hour", at * hour)
            .set("endpoint", endpoint)
            .set("accepted", accepted)
            .set("settled", settled)
            .set("open", accepted - settled)
            .set("difference", difference);
    }
    void keep(std::int64_t from, std::int64_t to, const char* verdict, std::vector<json::Value> lines) {
        auto hours = json::Value::array();
        for (auto& one : lines) hours.push(std::move(one));
        auto kept = book->keep(json::Value().set("from", from).set("to", to).set("verdict", verdict).set("hours", std::move(hours)));
        EXPECT_TRUE(kept.ok()) << kept.error();
    }
    /// Whether the hours from `from` to before `to` are settled.
    bool is_settled(std::int64_t from, std::int64_t to) const { return book->is_settled({from * hour}, {to * hour - 1}); }

    forebay::testing::ManualClock clock{Timestamp{now}};
    forebay::testing::SimulatedDisk disk{1};
    metrics::Registry registry;
    std::unique_ptr<AuditBook> book;
};

TEST_F(Book, hours_are_settled_once_they_were_counted_whole_and_nothing_is_left) {
    EXPECT_FALSE(is_settled(499'990, 499'991));
    keep(499'990 * hour, now, "balanced",
         {line(499'991, 5, 5, 0), line(499'992, 5, 4, 0), line(499'993, 2, 2, 0), line(499'993, 2, 1, 0, "b")});
    EXPECT_TRUE(is_settled(499'990, 499'992)) << "an hour without records too";
    EXPECT_FALSE(is_settled(499'992, 499'993));
    EXPECT_FALSE(is_settled(499'993, 499'994)) << "another endpoint is not";
    EXPECT_TRUE(is_settled(499'994, 500'000));
    EXPECT_FALSE(is_settled(500'000, 500'001)) << "it is not over";
    EXPECT_FALSE(is_settled(499'989, 499'991)) << "before the audit began";
    keep(499'992 * hour, 499'994 * hour, "balanced", {line(499'992, 5, 5, 0), line(499'993, 4, 4, 0)});
    EXPECT_TRUE(is_settled(499'990, 500'000));
    keep(499'992 * hour, 499'993 * hour, "mismatch", {line(499'992, 5, 5, 1)});
    EXPECT_FALSE(is_settled(499'992, 499'993)) << "a row is missing now";
}

TEST_F(Book, what_was_incomplete_settles_nothing) {
    keep(499'990 * hour, now, "incomplete", {});
    EXPECT_FALSE(is_settled(499'990, 499'991));
    EXPECT_EQ(book->kept()["last"]["verdict"].text(), "incomplete");
}

TEST_F(Book, a_restart_forgets_nothing) {
    keep(499'990 * hour, now, "mismatch", {line(499'991, 5, 4, 1), line(500'000, 3, 3, 0)});
    disk.restart(forebay::testing::Survival::none);
    open();
    EXPECT_TRUE(is_settled(499'992, 500'000));
    EXPECT_FALSE(is_settled(499'991, 499'992));
    auto kept = book->kept();
    EXPECT_EQ(kept["last"]["verdict"].text(), "mismatch");
    EXPECT_EQ(kept["unsettled"].elements().size(), 1u);
    EXPECT_NE(registry.prometheus_text().find("forebay_audit_difference{endpoint=\"lead\"} 1"), std::string::npos);
}

TEST_F(Book, a_file_that_cannot_be_read_settles_nothing) {
    keep(499'990 * hour, now, "balanced", {});
    auto file = disk.open("kept.json", disk::OpenMode::read_write);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->write(0, "[").ok());
    open();
    EXPECT_FALSE(is_settled(499'992, 500'000));
    keep(499'990 * hour, now, "balanced", {});
    EXPECT_TRUE(is_settled(499'992, 500'000));
}

TEST_F(Book, today_is_the_sum_of_its_hours_as_they_were_counted_last) {
    auto midnight = now / hour / 24 * 24;
    keep((midnight - 2) * hour, now, "balanced", {line(midnight - 1, 100, 100, 0), line(midnight, 5, 3, 0), line(midnight + 1, 7, 7, 0)});
    EXPECT_EQ(book->kept()["today"]["accepted"].integer(), 12);
    EXPECT_EQ(book->kept()["today"]["open"].integer(), 2);
    keep(midnight * hour, now, "balanced", {line(midnight, 5, 5, 0), line(midnight + 1, 7, 7, 0)});
    EXPECT_EQ(book->kept()["today"]["accepted"].integer(), 12);
    EXPECT_EQ(book->kept()["today"]["open"].integer(), 0);
}

TEST_F(Book, what_is_no_result_is_refused) {
    for (const char* text : {"{}", R"({"from":5,"to":4,"verdict":"balanced","hours":[]})", R"({"from":1,"to":2,"verdict":"balanced"})",
                             R"({"from":1,"to":2,"verdict":"fine","hours":[]})"})
        EXPECT_FALSE(book->keep(*json::parse(text)).ok()) << text;
    EXPECT_TRUE(book->kept()["last"].is_null());
}

}  // namespace
