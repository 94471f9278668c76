#include "sqs/client/client.h"

#include <gtest/gtest.h>

#include <functional>
#include <mutex>

#include "base/digest.h"
#include "http/server.h"
#include "sqs/claim.h"
#include "sqs/message_attributes.h"
#include "testing/manual_clock.h"
#include "testing/seeded_entropy.h"

namespace forebay::sqs::client {
namespace {

using Kind = ClientError::Kind;

/// A server on the loopback interface that answers what a test says, one answer after the other, the last one for ever.
struct Endpoint {
    struct Scripted {
        unsigned status = 200;
        std::string body;
        bool is_silent = false;  ///< never answers
    };
    std::vector<Scripted> answers;
    std::function<void(const http::Request&)> look = [](const auto&) {};
    std::vector<std::string> actions;
    std::vector<json::Value> asked;
    std::vector<http::Responder> unanswered;
    std::unique_ptr<http::Server> server;

    explicit Endpoint(std::vector<Scripted> given) : answers(std::move(given)) {
        http::ServerOptions options;
        options.body_bytes_max = 8_MiB;
        auto opened = http::Server::open(std::move(options),
                                         [this](const auto& request, http::Responder responder) { answer(request, std::move(responder)); });
        server = std::move(*opened);
    }
    ~Endpoint() {
        unanswered.clear();
        server->stop();
    }
    void answer(const http::Request& request, http::Responder responder) {
        look(request);
        auto target = request.find("x-amz-target");
        actions.emplace_back(target.substr(target.find('.') + 1));
        asked.push_back(json::parse(request.body).value());
        const auto& scripted = answers.at(std::min(asked.size(), answers.size()) - 1);
        if (scripted.is_silent) return unanswered.push_back(std::move(responder));
        http::Response response;
        response.status = scripted.status;
        response.body = scripted.body;
        response.headers.emplace_back("x-amzn-RequestId", "r-" + std::to_string(asked.size()));
        responder(std::move(response));
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(server->port()); }
    std::size_t entries_in(std::size_t call) const { return asked.at(call)["Entries"].elements().size(); }
};

/// Counts how often a pause was drawn: once before every further try.
struct CountingEntropy final : Entropy {
    unsigned drawn = 0;
    void fill(std::span<unsigned char> out) override {
        ++drawn;
        std::fill(out.begin(), out.end(), 0);
    }
};

struct Asking {
    testing::ManualClock clock;
    CountingEntropy entropy;
    ClientOptions options;
    std::optional<Credentials> credentials;
    std::optional<Client> client;

    explicit Asking(const std::string& url) { options.endpoint_url = url; }
    Client& operator()() {
        if (!client) client.emplace(options, credentials, clock, entropy);
        return *client;
    }
};

constexpr const char* queue_url = "http://elsewhere/1/q";

queue::OutgoingMessage message(std::string body, MessageAttributes attributes = {}) {
    queue::OutgoingMessage out;
    out.body = std::move(body);
    out.attributes = std::move(attributes);
    return out;
}

std::string sent(const std::vector<queue::OutgoingMessage>& messages) {
    auto list = json::Value::array();
    for (std::size_t i = 0; i < messages.size(); ++i) {
        auto entry = json::Value::object();
        entry.set("Id", std::to_string(i)).set("MessageId", "m").set("MD5OfMessageBody", to_hex(md5(messages[i].body)));
        if (auto digest = md5_of(messages[i].attributes)) entry.set("MD5OfMessageAttributes", *digest);
        list.push(std::move(entry));
    }
    return json::to_text(json::Value::object().set("Successful", std::move(list)));
}

std::string succeeded(std::size_t count) {
    auto list = json::Value::array();
    for (std::size_t i = 0; i < count; ++i) list.push(json::Value::object().set("Id", std::to_string(i)));
    return json::to_text(json::Value::object().set("Successful", std::move(list)));
}

std::string error_body(std::string_view shape) {
    return R"({"__type":"com.amazonaws.sqs#)" + std::string(shape) + R"(","message":"sorry"})";
}

std::string received(std::string_view body, std::string_view digest) {
    auto element = json::Value::object();
    element.set("MessageId", "m-1").set("ReceiptHandle", "h").set("Body", body).set("MD5OfBody", digest);
    auto list = json::Value::array();
    list.push(std::move(element));
    return json::to_text(json::Value::object().set("Messages", std::move(list)));
}

// ---- trying again

TEST(SqsClientTries, what_is_throttled_is_asked_again_until_it_is_done) {
    Endpoint server({{400, error_body("RequestThrottled")}, {503, ""}, {200, R"({})"}});
    Asking ask(server.url());
    EXPECT_TRUE(ask().receive(queue_url, {}).ok());
    EXPECT_EQ(server.asked.size(), 3u);
    EXPECT_EQ(ask.entropy.drawn, 2u);
}

TEST(SqsClientTries, they_have_an_end) {
    Endpoint server({{500, error_body("InternalError")}});
    Asking ask(server.url());
    std::vector<std::string> handles{"h"};
    auto outcomes = ask().remove(queue_url, handles);
    ASSERT_FALSE(outcomes.at(0).ok());
    EXPECT_EQ(outcomes[0].error().kind, Kind::unreachable);
    EXPECT_EQ(server.asked.size(), ask.options.limits.tries_max);
}

TEST(SqsClientTries, there_is_none_when_the_time_is_up) {
    Endpoint server({{503, ""}});
    Asking ask(server.url());
    ask.options.limits.total_max = 0ms;
    EXPECT_FALSE(ask().receive(queue_url, {}).ok());
    EXPECT_EQ(server.asked.size(), 1u);
}

TEST(SqsClientTries, a_receive_that_may_have_been_carried_out_is_not_asked_again) {
    Endpoint server({{500, error_body("InternalError")}});
    Asking ask(server.url());
    EXPECT_FALSE(ask().receive(queue_url, {}).ok());
    EXPECT_EQ(server.asked.size(), 1u);
    Endpoint silent({{.body = {}, .is_silent = true}});
    Asking other(silent.url());
    other.options.answer_deadline = 50ms;
    auto late = other().receive(queue_url, {});
    ASSERT_FALSE(late.ok());
    EXPECT_EQ(late.error().kind, Kind::unreachable);
    EXPECT_EQ(other.entropy.drawn, 0u);
}

TEST(SqsClientTries, a_send_without_an_answer_is_sent_again) {
    std::vector<queue::OutgoingMessage> messages{message("x")};
    Endpoint server({{.body = {}, .is_silent = true}, {200, sent(messages)}});
    Asking ask(server.url());
    ask.options.answer_deadline = 100ms;
    EXPECT_TRUE(ask().send(queue_url, messages).at(0).ok());
    EXPECT_EQ(server.asked.size(), 2u);
}

TEST(SqsClientTries, a_server_that_is_not_there_is_asked_again) {
    std::string url;
    {
        Endpoint gone({{200, "{}"}});
        url = gone.url();
    }
    Asking ask(url);
    auto none = ask().receive(queue_url, {});
    ASSERT_FALSE(none.ok());
    EXPECT_EQ(none.error().kind, Kind::unreachable);
    EXPECT_EQ(ask.entropy.drawn, ask.options.limits.tries_max - 1);
}

TEST(SqsClientTries, our_own_fault_is_told_at_once) {
    Endpoint server({{400, error_body("QueueDoesNotExist")}});
    Asking ask(server.url());
    auto refused = ask().receive(queue_url, {});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, Kind::refused);
    EXPECT_EQ(server.asked.size(), 1u);
    EXPECT_EQ(to_text(refused.error()), "queue q at " + server.url() + ": ReceiveMessage: QueueDoesNotExist: sorry (request r-1)");
}

TEST(SqsClientTries, pauses_double_up_to_a_bound) {
    TryLimits limits;
    limits.pause_first = 100ms;
    limits.pause_max = 1s;
    EXPECT_EQ(pause_bound(1, limits), 100ms);
    EXPECT_EQ(pause_bound(2, limits), 200ms);
    EXPECT_EQ(pause_bound(4, limits), 800ms);
    EXPECT_EQ(pause_bound(5, limits), 1s);
    EXPECT_EQ(pause_bound(4000000000u, limits), 1s);
}

// ---- batches

TEST(SqsClientBatches, no_more_than_ten_entries_go_at_once) {
    Endpoint server({{200, succeeded(10)}, {200, succeeded(10)}, {200, succeeded(5)}});
    Asking ask(server.url());
    auto outcomes = ask().remove(queue_url, std::vector<std::string>(25, "h"));
    EXPECT_TRUE(std::all_of(outcomes.begin(), outcomes.end(), [](auto& outcome) { return outcome.ok(); }));
    ASSERT_EQ(server.asked.size(), 3u);
    EXPECT_EQ(server.entries_in(0), 10u);
    EXPECT_EQ(server.entries_in(2), 5u);
}

TEST(SqsClientBatches, no_more_than_a_mebibyte_goes_at_once) {
    std::vector<queue::OutgoingMessage> messages{message(std::string(1_MiB - 2, 'x')), message("y", {{"n", "String", "v"}}), message("z")};
    Endpoint server({{200, sent({messages[0]})}, {200, sent({messages[1], messages[2]})}});
    Asking ask(server.url());
    for (auto& outcome : ask().send(queue_url, messages)) EXPECT_TRUE(outcome.ok());
    ASSERT_EQ(server.asked.size(), 2u);
    EXPECT_EQ(server.entries_in(0), 1u);
}

TEST(SqsClientBatches, only_entries_that_failed_are_tried_again) {
    Endpoint server({{200, R"({"Successful":[{"Id":"0"}],"Failed":[{"Id":"1","Code":"InternalError","SenderFault":false},
                              {"Id":"2","Code":"ReceiptHandleIsInvalid","Message":"no","SenderFault":true}]})"},
                     {200, succeeded(1)}});
    Asking ask(server.url());
    std::vector<std::string> handles{"first", "second", "third"};
    auto outcomes = ask().remove(queue_url, handles);
    EXPECT_TRUE(outcomes.at(0).ok());
    EXPECT_TRUE(outcomes.at(1).ok());
    ASSERT_FALSE(outcomes.at(2).ok());
    EXPECT_EQ(outcomes[2].error().kind, Kind::refused);
    EXPECT_EQ(outcomes[2].error().code, "ReceiptHandleIsInvalid");
    ASSERT_EQ(server.entries_in(1), 1u);
    EXPECT_EQ(server.asked[1]["Entries"].elements()[0]["ReceiptHandle"].text(), "second");
}

TEST(SqsClientBatches, an_entry_the_answer_does_not_speak_of_has_failed) {
    Endpoint server({{200, succeeded(1)}, {200, R"({"Successful":[{"Id":"7"},{}]})"}});
    Asking ask(server.url());
    std::vector<std::string> handles{"first", "second"};
    auto outcomes = ask().remove(queue_url, handles);
    EXPECT_TRUE(outcomes.at(0).ok());
    ASSERT_FALSE(outcomes.at(1).ok());
    EXPECT_EQ(outcomes[1].error().kind, Kind::damaged);
    EXPECT_EQ(outcomes[1].error().message, "the answer says nothing of entry 1");
}

TEST(SqsClientBatches, after_one_that_failed_as_a_whole_no_other_is_tried) {
    Endpoint server({{400, error_body("QueueDoesNotExist")}});
    Asking ask(server.url());
    auto outcomes = ask().remove(queue_url, std::vector<std::string>(25, "h"));
    ASSERT_EQ(outcomes.size(), 25u);
    for (auto& outcome : outcomes) EXPECT_EQ(outcome.error().code, "QueueDoesNotExist");
    EXPECT_EQ(server.asked.size(), 1u);
}

// ---- digests and other damage

TEST(SqsClientDigests, a_body_that_arrived_otherwise_is_an_error_of_its_entry) {
    std::vector<queue::OutgoingMessage> messages{message("x"), message("y", {{"n", "String", "v"}}), message("z")};
    Endpoint server({{200, sent({message("other"), message("y"), message("z")})}});
    Asking ask(server.url());
    auto outcomes = ask().send(queue_url, messages);
    EXPECT_EQ(outcomes.at(0).error().kind, Kind::damaged);
    EXPECT_EQ(outcomes.at(0).error().message, "entry 0: its body did not arrive as it was sent");
    EXPECT_EQ(outcomes.at(1).error().message, "entry 1: its attributes did not arrive as they were sent");
    EXPECT_TRUE(outcomes.at(2).ok());
    EXPECT_EQ(server.asked.size(), 1u);
}

TEST(SqsClientDigests, a_message_that_is_not_what_its_digest_says_fails_the_receive) {
    Endpoint server({{200, received("body", to_hex(md5("body")))}, {200, received("bodi", to_hex(md5("body")))}});
    Asking ask(server.url());
    auto sound = ask().receive(queue_url, {});
    ASSERT_TRUE(sound.ok()) << to_text(sound.error());
    EXPECT_EQ(sound->at(0).body, "body");
    auto damaged = ask().receive(queue_url, {});
    ASSERT_FALSE(damaged.ok());
    EXPECT_EQ(damaged.error().kind, Kind::damaged);
    EXPECT_EQ(damaged.error().message, "message m-1: its body is not what its MD5 says");
    EXPECT_EQ(damaged.error().request_id, "r-2");
}

TEST(SqsClientDigests, attributes_that_nobody_vouches_for_fail_the_receive) {
    auto element = R"({"Messages":[{"MessageId":"m-1","ReceiptHandle":"h","Body":"b","MD5OfBody":")" + to_hex(md5("b")) +
                   R"(","MessageAttributes":{"n":{"DataType":"String","StringValue":"v"}}}]})";
    Endpoint server({{200, element}});
    Asking ask(server.url());
    auto damaged = ask().receive(queue_url, {});
    ASSERT_FALSE(damaged.ok());
    EXPECT_EQ(damaged.error().message, "message m-1: its attributes are not what their MD5 says");
}

TEST(SqsClientDigests, an_answer_that_is_no_json_is_an_error) {
    Endpoint server({{200, "<html>"}});
    Asking ask(server.url());
    auto damaged = ask().receive(queue_url, {});
    ASSERT_FALSE(damaged.ok());
    EXPECT_EQ(damaged.error().kind, Kind::damaged);
}

TEST(SqsClientDigests, an_answer_without_end_is_an_error) {
    Endpoint server({{200, std::string(64_MiB + 1, ' ')}});
    Asking ask(server.url());
    auto damaged = ask().receive(queue_url, {});
    ASSERT_FALSE(damaged.ok());
    EXPECT_EQ(damaged.error().kind, Kind::damaged);
    EXPECT_EQ(damaged.error().message, "the answer has more than 67108864 bytes");
    EXPECT_EQ(server.asked.size(), 1u);
}

// ---- where a queue is

TEST(SqsClientQueues, the_url_of_a_name_is_asked_once) {
    Endpoint server({{200, R"({"QueueUrl":"http://inside:9324/1/leads"})"}, {200, "{}"}, {200, "{}"}});
    Asking ask(server.url());
    EXPECT_TRUE(ask().receive("leads", {}).ok());
    EXPECT_TRUE(ask().receive("leads", {}).ok());
    EXPECT_EQ(server.actions, (std::vector<std::string>{"GetQueueUrl", "ReceiveMessage", "ReceiveMessage"}));
    EXPECT_EQ(server.asked[0]["QueueName"].text(), "leads");
    EXPECT_EQ(server.asked[2]["QueueUrl"].text(), "http://inside:9324/1/leads");
}

TEST(SqsClientQueues, the_url_is_asked_again_once_the_queue_is_not_there) {
    Endpoint server({{200, R"({"QueueUrl":"http://a/1/leads"})"},
                     {400, error_body("QueueDoesNotExist")},
                     {200, R"({"QueueUrl":"http://b/1/leads"})"},
                     {200, "{}"}});
    Asking ask(server.url());
    EXPECT_FALSE(ask().receive("leads", {}).ok());
    EXPECT_TRUE(ask().receive("leads", {}).ok());
    EXPECT_EQ(server.asked[3]["QueueUrl"].text(), "http://b/1/leads");
}

TEST(SqsClientQueues, a_thousand_urls_are_kept) {
    Endpoint server({{200, R"({"QueueUrl":"http://a/1/q"})"}});
    Asking ask(server.url());
    auto asked_for_url = [&](int name) {
        const auto before = std::count(server.actions.begin(), server.actions.end(), "GetQueueUrl");
        EXPECT_TRUE(ask().receive("q" + std::to_string(name), {}).ok());
        return std::count(server.actions.begin(), server.actions.end(), "GetQueueUrl") > before;
    };
    for (int name = 0; name < 1000; ++name) EXPECT_TRUE(asked_for_url(name));
    EXPECT_FALSE(asked_for_url(0));
    EXPECT_TRUE(asked_for_url(1000));
    EXPECT_TRUE(asked_for_url(0)) << "all were forgotten to make room";
}

// ---- signatures

TEST(SqsClientSignature, every_request_is_signed_anew) {
    Endpoint server({{503, ""}, {200, "{}"}});
    Asking ask(server.url());
    ask.credentials = Credentials{"AKID", "secret", "token"};
    ask.options.region = "eu-west-1";
    std::vector<std::string> problems;
    SigningKeys keys;
    server.look = [&](const http::Request& request) {
        auto claim = read_claim(request, {.region = "eu-west-1"}, ask.clock.wall());
        if (!claim.ok()) return problems.push_back(claim.error().message);
        if (claim->key_id != "AKID" || claim->session_token != "token") problems.emplace_back("another key");
        if (!is_signed_with(request, *claim, "secret", keys)) problems.emplace_back("signature");
        if (is_signed_with(request, *claim, "guess", keys)) problems.emplace_back("any secret will do");
        const auto& names = claim->signed_headers;
        for (auto name : {"host", "x-amz-target", "content-type", "x-forebay-attempt"})
            if (!std::binary_search(names.begin(), names.end(), name)) problems.emplace_back(name);
        ask.clock.advance(1s);
    };
    std::vector<HandleTimeout> changes{{"h", 0s}};
    EXPECT_FALSE(ask().change_visibility(queue_url, changes, {{"x-forebay-attempt", "3"}}).at(0).ok());  // "{}" speaks of no entry
    EXPECT_EQ(problems, std::vector<std::string>());
    EXPECT_EQ(server.asked.size(), 3u);
}

TEST(SqsClientSignature, without_credentials_there_is_none) {
    Endpoint server({{200, "{}"}});
    Asking ask(server.url());
    std::string authorization = "none";
    server.look = [&](const http::Request& request) { authorization = request.find("authorization"); };
    EXPECT_TRUE(ask().receive(queue_url, {}).ok());
    EXPECT_EQ(authorization, "");
}

TEST(SqsClientSignature, the_path_of_the_endpoint_is_signed) {
    Endpoint server({{200, "{}"}});
    Asking ask(server.url() + "/below/here");
    ask.credentials = Credentials{"AKID", "secret", {}};
    bool is_good = false;
    SigningKeys keys;
    server.look = [&](const http::Request& request) {
        auto claim = read_claim(request, {}, ask.clock.wall());
        is_good = claim.ok() && request.path == "/below/here" && is_signed_with(request, *claim, "secret", keys);
    };
    EXPECT_TRUE(ask().receive(queue_url, {}).ok());
    EXPECT_TRUE(is_good);
}

}  // namespace
}  // namespace forebay::sqs::client
