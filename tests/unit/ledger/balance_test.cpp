#include "ledger/balance.h"

#include <gtest/gtest.h>

namespace forebay::ledger {
namespace {

Uuid id_of(std::uint32_t n) {
    Uuid id;
    for (std::size_t i = 0; i < 4; ++i) id.bytes[12 + i] = static_cast<unsigned char>(n * 2654435761U >> (8 * i));
    return id;
}

Verdict verdict(std::uint32_t pending, int facts) { return Balance::verdict_of({{}, pending, 0, static_cast<std::uint16_t>(facts)}); }

TEST(Balance, a_record_is_in_one_place_the_dead_first_then_the_open) {
    EXPECT_EQ(verdict(0, 0), Verdict::settled);
    EXPECT_EQ(verdict(1, 0), Verdict::missing);
    EXPECT_EQ(verdict(1, Balance::waiting), Verdict::open);
    EXPECT_EQ(verdict(0, Balance::waiting), Verdict::open) << "it was sent again";
    EXPECT_EQ(verdict(1, Balance::waiting | Balance::noted_dead), Verdict::dead);
    EXPECT_EQ(verdict(0, Balance::in_dead_letters), Verdict::dead);
    EXPECT_EQ(verdict(0, Balance::is_discarded), Verdict::discarded);
    EXPECT_EQ(verdict(2, Balance::is_discarded), Verdict::missing) << "another effect of it is not finished";
    EXPECT_EQ(verdict(2, Balance::is_erased), Verdict::erased);
    EXPECT_EQ(verdict(0, Balance::is_stored | Balance::has_row), Verdict::settled);
}

TEST(Balance, an_id_counts_once_however_often_and_in_whatever_order_the_log_has_it) {
    Balance balance;
    auto early = *balance.line({{3'600'000}, "lead"}), late = *balance.line({{7'200'000}, "lead"});
    constexpr std::uint32_t ids = 50'000;
    for (std::uint32_t n = 0; n < ids; ++n) ASSERT_TRUE(balance.accept({id_of(n), 1, late, 0}));
    for (std::uint32_t n = ids; n-- > 0;) ASSERT_TRUE(balance.accept({id_of(n), 2, n % 2 == 0 ? early : late, 0}));
    balance.sort();
    EXPECT_EQ(balance.size(), ids);
    std::size_t seen = 0;
    balance.each([&](Balance::Entry&) { ++seen; });
    EXPECT_EQ(seen, ids);
    for (std::uint32_t n = 0; n < ids; n += 997) {
        auto* entry = balance.find(id_of(n));
        ASSERT_NE(entry, nullptr);
        EXPECT_EQ(entry->id, id_of(n));
        EXPECT_EQ(entry->pending, 3u);
        EXPECT_EQ(entry->line, n % 2 == 0 ? early : late) << "its earliest hour";
    }
    EXPECT_EQ(balance.find(id_of(ids)), nullptr);
    EXPECT_EQ(Balance().find(id_of(1)), nullptr);
}

TEST(Balance, a_line_has_one_number_and_lines_have_a_bound) {
    Balance balance;
    EXPECT_EQ(balance.line({{0}, "a"}), balance.line({{0}, "a"}));
    EXPECT_NE(balance.line({{0}, "a"}), balance.line({{0}, "b"}));
    for (std::size_t n = balance.lines().size(); n < Balance::lines_max; ++n)
        ASSERT_TRUE(balance.line({{static_cast<std::int64_t>(n)}, "c"}));
    EXPECT_FALSE(balance.line({{-1}, "c"}));
    EXPECT_TRUE(balance.line({{0}, "a"}));
}

TEST(Balance, counts_add_up) {
    Counts counts;
    for (auto one :
         {Verdict::settled, Verdict::settled, Verdict::open, Verdict::dead, Verdict::discarded, Verdict::erased, Verdict::missing})
        counts.add(one);
    EXPECT_EQ(counts.accepted, counts.settled + counts.open + counts.dead + counts.discarded + counts.erased + counts.missing);
    EXPECT_EQ(counts.settled, 2u);
    counts.row_errors = 2;
    EXPECT_EQ(counts.difference(), 3u);
    Counts sum = counts;
    sum.add(counts);
    EXPECT_EQ(sum.accepted, 14u);
    EXPECT_EQ(sum.difference(), 6u);
}

}  // namespace
}  // namespace forebay::ledger
