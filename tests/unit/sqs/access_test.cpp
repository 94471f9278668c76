// Who may do what: keys, what they are granted, and every action of the API asked by keys of little right.
#include "sqs/access.h"

#include <gtest/gtest.h>

#include "port.h"
#include "sqs/action.h"

namespace forebay::sqs {
namespace {

TEST(Grant, is_a_verb_on_queues_and_nothing_else) {
    EXPECT_EQ(*parse_grant("send:leads"), (Grant{Verb::send, "leads"}));
    EXPECT_EQ(*parse_grant("delete:a-*"), (Grant{Verb::remove, "a-*"}));
    EXPECT_EQ(*parse_grant("*:q.fifo"), (Grant{std::nullopt, "q.fifo"}));
    for (const auto* wrong : {"", "send", "send:", "write:q", ":q", "look:q", "Send:q", "send:q r", "send:q,r", "send:q:r"})
        EXPECT_FALSE(parse_grant(wrong).ok()) << wrong;
    for (const auto* text : {"send:leads", "receive:*", "delete:a-*", "admin:q", "*:*"}) EXPECT_EQ(to_text(*parse_grant(text)), text);
}

TEST(Grant, a_pattern_covers_a_whole_name) {
    EXPECT_TRUE(matches("orders-*", "orders-"));
    EXPECT_TRUE(matches("*-dead", "leads-dead"));
    EXPECT_TRUE(matches("a*b*c", "a-b-b-c"));
    EXPECT_TRUE(matches("a?c", "abc"));
    EXPECT_FALSE(matches("orders-*", "orders"));
    EXPECT_FALSE(matches("leads", "leads2"));
    EXPECT_FALSE(matches("leads", "lead"));
    EXPECT_FALSE(matches("a*b*c", "a-c-b"));
    EXPECT_FALSE(matches("", "a"));
    EXPECT_TRUE(matches("*", ""));
}

TEST(Grant, any_verb_on_a_queue_lets_look_at_it) {
    AccessKey key{"k", "K", "", {{Verb::send, "leads"}, {Verb::receive, "orders-*"}}};
    EXPECT_TRUE(key.may(Verb::send, "leads"));
    EXPECT_FALSE(key.may(Verb::receive, "leads"));
    EXPECT_TRUE(key.may(Verb::look, "orders-1"));
    EXPECT_FALSE(key.may(Verb::look, "other"));
    EXPECT_FALSE(key.may(Verb::admin, "leads"));
    EXPECT_FALSE((AccessKey{"k", "K", "", {}}.may(Verb::look, "leads")));
}

/// A port that verifies, and signs what it is asked as one of its keys.
struct SignedPort : testing::Test {
    FakeBroker broker;
    SystemClock clock;
    Port port{broker, {}, rules()};
    std::vector<std::pair<std::string, std::string>> added;

    static AccessRules rules() {
        auto secret = [](char c) { return std::string(20, c); };
        return {true,
                {{"all", "ALL", secret('a'), {{std::nullopt, "*"}}},
                 {"other", "OTHER", secret('o'), {{std::nullopt, "other"}}},
                 {"sender", "SENDER", secret('s'), {{Verb::send, "q"}}},
                 {"receiver", "RECEIVER", secret('r'), {{Verb::receive, "q"}}},
                 {"remover", "REMOVER", secret('d'), {{Verb::remove, "q"}}},
                 {"admin", "ADMIN", secret('m'), {{Verb::admin, "q"}}}}};
    }
    http::Response ask(const std::string& id, const std::string& action, std::string_view body) {
        auto target = "AmazonSQS." + action;
        auto request = Port::json_request(target, body);
        Credentials who;
        for (auto& key : rules().keys)
            if (key.id == id) who = {key.id, key.secret, ""};
        SigningKeys keys;
        added = sign({request.method, request.path, "", request.headers, {}, {}}, body, who, "us-east-1", "sqs", clock.wall(), keys);
        for (auto& [name, value] : added) request.headers.push_back({name, value});
        return port.ask(std::move(request));
    }
    bool is_denied(const std::string& id, const std::string& action, std::string_view body) {
        auto answer = ask(id, action, body);
        return answer.status == 403 && Port::header(answer, "x-amzn-query-error") == "AccessDenied;Sender";
    }
    void SetUp() override { ASSERT_EQ(ask("ALL", "CreateQueue", R"({"QueueName":"q"})").status, 200u); }
};

/// What each action needs beside the queue to come as far as the queue.
std::string members_of(std::string_view action) {
    std::string more;
    if (action == "CreateQueue" || action == "GetQueueUrl") return R"({"QueueName":"q"})";
    if (action == "StartMessageMoveTask" || action == "ListMessageMoveTasks")
        return R"({"SourceArn":"arn:aws:sqs:us-east-1:123456789012:q"})";
    if (action == "CancelMessageMoveTask") {
        auto handle = R"({"taskId":"00000000-0000-4000-8000-000000000000","sourceArn":"arn:aws:sqs:us-east-1:123456789012:q"})";
        return R"({"TaskHandle":")" + to_base64(handle) + "\"}";
    }
    return R"({"QueueUrl":"q"})";
}

TEST_F(SignedPort, no_action_touches_a_queue_that_its_key_is_not_granted) {
    for (const auto& action : actions()) {
        if (action.name == "ListQueues") continue;  // names no queue
        auto name = std::string(action.name);
        EXPECT_TRUE(is_denied("OTHER", name, members_of(action.name))) << name;
        EXPECT_FALSE(is_denied("ALL", name, members_of(action.name))) << name;
    }
}

TEST_F(SignedPort, each_verb_allows_its_own_actions_and_looking) {
    const std::map<Verb, std::string> holders = {
        {Verb::send, "SENDER"}, {Verb::receive, "RECEIVER"}, {Verb::remove, "REMOVER"}, {Verb::admin, "ADMIN"}};
    for (const auto& action : actions())
        for (const auto& [verb, id] : holders) {
            if (action.name == "DeleteQueue" || action.name == "ListQueues") continue;
            bool expected = action.verb != Verb::look && action.verb != verb;
            EXPECT_EQ(is_denied(id, std::string(action.name), members_of(action.name)), expected) << id << " " << action.name;
        }
}

TEST_F(SignedPort, a_refusal_says_who_may_not_do_what) {
    EXPECT_EQ(Port::brief(ask("SENDER", "ReceiveMessage", R"({"QueueUrl":"q"})")),
              "403 AccessDeniedException: User: arn:aws:iam::123456789012:user/sender is not authorized to perform: sqs:receivemessage on "
              "resource: arn:aws:sqs:us-east-1:123456789012:q because no identity-based policy allows the sqs:receivemessage action");
}

TEST_F(SignedPort, only_queues_that_a_key_may_see_are_listed) {
    ASSERT_EQ(ask("ALL", "CreateQueue", R"({"QueueName":"other"})").status, 200u);
    auto urls = [&](const std::string& id) { return (*json::parse(ask(id, "ListQueues", "{}").body))["QueueUrls"].elements().size(); };
    EXPECT_EQ(urls("ALL"), 2u);
    EXPECT_EQ(urls("SENDER"), 1u);
}

TEST_F(SignedPort, dead_letters_go_only_where_their_key_may_send) {
    ASSERT_EQ(ask("ALL", "CreateQueue", R"({"QueueName":"other"})").status, 200u);
    auto policy = [](std::string_view queue) {
        return R"({"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:123456789012:)" + std::string(queue) +
               R"(\",\"maxReceiveCount\":3}"})";
    };
    EXPECT_TRUE(is_denied("ADMIN", "SetQueueAttributes", R"({"QueueUrl":"q","Attributes":)" + policy("other") + "}"));
    EXPECT_TRUE(is_denied("OTHER", "CreateQueue", R"({"QueueName":"other","Attributes":)" + policy("q") + "}"));
    EXPECT_FALSE(is_denied("ALL", "SetQueueAttributes", R"({"QueueUrl":"q","Attributes":)" + policy("other") + "}"));
    EXPECT_TRUE(is_denied("ADMIN", "StartMessageMoveTask",
                          R"({"SourceArn":"arn:aws:sqs:us-east-1:123456789012:q",)"
                          R"("DestinationArn":"arn:aws:sqs:us-east-1:123456789012:other"})"));
}

TEST_F(SignedPort, a_policy_grants_and_denies_beside_what_keys_are_granted) {
    auto set = [&](const std::string& statement) {
        auto text = json::to_text(json::Value(statement.empty() ? "" : R"({"Statement":)" + statement + "}"));
        return ask("ADMIN", "SetQueueAttributes", R"({"QueueUrl":"q","Attributes":{"Policy":)" + text + "}}").status;
    };
    const auto send = R"({"QueueUrl":"q","MessageBody":"x"})", look = R"({"QueueUrl":"q"})";
    EXPECT_EQ(set(R"({"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/receiver"},"Action":"sqs:SendMessage"})"), 200u);
    EXPECT_FALSE(is_denied("RECEIVER", "SendMessage", send));
    EXPECT_FALSE(is_denied("RECEIVER", "SendMessageBatch", look));
    EXPECT_TRUE(is_denied("REMOVER", "SendMessage", send));
    EXPECT_TRUE(is_denied("RECEIVER", "PurgeQueue", look));
    EXPECT_EQ(set(R"({"Effect":"Deny","Principal":"*","Action":"*"})"), 200u);
    EXPECT_EQ(Port::brief(ask("ALL", "SendMessage", send)),
              "403 AccessDeniedException: User: arn:aws:iam::123456789012:user/all is not authorized to perform: sqs:sendmessage on "
              "resource: arn:aws:sqs:us-east-1:123456789012:q with an explicit deny in a resource-based policy");
    EXPECT_TRUE(is_denied("ADMIN", "GetQueueAttributes", look));
    EXPECT_TRUE(is_denied("SENDER", "SetQueueAttributes", R"({"QueueUrl":"q","Attributes":{"Policy":""}})"));
    EXPECT_EQ(set(""), 200u);
    EXPECT_FALSE(is_denied("SENDER", "SendMessage", send));
}

TEST_F(SignedPort, a_queues_policy_goes_with_it) {
    const auto made =
        R"({"QueueName":"q","Attributes":{"Policy":"{\"Statement\":{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"sqs:SendMessage\"}}"}})";
    const auto send = R"({"QueueUrl":"q","MessageBody":"x"})";
    ASSERT_EQ(ask("ALL", "DeleteQueue", R"({"QueueUrl":"q"})").status, 200u);
    ASSERT_EQ(ask("ALL", "CreateQueue", made).status, 200u);
    EXPECT_TRUE(is_denied("ALL", "SendMessage", send));
    ASSERT_EQ(ask("ALL", "DeleteQueue", R"({"QueueUrl":"q"})").status, 200u);
    ASSERT_EQ(ask("ALL", "CreateQueue", R"({"QueueName":"q"})").status, 200u);
    EXPECT_FALSE(is_denied("ALL", "SendMessage", send));
}

TEST_F(SignedPort, a_policy_that_cannot_be_read_denies) {
    Gatekeeper gate(clock, rules(), "123456789012");
    Caller caller{std::make_shared<const AccessKey>(rules().keys[0])};
    EXPECT_TRUE(gate.may(caller, {"SendMessage", Verb::send, "q"}));
    gate.set_policy("q", R"({"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*"}]})");
    EXPECT_FALSE(gate.may(caller, {"SendMessage", Verb::send, "q"}));
    EXPECT_TRUE(gate.may(caller, {"SetQueueAttributes", Verb::admin, "q"}));
}

TEST_F(SignedPort, without_a_signature_nothing_is_read) {
    EXPECT_EQ(Port::brief(port.json("ListQueues", "no JSON")),
              "403 MissingAuthenticationTokenException: Request is missing Authentication Token");
    EXPECT_EQ(Port::without_id(port.query("Action=ListQueues")),
              "<?xml version=\"1.0\"?><ErrorResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><Error><Type>Sender</Type>"
              "<Code>MissingAuthenticationToken</Code><Message>Request is missing Authentication Token</Message><Detail/></Error>"
              "<RequestId>ID</RequestId></ErrorResponse>");
}

TEST_F(SignedPort, an_unknown_key_and_a_wrong_secret_are_told_apart) {
    EXPECT_EQ(Port::brief(ask("NOBODY", "ListQueues", "{}")),
              "403 UnrecognizedClientException: The security token included in the request is invalid.");
    auto request = Port::json_request("AmazonSQS.ListQueues", "{}");
    SigningKeys keys;
    auto headers = sign({request.method, request.path, "", request.headers, {}, {}}, "{}", {"ALL", "not the secret", ""}, "us-east-1",
                        "sqs", clock.wall(), keys);
    for (auto& [name, value] : headers) request.headers.push_back({name, value});
    EXPECT_TRUE(Port::brief(port.ask(request)).starts_with("403 InvalidSignatureException: The request signature we calculated"));
}

TEST_F(SignedPort, new_rules_count_from_the_next_request_on) {
    Gatekeeper gate(clock, rules(), "123456789012");
    auto request = Port::json_request("AmazonSQS.ListQueues", "{}");
    EXPECT_FALSE(gate.identify(request).ok());
    gate.set_rules({false, {}});
    ASSERT_TRUE(gate.identify(request).ok());
    EXPECT_TRUE(gate.may(*gate.identify(request), {"PurgeQueue", Verb::admin, "q"}));
}

TEST_F(SignedPort, refusals_are_counted_by_their_code) {
    metrics::Registry registry;
    Gatekeeper gate(clock, rules(), "123456789012", "", &registry);
    EXPECT_FALSE(gate.identify(Port::json_request("AmazonSQS.ListQueues", "{}")).ok());
    EXPECT_EQ(registry.counter("forebay_sqs_denied_total", {{"code", "MissingAuthenticationToken"}}).value(), 1u);
}

}  // namespace
}  // namespace forebay::sqs
