// Ids and keys, forms and robots, quarantine and back, receipts and pages.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "intake/answers.h"
#include "intake/identity.h"
#include "intake/signer.h"
#include "tests/unit/intake/desk.h"

namespace forebay::intake {
namespace {

class Records : public Desk {
  protected:
    std::string id_of(const Said& said) { return body_of(post(said))["id"].text(); }
    std::string fields_of(std::string body) {
        auto answer = post({std::move(body)});
        return answer.status == 202 ? json::to_text(json::parse(sender.queue("leads").back())->find("fields")[0]) : "!" + errors_of(answer);
    }
};

TEST_F(Records, one_submission_has_one_id_however_it_is_sent) {
    open(lead());
    auto by_json = id_of({R"({"campaign":"auto","first_name":"Jane","amount":25000,"consent":true,"email":"j@example.com","_id":"k"})"});
    auto by_form = id_of({"_id=k&email=j%40example.com&first_name=Jane&amount=25000&consent=true&campaign=auto", form_type});
    std::string multipart;
    for (auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"email", "j@example.com"},
                                                                                {"first_name", "Jane"},
                                                                                {"amount", "25000"},
                                                                                {"consent", "true"},
                                                                                {"campaign", "auto"},
                                                                                {"_id", "k"}})
        multipart += "--XX\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
    auto by_multipart = id_of({multipart + "--XX--\r\n", "multipart/form-data; boundary=XX"});
    EXPECT_EQ(by_json, by_form);
    EXPECT_EQ(by_json, by_multipart);
    EXPECT_EQ(records(), 1u);
}

class SameContent : public Desk {
  protected:
    void open_with(Another action) {
        auto endpoint = lead();
        endpoint.idempotency.content.fields = {"email", "phone"};
        endpoint.idempotency.content.action = action;
        open(endpoint, {}, {});
    }
    http::Response say(std::string email, std::string key, std::string first_name = "Jane") {
        return post({R"({"email":")" + email + R"(","first_name":")" + first_name + "\"}", "application/json", {{"Idempotency-Key", key}}});
    }
};

TEST_F(SameContent, is_flagged_in_the_answer_and_in_the_record) {
    open_with(Another::flag);
    EXPECT_EQ(json::to_text(body_of(say("jane@example.com", "a"))["flags"]), "[]");
    // Another key, another spelling, another field that does not count: the same lead.
    auto second = say(" JANE@example.com ", "b", "J.");
    EXPECT_EQ(second.status, 202u);
    EXPECT_EQ(json::to_text(body_of(second)["flags"]), R"(["same_content"])");
    EXPECT_NE(body_of(second)["id"].text(), record(0)["id"].text());
    EXPECT_EQ(json::to_text(record(0)["flags"]), "[]");
    EXPECT_EQ(json::to_text(record(1)["flags"]), R"(["same_content"])");
    EXPECT_EQ(record(1)["fields"]["first_name"].text(), "J.");
    EXPECT_EQ(json::to_text(body_of(say("joe@example.com", "c"))["flags"]), "[]");
    // The same key again is what it was.
    EXPECT_EQ(header(say("joe@example.com", "c"), "Idempotent-Replayed"), "true");
    EXPECT_EQ(records(), 3u);
}

TEST_F(SameContent, is_merged_with_the_first) {
    open_with(Another::merge);
    auto first = say("jane@example.com", "a");
    auto second = say("jane@example.com", "b");
    EXPECT_EQ(second.status, 202u);
    EXPECT_EQ(body_of(second)["id"].text(), body_of(first)["id"].text());
    EXPECT_EQ(header(second, "Idempotent-Replayed"), "true");
    EXPECT_EQ(records(), 1u);
    EXPECT_EQ(kept(), 0u);
}

TEST_F(SameContent, is_refused_and_kept) {
    open_with(Another::refuse);
    say("jane@example.com", "a");
    auto second = say("jane@example.com", "b");
    EXPECT_EQ(second.status, 422u);
    EXPECT_EQ(body_of(second)["code"].text(), "same_content");
    EXPECT_EQ(body_of(second)["kept"].boolean(), true);
    EXPECT_EQ(quarantined()["code"].text(), "same_content");
    EXPECT_EQ(records(), 1u);
}

TEST_F(SameContent, of_nothing_is_not_recognised) {
    auto endpoint = lead();
    endpoint.idempotency.content = {{"phone", "state"}, 24h, Another::merge};
    open(endpoint, {}, {});
    for (auto key : {"a", "b"}) EXPECT_EQ(header(say("jane@example.com", key), "Idempotent-Replayed"), "");
    EXPECT_EQ(records(), 2u);
}

TEST_F(SameContent, counts_fields_that_are_there) {
    options.secret = "s";
    options.endpoints = {lead()};
    options.endpoints[0].idempotency.content.fields = {"emial"};
    auto opened = Intake::open(options, sender, clock, entropy);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error(), "endpoint.lead.idempotency.content.fields: there is no field \"emial\" in this endpoint");
}

TEST_F(SameContent, whoever_waited_for_a_refused_post_is_refused_too) {
    auto endpoint = lead();
    endpoint.idempotency.reuse = Reuse::refuse;
    open(endpoint, {}, {});
    say("jane@example.com", "a");
    sender.hold = true;
    Said other{R"({"email":"joe@example.com","first_name":"Joe"})", "application/json", {{"Idempotency-Key", "a"}}};
    auto first = hand_in(other), second = hand_in(other);
    sender.release();
    sender.release();
    EXPECT_EQ(sink.answers[first].status, 422u);
    EXPECT_EQ(sink.answers[second].status, 422u);
    EXPECT_EQ(records(), 1u);
}

TEST_F(Records, a_header_and_a_field_are_the_same_key) {
    open(lead());
    auto a = id_of({good_json, "application/json", {{"Idempotency-Key", "\"k\""}}});
    auto b = id_of({good_json.substr(0, good_json.size() - 1) + R"(,"_id":"k"})"});
    EXPECT_EQ(a, b);
    EXPECT_EQ(record()["fields"].find("_id"), nullptr);
}

TEST_F(Records, another_caller_or_endpoint_makes_another_id_of_the_same_key) {
    auto a = identity_with_key("key:website", "lead", "k", "x").id;
    EXPECT_NE(a, identity_with_key("key:other", "lead", "k", "x").id);
    EXPECT_NE(a, identity_with_key("key:website", "other", "k", "x").id);
    EXPECT_NE(a, identity_with_key("key:websitel", "ead", "k", "x").id);
    EXPECT_EQ(a, identity_with_key("key:website", "lead", "k", "x").id);
}

TEST_F(Records, a_balancers_request_id_is_a_key_only_if_the_balancer_is_trusted) {
    open(lead());
    Said said{good_json, "application/json", {{"X-Forebay-Request", "r-1"}}};
    EXPECT_NE(id_of(said), id_of(said));
    said.from_trusted_proxy = true;
    EXPECT_EQ(id_of(said), id_of(said));
    EXPECT_EQ(records(), 3u);
    said.headers.push_back({"Idempotency-Key", "k"});
    auto with_key = id_of(said);
    said.headers[0].second = "r-2";
    EXPECT_EQ(id_of(said), with_key);
}

TEST_F(Records, a_key_that_is_too_long_or_has_control_characters_is_400) {
    open(lead());
    EXPECT_EQ(post({good_json, "application/json", {{"Idempotency-Key", std::string(256, 'k')}}}).status, 400u);
    EXPECT_EQ(post({good_form + "&_id=a%0Ab", form_type}).status, 400u);
    EXPECT_EQ(post({good_json, "application/json", {{"Idempotency-Key", std::string(255, 'k')}}}).status, 202u);
}

TEST_F(Records, the_window_is_the_endpoints) {
    auto endpoint = lead();
    endpoint.idempotency.window = 24h;
    open(endpoint);
    sender.hold = true;
    hand_in({good_json, "application/json", {{"Idempotency-Key", "k"}}});
    EXPECT_EQ(sender.held.front().once->window, Duration(24h));
    EXPECT_EQ(to_text(sender.held.front().once->record),
              to_text(*parse_uuid(json::parse(sender.held.front().message.body)->find("id")->text())));
}

TEST_F(Records, aliases_are_other_names_for_a_field_but_not_together) {
    open(lead());
    EXPECT_EQ(fields_of(R"({"email":"j@example.com","fname":"Jane"})"), R"({"email":"j@example.com","first_name":"Jane"})");
    EXPECT_EQ(post({R"({"email":"j@example.com","fname":"Jane","first":"Jane"})"}).status, 400u);
}

TEST_F(Records, empty_fields_are_as_good_as_not_sent) {
    open(lead());
    EXPECT_EQ(fields_of(R"({"email":"j@example.com","first_name":"J","state":"","amount":null,"zip":""})"),
              R"({"email":"j@example.com","first_name":"J"})");
    EXPECT_EQ(fields_of(R"({"email":"","first_name":null})"), "!email:required first_name:required");
}

TEST_F(Records, fields_without_a_rule_are_kept_dropped_or_refused) {
    auto endpoint = lead();
    std::string body = R"({"email":"j@example.com","first_name":"J","x":[1,{"y":2}],"n":1.50,"z":null})";
    open(endpoint);
    EXPECT_EQ(fields_of(body), R"({"email":"j@example.com","first_name":"J","x":[1,{"y":2}],"n":1.50,"z":null})");
    endpoint.unknown = Unknown::drop;
    open(endpoint);
    EXPECT_EQ(fields_of(body), R"({"email":"j@example.com","first_name":"J"})");
    endpoint.unknown = Unknown::refuse;
    open(endpoint);
    EXPECT_EQ(fields_of(body), "!x:unknown_field n:unknown_field z:unknown_field");
}

TEST_F(Records, cleaned_values_have_the_types_of_their_fields) {
    open(lead());
    EXPECT_EQ(
        fields_of(
            R"({"email":" J@Example.com","phone":"(212) 555-0123","first_name":"J","state":"ca","zip":"94105","amount":"25000","consent":"yes","trustedform_cert":"https://cert.trustedform.com/a","lead_value":"18.50"})"),
        R"({"email":"j@example.com","phone":"+12125550123","first_name":"J","state":"CA","zip":"94105","amount":25000,"consent":true,"trustedform_cert":"https://cert.trustedform.com/a","lead_value":18.50})");
}

TEST_F(Records, the_value_at_stake_is_the_endpoints_unless_a_field_says_another) {
    auto endpoint = lead();
    endpoint.value = "42.00";
    endpoint.currency = "USD";
    open(endpoint);
    post({good_json});
    EXPECT_EQ(record()["value"].text(), "42.00");
    EXPECT_EQ(record()["currency"].text(), "USD");
    post({R"({"email":"j@example.com","first_name":"J","lead_value":18.5})"});
    EXPECT_EQ(record(1)["value"].text(), "18.5");
}

TEST_F(Records, an_extension_that_was_left_off_is_flagged) {
    open(lead());
    auto answer = post({R"({"email":"j@example.com","first_name":"J","phone":"212-555-0123 x9"})"});
    EXPECT_EQ(json::to_text(body_of(answer)["flags"]), R"(["extension_dropped"])");
    EXPECT_EQ(json::to_text(record()["flags"]), R"(["extension_dropped"])");
}

TEST_F(Records, a_filled_honeypot_looks_accepted_and_goes_to_quarantine) {
    auto endpoint = lead();
    endpoint.form.honeypot = "_gotcha";
    open(endpoint);
    auto answer = post({good_form + "&_gotcha=spam", form_type});
    EXPECT_EQ(answer.status, 202u);
    EXPECT_EQ(body_of(answer)["outcome"].text(), "accepted");
    EXPECT_EQ(records(), 0u);
    EXPECT_EQ(quarantined()["code"].text(), "honeypot");
    Signer signer(options.secret);
    EXPECT_FALSE(signer.is_receipt(body_of(answer)["receipt"].text(), *parse_uuid(body_of(answer)["id"].text()), "lead",
                                   sha256(good_form + "&_gotcha=spam")));
    EXPECT_EQ(post({good_form + "&_gotcha=", form_type}).status, 202u);
    EXPECT_EQ(records(), 1u);
}

TEST_F(Records, a_robot_hears_nothing_good_before_its_post_is_kept) {
    auto endpoint = lead();
    endpoint.form.honeypot = "_gotcha";
    open(endpoint);
    sender.refuse = broker::Refusal::no_room;
    EXPECT_EQ(post({good_form + "&_gotcha=spam", form_type}).status, 503u);
}

TEST_F(Records, a_form_sent_sooner_than_a_person_can_goes_to_quarantine) {
    auto endpoint = lead();
    endpoint.form.min_time = 2s;
    open(endpoint);
    Signer signer(options.secret);
    auto token = signer.token(clock.wall(), "lead");
    EXPECT_EQ(post({good_form + "&_token=" + token, form_type}).status, 202u);
    EXPECT_EQ(records(), 0u);
    EXPECT_EQ(quarantined()["code"].text(), "too_quick");
    clock.pass(2s);
    EXPECT_EQ(post({good_form + "&_token=" + token, form_type}).status, 202u);
    EXPECT_EQ(records(), 1u);
}

TEST_F(Records, a_token_that_is_forged_or_old_is_flagged_and_not_refused) {
    auto endpoint = lead();
    endpoint.auth = {"site:quotes"};
    open(endpoint, {}, {quotes()});
    Signer signer(options.secret);
    auto old = signer.token(clock.wall(), "lead");
    clock.pass(3h);
    Said said{good_form + "&_token=" + old, form_type, {{"Origin", "https://quotes.example.com"}}};
    EXPECT_EQ(json::to_text(body_of(post(said))["flags"]), R"(["token_expired"])");
    said.body = good_form + "&_token=1789999391482.forged";
    EXPECT_EQ(json::to_text(body_of(post(said))["flags"]), R"(["token_invalid"])");
    said.body = good_form + "&_token=" + signer.token(clock.wall(), "other");
    EXPECT_EQ(json::to_text(body_of(post(said))["flags"]), R"(["token_invalid"])");
}

TEST_F(Records, next_is_obeyed_at_listed_hosts_only) {
    auto endpoint = lead();
    endpoint.form.thanks = "https://quotes.example.com/thanks";
    endpoint.form.next_hosts = {"quotes.example.com"};
    open(endpoint);
    auto to = [&](std::string next) {
        return header(post({good_form + "&_next=" + http::percent_encode(next), form_type, {{"Accept", browser_accept}}}), "Location");
    };
    EXPECT_EQ(to("https://quotes.example.com/done?x=1"), "https://quotes.example.com/done?x=1");
    for (auto bad : {"https://evil.example/", "//evil.example/", "https://quotes.example.com@evil.example/",
                     "https://quotes.example.com.evil.example/", "javascript:alert(1)", "/relative",
                     "https://evil.example\\.quotes.example.com", "https://quotes.example.com/\r\nSet-Cookie: x=1"})
        EXPECT_EQ(to(bad), "https://quotes.example.com/thanks") << bad;
}

TEST_F(Records, a_refused_post_is_readmitted_under_todays_rules_with_its_id) {
    open(lead());
    post({R"({"email":"j@example.com"})"});
    auto body = sender.queue("forebay-quarantine").at(0);
    EXPECT_EQ(intake->check_again(body).outcome, ReadmitResult::Outcome::still_refused);
    auto mended = options;
    mended.endpoints[0].fields[2].required = false;
    ASSERT_TRUE(intake->reload(mended).ok());
    EXPECT_EQ(intake->check_again(body).outcome, ReadmitResult::Outcome::would_pass);
    EXPECT_EQ(records(), 0u);
    clock.pass(24h);
    std::optional<ReadmitResult> result;
    sender.hold = true;
    intake->readmit(body, [&](ReadmitResult r) { result = std::move(r); });
    EXPECT_FALSE(result) << "readmitted before it was durable";
    sender.hold = false;
    sender.release();
    EXPECT_EQ(result->outcome, ReadmitResult::Outcome::readmitted);
    EXPECT_EQ(to_text(result->id), quarantined()["id"].text());
    EXPECT_EQ(record()["id"].text(), quarantined()["id"].text());
    EXPECT_EQ(record()["received_at"].text(), "2026-09-21T14:03:11.482Z");
    EXPECT_EQ(json::to_text(record()["flags"]), R"(["readmitted"])");
    intake->readmit(body, [&](ReadmitResult r) { result = std::move(r); });
    EXPECT_EQ(result->outcome, ReadmitResult::Outcome::readmitted);
    EXPECT_EQ(records(), 1u) << "readmitting twice adds nothing";
}

TEST_F(Records, readmitting_says_what_stands_in_the_way) {
    open(lead());
    post({R"({"email":"jane@@example","first_name":"J"})"});
    auto body = sender.queue("forebay-quarantine").at(0);
    auto result = intake->check_again(body);
    EXPECT_EQ(result.errors.at(0).code, "email_invalid");
    for (auto bad : {"", "{}", "[1]", "not json", R"({"v":2})"})
        EXPECT_EQ(intake->check_again(bad).outcome, ReadmitResult::Outcome::unreadable) << bad;
    auto gone = options;
    gone.endpoints.clear();
    ASSERT_TRUE(intake->reload(gone).ok());
    EXPECT_EQ(intake->check_again(body).what, "the endpoint \"lead\" is not configured any more");
    ASSERT_TRUE(intake->reload(options).ok());
    sender.refuse = broker::Refusal::no_room;
    auto mended = options;
    mended.endpoints[0].fields[0].type = FieldType::string;
    ASSERT_TRUE(intake->reload(mended).ok());
    std::optional<ReadmitResult> sent;
    intake->readmit(body, [&](ReadmitResult r) { sent = std::move(r); });
    EXPECT_EQ(sent->outcome, ReadmitResult::Outcome::not_sent);
    EXPECT_EQ(sent->what, "the disk is full");
}

TEST_F(Records, a_refused_post_with_a_key_is_kept_once) {
    open(lead());
    Said said{R"({"email":"x"})", "application/json", {{"Idempotency-Key", "k"}}};
    auto first = post(said), second = post(said);
    EXPECT_TRUE(body_of(second)["kept"].boolean());
    EXPECT_EQ(body_of(first)["instance"], body_of(second)["instance"]);
    EXPECT_EQ(kept(), 1u);
}

TEST_F(Records, a_receipt_can_be_fetched_and_checked) {
    open(lead());
    auto given = body_of(post({good_json}));
    auto id = given["id"].text();
    EXPECT_EQ(get("/v1/records/" + id + "/receipt").status, 404u);
    intake->set_find_record([&](const Uuid& wanted, UniqueFunction<void(std::optional<std::string>)> done) {
        done(to_text(wanted) == id ? std::optional(sender.queue("leads").at(0)) : std::nullopt);
    });
    auto answer = get("/v1/records/" + id + "/receipt");
    EXPECT_EQ(answer.status, 200u);
    EXPECT_EQ(body_of(answer)["receipt"].text(), given["receipt"].text());
    EXPECT_EQ(get("/v1/records/00000000-0000-7000-8000-000000000000/receipt").status, 404u);
    EXPECT_EQ(get("/v1/records/x/receipt").status, 404u);
    EXPECT_EQ(get("/v1/records//receipt").status, 404u);
}

TEST_F(Records, receipts_prove_what_they_say_and_nothing_else) {
    Signer signer("secret"), other("other");
    auto id = make_uuid_v7(clock.wall(), entropy);
    auto hash = sha256("body");
    std::string receipt;
    signer.append_receipt(receipt, clock.wall(), id, "lead", hash);
    EXPECT_TRUE(signer.is_receipt(receipt, id, "lead", hash));
    EXPECT_FALSE(signer.is_receipt(receipt, id, "lead2", hash));
    EXPECT_FALSE(signer.is_receipt(receipt, make_uuid_v7(clock.wall(), entropy), "lead", hash));
    EXPECT_FALSE(signer.is_receipt(receipt, id, "lead", sha256("other")));
    EXPECT_FALSE(other.is_receipt(receipt, id, "lead", hash));
    auto later = receipt;
    later[5] = '0';
    EXPECT_FALSE(signer.is_receipt(later, id, "lead", hash));
    for (auto bad : {"", "v1,", "v1,x", "v2,1,sha256:,hmac:", "v1,99999999999999999999,sha256:"})
        EXPECT_FALSE(signer.is_receipt(bad, id, "lead", hash)) << bad;
}

TEST_F(Records, the_hmac_is_the_standard_one) {
    std::string receipt;
    Signer signer("secret");
    signer.append_receipt(receipt, Timestamp{1000}, Uuid{}, "lead", sha256(""));
    auto key = sha256("secret");
    auto mac = hmac_sha256({reinterpret_cast<const char*>(key.data()), key.size()},
                           "receipt\n1\n00000000-0000-0000-0000-000000000000\nlead\n" + to_hex(sha256("")));
    EXPECT_TRUE(receipt.ends_with(",hmac:" + to_base64url({reinterpret_cast<const char*>(mac.data()), mac.size()}))) << receipt;
}

TEST_F(Records, the_demo_form_can_be_filled_in_and_sent) {
    options.demo_endpoint = "lead";
    auto endpoint = lead();
    endpoint.form.honeypot = "_gotcha";
    open(endpoint);
    auto page = get("/demo");
    EXPECT_EQ(page.status, 200u);
    for (auto part : {"<form method=\"post\"", "action=\"/v1/lead\"", "type=\"email\" id=\"f-email\" name=\"email\" aria-required=\"true\"",
                      "type=\"tel\"", "<option value=\"CA\">California</option>", "type=\"checkbox\" value=\"true\"", "name=\"_gotcha\"",
                      "<label for=\"f-first_name\">First name", "lang=\"en\"", "name=\"_id\""})
        EXPECT_NE(page.body.find(part), std::string::npos) << part;
    EXPECT_EQ(page.body.find("<script"), std::string::npos);
    EXPECT_NE(header(page, "Content-Security-Policy").find("default-src 'none'"), std::string::npos);
    auto id_in = [](const std::string& html) { return html.substr(html.find("name=\"_id\" value=\"") + 18, 36); };
    EXPECT_TRUE(parse_uuid(id_in(page.body)));
    EXPECT_NE(id_in(page.body), id_in(get("/demo").body));
}

TEST_F(Records, pages_are_not_served_where_there_is_no_demo) {
    open(lead());
    EXPECT_FALSE(intake->serves("/demo"));
    EXPECT_EQ(get("/demo").status, 404u);
    EXPECT_TRUE(intake->serves("/v1/lead"));
    EXPECT_FALSE(intake->serves("/v1/lead/x"));
}

TEST_F(Records, a_token_is_given_to_forms) {
    auto endpoint = lead();
    endpoint.auth = {"site:quotes"};
    open(endpoint, {}, {quotes()});
    auto answer = post({"", "", {{"Origin", "https://quotes.example.com"}}, "/v1/token?site=quotes", "GET"});
    EXPECT_EQ(answer.status, 200u);
    EXPECT_EQ(Signer(options.secret).time_of_token(body_of(answer)["token"].text(), "lead"), clock.wall());
    EXPECT_EQ(header(answer, "Access-Control-Allow-Origin"), "https://quotes.example.com");
    EXPECT_EQ(get("/v1/token?site=none").status, 404u);
}

TEST_F(Records, accept_headers_are_weighed) {
    EXPECT_TRUE(prefers_html(browser_accept));
    EXPECT_FALSE(prefers_html(""));
    EXPECT_FALSE(prefers_html("*/*"));
    EXPECT_FALSE(prefers_html("application/json"));
    EXPECT_FALSE(prefers_html("application/json, text/html;q=0.5"));
    EXPECT_FALSE(prefers_html("text/html;q=0"));
    EXPECT_TRUE(prefers_html("text/html, application/json;q=0.9"));
}

TEST_F(Records, templates_are_filled_percent_encoded) {
    EXPECT_EQ(fill_template("https://a/?e={code}&f={field}&x={y}&i={id}", "i", "lead", "too_long", "a&b=\r\n"),
              "https://a/?e=too_long&f=a%26b%3D%0D%0A&x={y}&i=i");
}

/// Whatever comes in: a 2xx or a redirect to thanks only after the sender said ok, one answer for each post,
/// and as many records as acceptances that were not replays.
RC_GTEST_FIXTURE_PROP(Records, nothing_is_called_accepted_before_it_is_durable, ()) {
    sink.answers.clear();
    sender = TestSender();
    auto endpoint = lead();
    endpoint.form.honeypot = "_gotcha";
    open(endpoint);
    sender.hold = true;
    std::vector<std::uint64_t> tokens;
    auto posts = *rc::gen::inRange(1, 12);
    for (int i = 0; i < posts; ++i) {
        Said said{
            *rc::gen::element(good_json, std::string("{}"), std::string("{"), good_form, good_form + "&_gotcha=x", std::string("\xff")),
            *rc::gen::element(std::string("application/json"), form_type, std::string("text/plain"))};
        if (*rc::gen::arbitrary<bool>()) said.headers.push_back({"Idempotency-Key", *rc::gen::element(std::string("a"), std::string("b"))});
        if (*rc::gen::arbitrary<bool>()) said.headers.push_back({"Accept", browser_accept});
        tokens.push_back(hand_in(said));
    }
    auto is_good = [](const http::Response& response) { return response.status == 202 || (response.status == 303); };
    for (auto& [token, answer] : sink.answers) RC_ASSERT(!is_good(answer));
    bool durable = *rc::gen::arbitrary<bool>();
    std::size_t acceptances = 0;
    if (durable) {
        sender.release();
    } else {
        while (!sender.held.empty()) {
            auto send = std::move(sender.held.front());
            sender.held.pop_front();
            send.answer(Failure{broker::Refusal::no_room});
        }
    }
    for (auto token : tokens) {
        RC_ASSERT(sink.answers.contains(token));
        auto& answer = sink.answers.at(token);
        RC_ASSERT(durable || !is_good(answer));
        acceptances += is_good(answer) && header(answer, "Idempotent-Replayed").empty();
    }
    RC_ASSERT(records() + (kept() > 0 ? kept() : 0) >= acceptances);
    RC_ASSERT(records() <= acceptances);
}

}  // namespace
}  // namespace forebay::intake
