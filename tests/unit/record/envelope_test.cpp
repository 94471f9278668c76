#include "record/envelope.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "record/php.h"
#include "record/text.h"

namespace forebay::record {
namespace {

constexpr Timestamp noon{1'789'999'391'482};
const Uuid id = *parse_uuid("01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11");
const Uuid other = *parse_uuid("01926f3a-7c1e-7d20-9f51-2f0f6a3c9b12");

Envelope jane() {
    Envelope e;
    e.id = id;
    e.endpoint = "lead";
    e.received_at = noon;
    e.fields.set("email", "jane@example.com");
    e.fields.set("amount", json::Value::number("42.00"));
    e.fields.set("consent", true);
    e.raw_type = "application/json";
    e.raw = R"({"email":"Jane@example.com"})";
    e.flags = {"readmitted"};
    e.client_ip = "192.0.2.7";
    return e;
}

void expect_same(const Envelope& a, const Envelope& b) {
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.endpoint, b.endpoint);
    EXPECT_EQ(a.received_at, b.received_at);
    EXPECT_EQ(a.fields, b.fields) << json::to_text(a.fields) << json::to_text(b.fields);
    EXPECT_EQ(a.raw_type, b.raw_type);
    EXPECT_EQ(a.raw, b.raw);
    EXPECT_EQ(a.flags, b.flags);
    EXPECT_EQ(a.client_ip, b.client_ip);
    EXPECT_EQ(a.value, b.value);
    EXPECT_EQ(a.currency, b.currency);
}

std::string why_not(std::string_view body) {
    auto decoded = decode(body, other, noon);
    return decoded.ok() ? "accepted" : decoded.error().what;
}

TEST(Envelope, is_one_json_object_as_format_md_says) {
    EXPECT_EQ(to_json(jane()),
              R"({"v":1,"id":"01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11","endpoint":"lead","received_at":"2026-09-21T14:03:11.482Z",)"
              R"("fields":{"email":"jane@example.com","amount":42.00,"consent":true},"raw_type":"application/json",)"
              R"("raw":"{\"email\":\"Jane@example.com\"}","flags":["readmitted"],"ip":"192.0.2.7"})");
}

TEST(Envelope, comes_back_from_each_form) {
    for (auto form : {BodyForm::json, BodyForm::base64_json, BodyForm::php}) {
        auto back = decode(encode(jane(), form), other, Timestamp{1});
        ASSERT_TRUE(back.ok()) << back.error().what;
        expect_same(*back, jane());
    }
}

TEST(Envelope, carries_the_value_at_stake_with_its_currency) {
    auto e = jane();
    e.value = "18.50";
    e.currency = "USD";
    EXPECT_TRUE(to_json(e).ends_with(R"("value":18.50,"currency":"USD"})"));
    expect_same(*decode(to_json(e), other, noon), e);
}

TEST(Envelope, a_body_that_is_not_utf8_travels_as_base64_and_bit_exact) {
    auto e = jane();
    e.raw = std::string("\xff\x00\xc3", 3);
    EXPECT_NE(to_json(e).find(R"("raw_base64":"/wDD")"), std::string::npos);
    expect_same(*decode(to_json(e), other, noon), e);
}

TEST(Envelope, without_fields_it_is_read_back_from_php_too) {
    auto e = jane();
    e.fields = json::Value::object();
    expect_same(*decode(encode(e, BodyForm::php), other, noon), e);
}

TEST(Envelope, an_object_sent_straight_to_the_queue_becomes_a_record) {
    auto record = decode(R"({"email":"a@b.co","n":1})", other, noon);
    ASSERT_TRUE(record.ok());
    EXPECT_EQ(record->id, other);
    EXPECT_EQ(record->received_at, noon);
    EXPECT_EQ(record->fields["email"].text(), "a@b.co");
    EXPECT_EQ(record->raw, R"({"email":"a@b.co","n":1})");
    EXPECT_EQ(record->endpoint, "");
}

TEST(Envelope, a_php_array_sent_straight_to_the_queue_becomes_a_record) {
    auto record = decode(to_base64(R"(a:2:{s:5:"email";s:6:"a@b.co";s:1:"n";i:1;})"), other, noon);
    ASSERT_TRUE(record.ok());
    EXPECT_EQ(record->fields["n"].integer(), 1);
    EXPECT_EQ(record->raw, R"({"email":"a@b.co","n":1})");
}

TEST(Envelope, a_member_it_does_not_know_is_ignored) {
    auto text = to_json(jane());
    text.insert(text.size() - 1, R"(,"later":{"x":[1]})");
    expect_same(*decode(text, other, noon), jane());
}

TEST(Envelope, fields_named_by_numbers_come_back_from_php) {
    auto record = jane();
    record.fields = json::Value().set("0", "a").set("1", "b");
    auto body = encode(record, BodyForm::php);
    ASSERT_TRUE(decode(body, other, noon).ok()) << why_not(body);
    expect_same(*decode(body, other, noon), record);
    auto list = to_json(record);
    list.replace(list.find(R"({"0":"a","1":"b"})"), 17, R"(["a","b"])");
    EXPECT_NE(why_not(list).find("fields"), std::string::npos);
}

TEST(Envelope, a_bad_body_is_refused_with_a_reason) {
    struct Row {
        std::string body, why;
    };
    const std::string good = to_json(jane());
    auto with = [&](std::string from, std::string to) { return std::string(good).replace(good.find(from), from.size(), to); };
    for (auto& [body, why] : std::vector<Row>{
             {"", "empty"},
             {"  \n", "empty"},
             {"[1]", "neither"},
             {"hello, world", "neither"},
             {"{\"a\":1", "not JSON"},
             {"{\"a\":1,\"a\":2}", "duplicate"},
             {to_base64("[1]"), "neither"},
             {to_base64("O:8:\"stdClass\":0:{}"), "neither"},
             {to_base64("a:1:{i:0;O:8:\"stdClass\":0:{}}"), "objects are not read"},
             {to_base64("a:1:{i:0;i:1;}"), "a list"},
             {with("\"v\":1", "\"v\":2"), "\"v\""},
             {with("\"v\":1", "\"v\":\"1\""), "\"v\""},
             {with("9b11", "9b1"), "\"id\""},
             {with("\"endpoint\":\"lead\"", "\"endpoint\":7"), "\"endpoint\""},
             {with("2026-09-21T", "yesterday"), "\"received_at\""},
             {with("\"fields\":{", "\"fields_\":{"), "\"fields\""},
             {with("[\"readmitted\"]", "[1]"), "\"flags\""},
             {with("\"raw\":\"", "\"raw_base64\":\"*"), "\"raw_base64\""},
         })
        EXPECT_NE(why_not(body).find(why), std::string::npos) << body << " -> " << why_not(body);
}

TEST(Envelope, nesting_without_end_is_refused_in_each_form) {
    std::string deep_json = "{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
    EXPECT_NE(why_not(deep_json), "accepted");
    std::string deep_php;
    for (int i = 0; i < 100'000; ++i) deep_php += "a:1:{i:0;";
    EXPECT_NE(why_not(to_base64(deep_php)).find("deeper"), std::string::npos);
}

TEST(RecordText, strings_are_escaped_as_the_json_library_does) {
    std::string all;
    for (int round = 0; round < 3; ++round)
        for (int c = 0; c < 128; ++c) all.append(static_cast<std::size_t>(c % 37), 'x').push_back(static_cast<char>(c));
    all += "\xc3\xa9\xf0\x9f\x98\x80";
    for (std::size_t start = 0; start < 40; ++start) {
        std::string ours, theirs;
        append_json_string(ours, std::string_view(all).substr(start));
        json::append_string(theirs, std::string_view(all).substr(start));
        EXPECT_EQ(ours, theirs);
    }
    std::string quotes(1000, '"'), ours, theirs;
    append_json_string(ours, quotes);
    json::append_string(theirs, quotes);
    EXPECT_EQ(ours, theirs);
}

TEST(RecordText, times_are_written_as_the_base_library_does) {
    for (std::int64_t ms : {0LL, 1LL, 951'782'399'999LL, 951'782'400'000LL, 1'789'999'391'482LL, 4'102'444'800'005LL}) {
        std::string ours;
        append_timestamp(ours, {ms});
        EXPECT_EQ(ours, to_rfc3339({ms}));
    }
}

TEST(RecordText, numbers_are_told_from_other_text) {
    for (auto good : {"0", "-0", "1", "10", "1.50", "1e5", "1E+5", "-12.5e-3", "123456789012345678901234567890"})
        EXPECT_TRUE(is_json_number(good)) << good;
    for (auto bad : {"", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1", "1 ", " 1", "1,5", "NaN", "INF", "--1"})
        EXPECT_FALSE(is_json_number(bad)) << bad;
}

TEST(Envelope, keeps_what_an_operator_had_done_in_every_form) {
    Envelope envelope;
    envelope.id = *parse_uuid("01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11");
    envelope.again = 2;
    envelope.discard = "a \"test\" post";
    envelope.edited.push(json::Value().set("reason", "typo").set("was", json::Value().set("zip", "0213").set("city", json::Value())));
    for (auto form : {BodyForm::json, BodyForm::base64_json, BodyForm::php}) {
        auto body = encode(envelope, form);
        EXPECT_EQ(form_of(body), form);
        auto read = decode(body, Uuid{}, Timestamp{});
        ASSERT_TRUE(read) << read.error().what;
        EXPECT_EQ(read->again, 2u);
        EXPECT_EQ(read->discard, envelope.discard);
        EXPECT_EQ(read->edited, envelope.edited);
    }
    EXPECT_EQ(to_json(Envelope{}).find("edited"), std::string::npos);
}

}  // namespace
}  // namespace forebay::record
