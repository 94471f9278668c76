#include "intake/secret_mask.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <ctime>

#include "base/json.h"

namespace forebay::intake {
namespace {

std::string masked(std::string_view raw, std::optional<MediaKind> kind = MediaKind::json) { return without_secret(raw, "key", kind); }

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
        {R"({"key":["abc",7,{"a":"b"}],"x":"y"})", R"({"key":[                 ],"x":"y"})"},
        {R"({"lead":{"key":"abc"},"key":"abc"})", R"({"lead":{"key":"***"},"key":"***"})"},
        {R"({"key":["abc",7,{"a":"b"}],"x":})", R"({"key":["***",1,{"*":"*"}],"x":})"},
        {R"({"key":{"a":1,"b":2},"key[]":"abc","key[a]":1.0})", R"({"key":{           },"key[]":"***","key[a]":1.1})"},
        {R"([{"key":"a]\\"},{"key" : [ ] , "a\"key":"b"}])", R"([{"key":"****"},{"key" : [ ] , "a\"key":"b"}])"},
        {R"({"a":" [{\"key\":\"\u00e9\ud83d\ude00\"},\"{\\\"key\\\":[1]}\"]"})",
         R"({"a":" [{\"key\":\"******************\"},\"{\\\"key\\\":[ ]}\"]"})"},
        {R"({"a":"\u007b\"\\u006bey\":12}","é":"ü"})", R"({"a":"\u007b\"\\u006bey\":11}","é":"ü"})"},
        {R"({"key":"abc)", R"({"key":"***)"},
        {R"({"key":"abc, "email":"x"})", R"({"key":"*****"email":"x"})"},
        {R"({"key":abc,"email":"x"})", R"({"key":***,"email":"x"})"},
        {R"({'key': 'abc', 'x': 'y'})", R"({'key': '***', 'x': 'y'})"},
        {R"({key: "abc"})", R"({key: "***"})"},
        {"key=abc&x=y", "key=***&x=y"},
        {"x=y&key=a%26b+c", "x=y&key=*******"},
        {"x=y&k%65y=abc&key=abc", "x=y&k%65y=***&key=***"},
        {"data=%7B%22key%22%3A%22abc%22%7D&x=y", "data=%7B%22key%22%3A%22***%22%7D&x=y"},
        {R"({"payload":"{\"key\":\"abc\"}"})", R"({"payload":"{\"key\":\"***\"}"})"},
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
    for (auto& row : rows) EXPECT_EQ(masked(row.raw), row.kept);
}

TEST(SecretMask, leaves_everything_else_as_it_is) {
    for (std::string raw : {"mykey=abc&keys=abc&x=key", R"({"note":"the key is here","keyed":"abc","x":"key"})", "key", "", "\"key\"",
                            "key:", "key=", "key[", "key[]", "key[ ]=abc", "key[a=abc", R"({"key":)", "%", "\\u00", R"({"email":"x"})"})
        EXPECT_EQ(masked(raw), raw);
    EXPECT_EQ(without_secret("key=abc", "", MediaKind::form), "key=abc");
}

TEST(SecretMask, takes_no_word_of_a_text_in_json_for_the_field) {
    for (std::string raw :
         {R"({"note":"my key: abc","email":"x"})", R"({"note":"my key:","email":"x"})", R"({"email":"x","note":"say key="})",
          R"({"note":"say key=abc","x":"y"})", R"({"note":"{key: abc","x":"[\"key\":\"a\","})"})
        EXPECT_EQ(masked(raw), raw);
    // Where nothing tells what is a text and what is not, more is covered, but a text's end is left where it is.
    for (auto& row : {Row{R"({"note":"my key: abc","email":"x",})", R"({"note":"my key: ***","email":"x",})"},
                      {R"({"note":"my key:","email":"x",})", R"({"note":"my key:","email":"x",})"},
                      {R"({"email":"x","note":"say key="},)", R"({"email":"x","note":"say key="},)"},
                      {R"({"note":"say key=abc","x":"y",})", R"({"note":"say key=***","x":"y",})"}})
        EXPECT_EQ(masked(row.raw), row.kept);
}

TEST(SecretMask, covers_nothing_beyond_the_field_of_a_form_that_speaks_of_a_key) {
    for (auto& row : {Row{"note=my%20key%3A%20abc&email=x", "note=my%20key%3A%20***&email=x"},
                      {"note=%22key%22%3A%22abc&email=x&y=%22", "note=%22key%22%3A%22***&email=x&y=%22"},
                      {"note=%22key%22%3A%22abc%5C&email=x&y=%22", "note=%22key%22%3A%22******&email=x&y=%22"},
                      {"note=%22key%22%3A%5B1%2C&email=x", "note=%22key%22%3A%5B1%2C&email=x"},
                      {"note=a%20key%3D%22abc&email=x&y=%22", "note=a%20key%3D%22***&email=x&y=%22"},
                      {R"({"key":"a&b")", R"({"key":"***")"}})
        EXPECT_EQ(masked(row.raw, MediaKind::form), row.kept);
}

TEST(SecretMask, looks_into_three_texts_in_texts_and_no_deeper) {
    std::string raw = R"({"key":"abc"})";
    for (int deep = 0; deep <= 4; ++deep) {
        EXPECT_EQ(masked(raw).find("abc") == std::string::npos, deep <= 3) << raw;
        EXPECT_TRUE(json::parse(masked(raw)).ok()) << raw;
        raw = json::to_text(json::Value().set("a", raw));
    }
}

TEST(SecretMask, believes_the_kind_that_the_post_says) {
    EXPECT_EQ(masked(R"({"a":"&key=abc&b="})", MediaKind::form), R"({"a":"&key=***&b="})");
    EXPECT_EQ(masked(R"({"key":"abc"})", MediaKind::form), R"({"key":"***"})");
    EXPECT_EQ(masked(R"({"key":"abc"})", std::nullopt), R"({"key":"***"})");
}

constexpr std::string_view secret = "Secret";

/// Texts full of what looks like the field; none is a document itself.
std::string some_text() {
    std::string out = "-";
    for (auto parts = *rc::gen::inRange(0, 6); parts > 0; --parts)
        out += *rc::gen::element<std::string>("key", "key", ":", "=", "\"", "'", "{", "}", "[", "]", ",", " ", "&", "\\", "\n\n",
                                              "name=key", "\u00e9", "\U0001f600", "%3A", "\\u006bey", "\"key\":\"");
    return out;
}

json::Value some_value(int depth, bool is_secret) {
    switch (*rc::gen::inRange(0, depth > 0 ? 6 : 4)) {
        case 0:
            return is_secret ? std::string(secret) : some_text();
        case 1:
            return *rc::gen::element(0, 1250, -7);
        case 2:
            return *rc::gen::arbitrary<bool>();
        case 3:
            return {};
        case 4: {
            auto list = json::Value::array();
            for (auto n = *rc::gen::inRange(0, 4); n > 0; --n) list.push(some_value(depth - 1, is_secret));
            return list;
        }
        default: {
            auto object = json::Value::object();
            for (auto n = *rc::gen::inRange(0, 4); n > 0; --n) {
                auto name = *rc::gen::arbitrary<bool>() ? "key" : some_text();
                object.set(name, some_value(depth - 1, is_secret || name == "key"));
            }
            return object;
        }
    }
}

void forget_keys(json::Value& value) {
    for (auto& element : value.elements()) forget_keys(element);
    for (auto& [name, member] : value.members()) {
        if (name == "key") member = {};
        forget_keys(member);
    }
}

RC_GTEST_PROP(SecretMask, leaves_json_the_same_document_but_for_the_field, ()) {
    auto document = json::Value::object();
    document.set("a", some_value(4, false)).set("key", some_value(2, true)).set("b", some_value(2, false));
    auto raw = *rc::gen::arbitrary<bool>() ? json::to_text(document) : json::to_pretty_text(document);
    auto kept = masked(raw);
    auto read = json::parse(kept);
    RC_ASSERT(kept.size() == raw.size());
    RC_ASSERT(kept.find(secret) == std::string::npos);
    RC_ASSERT(read.ok());
    forget_keys(*read);
    forget_keys(document);
    RC_ASSERT(*read == document);
}

/// Processor time for so many bytes of that part, the least of five tries.
double cost_of(const std::string& part, std::size_t bytes) {
    std::string raw = part.ends_with(',') ? "[" : "";
    while (raw.size() < bytes) raw += part;
    if (part.ends_with(',')) raw += "1]";
    double least = 1e9;
    for (int i = 0; i < 5; ++i) {
        auto since = std::clock();
        EXPECT_EQ(masked(raw).size(), raw.size());
        least = std::min(least, static_cast<double>(std::clock() - since));
    }
    return std::max(least, 1.0);
}

TEST(SecretMask, needs_no_more_than_the_length_of_a_hostile_body) {
    // Fresh pages cost more than the work done in them: what is freed is kept for the next try.
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    for (std::string part : {"\"key\":[", "key=", "name=\"key\"", "\"key\":\"", "key:{", "\"key\":\\", "key<key>", "name=key\n\r\n--",
                             "name=key\n\n--", "name=key\r\n\r\n--", "key[", "key[ ", "key[]", "&key[{", R"({"key":[1]},)",
                             R"("{\"key\":\"{}\"}",)", R"("[\u005d",)", R"("[\"[\\\"[\\\"]\"]",)"}) {
        auto least = cost_of(part, 20'000);
        EXPECT_LT(cost_of(part, 8 * 20'000), 4 * 8 * least) << part << ": eight times as long must not take 32 times as long";
    }
}

}  // namespace
}  // namespace forebay::intake
