#include "base/json.h"

#include <gtest/gtest.h>

namespace forebay::json {
namespace {

TEST(Json, keeps_numbers_as_they_were_written) {
    auto v = parse(R"({"a":1.50,"b":[1,-2e3,null,true,"x\n"],"c":{}})");
    ASSERT_TRUE(v) << v.error().what;
    EXPECT_EQ((*v)["a"].text(), "1.50");
    EXPECT_EQ(to_text(*v), R"({"a":1.50,"b":[1,-2e3,null,true,"x\n"],"c":{}})");
}

TEST(Json, refuses_what_is_not_strict_json) {
    for (auto text : {"", "{", "[1,]", "{\"a\":1,\"a\":2}", "{} x", "[01]", "[1.]", "nul", "[\"\xff\"]", "[\"\\ud800\"]", "[1 2]",
                      "\"\x01\"", "{\"a\" 1}", "[-]", "[1e]", "1 2", "[tru]"})
        EXPECT_FALSE(parse(text)) << text;
}

TEST(Json, setting_members_can_be_chained) {
    EXPECT_EQ(json::to_text(json::Value().set("a", 1).set("b", "x").set("a", 2)), R"({"a":2,"b":"x"})");
}

TEST(Json, bounds_the_depth) {
    EXPECT_TRUE(parse(std::string(64, '[') + std::string(64, ']')));
    EXPECT_FALSE(parse(std::string(65, '[') + std::string(65, ']')));
    EXPECT_FALSE(parse(std::string(100000, '[')));
}

}  // namespace
}  // namespace forebay::json
