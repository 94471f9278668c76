// Who may post: keys, sites, CORS, rates.

#include <algorithm>
#include <ctime>

#include "http/text.h"
#include "intake/credentials.h"
#include "intake/rate_limiter.h"
#include "tests/unit/intake/desk.h"

namespace forebay::intake {
namespace {

class Auth : public Desk {
  protected:
    void open_guarded() {
        auto endpoint = lead();
        endpoint.auth = {"key:website", "site:quotes"};
        endpoint.key_id_field = "api_id";
        endpoint.key_secret_field = "api_key";
        open(endpoint, {website()}, {quotes()});
    }
    unsigned with(std::vector<std::pair<std::string, std::string>> headers) {
        return post({good_json, "application/json", std::move(headers)}).status;
    }
};

TEST_F(Auth, a_key_comes_as_bearer_or_as_id_and_key) {
    open_guarded();
    EXPECT_EQ(with({{"Authorization", "Bearer ik_live_secret"}}), 202u);
    EXPECT_EQ(with({{"authorization", "bearer  ik_live_secret"}}), 202u);
    EXPECT_EQ(with({{"X-Api-Id", "website"}, {"X-Api-Key", "ik_live_secret"}}), 202u);
    EXPECT_EQ(with({{"X-Api-Id", "other"}, {"X-Api-Key", "ik_live_secret"}}), 401u);
    EXPECT_EQ(with({{"X-Api-Id", "website"}, {"X-Api-Key", "ik_live_secre"}}), 401u);
    EXPECT_EQ(with({{"Authorization", "Basic aWtfbGl2ZV9zZWNyZXQ="}}), 401u);
    EXPECT_EQ(with({{"Authorization", "Bearer "}}), 401u);
    EXPECT_EQ(with({{"Authorization", "Bearer ik_live_secret extra"}}), 401u);
}

TEST_F(Auth, what_decides_something_is_said_once) {
    open_guarded();
    std::string bearer = "Bearer ik_live_secret";
    Said good{good_json, "application/json", {{"Authorization", bearer}}};
    for (auto [name, value] : {std::pair<std::string, std::string>{"AUTHORIZATION", bearer},
                               {"Content-Type", "application/json"},
                               {"Idempotency-Key", "a"},
                               {"X-Api-Id", "website"},
                               {"X-Api-Key", "ik_live_secret"},
                               {"Origin", "https://quotes.example.com"},
                               {"Referer", "https://quotes.example.com/"},
                               {"Content-Encoding", "identity"},
                               {"X-Forebay-Request", "a"}}) {
        auto said = good;
        said.headers.emplace_back(name, value);
        if (name != "AUTHORIZATION" && name != "Content-Type") said.headers.emplace_back(name, value);
        auto answer = post(said);
        EXPECT_EQ(answer.status, 400u) << name;
        EXPECT_EQ(body_of(answer)["code"].text(), "duplicate_header") << name;
        EXPECT_TRUE(http::equals_ignoring_case(body_of(answer)["detail"].text(), "the header " + name + " may be given once"));
        EXPECT_EQ(body_of(answer)["kept"].boolean(), true) << name;
    }
    EXPECT_EQ(records(), 0u);
    EXPECT_EQ(quarantined()["raw"].text(), good_json);
    // What is a list may come in several lines.
    good.headers.insert(good.headers.end(), {{"Accept", "application/json"}, {"Accept", "*/*"}, {"X-Other", "1"}, {"X-Other", "1"}});
    EXPECT_EQ(post(good).status, 202u);
}

TEST_F(Auth, the_endpoints_own_key_header_is_said_once) {
    auto endpoint = lead();
    endpoint.idempotency.header = "X-Lead-Ref";
    open(endpoint);
    EXPECT_EQ(post({good_json, "application/json", {{"X-Lead-Ref", "a"}, {"x-lead-ref", "b"}}}).status, 400u);
    EXPECT_EQ(post({good_json, "application/json", {{"Idempotency-Key", "a"}, {"Idempotency-Key", "b"}}}).status, 202u);
}

TEST_F(Auth, a_key_comes_in_named_fields_and_is_not_kept) {
    open_guarded();
    EXPECT_EQ(post({good_form + "&api_id=website&api_key=ik_live_secret", form_type}).status, 202u);
    EXPECT_EQ(record()["raw"].text(), good_form + "&api_id=website&api_key=**************");
    EXPECT_EQ(json::to_text(record()["fields"]), R"({"email":"jane@example.com","first_name":"Jane","campaign":"auto"})");
    EXPECT_EQ(post({R"({"email":"j@example.com","first_name":"J","api_id":"website","api_key":"ik_live_secret"})"}).status, 202u);
    EXPECT_EQ(sender.queue("leads")[1].find("ik_live_secret"), std::string::npos);
    EXPECT_EQ(post({good_form + "&api_id=other&api_key=ik_live_secret", form_type}).status, 401u);
    EXPECT_EQ(post({good_form + "&api_key=ik_live_secret", form_type}).status, 401u);
    EXPECT_EQ(post({"email=x&api_id=website&api_key=ik_live_secret", form_type}).status, 422u);
    EXPECT_EQ(sender.queue("forebay-quarantine").size(), 3u);
    for (auto& kept : sender.queue("forebay-quarantine")) EXPECT_EQ(kept.find("ik_live_secret"), std::string::npos) << kept;
    // What was sent as a key and cannot be one is covered at its place only: the letters of a post are not its secret.
    EXPECT_EQ(post({good_form + "&api_id=website&api_key=e", form_type}).status, 401u);
    EXPECT_EQ(quarantined(3)["raw"].text(), good_form + "&api_id=website&api_key=*");
}

TEST_F(Auth, a_key_that_comes_twice_over_is_kept_in_neither_place) {
    open_guarded();
    Said said{good_form + "&api_id=website&api_key=ik_live_secret", form_type, {{"Authorization", "Bearer ik_live_secret"}}};
    EXPECT_EQ(post(said).status, 202u);
    EXPECT_EQ(record()["raw"].text(), good_form + "&api_id=website&api_key=**************");
    said = {good_form + "&api_id=website&api_key=ik%5Flive_secret", form_type};
    EXPECT_EQ(post(said).status, 202u);
    EXPECT_EQ(record(1)["raw"].text(), good_form + "&api_id=website&api_key=****************");
}

TEST_F(Auth, a_key_in_a_body_that_cannot_be_read_is_not_kept) {
    open_guarded();
    const std::string multipart = "multipart/form-data; boundary=b", json = "application/json";
    const std::string key = "ik_live_secret", part = "--b\r\nContent-Disposition: form-data; name=\"api_key\"\r\n\r\n" + key;
    for (auto [type, body, status] :
         {std::tuple<std::string, std::string, unsigned>{json, R"({"api_key":")" + key + R"(","email":})", 400u},
          {json, R"({"email":"x","api_key":")" + key, 400u},
          {json, "{'api_key': '" + key + "'}", 400u},
          {json, R"({"api_key":")" + key + R"(","api_key":")" + key + R"("})", 400u},
          {json, "api_id=website&api_key=" + key, 400u},
          {form_type, "api_key=" + key + "&x=%ff", 400u},
          {form_type, R"({"api_id":"website","api_key":")" + key + R"("})", 401u},
          {form_type, "api_key=" + key + "&api_key=" + key, 400u},
          {multipart, part, 400u},
          {multipart, part + "\r\n" + part + "\r\n--b--", 400u},
          {"multipart/form-data; boundary=other", part + "\r\n--b--", 400u}}) {
        auto before = kept();
        EXPECT_EQ(post({body, type}).status, status) << body;
        ASSERT_EQ(kept(), before + 1) << body;
        auto found = sender.queue("forebay-quarantine")[before];
        EXPECT_EQ(found.find(key), std::string::npos) << found;
        EXPECT_NE(found.find("***"), std::string::npos) << found;
    }
}

TEST_F(Auth, a_key_that_comes_as_a_list_is_not_kept) {
    open_guarded();
    const std::string multipart = "multipart/form-data; boundary=b", key = "ik_live_secret";
    auto part = [](std::string name, const std::string& value) {
        return "--b\r\nContent-Disposition: form-data; name=" + std::move(name) + "\r\n\r\n" + value + "\r\n";
    };
    auto lead = part("\"email\"", "j@example.com") + part("\"first_name\"", "J");
    for (auto [type, body] : {std::pair{form_type, good_form + "&api_id=website&api_key[]=" + key},
                              {form_type, good_form + "&api_id=website&api_key%5B%5D=" + key},
                              {form_type, good_form + "&api_key%5b%5d=" + key + "&api_key[]=" + key},
                              {multipart, lead + part("\"api_key[]\"", key) + "--b--"},
                              {multipart, lead + part("\"api_key\"; filename=\"a\"", key) + "--b--"},
                              {"application/json", R"({"email":"j@example.com","first_name":"J","api_key":[")" + key + R"("]})"}}) {
        auto refused = kept(), accepted = records();
        EXPECT_EQ(post({body, type}).status, 401u) << body;
        ASSERT_EQ(kept(), refused + 1) << body;
        EXPECT_EQ(sender.queue("forebay-quarantine")[refused].find(key), std::string::npos) << body;
        EXPECT_EQ(post({body, type, {{"Authorization", "Bearer " + key}}}).status, 202u) << body;
        ASSERT_EQ(records(), accepted + 1) << body;
        EXPECT_EQ(sender.queue("leads")[accepted].find(key), std::string::npos) << body;
    }
}

TEST_F(Auth, a_key_is_covered_in_linear_time_however_long_it_is) {
    open_guarded();
    auto cost = [&](std::size_t bytes) {
        Said said{"api_id=website&api_key=" + std::string(bytes, 'a') + "b&x=" + std::string(2 * bytes, 'a'), form_type};
        double least = 1e9;
        for (int i = 0; i < 3; ++i) {
            auto since = std::clock();
            EXPECT_EQ(post(said).status, 401u);
            least = std::min(least, static_cast<double>(std::clock() - since));
        }
        return std::max(least, 1.0);
    };
    auto least = cost(10'000);
    EXPECT_LT(cost(8 * 10'000), 4 * 8 * least) << "eight times as long must not take 32 times as long";
    EXPECT_EQ(quarantined()["raw"].text().find("aab"), std::string::npos);
}

TEST_F(Auth, copies_of_what_no_key_is_as_long_as_stay) {
    open_guarded();
    for (auto [bytes, copies_stay] : {std::pair<std::size_t, bool>{1024, false}, {1025, true}}) {
        std::string key(bytes, 'a'), covered(bytes, '*');
        auto before = kept();
        EXPECT_EQ(post({"x=" + key + "&api_id=website&api_key=" + key, form_type}).status, 401u);
        EXPECT_EQ(quarantined(before)["raw"].text(), "x=" + (copies_stay ? key : covered) + "&api_id=website&api_key=" + covered);
    }
}

TEST_F(Auth, a_refused_text_that_speaks_of_a_key_stays_what_it_was) {
    auto endpoint = lead();
    endpoint.auth = {"key:website"};
    endpoint.key_secret_field = "key";
    open(endpoint, {website()});
    const std::string body = R"({"note":"my key: abc","email":"x","more":"the key=","last":"my key:"})";
    EXPECT_EQ(post({body, "application/json", {{"Authorization", "Bearer ik_live_secret"}}}).status, 422u);
    EXPECT_EQ(quarantined()["raw"].text(), body);
    auto next = options;
    next.endpoints[0].fields.clear();
    ASSERT_TRUE(intake->reload(next).ok());
    EXPECT_EQ(intake->check_again(sender.queue("forebay-quarantine").at(0)).outcome, ReadmitResult::Outcome::would_pass);
}

TEST_F(Auth, a_robot_that_fills_in_a_key_leaves_it_nowhere) {
    auto endpoint = lead();
    endpoint.auth = {"key:website"};
    endpoint.key_id_field = "api_id";
    endpoint.key_secret_field = "api_key";
    endpoint.form.honeypot = "_gotcha";
    open(endpoint, {website()});
    EXPECT_EQ(post({good_form + "&_gotcha=x&api_id=website&api_key=ik_live_secret", form_type}).status, 202u);
    EXPECT_EQ(sender.queue("forebay-quarantine").at(0).find("ik_live_secret"), std::string::npos);
}

TEST_F(Auth, a_page_of_a_listed_origin_may_post_and_no_other) {
    open_guarded();
    for (auto good : {"https://quotes.example.com", "https://www.quotes.example.com", "https://a.b.quotes.example.com"})
        EXPECT_EQ(with({{"Origin", good}}), 202u) << good;
    for (auto bad : {"http://quotes.example.com", "https://quotes.example.com:8443", "https://quotes.example.com.evil.example",
                     "https://evilquotes.example.com", "https://.quotes.example.com", "https://evil.example/.quotes.example.com",
                     "https://evil.example#.quotes.example.com", "https://a@b.quotes.example.com", "null", "https://QUOTES.example.com"})
        EXPECT_EQ(with({{"Origin", bad}}), 403u) << bad;
}

TEST_F(Auth, the_page_itself_stands_for_the_origin_where_a_browser_says_only_that) {
    open_guarded();
    EXPECT_EQ(with({{"Referer", "https://quotes.example.com/quote?x=1"}}), 202u);
    EXPECT_EQ(with({{"Referer", "https://evil.example/https://quotes.example.com"}}), 403u);
    EXPECT_EQ(origin_of_url("https://a.example:8443/x"), "https://a.example:8443");
    EXPECT_EQ(origin_of_url("about:blank"), "");
}

TEST_F(Auth, the_record_and_the_quarantine_know_who_posted) {
    open_guarded();
    post({R"({"email":"x"})", "application/json", {{"Authorization", "Bearer ik_live_secret"}}});
    EXPECT_EQ(quarantined()["key"].text(), "key:website");
}

TEST_F(Auth, preflight_is_answered_for_listed_origins_only) {
    open_guarded();
    auto ask = [&](std::string origin) {
        return post({"", "", {{"Origin", std::move(origin)}, {"Access-Control-Request-Method", "POST"}}, "/v1/lead", "OPTIONS"});
    };
    auto good = ask("https://www.quotes.example.com");
    EXPECT_EQ(good.status, 204u);
    EXPECT_EQ(header(good, "Access-Control-Allow-Origin"), "https://www.quotes.example.com");
    EXPECT_EQ(header(good, "Access-Control-Allow-Methods"), "POST");
    EXPECT_EQ(header(good, "Access-Control-Allow-Headers"), "Content-Type, Idempotency-Key");
    EXPECT_EQ(header(good, "Vary"), "Origin");
    auto bad = ask("https://evil.example");
    EXPECT_EQ(bad.status, 403u);
    EXPECT_EQ(header(bad, "Access-Control-Allow-Origin"), "");
}

TEST_F(Auth, a_listed_page_may_read_every_answer) {
    open_guarded();
    Said said{good_json, "application/json", {{"Origin", "https://quotes.example.com"}}};
    EXPECT_EQ(header(post(said), "Access-Control-Allow-Origin"), "https://quotes.example.com");
    said.body = "{}";
    auto refused = post(said);
    EXPECT_EQ(refused.status, 422u);
    EXPECT_EQ(header(refused, "Access-Control-Allow-Origin"), "https://quotes.example.com");
    said.headers = {{"Origin", "https://evil.example"}};
    EXPECT_EQ(header(post(said), "Access-Control-Allow-Origin"), "");
}

TEST_F(Auth, configuration_that_contradicts_itself_is_refused) {
    auto refused = [&](std::vector<std::string> auth, std::vector<Key> keys) {
        options.endpoints = {lead()};
        options.endpoints[0].auth = std::move(auth);
        options.keys = std::move(keys);
        options.secret = "s";
        auto opened = Intake::open(options, sender, clock, entropy);
        return opened.ok() ? "" : opened.error();
    };
    EXPECT_EQ(refused({"key:other"}, {website()}), "endpoint.lead.auth: there is no \"key:other\"");
    auto elsewhere = website();
    elsewhere.endpoints = {"other"};
    EXPECT_EQ(refused({"key:website"}, {elsewhere}), "endpoint.lead.auth: key.website.endpoints does not list this endpoint");
    auto damaged = website();
    damaged.hash = "md5:1234";
    EXPECT_EQ(refused({"key:website"}, {damaged}), "key.website.hash: must be \"sha256:\" and 64 hex digits");
    EXPECT_EQ(refused({"key:website"}, {website()}), "");
}

TEST_F(Auth, a_reload_changes_the_rules_and_a_bad_one_changes_nothing) {
    open(lead());
    auto next = options;
    next.endpoints[0].fields[0].required = false;
    next.endpoints[0].path = "/v2/lead";
    ASSERT_TRUE(intake->reload(next).ok());
    EXPECT_EQ(post({R"({"first_name":"J"})", "application/json", {}, "/v2/lead"}).status, 202u);
    EXPECT_EQ(post({good_json}).status, 404u);
    next.endpoints[0].queue = "";
    EXPECT_FALSE(intake->reload(next).ok());
    EXPECT_TRUE(intake->serves("/v2/lead"));
}

TEST_F(Auth, a_post_under_way_keeps_the_rules_it_came_with) {
    open(lead());
    sender.hold = true;
    auto token = hand_in({good_json});
    auto next = options;
    next.endpoints.clear();
    ASSERT_TRUE(intake->reload(next).ok());
    sender.release();
    EXPECT_EQ(sink.answers.at(token).status, 202u);
}

TEST(RateLimiter, refills_with_time_and_counts_clients_apart) {
    RateLimiter limiter(1000, 7);
    auto rate = *parse_rate("2/s per ip burst 2");
    Instant now{0};
    EXPECT_TRUE(limiter.take(rate, "a", "192.0.2.1", now).allowed);
    EXPECT_TRUE(limiter.take(rate, "a", "192.0.2.1", now).allowed);
    auto third = limiter.take(rate, "a", "192.0.2.1", now);
    EXPECT_FALSE(third.allowed);
    EXPECT_EQ(third.retry_after_s, 1);
    EXPECT_TRUE(limiter.take(rate, "a", "192.0.2.2", now).allowed);
    EXPECT_TRUE(limiter.take(rate, "b", "192.0.2.1", now).allowed);
    EXPECT_TRUE(limiter.take(rate, "a", "192.0.2.1", now + 500ms).allowed);
    EXPECT_FALSE(limiter.take(rate, "a", "192.0.2.1", now + 500ms).allowed);
}

TEST(RateLimiter, one_ipv6_client_is_its_network) {
    EXPECT_EQ(client_network("2001:db8:1:2::1"), client_network("2001:db8:1:2:ffff::9"));
    EXPECT_NE(client_network("2001:db8:1:2::1"), client_network("2001:db8:1:3::1"));
    EXPECT_EQ(client_network("192.0.2.1"), "192.0.2.1");
}

TEST(RateLimiter, its_table_is_bounded) {
    RateLimiter limiter(100, 7);
    auto rate = *parse_rate("1/h per ip burst 1");
    for (int i = 0; i < 10'000; ++i)
        EXPECT_TRUE(limiter.take(rate, "a", "10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256), Instant{i}).allowed);
    EXPECT_LE(limiter.size(), 100u);
}

}  // namespace
}  // namespace forebay::intake
