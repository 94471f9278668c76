// The table of product.md §6, row by row.

#include "record/envelope.h"
#include "tests/unit/intake/desk.h"

namespace forebay::intake {
namespace {

class Answers : public Desk {};

TEST_F(Answers, a_json_client_hears_202_with_the_record_and_its_receipt) {
    open(lead());
    auto answer = post({good_json});
    EXPECT_EQ(answer.status, 202u);
    auto body = body_of(answer);
    auto id = body["id"].text();
    EXPECT_EQ(body["outcome"].text(), "accepted");
    EXPECT_EQ(body["received_at"].text(), "2026-09-21T14:03:11.482Z");
    EXPECT_EQ(json::to_text(body["durable"]), R"(["journal"])");
    EXPECT_EQ(json::to_text(body["flags"]), "[]");
    EXPECT_TRUE(body["receipt"].text().starts_with("v1,1789999391,sha256:" + to_hex(sha256(good_json)) + ",hmac:")) << answer.body;
    EXPECT_EQ(header(answer, "Record-Id"), id);
    EXPECT_EQ(header(answer, "Location"), "/v1/records/" + id + "/receipt");
    EXPECT_EQ(parse_uuid(id)->version(), 7);
    ASSERT_EQ(records(), 1u);
    EXPECT_EQ(record()["id"].text(), id);
    EXPECT_EQ(json::to_text(record()["fields"]), R"({"email":"jane@example.com","first_name":"Jane","campaign":"auto"})");
    EXPECT_EQ(record()["raw"].text(), good_json);
    EXPECT_EQ(record()["ip"].text(), "192.0.2.7");
    EXPECT_TRUE(sender.messages["leads"][0].is_record);
    EXPECT_EQ(sender.messages["leads"][0].attributes[0], (queue::MessageAttribute{"record-id", "String", id}));
}

TEST_F(Answers, the_message_is_an_envelope_in_the_queues_form) {
    for (auto form : {record::BodyForm::json, record::BodyForm::base64_json, record::BodyForm::php}) {
        auto endpoint = lead();
        endpoint.body = form;
        sender.queues.clear();
        open(endpoint);
        EXPECT_EQ(post({good_json}).status, 202u);
        auto envelope = record::decode(sender.queue("leads").at(0), Uuid{}, Timestamp{});
        ASSERT_TRUE(envelope.ok()) << envelope.error().what;
        EXPECT_EQ(envelope->fields["email"].text(), "jane@example.com");
        EXPECT_EQ(envelope->raw, good_json);
    }
}

TEST_F(Answers, the_deepest_post_that_is_taken_can_be_read_in_every_form) {
    auto deepest = R"({"email":"jane@example.com","first_name":"Jane","campaign":"auto","deep":)" + std::string(59, '[') + "1" +
                   std::string(59, ']') + "}";
    for (auto form : {record::BodyForm::json, record::BodyForm::base64_json, record::BodyForm::php}) {
        auto endpoint = lead();
        endpoint.body = form;
        sender.queues.clear();
        open(endpoint);
        EXPECT_EQ(post({deepest}).status, 202u);
        auto envelope = record::decode(sender.queue("leads").at(0), Uuid{}, Timestamp{});
        ASSERT_TRUE(envelope.ok()) << envelope.error().what;
        EXPECT_EQ(envelope->raw, deepest);
    }
}

TEST_F(Answers, no_answer_is_given_before_the_sender_says_the_record_is_durable) {
    open(lead());
    sender.hold = true;
    auto token = hand_in({good_json});
    EXPECT_TRUE(sink.answers.empty());
    sender.release();
    EXPECT_EQ(sink.answers.at(token).status, 202u);
}

TEST_F(Answers, a_browser_is_redirected_to_the_thank_you_page) {
    auto endpoint = lead();
    endpoint.form.thanks = "https://quotes.example.com/thank-you?ref={id}";
    open(endpoint);
    auto answer = post({good_form, form_type, {{"Accept", browser_accept}}});
    EXPECT_EQ(answer.status, 303u);
    EXPECT_EQ(header(answer, "Location"), "https://quotes.example.com/thank-you?ref=" + record()["id"].text());
}

TEST_F(Answers, a_browser_gets_our_own_thank_you_page_where_there_is_none) {
    open(lead());
    auto answer = post({good_form, form_type, {{"Accept", browser_accept}}});
    EXPECT_EQ(answer.status, 303u);
    auto page = get(header(answer, "Location"));
    EXPECT_EQ(page.status, 200u);
    EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
    EXPECT_NE(page.body.find("Thank you"), std::string::npos);
    EXPECT_NE(page.body.find(record()["id"].text()), std::string::npos);
}

TEST_F(Answers, a_form_post_from_curl_is_answered_in_json) {
    open(lead());
    EXPECT_EQ(post({good_form, form_type, {{"Accept", "*/*"}}}).status, 202u);
}

TEST_F(Answers, the_same_key_again_gets_the_same_id_and_adds_nothing) {
    open(lead());
    Said said{good_json, "application/json", {{"Idempotency-Key", "\"8e03978e-40d5\""}}};
    auto first = post(said), second = post(said);
    EXPECT_EQ(second.status, 202u);
    EXPECT_EQ(body_of(second)["id"].text(), body_of(first)["id"].text());
    EXPECT_EQ(header(first, "Idempotent-Replayed"), "");
    EXPECT_EQ(header(second, "Idempotent-Replayed"), "true");
    EXPECT_EQ(records(), 1u);
    EXPECT_EQ(parse_uuid(body_of(first)["id"].text())->version(), 8);
}

TEST_F(Answers, the_same_key_with_another_body_gets_a_new_id_and_a_flag) {
    open(lead());
    auto first = post({good_json, "application/json", {{"Idempotency-Key", "k"}}});
    auto second = post({R"({"email":"joe@example.com","first_name":"Joe"})", "application/json", {{"Idempotency-Key", "k"}}});
    EXPECT_EQ(second.status, 202u);
    EXPECT_NE(body_of(second)["id"].text(), body_of(first)["id"].text());
    EXPECT_EQ(json::to_text(body_of(second)["flags"]), R"(["key_reused"])");
    EXPECT_EQ(records(), 2u);
}

TEST_F(Answers, reuse_of_a_key_can_be_refused_and_is_kept) {
    auto endpoint = lead();
    endpoint.idempotency.reuse = Reuse::refuse;
    open(endpoint);
    post({good_json, "application/json", {{"Idempotency-Key", "k"}}});
    auto answer = post({R"({"email":"joe@example.com","first_name":"Joe"})", "application/json", {{"Idempotency-Key", "k"}}});
    EXPECT_EQ(answer.status, 422u);
    EXPECT_EQ(body_of(answer)["code"].text(), "key_reused");
    EXPECT_TRUE(body_of(answer)["kept"].boolean());
    EXPECT_EQ(records(), 1u);
    EXPECT_EQ(quarantined()["code"].text(), "key_reused");
}

TEST_F(Answers, the_same_key_while_the_first_is_under_way_waits_and_gets_the_first_answer) {
    open(lead());
    sender.hold = true;
    Said said{good_json, "application/json", {{"Idempotency-Key", "k"}}};
    auto first = hand_in(said), second = hand_in(said);
    clock.pass(1s);
    intake->tick();
    EXPECT_TRUE(sink.answers.empty());
    sender.release();
    EXPECT_EQ(sink.answers.at(second).status, 202u);
    EXPECT_EQ(sink.answers.at(second).body, sink.answers.at(first).body);
    EXPECT_EQ(header(sink.answers.at(second), "Idempotent-Replayed"), "true");
    EXPECT_EQ(records(), 1u);
}

TEST_F(Answers, the_same_key_is_told_409_after_two_seconds) {
    open(lead());
    sender.hold = true;
    Said said{good_json, "application/json", {{"Idempotency-Key", "k"}}};
    auto first = hand_in(said), second = hand_in(said);
    clock.pass(2s);
    intake->tick();
    EXPECT_FALSE(sink.answers.contains(first));
    EXPECT_EQ(sink.answers.at(second).status, 409u);
    EXPECT_EQ(header(sink.answers.at(second), "Retry-After"), "1");
    sender.release();
    EXPECT_EQ(sink.answers.at(first).status, 202u);
}

TEST_F(Answers, when_the_first_of_a_key_fails_those_who_wait_fail_too) {
    open(lead());
    sender.hold = true;
    Said said{good_json, "application/json", {{"Idempotency-Key", "k"}}};
    auto first = hand_in(said), second = hand_in(said);
    auto held = std::move(sender.held.front());
    held.answer(Failure{broker::Refusal::no_room});
    EXPECT_EQ(sink.answers.at(first).status, 503u);
    EXPECT_EQ(sink.answers.at(second).status, 503u);
}

TEST_F(Answers, malformed_json_is_400_and_kept) {
    open(lead());
    auto answer = post({R"({"email":)"});
    EXPECT_EQ(answer.status, 400u);
    EXPECT_EQ(answer.content_type, "application/problem+json");
    EXPECT_EQ(body_of(answer)["code"].text(), "json_invalid");
    EXPECT_TRUE(body_of(answer)["kept"].boolean());
    EXPECT_EQ(quarantined()["raw"].text(), R"({"email":)");
    EXPECT_EQ(quarantined()["status"].integer(), 400);
    EXPECT_EQ("/v1/records/" + quarantined()["id"].text(), body_of(answer)["instance"].text());
}

TEST_F(Answers, broken_utf8_is_400_with_its_offset_and_kept_bit_exact) {
    open(lead());
    std::string bad = "{\"email\":\"\xff\"}";
    auto answer = post({bad});
    EXPECT_EQ(answer.status, 400u);
    EXPECT_EQ(body_of(answer)["code"].text(), "utf8_invalid");
    EXPECT_NE(body_of(answer)["detail"].text().find("byte 10"), std::string::npos) << answer.body;
    EXPECT_EQ(from_base64(quarantined()["raw_base64"].text()), bad);
}

TEST_F(Answers, a_missing_key_is_401_an_unknown_one_too_and_a_wrong_origin_403_all_kept) {
    auto endpoint = lead();
    endpoint.auth = {"key:website", "site:quotes"};
    open(endpoint, {website()}, {quotes()});
    auto missing = post({good_json});
    EXPECT_EQ(missing.status, 401u);
    EXPECT_EQ(body_of(missing)["code"].text(), "missing_api_key");
    EXPECT_EQ(header(missing, "WWW-Authenticate"), "Bearer realm=\"intake\"");
    auto unknown = post({good_json, "application/json", {{"Authorization", "Bearer ik_live_wrong"}}});
    EXPECT_EQ(unknown.status, 401u);
    EXPECT_EQ(body_of(unknown)["code"].text(), "unknown_api_key");
    auto foreign = post({good_json, "application/json", {{"Origin", "https://evil.example"}}});
    EXPECT_EQ(foreign.status, 403u);
    EXPECT_EQ(body_of(foreign)["code"].text(), "wrong_origin");
    EXPECT_TRUE(body_of(foreign)["kept"].boolean());
    EXPECT_EQ(kept(), 3u);
    EXPECT_EQ(records(), 0u);
}

TEST_F(Answers, strangers_posts_are_kept_only_at_a_rate) {
    auto endpoint = lead();
    endpoint.auth = {"key:website"};
    options.quarantine_unauthorized = {1, 3, false, ""};
    open(endpoint, {website()});
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(body_of(post({good_json}))["kept"].boolean());
    auto fourth = post({good_json});
    EXPECT_EQ(fourth.status, 401u);
    EXPECT_EQ(body_of(fourth)["kept"], json::Value(false));
    clock.pass(1s);
    EXPECT_TRUE(body_of(post({good_json}))["kept"].boolean());
    EXPECT_EQ(kept(), 4u);
}

TEST_F(Answers, a_wrong_path_is_404_and_a_wrong_method_405) {
    open(lead());
    EXPECT_EQ(post({good_json, "application/json", {}, "/v1/nothing"}).status, 404u);
    auto method = get("/v1/lead");
    EXPECT_EQ(method.status, 405u);
    EXPECT_EQ(header(method, "Allow"), "POST, OPTIONS");
}

TEST_F(Answers, a_media_type_that_is_not_taken_is_415) {
    open(lead());
    EXPECT_EQ(post({"<a/>", "application/xml"}).status, 415u);
    EXPECT_EQ(post({good_json, ""}).status, 415u);
    EXPECT_EQ(post({good_json, "application/json; charset=utf-16"}).status, 415u);
    EXPECT_EQ(post({good_json, "application/json; charset=UTF-8"}).status, 202u);
    EXPECT_EQ(post({good_json, "Application/JSON"}).status, 202u);
    auto endpoint = lead();
    endpoint.accepts = {MediaKind::form};
    open(endpoint);
    EXPECT_EQ(post({good_json}).status, 415u);
    EXPECT_EQ(post({good_form, form_type}).status, 202u);
    EXPECT_EQ(kept(), 0u);
}

TEST_F(Answers, a_compressed_body_is_415_and_not_taken_for_text) {
    open(lead());
    for (auto encoding : {"gzip", "br", "gzip, identity", "x"})
        EXPECT_EQ(post({good_json, "application/json", {{"Content-Encoding", encoding}}}).status, 415u) << encoding;
    EXPECT_EQ(post({good_json, "application/json", {{"content-encoding", "Identity"}}}).status, 202u);
    EXPECT_EQ(kept(), 0u);
}

TEST_F(Answers, wrong_fields_are_422_with_a_sentence_for_each_and_kept) {
    open(lead());
    auto answer = post({R"({"email":"jane@@example","state":"Calif","campaign":"auto"})"});
    EXPECT_EQ(answer.status, 422u);
    EXPECT_EQ(errors_of(answer), "email:email_invalid first_name:required state:enum");
    auto body = body_of(answer);
    EXPECT_EQ(body["title"].text(), "3 fields need attention");
    EXPECT_EQ(body["code"].text(), "validation");
    EXPECT_TRUE(body["kept"].boolean());
    EXPECT_EQ(body["errors"].elements()[2]["pointer"].text(), "/state");
    EXPECT_EQ(body["errors"].elements()[2]["detail"].text(), "\"Calif\" is not allowed; did you mean \"CA\"?");
    EXPECT_EQ(quarantined()["errors"].elements().size(), 3u);
    EXPECT_EQ(quarantined()["endpoint"].text(), "lead");
    EXPECT_EQ(quarantined()["ip"].text(), "192.0.2.7");
    EXPECT_EQ(records(), 0u);
}

TEST_F(Answers, a_browser_with_wrong_fields_is_sent_to_the_sites_error_page) {
    auto endpoint = lead();
    endpoint.form.error = "https://quotes.example.com/quote?error={code}&field={field}";
    open(endpoint);
    auto answer = post({"email=jane%40example&first_name=J", form_type, {{"Accept", browser_accept}}});
    EXPECT_EQ(answer.status, 303u);
    EXPECT_EQ(header(answer, "Location"), "https://quotes.example.com/quote?error=email_invalid&field=email");
    EXPECT_EQ(kept(), 1u);
}

TEST_F(Answers, a_browser_with_wrong_fields_gets_the_form_back_with_its_values_escaped) {
    open(lead());
    auto answer =
        post({"email=jane%40example&first_name=%3Cscript%3E%22J%22&state=TX&campaign=%3Cauto%3E", form_type, {{"Accept", browser_accept}}});
    EXPECT_EQ(answer.status, 422u);
    EXPECT_EQ(answer.content_type, "text/html; charset=utf-8");
    EXPECT_NE(answer.body.find("value=\"&lt;script&gt;&quot;J&quot;\""), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find("name=\"campaign\" value=\"&lt;auto&gt;\""), std::string::npos);
    EXPECT_NE(answer.body.find("<option value=\"TX\" selected>Texas"), std::string::npos);
    EXPECT_NE(answer.body.find("not an e-mail address"), std::string::npos);
    EXPECT_EQ(answer.body.find("<script"), std::string::npos);
}

TEST_F(Answers, too_fast_is_429_and_says_when) {
    auto endpoint = lead();
    endpoint.auth = {"site:quotes"};
    auto site = quotes();
    site.rate = *parse_rate("5/m per ip burst 2");
    open(endpoint, {}, {site});
    Said said{good_json, "application/json", {{"Origin", "https://quotes.example.com"}}};
    EXPECT_EQ(post(said).status, 202u);
    EXPECT_EQ(post(said).status, 202u);
    auto answer = post(said);
    EXPECT_EQ(answer.status, 429u);
    EXPECT_EQ(header(answer, "Retry-After"), "12");
    EXPECT_EQ(header(answer, "RateLimit-Policy"), "\"site:quotes\";q=2;w=24");
    EXPECT_EQ(header(answer, "RateLimit"), "\"site:quotes\";r=0;t=12");
    said.client = "192.0.2.8";
    EXPECT_EQ(post(said).status, 202u);
    said.client = "192.0.2.7";
    clock.pass(12s);
    EXPECT_EQ(post(said).status, 202u);
}

TEST_F(Answers, what_cannot_be_made_durable_is_503_and_nothing_is_kept) {
    open(lead());
    for (auto why : {broker::Refusal::no_room, broker::Refusal::overloaded, broker::Refusal::stopping, broker::Refusal::no_such_queue}) {
        sender.refuse = why;
        auto answer = post({good_json});
        EXPECT_EQ(answer.status, 503u);
        EXPECT_EQ(header(answer, "Retry-After"), "5");
        EXPECT_EQ(body_of(answer)["kept"], json::Value(false));
    }
    EXPECT_EQ(records(), 0u);
}

TEST_F(Answers, a_browser_is_told_in_html_what_could_not_be_made_durable) {
    open(lead());
    sender.refuse = broker::Refusal::no_room;
    auto answer = post({good_form, form_type, {{"Accept", browser_accept}}});
    EXPECT_EQ(answer.status, 503u);
    EXPECT_EQ(header(answer, "Retry-After"), "5");
    EXPECT_EQ(answer.content_type, "text/html; charset=utf-8");
    EXPECT_NE(answer.body.find("Back button"), std::string::npos);
}

TEST_F(Answers, a_refused_post_whose_quarantine_is_not_durable_is_told_so) {
    open(lead());
    sender.refuse = broker::Refusal::no_room;
    auto answer = post({R"({"email":"x"})"});
    EXPECT_EQ(answer.status, 422u);
    EXPECT_EQ(body_of(answer)["kept"], json::Value(false));
    EXPECT_TRUE(body_of(answer)["instance"].is_null());
}

TEST_F(Answers, the_quarantine_has_a_cap_and_the_answer_says_when_it_is_reached) {
    options.quarantine_bytes_max = 1000;
    open(lead());
    EXPECT_TRUE(body_of(post({R"({"email":"x"})"}))["kept"].boolean());
    EXPECT_TRUE(body_of(post({R"({"email":"x"})"}))["kept"].boolean());
    EXPECT_EQ(body_of(post({R"({"email":"x"})"}))["kept"], json::Value(false));
    intake->set_quarantine_bytes(0);
    EXPECT_TRUE(body_of(post({R"({"email":"x"})"}))["kept"].boolean());
}

TEST_F(Answers, refused_posts_can_be_discarded) {
    auto endpoint = lead();
    endpoint.on_reject = OnReject::discard;
    open(endpoint);
    EXPECT_EQ(body_of(post({R"({"email":"x"})"}))["kept"], json::Value(false));
    EXPECT_EQ(kept(), 0u);
}

TEST_F(Answers, old_clients_can_be_told_200_and_leadconduits_words) {
    auto endpoint = lead();
    endpoint.ok_status = 200;
    endpoint.dialect = Dialect::leadconduit;
    open(endpoint);
    auto good = post({good_json});
    EXPECT_EQ(good.status, 200u);
    EXPECT_EQ(good.body, R"({"outcome":"success","lead":{"id":")" + record()["id"].text() + R"("},"price":0})");
    auto bad = post({R"({"email":"x","first_name":"J"})"});
    EXPECT_EQ(bad.status, 422u);
    EXPECT_EQ(body_of(bad)["outcome"].text(), "failure");
    EXPECT_EQ(body_of(bad)["reason"].text(), "email: not an e-mail address: it has no @");
}

TEST_F(Answers, every_outcome_is_counted) {
    open(lead());
    post({good_json});
    post({R"({"email":"x"})"});
    post({good_json, "application/json", {{"Idempotency-Key", "k"}}});
    post({good_json, "application/json", {{"Idempotency-Key", "k"}}});
    auto text = registry.prometheus_text();
    for (auto line : {R"(forebay_records_accepted_total{endpoint="lead",durable="journal"} 2)",
                      R"(forebay_records_refused_total{endpoint="lead",code="email_invalid"} 1)",
                      R"(forebay_records_refused_total{endpoint="lead",code="required"} 1)",
                      R"(forebay_records_duplicate_total{endpoint="lead",kind="key"} 1)",
                      R"(forebay_requests_total{endpoint="lead",code="422"} 1)", R"(forebay_requests_total{endpoint="lead",code="202"} 3)"})
        EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
}

}  // namespace
}  // namespace forebay::intake
