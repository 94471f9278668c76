#include "base/decimal.h"

#include <gtest/gtest.h>

namespace forebay {
namespace {

TEST(Decimal, reads_what_json_calls_a_number) {
    for (auto [text, plain] : {std::pair{"0", "0"},
                               {"-0", "0"},
                               {"42.00", "42.00"},
                               {"-1.5", "-1.5"},
                               {"1e3", "1000"},
                               {"1.25E+1", "12.5"},
                               {"125e-4", "0.0125"},
                               {"-0.0", "0.0"},
                               {"0e5", "0"},
                               {"10e-1", "1.0"}}) {
        auto number = Decimal::parse(text);
        ASSERT_TRUE(number) << text;
        EXPECT_EQ(number->text(), plain) << text;
    }
    for (auto text : {"", "-", "01", "1.", ".5", "1e", "1e+", "+1", "1,000", " 1", "1 ", "0x1", "1e1001", "1e99999999999", "nan"})
        EXPECT_FALSE(Decimal::parse(text)) << text;
    EXPECT_TRUE(Decimal::parse(std::string(Decimal::digits_max, '9')));
    EXPECT_FALSE(Decimal::parse(std::string(Decimal::digits_max + 1, '9')));
}

TEST(Decimal, compares_by_value) {
    auto d = [](const char* text) { return *Decimal::parse(text); };
    EXPECT_EQ(d("1.5"), d("1.50"));
    EXPECT_EQ(d("1e3"), d("1000.0"));
    EXPECT_EQ(d("-0"), d("0"));
    for (auto [less, greater] : {std::pair{"1", "2"},
                                 {"-2", "-1"},
                                 {"-1", "0"},
                                 {"9", "10"},
                                 {"0.09", "0.1"},
                                 {"-10", "9.99"},
                                 {"12345678901234567890.1", "12345678901234567890.2"}}) {
        EXPECT_LT(d(less), d(greater)) << less;
        EXPECT_GT(d(greater), d(less)) << less;
    }
}

TEST(Decimal, adds_exactly) {
    Decimal sum;
    for (int i = 0; i < 1000; ++i) sum += *Decimal::parse("0.10");
    EXPECT_EQ(sum.text(), "100.00");
    sum += *Decimal::parse("-0.001");
    EXPECT_EQ(sum.text(), "99.999");
    sum += *Decimal::parse("-100");
    EXPECT_EQ(sum.text(), "-0.001");
    sum += *Decimal::parse("0.001");
    EXPECT_EQ(sum.text(), "0.000");
    sum += *Decimal::parse("99999999999999999999.999");
    EXPECT_EQ(sum.text(), "99999999999999999999.999");
}

}  // namespace
}  // namespace forebay
