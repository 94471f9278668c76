#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "record/erased.h"

namespace forebay::record {
namespace {

Envelope jane() {
    Envelope e;
    e.id = *parse_uuid("01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11");
    e.endpoint = "lead";
    e.received_at = Timestamp{1'789'999'391'482};
    e.fields.set("email", "jane@example.com").set("note", "something about her");
    e.raw_type = "application/json";
    e.raw = R"({"email":"jane@example.com","note":"something about her"})";
    e.client_ip = "192.0.2.7";
    return e;
}
const Uuid message = *parse_uuid("01926f3a-7c1e-7d20-9f51-2f0f6a3c9b12");

TEST(Erased, every_form_becomes_an_envelope_without_what_it_held) {
    for (auto form : {BodyForm::json, BodyForm::base64_json, BodyForm::php}) {
        auto body = encode(jane(), form);
        auto erased = erased_body(body, message, Timestamp{5});
        ASSERT_TRUE(erased);
        EXPECT_EQ(erased->size(), body.size());
        EXPECT_EQ(crc32c(*erased), crc32c(body));
        EXPECT_EQ(erased->find("jane"), std::string::npos);
        auto read = decode(*erased, message, Timestamp{5});
        ASSERT_TRUE(read.ok()) << read.error().what;
        EXPECT_TRUE(is_erased(*read));
        EXPECT_EQ(read->id, jane().id);
        EXPECT_EQ(read->endpoint, "lead");
        EXPECT_EQ(read->received_at, jane().received_at);
        EXPECT_TRUE(read->fields.members().empty() && read->raw.empty() && read->client_ip.empty());
        EXPECT_EQ(erased_body(*erased, message, Timestamp{5}), erased) << "erasing it again changes nothing";
    }
    EXPECT_FALSE(is_erased(jane()));
}

TEST(Erased, a_refused_post_keeps_only_who_it_was) {
    auto body =
        R"({"v":1,"id":"01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11","endpoint":"lead","received_at":"2026-09-20T14:03:11.482Z","status":422,"code":"validation","errors":[],"raw_type":"application/json","raw":"{\"email\":\"jane@@example\"}","ip":"","key":""})";
    auto erased = erased_body(body, message, Timestamp{5});
    ASSERT_TRUE(erased);
    auto read = decode(*erased, message, Timestamp{5});
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(to_text(read->id), "01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11");
    EXPECT_TRUE(is_erased(*read));
}

TEST(Erased, short_bodies_say_as_much_as_they_can) {
    auto short_one = erased_body(R"({"email":"jane@example.com"})"
                                 "    ",
                                 message, Timestamp{5});
    ASSERT_TRUE(short_one);
    auto read = decode(*short_one, message, Timestamp{5});
    ASSERT_TRUE(read.ok());
    EXPECT_TRUE(is_erased(*read));
    EXPECT_EQ(read->id, message);
    EXPECT_FALSE(erased_body(R"({"a":"jane"})", message, Timestamp{5}));
    EXPECT_TRUE(erased_body(std::string(100, 'x'), message, Timestamp{5})) << "what is no record can be erased too";
}

}  // namespace
}  // namespace forebay::record
