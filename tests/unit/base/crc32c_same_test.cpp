#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "base/crc32c_same.h"

using namespace forebay;

TEST(Crc32cSame, filler_gives_any_checksum) {
    std::string text = "{\"a\":\"" + std::string(40, '@') + "\"}";
    std::uint32_t wanted = 1;
    for (int i = 0; i < 200; ++i) {
        wanted = wanted * 1664525 + 1013904223;
        ASSERT_TRUE(choose_filler(text, 6, 40, wanted));
        ASSERT_EQ(crc32c(text), wanted);
        ASSERT_EQ(text.substr(0, 6) + text.substr(46), "{\"a\":\"\"}");
        ASSERT_EQ(text.find_first_not_of("@ABCDEFGHIJKLMNO", 6), 46u);
    }
}

TEST(Crc32cSame, sixteen_bytes_are_enough_and_a_few_are_not) {
    std::string text(filler_bytes_min, '@');
    for (std::uint32_t wanted : {0u, 1u, 0xffffffffu, 0x12345678u}) EXPECT_TRUE(choose_filler(text, 0, text.size(), wanted));
    EXPECT_FALSE(choose_filler(text, 0, 4, crc32c("something else entirely")));
}

TEST(Crc32cSame, what_stands_around_it_keeps_its_checksum) {
    std::string before = "head, then the body that is to go, then the tail";
    std::string body = before.substr(10, 28);
    std::string blank(body.size(), '@');
    ASSERT_TRUE(choose_filler(blank, 0, blank.size(), crc32c(body)));
    auto after = before;
    after.replace(10, 28, blank);
    EXPECT_NE(after, before);
    EXPECT_EQ(crc32c(after), crc32c(before));
    EXPECT_EQ(crc32c(after, 77), crc32c(before, 77));
}
