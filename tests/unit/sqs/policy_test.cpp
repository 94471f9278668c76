// What a policy says of whom, as a table; what is no policy; and the statements that AddPermission writes.
#include "sqs/policy.h"

#include <gtest/gtest.h>

#include "port.h"

namespace forebay::sqs {
namespace {

const PolicyPlace place{"123456789012", "", "q"};

std::string policy(const std::string& statements) { return R"({"Version":"2012-10-17","Statement":[)" + statements + "]}"; }

std::string verdict(const std::string& statements, const PolicyQuestion& question = {"jane", "SendMessage", "10.1.2.3", false},
                    const PolicyPlace& at = place) {
    auto parsed = Policy::parse(policy(statements), at);
    if (!parsed.ok()) return parsed.error();
    auto found = parsed->decide(question);
    return found == Verdict::allow ? "allow" : found == Verdict::deny ? "deny" : "silent";
}

/// One statement that would allow everything, with one element replaced.
std::string with(const std::string& element, const std::string& value, const std::string& effect = "Allow") {
    std::map<std::string, std::string> all = {{"Effect", '"' + effect + '"'}, {"Principal", R"("*")"}, {"Action", R"("sqs:*")"}};
    if (element == "NotPrincipal" || element == "NotAction") all.erase(element.substr(3));
    all[element] = value;
    std::string out;
    for (auto& [name, text] : all) out += (out.empty() ? "{\"" : ",\"") + name + "\":" + text;
    return out + "}";
}

struct Row {
    const char* element;
    const char* value;
    const char* expected;
};

TEST(Policy, each_element_narrows_what_a_statement_is_about) {
    const Row rows[] = {
        {"Principal", R"("*")", "allow"},
        {"Principal", R"({"AWS":"*"})", "allow"},
        {"Principal", R"({"AWS":"123456789012"})", "allow"},
        {"Principal", R"({"AWS":"arn:aws:iam::123456789012:root"})", "allow"},
        {"Principal", R"({"AWS":["999999999999","arn:aws:iam::123456789012:user/jane"]})", "allow"},
        {"Principal", R"({"AWS":"arn:aws:iam::123456789012:user/sales/jane"})", "allow"},
        {"Principal", R"({"AWS":"arn:aws:iam::123456789012:user/joe"})", "silent"},
        {"Principal", R"({"AWS":"arn:aws:iam::123456789012:role/jane"})", "silent"},
        {"Principal", R"({"AWS":"arn:aws:iam::999999999999:user/jane"})", "silent"},
        {"Principal", R"({"AWS":"999999999999"})", "silent"},
        {"Principal", R"({"Service":"sns.amazonaws.com"})", "silent"},
        {"NotPrincipal", R"({"AWS":"arn:aws:iam::123456789012:user/jane"})", "silent"},
        {"NotPrincipal", R"({"AWS":"arn:aws:iam::123456789012:user/joe"})", "allow"},
        {"Action", R"("*")", "allow"},
        {"Action", R"("SQS:SendMessage")", "allow"},
        {"Action", R"("sqs:sendmessage")", "allow"},
        {"Action", R"(["sqs:ReceiveMessage","SQS:Send*"])", "allow"},
        {"Action", R"("sqs:ReceiveMessage")", "silent"},
        {"Action", R"("sqs:SendMessageBatch")", "silent"},
        {"NotAction", R"("sqs:SendMessage")", "silent"},
        {"NotAction", R"("sqs:Receive*")", "allow"},
        {"Resource", R"("*")", "allow"},
        {"Resource", R"("arn:aws:sqs:us-east-1:123456789012:q")", "allow"},
        {"Resource", R"("arn:aws:sqs:eu-west-1:123456789012:q")", "allow"},
        {"Resource", R"("arn:aws:sqs:*:123456789012:q*")", "allow"},
        {"Resource", R"("arn:aws:sqs:us-*")", "allow"},
        {"Resource", R"("arn:aws:sqs:us-east-1:123456789012:other")", "silent"},
        {"Resource", R"("arn:aws:sqs:us-east-1:999999999999:q")", "silent"},
        {"Resource", R"("arn:aws:sqs:us:east:123456789012:q")", "silent"},
        {"Resource", R"(["x","arn:aws:sqs:a:123456789012:?"])", "allow"},
        {"NotResource", R"("arn:aws:sqs:us-east-1:123456789012:q")", "silent"},
        {"NotResource", R"("arn:aws:sqs:us-east-1:123456789012:other")", "allow"},
        {"Condition", R"({})", "allow"},
        {"Condition", R"({"Bool":{"aws:SecureTransport":"false"}})", "allow"},
        {"Condition", R"({"Bool":{"aws:SecureTransport":true}})", "silent"},
        {"Condition", R"({"IpAddress":{"aws:SourceIp":["192.0.2.1","10.0.0.0/8"]}})", "allow"},
        {"Condition", R"({"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}})", "silent"},
        {"Condition", R"({"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}})", "allow"},
        {"Condition", R"({"NotIpAddress":{"aws:SourceIp":"10.1.2.3"}})", "silent"},
        {"Condition", R"({"IpAddress":{"aws:SourceIp":"everywhere"}})", "silent"},
        {"Condition", R"({"ArnEquals":{"aws:SourceArn":"arn:aws:sns:us-east-1:123456789012:t"}})", "silent"},
        {"Condition", R"({"StringLike":{"aws:PrincipalTag/x":"*"}})", "silent"},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(verdict(with(row.element, row.value)), row.expected) << row.element << " " << row.value;
        // A condition that is not known is taken to hold where that shuts the door.
        bool is_unknown = std::string_view(row.value).find("everywhere") != std::string_view::npos ||
                          std::string_view(row.value).find("Arn\"") != std::string_view::npos ||
                          std::string_view(row.value).find("Tag") != std::string_view::npos;
        auto denies = std::string_view(row.expected) == "allow" || is_unknown ? "deny" : "silent";
        EXPECT_EQ(verdict(with(row.element, row.value, "Deny")), denies) << row.element << " " << row.value;
    }
}

TEST(Policy, one_that_denies_outweighs_all_that_allow) {
    auto allow = with("Action", R"("sqs:*")"), deny = with("Action", R"("sqs:SendMessage")", "Deny");
    EXPECT_EQ(verdict(allow + "," + deny), "deny");
    EXPECT_EQ(verdict(deny + "," + allow), "deny");
    EXPECT_EQ(verdict(deny + "," + allow, {"jane", "ReceiveMessage", "", false}), "allow");
    EXPECT_EQ(Policy::that_denies().decide({"jane", "GetQueueUrl", "", true}), Verdict::deny);
}

TEST(Policy, where_the_region_is_set_an_arn_must_have_it) {
    PolicyPlace at{"123456789012", "eu-west-1", "q"};
    PolicyQuestion question{"jane", "SendMessage", "", false};
    EXPECT_EQ(verdict(with("Resource", R"("arn:aws:sqs:eu-west-1:123456789012:q")"), question, at), "allow");
    EXPECT_EQ(verdict(with("Resource", R"("arn:aws:sqs:us-east-1:123456789012:q")"), question, at), "silent");
}

TEST(Policy, what_is_none_says_why) {
    auto why = [](const std::string& text) {
        auto parsed = Policy::parse(text, place);
        return parsed.ok() ? "fine" : parsed.error();
    };
    EXPECT_EQ(why(R"({"Statement":)" + with("Action", R"("*")") + "}"), "fine");
    EXPECT_EQ(why(R"({"Id":"x"})"), "It must be an object with a Statement.");
    EXPECT_EQ(why(R"({"Statement":[]})"), "Its Statement must be a list of statements.");
    EXPECT_EQ(why(R"({"Version":"2013-10-17","Statement":[]})"), "Its Version must be 2012-10-17 or 2008-10-17.");
    EXPECT_EQ(why(policy(R"({"Effect":"allow"})")), "Effect must be Allow or Deny.");
    EXPECT_EQ(why(policy(R"({"Effect":"Allow","Principal":"*"})")), "A statement must have Effect, Principal and Action.");
    EXPECT_EQ(why(policy(with("Condtion", "{}"))), "A statement has no element Condtion.");
    EXPECT_EQ(why(policy(with("Principal", R"("jane")"))), "Principal must be \"*\" or an object.");
    EXPECT_EQ(why(policy(with("Principal", R"({"AWS":"jane"})"))), "\"jane\" is no principal: an account, *, or an ARN of one is.");
    // Each would be nobody's, or no queue's, and let through what it is to deny.
    for (const char* principal : {"arn:aws:iam::123456789012:user/*", "arn:aws:iam::*:root", "arn:aws:iam::123456789012:user/j?ne"})
        EXPECT_EQ(why(policy(with("Principal", R"({"AWS":")" + std::string(principal) + "\"}", "Deny"))),
                  '"' + std::string(principal) + "\" is no principal: * stands only by itself.");
    for (const char* element : {"Resource", "NotResource"})
        EXPECT_EQ(why(policy(with(element, R"("arn:aws:sqs:*:*:${aws:username}")", "Deny"))),
                  std::string(element) + " cannot have a policy variable such as ${aws:username} here.");
    EXPECT_EQ(why(policy(with("Action", R"("s3:GetObject")"))), "\"s3:GetObject\" is no action of SQS.");
    EXPECT_EQ(why(policy(with("Action", "[]"))), "Action must be a text or a list of texts.");
    EXPECT_TRUE(why("{").starts_with("It is not JSON: "));
}

TEST(Policy, bounds_are_those_of_sqs) {
    auto why = [](const std::string& text) {
        auto parsed = Policy::parse(text, place);
        return parsed.ok() ? "fine" : parsed.error();
    };
    auto times = [](std::size_t n, const std::string& text) {
        std::string out;
        for (std::size_t i = 0; i < n; ++i) out += (i == 0 ? "" : ",") + text;
        return out;
    };
    auto one = with("Action", R"("*")");
    EXPECT_EQ(why(policy(times(20, one))), "fine");
    EXPECT_EQ(why(policy(times(21, one))), "It has more than 20 statements.");
    auto of = [&](std::size_t n) { return policy(with("Principal", R"({"AWS":[)" + times(n, R"("999999999999")") + "]}")); };
    EXPECT_EQ(why(of(50)), "fine");
    EXPECT_EQ(why(of(51)), "It has more than 50 principals.");
    auto conditions = with("Condition", R"({"a":{"1":"x","2":"x","3":"x","4":"x","5":"x"}})");
    EXPECT_EQ(why(policy(times(2, conditions))), "fine");
    EXPECT_EQ(why(policy(times(2, conditions) + "," + with("Condition", R"({"a":{"b":"x"}})"))), "It has more than 10 conditions.");
    auto padded = [&](std::size_t bytes) {
        auto text = policy(one);
        return text + std::string(bytes - text.size(), ' ');
    };
    EXPECT_EQ(why(padded(8192)), "fine");
    EXPECT_EQ(why(padded(8193)), "It is longer than 8192 bytes.");
}

const std::string arn = "arn:aws:sqs:us-east-1:123456789012:q";

struct Permissions : PortTest {
    std::string add(const std::string& label, const std::string& accounts = R"("111122223333")",
                    const std::string& actions = R"("SendMessage")") {
        return Port::brief(port.json("AddPermission", R"({"QueueUrl":"q","Label":")" + label + R"(","AWSAccountIds":[)" + accounts +
                                                          R"(],"Actions":[)" + actions + "]}"));
    }
    std::string remove(const std::string& label) {
        return Port::brief(port.json("RemovePermission", R"({"QueueUrl":"q","Label":")" + label + "\"}"));
    }
    std::string kept() {
        return port.result("GetQueueAttributes", R"({"QueueUrl":"q","AttributeNames":["Policy"]})")["Attributes"]["Policy"].text();
    }
    static constexpr auto done = "200 : ";
};

TEST_F(Permissions, are_written_as_aws_writes_them_and_taken_back) {
    EXPECT_EQ(add("one"), done);
    const auto first =
        R"({"Sid":"one","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"SQS:SendMessage","Resource":")" +
        arn + "\"}";
    const auto head = R"({"Version":"2008-10-17","Id":")" + arn + R"(/SQSDefaultPolicy","Statement":[)";
    EXPECT_EQ(kept(), head + first + "]}");
    EXPECT_EQ(add("two", R"("111122223333","444455556666")", R"("ReceiveMessage","*")"), done);
    EXPECT_EQ(
        kept(),
        head + first +
            R"(,{"Sid":"two","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::444455556666:root"]},)"
            R"("Action":["SQS:ReceiveMessage","SQS:*"],"Resource":")" +
            arn + "\"}]}");
    EXPECT_EQ(add("one"), "400 InvalidParameterValueException: Value one for parameter Label is invalid. Reason: Already exists.");
    EXPECT_EQ(remove("three"), "400 InvalidParameterValueException: Value three for parameter Label is invalid. Reason: can't find label.");
    EXPECT_EQ(remove("two"), done);
    EXPECT_EQ(kept(), head + first + "]}");
    EXPECT_EQ(remove("one"), done);
    EXPECT_EQ(kept(), "");
}

TEST_F(Permissions, never_make_a_policy_that_cannot_be_read_and_so_denies_everything) {
    auto accounts = [](int n) {
        std::string out;
        for (int i = 0; i < n; ++i) out += (i == 0 ? "\"" : ",\"") + std::to_string(100000000000 + i) + '"';
        return out;
    };
    EXPECT_EQ(add("one", accounts(49)), done);
    const auto before = kept();
    EXPECT_EQ(add("two", accounts(2)), "403 OverLimit: With it the queue's Policy could not be read. It has more than 50 principals.");
    EXPECT_EQ(kept(), before);
    EXPECT_EQ(add("two", accounts(1)), done);
    EXPECT_EQ(remove("one"), done);
}

TEST_F(Permissions, of_query_are_the_same) {
    auto answer =
        port.query("Action=AddPermission&Label=x&AWSAccountId.1=111122223333&ActionName.1=GetQueueUrl&ActionName.2=DeleteMessage", "/1/q");
    EXPECT_EQ(Port::without_id(answer),
              "<?xml version=\"1.0\"?><AddPermissionResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><ResponseMetadata>"
              "<RequestId>ID</RequestId></ResponseMetadata></AddPermissionResponse>");
    EXPECT_NE(kept().find(R"("Action":["SQS:GetQueueUrl","SQS:DeleteMessage"])"), std::string::npos);
}

TEST_F(Permissions, that_cannot_be_given_are_refused) {
    const auto many = R"("SendMessage","SendMessage","SendMessage","SendMessage","SendMessage","SendMessage","SendMessage","SendMessage")";
    EXPECT_EQ(add("a", R"("111122223333")", many), "403 OverLimit: 8 Actions were found, maximum allowed is 7.");
    EXPECT_EQ(add("a", R"("111122223333")", R"("RemovePermission")"),
              "400 InvalidParameterValueException: Value SQS:RemovePermission for parameter ActionName is invalid. Reason: Only the queue "
              "owner is allowed to invoke this action.");
    EXPECT_EQ(add("a", R"("111122223333")", R"("Sing")"),
              "400 InvalidParameterValueException: Value SQS:Sing for parameter ActionName is invalid. Reason: Please refer to the "
              "appropriate WSDL for a list of valid actions.");
    EXPECT_EQ(add("a", ""), "400 InvalidParameterValueException: Value [] for parameter PrincipalId is invalid. Reason: Unable to verify.");
    EXPECT_EQ(add("a", R"("12")"),
              "400 InvalidParameterValueException: Value [12] for parameter PrincipalId is invalid. Reason: Unable to verify.");
    EXPECT_EQ(add("a", R"("111122223333")", ""), "400 MissingRequiredParameterException: The request must contain the parameter Actions.");
    EXPECT_EQ(add(""), "400 MissingRequiredParameterException: The request must contain the parameter Label.");
    EXPECT_TRUE(add("a b").starts_with("400 InvalidParameterValueException: Value a b for parameter Label is invalid. Reason: Can only"));
    for (int i = 0; i < 20; ++i) EXPECT_EQ(add("n" + std::to_string(i)), done);
    EXPECT_EQ(add("n20"), "403 OverLimit: 21 Statements were found, maximum allowed is 20.");
    EXPECT_NE(kept().find("\"n19\""), std::string::npos);
}

TEST_F(Permissions, of_a_queue_that_carries_records_stay_as_configured) {
    broker.declare("leads");
    auto refusal = Port::brief(
        port.json("AddPermission", R"({"QueueUrl":"leads","Label":"a","AWSAccountIds":["111122223333"],"Actions":["SendMessage"]})"));
    EXPECT_TRUE(refusal.starts_with("400 UnsupportedOperation: This queue is declared")) << refusal;
}

TEST_F(Permissions, a_policy_that_is_none_is_not_set) {
    auto set = [&](const std::string& text) {
        return Port::brief(
            port.json("SetQueueAttributes", R"({"QueueUrl":"q","Attributes":{"Policy":)" + json::to_text(json::Value(text)) + "}}"));
    };
    EXPECT_EQ(
        set(R"({"Statement":[{"Effect":"Allow"}]})"),
        "400 InvalidAttributeValue: Invalid value for the parameter Policy. Reason: A statement must have Effect, Principal and Action.");
    EXPECT_EQ(set(std::string(8193, ' ')),
              "400 InvalidAttributeValue: Invalid value for the parameter Policy. Reason: It is longer than 8192 bytes.");
    EXPECT_EQ(set(policy(with("Action", R"("*")"))), done);
    EXPECT_EQ(set(""), done);
    EXPECT_EQ(kept(), "");
}

}  // namespace
}  // namespace forebay::sqs
