#include "record/php.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "record/envelope.h"

namespace forebay::record {
namespace {

std::string php_of(std::string_view json_text) {
    auto value = json::parse(json_text);
    return value.ok() ? to_php(*value) : value.error().what;
}

/// Any JSON value up to three levels deep, as text parts that are UTF-8. Empty objects and objects with the
/// names of a list are left out: PHP does not tell them from lists.
json::Value arbitrary(int depth) {
    switch (*rc::gen::inRange(0, depth > 0 ? 7 : 5)) {
        case 0:
            return {};
        case 1:
            return json::Value(*rc::gen::arbitrary<bool>());
        case 2:
            return json::Value(*rc::gen::arbitrary<std::int64_t>());
        case 3:
            return json::Value::number(std::to_string(*rc::gen::inRange(-5000, 5000)) + "." + std::to_string(*rc::gen::inRange(0, 999)));
        case 4:
            return json::Value(*rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127)) +
                               (*rc::gen::arbitrary<bool>() ? "\xc3\xa9" : ""));
        case 5: {
            auto list = json::Value::array();
            for (int n = *rc::gen::inRange(0, 4); n > 0; --n) list.push(arbitrary(depth - 1));
            return list;
        }
        default: {
            auto map = json::Value::object();
            map.set("name", arbitrary(depth - 1));
            for (int n = *rc::gen::inRange(0, 4); n > 0; --n)
                map.set(*rc::gen::container<std::string>(rc::gen::inRange<char>(32, 127)), arbitrary(depth - 1));
            return map;
        }
    }
}

RC_GTEST_PROP(Php, a_value_comes_back_as_it_was, ()) {
    auto value = arbitrary(3);
    auto back = from_php(to_php(value));
    RC_ASSERT(back.ok());
    RC_ASSERT(*back == value);
}

RC_GTEST_PROP(Envelope, every_envelope_comes_back_from_every_form, ()) {
    Envelope e;
    for (auto& byte : e.id.bytes) byte = *rc::gen::arbitrary<unsigned char>();
    e.endpoint = *rc::gen::container<std::string>(rc::gen::inRange<char>(32, 127));
    e.received_at = {*rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000)};
    e.fields.set("email", arbitrary(2));
    e.fields.set("more", arbitrary(2));
    e.raw_type = "application/octet-stream";
    e.raw = *rc::gen::arbitrary<std::string>();
    e.flags = *rc::gen::container<std::vector<std::string>>(5, rc::gen::container<std::string>(rc::gen::inRange<char>('a', 'z')));
    for (auto form : {BodyForm::json, BodyForm::base64_json, BodyForm::php}) {
        auto back = decode(encode(e, form), Uuid{}, Timestamp{});
        RC_ASSERT(back.ok());
        RC_ASSERT(back->id == e.id);
        RC_ASSERT(back->received_at == e.received_at);
        RC_ASSERT(back->fields == e.fields);
        RC_ASSERT(back->raw == e.raw);
        RC_ASSERT(back->flags == e.flags);
    }
}

RC_GTEST_PROP(Php, a_damaged_text_never_does_harm, (std::size_t where, char c)) {
    auto text = to_php(arbitrary(3));
    text[where % text.size()] = c;
    auto back = from_php(text);
    if (!back.ok()) return;
    RC_ASSERT(from_php(to_php(*back)).ok());
}

TEST(Php, is_written_as_phps_serialize_does) {
    // php -r 'echo serialize(json_decode($argv[1], true));' gives each of these.
    for (auto& [json, php] : std::vector<std::pair<std::string, std::string>>{
             {"null", "N;"},
             {"[true,false]", "a:2:{i:0;b:1;i:1;b:0;}"},
             {"{\"a\":1,\"b\":-5}", "a:2:{s:1:\"a\";i:1;s:1:\"b\";i:-5;}"},
             {"{\"a\":1.5}", "a:1:{s:1:\"a\";d:1.5;}"},
             {"{\"5\":\"x\",\"05\":\"y\",\"-5\":\"z\",\"-0\":\"w\"}",
              "a:4:{i:5;s:1:\"x\";s:2:\"05\";s:1:\"y\";i:-5;s:1:\"z\";s:2:\"-0\";s:1:\"w\";}"},
             {"\"\xc3\xa9\\\"\\n\"", "s:4:\"\xc3\xa9\"\n\";"},
             {"{}", "a:0:{}"},
             {"9223372036854775807", "i:9223372036854775807;"},
             {"{\"9223372036854775808\":1}", "a:1:{s:19:\"9223372036854775808\";i:1;}"},
             {"{\"-9223372036854775808\":1}", "a:1:{i:-9223372036854775808;i:1;}"},
         })
        EXPECT_EQ(php_of(json), php);
}

TEST(Php, what_it_cannot_or_must_not_read_is_refused) {
    for (auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
             {"", "too early"},
             {"N", "too early"},
             {"X:1;", "unknown"},
             {"O:8:\"stdClass\":0:{}", "objects"},
             {"C:3:\"Foo\":0:{}", "objects"},
             {"E:7:\"Foo:Bar\";", "objects"},
             {"a:2:{i:0;i:1;i:1;R:2;}", "references"},
             {"a:2:{i:0;i:1;i:1;r:1;}", "references"},
             {"S:1:\"\\41\";", "unknown"},
             {"b:2;", "neither"},
             {"i:1.5;", "integer"},
             {"i:+1;", "integer"},
             {"i:01;", "integer"},
             {"i:;", "integer"},
             {"i:9223372036854775808;", "integer"},
             {"d:NAN;", "JSON"},
             {"d:INF;", "JSON"},
             {"s:7:\"abc\";", "longer"},
             {"s:-1:\"\";", "length"},
             {"s:18446744073709551615:\"\";", "longer"},
             {"s:99999999999999999999:\"\";", "length"},
             {"s:3:\"abc;", "expected"},
             {"s:2:\"abc\";", "expected"},
             {"s:2:\"\xff\xfe\";", "UTF-8"},
             {"a:1000000000:{}", "fewer"},
             {"a:-1:{}", "length"},
             {"a:1:{i:0;i:1;", "too early"},
             {"a:2:{i:0;i:1;i:0;i:2;}", "twice"},
             {"a:1:{d:1;i:1;}", "key"},
             {"a:1:{N;i:1;}", "expected"},
             {"a:1:{a:0:{}i:1;}", "key"},
             {"i:1;i:2;", "more behind"},
         }) {
        auto read = from_php(text);
        ASSERT_FALSE(read.ok()) << text;
        EXPECT_NE(read.error().find(why), std::string::npos) << text << " -> " << read.error();
    }
}

}  // namespace
}  // namespace forebay::record
