#include "intake/secret_mask.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

namespace forebay::intake {
namespace {

struct Row {
    std::string raw, kept;
};

TEST(SecretMask, covers_the_fields_value_in_whatever_the_body_seems_to_be) {
    const Row rows[] = {
        {R"({"key":"abc","email":"x"})", R"({"key":"***","email":"x"})"},
        {R"({ "key" : "a\"bc" , "x":1})", R"({ "key" : "*****" , "x":1})"},
        {R"({"\u006bey":"\u0061bc"})", R"({"\u006bey":"********"})"},
        {R"({"key":1250,"x":12})", R"({"key":1111,"x":12})"},
        {R"({"key":-1.5e9})", R"({"key":-1.1e1})"},
        {R"({"key":null,"a":true})", R"({"key":null,"a":true})"},
        {R"({"key":["abc",7,{"a":"b"}],"x":"y"})", R"({"key":["***",1,{"*":"*"}],"x":"y"})"},
        {R"({"lead":{"key":"abc"},"key":"abc"})", R"({"lead":{"key":"***"},"key":"***"})"},
        {R"({"key":"abc)", R"({"key":"***)"},
        {R"({"key":"abc, "email":"x"})", R"({"key":"*****"email":"x"})"},
        {R"({"key":abc,"email":"x"})", R"({"key":***,"email":"x"})"},
        {R"({'key': 'abc', 'x': 'y'})", R"({'key': '***', 'x': 'y'})"},
        {R"({key: "abc"})", R"({key: "***"})"},
        {"key=abc&x=y", "key=***&x=y"},
        {"x=y&key=a%26b+c", "x=y&key=*******"},
        {"x=y&k%65y=abc&key=abc", "x=y&k%65y=***&key=***"},
        {"data=%7B%22key%22%3A%22abc%22%7D&x=y", "data=%7B%22key%22%3A%22***%22%7D&x=y"},
        {R"({"payload":"{\"key\":\"abc\"}"})", R"({"payload":"{\"key\":\"******"})"},
        {"key[]=abc&key%5B%5D=abc&key[a][b]=abc&x=y", "key[]=***&key%5B%5D=***&key[a][b]=***&x=y"},
        {R"({"key[]":"abc",)", R"({"key[]":"***",)"},
        {"--b\r\nContent-Disposition: form-data; name=\"key[]\"\r\n\r\nabc\r\n--b--",
         "--b\r\nContent-Disposition: form-data; name=\"key[]\"\r\n\r\n***\r\n--b--"},
        {"key = abc\nx = y", "key =****\nx = y"},
        {"<lead><key>abc</key></lead>", "<lead><key>***</key></lead>"},
        {"--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nabc\r\n--b--",
         "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n***\r\n--b--"},
        {"--b\nContent-Disposition: form-data; Name=key\n\nabc\n--b--", "--b\nContent-Disposition: form-data; Name=key\n\n***\n--b--"},
        {"name=\"key\"\r\nContent-Type: text/plain\r\n\r\na\r\nbc", "name=\"key\"\r\nContent-Type: text/plain\r\n\r\n*****"},
        {"name=\"key\"\r\n\r\n--b", "name=\"key\"\r\n\r\n--b"},
        {"name=\"key\" abc", "name=\"key\" abc"},
    };
    for (auto& row : rows) EXPECT_EQ(without_secret(row.raw, "key"), row.kept);
}

TEST(SecretMask, leaves_everything_else_as_it_is) {
    for (std::string raw : {"mykey=abc&keys=abc&x=key", R"({"note":"the key is here","keyed":"abc","x":"key"})", "key", "", "\"key\"",
                            "key:", "key=", "key[", "key[]", "key[ ]=abc", "key[a=abc", R"({"key":)", "%", "\\u00", R"({"email":"x"})"})
        EXPECT_EQ(without_secret(raw, "key"), raw);
    EXPECT_EQ(without_secret("key=abc", ""), "key=abc");
    EXPECT_EQ(without_secret(R"({"note":"say key=abc","x":"y"})", "key"), R"({"note":"say key=***","x":"y"})");
}

/// Processor time for so many bytes of that part, the least of three tries.
double cost_of(const std::string& part, std::size_t bytes) {
    std::string raw;
    while (raw.size() < bytes) raw += part;
    double least = 1e9;
    for (int i = 0; i < 3; ++i) {
        auto since = std::clock();
        EXPECT_EQ(without_secret(raw, "key").size(), raw.size());
        least = std::min(least, static_cast<double>(std::clock() - since));
    }
    return std::max(least, 1.0);
}

TEST(SecretMask, needs_no_more_than_the_length_of_a_hostile_body) {
    for (std::string part : {"\"key\":[", "key=", "name=\"key\"", "\"key\":\"", "key:{", "\"key\":\\", "key<key>", "name=key\n\r\n--",
                             "name=key\n\n--", "name=key\r\n\r\n--", "key[", "key[ ", "key[]", "&key[{"}) {
        auto least = cost_of(part, 20'000);
        EXPECT_LT(cost_of(part, 8 * 20'000), 4 * 8 * least) << part << ": eight times as long must not take 32 times as long";
    }
}

}  // namespace
}  // namespace forebay::intake
