#include "port.h"

namespace forebay::sqs {
namespace {

using Queues = PortTest;

constexpr const char* no_queue = "400 com.amazonaws.sqs#QueueDoesNotExist: The specified queue does not exist.";

TEST_F(Queues, a_queue_url_is_made_from_where_the_client_is) {
    auto url = [&](Port::Headers headers) {
        return port.result("GetQueueUrl", R"({"QueueName":"q"})", std::move(headers))["QueueUrl"].text();
    };
    EXPECT_EQ(url({}), "http://localhost:9324/123456789012/q");
    EXPECT_EQ(url({{"X-Forwarded-Host", "queue.example.com"}, {"X-Forwarded-Proto", "https"}}), "https://queue.example.com/123456789012/q");
    EXPECT_EQ(url({{"X-Forwarded-Host", "evil\"><script>"}}), "http://localhost:9324/123456789012/q");
}

TEST_F(Queues, a_base_url_can_be_set) {
    Port other(broker, {.account = "123456789012", .region = "eu-west-1", .base_url = "https://sqs.example.com/"});
    EXPECT_EQ(other.result("GetQueueUrl", R"({"QueueName":"q"})")["QueueUrl"].text(), "https://sqs.example.com/123456789012/q");
    auto attributes = other.result("GetQueueAttributes", R"({"QueueUrl":"q","AttributeNames":["QueueArn"]})")["Attributes"];
    EXPECT_EQ(attributes["QueueArn"].text(), "arn:aws:sqs:eu-west-1:123456789012:q");
}

TEST_F(Queues, the_region_is_the_signatures) {
    auto arn = [&](Port::Headers headers) {
        return port
            .result("GetQueueAttributes", R"({"QueueUrl":"q","AttributeNames":["QueueArn"]})", std::move(headers))["Attributes"]["QueueArn"]
            .text();
    };
    EXPECT_EQ(
        arn({{"Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260920/eu-north-1/sqs/aws4_request, SignedHeaders=host, Signature=00"}}),
        "arn:aws:sqs:eu-north-1:123456789012:q");
    EXPECT_EQ(arn({{"Authorization", "nonsense Credential=a/b"}}), "arn:aws:sqs:us-east-1:123456789012:q");
    EXPECT_EQ(arn({}), "arn:aws:sqs:us-east-1:123456789012:q");
}

TEST_F(Queues, any_host_or_a_bare_name_leads_to_the_queue) {
    for (auto url : {"q", "/q", "http://localhost:9324/123456789012/q", "https://sqs.eu-west-1.amazonaws.com/123456789012/q",
                     "http://container:1/q/", "http://x/queue/q?a=b"})
        EXPECT_EQ(port.json("GetQueueAttributes", R"({"QueueUrl":")" + std::string(url) + "\"}").status, 200u) << url;
    for (auto url : {"nope", "http://localhost:9324/123456789012/Q", "http://localhost:9324", "a b"})
        EXPECT_EQ(port.refusal("GetQueueAttributes", R"({"QueueUrl":")" + std::string(url) + "\"}"), no_queue) << url;
}

TEST_F(Queues, creating_a_queue_again_gives_its_url) {
    EXPECT_EQ(port.json("CreateQueue", R"({"QueueName":"q"})").status, 200u);
    EXPECT_EQ(port.json("CreateQueue", R"({"QueueName":"q","Attributes":{"VisibilityTimeout":"30"}})").status, 200u);
    EXPECT_EQ(port.refusal("CreateQueue", R"({"QueueName":"q","Attributes":{"VisibilityTimeout":"31"}})"),
              "400 com.amazonaws.sqs#QueueNameExists: A queue already exists with the same name and a different value for attribute "
              "VisibilityTimeout");
    port.result("SetQueueAttributes", R"({"QueueUrl":"q","Attributes":{"DelaySeconds":"5"}})");
    EXPECT_EQ(port.json("CreateQueue", R"({"QueueName":"q"})").status, 200u);
}

TEST_F(Queues, names_are_checked) {
    auto refused =
        "400 com.amazon.coral.service#InvalidParameterValueException: Can only include alphanumeric characters, hyphens, or underscores. 1 "
        "to 80 in length";
    for (std::string name : {"a b", "a/b", "ü", "a.b", "x.fifo", ".fifo"})
        EXPECT_EQ(port.refusal("CreateQueue", R"({"QueueName":")" + name + "\"}"), refused) << name;
    EXPECT_EQ(port.refusal("CreateQueue", R"({"QueueName":")" + std::string(81, 'a') + "\"}"), refused);
    EXPECT_EQ(port.json("CreateQueue", R"({"QueueName":")" + std::string(80, 'a') + "\"}").status, 200u);
}

TEST_F(Queues, attributes_are_told_by_name_or_all_and_not_at_all_without_names) {
    EXPECT_EQ(port.json("GetQueueAttributes", R"({"QueueUrl":"q"})").body, "{}");
    send();
    auto all = port.result("GetQueueAttributes", R"({"QueueUrl":"q","AttributeNames":["All"]})")["Attributes"];
    EXPECT_EQ(all["VisibilityTimeout"].text(), "30");
    EXPECT_EQ(all["MaximumMessageSize"].text(), "1048576");
    EXPECT_EQ(all["MessageRetentionPeriod"].text(), "345600");
    EXPECT_EQ(all["DelaySeconds"].text(), "0");
    EXPECT_EQ(all["ReceiveMessageWaitTimeSeconds"].text(), "0");
    EXPECT_EQ(all["ApproximateNumberOfMessages"].text(), "1");
    EXPECT_EQ(all["ApproximateNumberOfMessagesNotVisible"].text(), "0");
    EXPECT_EQ(all["ApproximateNumberOfMessagesDelayed"].text(), "0");
    EXPECT_EQ(all["CreatedTimestamp"].text(), "1700000000");
    EXPECT_EQ(all.find("RedrivePolicy"), nullptr);
    auto one = port.result("GetQueueAttributes", R"({"QueueUrl":"q","AttributeNames":["DelaySeconds","FifoQueue"]})")["Attributes"];
    EXPECT_EQ(one.members().size(), 1u);
    EXPECT_EQ(port.refusal("GetQueueAttributes", R"({"QueueUrl":"q","AttributeNames":["Foo"]})"),
              "400 com.amazonaws.sqs#InvalidAttributeName: Unknown Attribute Foo.");
}

struct Setting {
    std::string name, value, refusal;  ///< an empty refusal: it is taken and given back
};

TEST_F(Queues, every_attribute_has_its_bounds) {
    auto bad = [](std::string name) {
        return "400 com.amazonaws.sqs#InvalidAttributeValue: Invalid value for the parameter " + name + ".";
    };
    auto unknown = [](std::string name) { return "400 com.amazonaws.sqs#InvalidAttributeName: Unknown Attribute " + name + "."; };
    auto redrive = [](std::string reason) {
        return "400 com.amazon.coral.service#InvalidParameterValueException: Value VALUE for parameter RedrivePolicy is invalid. Reason: " +
               reason;
    };
    std::string arn = "arn:aws:sqs:us-east-1:123456789012:";
    const Setting settings[] = {
        {"VisibilityTimeout", "0", ""},
        {"VisibilityTimeout", "43200", ""},
        {"VisibilityTimeout", "43201", bad("VisibilityTimeout")},
        {"VisibilityTimeout", "-1", bad("VisibilityTimeout")},
        {"VisibilityTimeout", "9999999999999999999999", bad("VisibilityTimeout")},
        {"VisibilityTimeout", "ten", bad("VisibilityTimeout")},
        {"VisibilityTimeout", "", bad("VisibilityTimeout")},
        {"VisibilityTimeout", "1.5", bad("VisibilityTimeout")},
        {"DelaySeconds", "900", ""},
        {"DelaySeconds", "901", bad("DelaySeconds")},
        {"ReceiveMessageWaitTimeSeconds", "20", ""},
        {"ReceiveMessageWaitTimeSeconds", "21", bad("ReceiveMessageWaitTimeSeconds")},
        {"MessageRetentionPeriod", "60", ""},
        {"MessageRetentionPeriod", "59", bad("MessageRetentionPeriod")},
        {"MessageRetentionPeriod", "1209600", ""},
        {"MessageRetentionPeriod", "1209601", bad("MessageRetentionPeriod")},
        {"MaximumMessageSize", "1024", ""},
        {"MaximumMessageSize", "1023", bad("MaximumMessageSize")},
        {"MaximumMessageSize", "1048576", ""},
        {"MaximumMessageSize", "1048577", bad("MaximumMessageSize")},
        {"Policy", R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*"}]})", ""},
        {"Policy", "[]", bad("Policy") + " Reason: It must be an object with a Statement."},
        {"RedriveAllowPolicy", R"({"redrivePermission":"denyAll"})", ""},
        {"KmsMasterKeyId", "alias/aws/sqs", ""},
        {"KmsDataKeyReusePeriodSeconds", "60", ""},
        {"KmsDataKeyReusePeriodSeconds", "59", bad("KmsDataKeyReusePeriodSeconds")},
        {"SqsManagedSseEnabled", "true", ""},
        {"SqsManagedSseEnabled", "maybe", bad("SqsManagedSseEnabled")},
        {"FifoQueue", "true", unknown("FifoQueue")},
        {"FifoQueue", "false", unknown("FifoQueue")},
        {"ContentBasedDeduplication", "true", unknown("ContentBasedDeduplication")},
        {"DeduplicationScope", "queue",
         "400 com.amazonaws.sqs#InvalidAttributeValue: You can specify the DeduplicationScope only when FifoQueue is set to true."},
        {"QueueArn", "x", unknown("QueueArn")},
        {"Foo", "x", unknown("Foo")},
        {"RedrivePolicy", R"({"deadLetterTargetArn":")" + arn + R"(dead","maxReceiveCount":3})", ""},
        {"RedrivePolicy", "[]", redrive("Amazon SQS can't create the redrive policy, as it's in an unsupported format.")},
        {"RedrivePolicy", R"({"deadLetterTargetArn":"x"})",
         redrive("Redrive policy does not contain mandatory attribute: maxReceiveCount.")},
        {"RedrivePolicy", R"({"maxReceiveCount":1})", redrive("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")},
        {"RedrivePolicy", R"({"deadLetterTargetArn":")" + arn + R"(dead","maxReceiveCount":0})",
         redrive("Invalid value for maxReceiveCount: 0, valid values are from 1 to 1000 both inclusive.")},
        {"RedrivePolicy", R"({"deadLetterTargetArn":")" + arn + R"(dead","maxReceiveCount":"1001"})",
         redrive("Invalid value for maxReceiveCount: 1001, valid values are from 1 to 1000 both inclusive.")},
        {"RedrivePolicy", R"({"deadLetterTargetArn":"dead","maxReceiveCount":1})", redrive("Invalid value for deadLetterTargetArn.")},
        {"RedrivePolicy", R"({"deadLetterTargetArn":")" + arn + R"(dead.fifo","maxReceiveCount":1})",
         redrive("Dead-letter queue must be same type of queue as the source..")},
    };
    port.result("CreateQueue", R"({"QueueName":"dead"})");
    for (auto& [name, value, refusal] : settings) {
        SCOPED_TRACE(name + "=" + value);
        auto body = json::Value::object();
        body.set("QueueUrl", "q").members();
        auto attributes = json::Value::object();
        attributes.set(name, value);
        body.set("Attributes", std::move(attributes));
        auto expected = refusal;
        if (auto at = expected.find("VALUE"); at != std::string::npos) expected.replace(at, 5, value);
        auto before = broker.settings_of("q");
        auto response = port.json("SetQueueAttributes", json::to_text(body));
        if (refusal.empty()) {
            EXPECT_EQ(response.status, 200u) << response.body;
            auto got = port.result("GetQueueAttributes", R"({"QueueUrl":"q","AttributeNames":["All"]})")["Attributes"][name].text();
            EXPECT_EQ(json::parse(got).ok() ? json::to_text(*json::parse(got)) : got,
                      json::parse(value).ok() ? json::to_text(*json::parse(value)) : value);
        } else {
            EXPECT_EQ(Port::summary(response), expected);
            EXPECT_TRUE(broker.settings_of("q") == before) << "something was changed";
        }
    }
}

TEST_F(Queues, an_empty_redrive_policy_removes_it_and_a_missing_target_is_refused) {
    port.result("CreateQueue", R"({"QueueName":"dead"})");
    port.result(
        "SetQueueAttributes",
        R"({"QueueUrl":"q","Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:123456789012:dead\",\"maxReceiveCount\":\"5\"}"}})");
    EXPECT_EQ(broker.settings_of("q").redrive->max_receive_count, 5u);
    port.result("SetQueueAttributes", R"({"QueueUrl":"q","Attributes":{"RedrivePolicy":""}})");
    EXPECT_FALSE(broker.settings_of("q").redrive.has_value());
    EXPECT_EQ(
        port.refusal(
            "SetQueueAttributes",
            R"({"QueueUrl":"q","Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:123456789012:none\",\"maxReceiveCount\":\"5\"}"}})"),
        R"(400 com.amazon.coral.service#InvalidParameterValueException: Value {"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:none","maxReceiveCount":"5"} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.)");
}

TEST_F(Queues, kept_attributes_vanish_when_set_to_their_default) {
    port.result("SetQueueAttributes", R"({"QueueUrl":"q","Attributes":{"KmsMasterKeyId":"k","KmsDataKeyReusePeriodSeconds":"600"}})");
    port.result(
        "SetQueueAttributes",
        R"({"QueueUrl":"q","Attributes":{"KmsMasterKeyId":"","KmsDataKeyReusePeriodSeconds":"300","SqsManagedSseEnabled":"True"}})");
    auto all = port.result("GetQueueAttributes", R"({"QueueUrl":"q","AttributeNames":["All"]})")["Attributes"];
    EXPECT_EQ(all.find("KmsMasterKeyId"), nullptr);
    EXPECT_EQ(all.find("KmsDataKeyReusePeriodSeconds"), nullptr);
    EXPECT_EQ(all["SqsManagedSseEnabled"].text(), "true");
}

TEST_F(Queues, of_several_attributes_one_that_is_wrong_keeps_all_as_they_were) {
    EXPECT_EQ(port.json("SetQueueAttributes", R"({"QueueUrl":"q","Attributes":{"DelaySeconds":"7","VisibilityTimeout":"x"}})").status,
              400u);
    EXPECT_EQ(broker.settings_of("q").delay, 0s);
}

TEST_F(Queues, lists_come_in_pages_only_when_asked) {
    for (auto name : {"a1", "a2", "a3"}) port.result("CreateQueue", R"({"QueueName":")" + std::string(name) + "\"}");
    auto all = port.result("ListQueues", "{}");
    EXPECT_EQ(all["QueueUrls"].elements().size(), 4u);
    EXPECT_EQ(all.find("NextToken"), nullptr);
    auto first = port.result("ListQueues", R"({"QueueNamePrefix":"a","MaxResults":2})");
    EXPECT_EQ(first["QueueUrls"].elements().size(), 2u);
    auto second = port.result("ListQueues", R"({"QueueNamePrefix":"a","MaxResults":2,"NextToken":")" + first["NextToken"].text() + "\"}");
    ASSERT_EQ(second["QueueUrls"].elements().size(), 1u);
    EXPECT_EQ(second["QueueUrls"].elements()[0].text(), "http://localhost:9324/123456789012/a3");
    EXPECT_EQ(second.find("NextToken"), nullptr);
    EXPECT_EQ(port.json("ListQueues", R"({"QueueNamePrefix":"none"})").body, "{}");
    EXPECT_EQ(port.json("ListQueues", R"({"MaxResults":0})").status, 400u);
    EXPECT_EQ(port.json("ListQueues", R"({"MaxResults":1,"NextToken":"*"})").status, 400u);
}

TEST_F(Queues, tags_are_set_listed_and_taken_off) {
    EXPECT_EQ(port.json("ListQueueTags", R"({"QueueUrl":"q"})").body, "{}");
    port.result("TagQueue", R"({"QueueUrl":"q","Tags":{"team":"core","empty":""}})");
    auto tags = port.result("ListQueueTags", R"({"QueueUrl":"q"})")["Tags"];
    EXPECT_EQ(tags["team"].text(), "core");
    EXPECT_EQ(tags.members().size(), 2u);
    port.result("UntagQueue", R"({"QueueUrl":"q","TagKeys":["team","unknown"]})");
    EXPECT_EQ(port.result("ListQueueTags", R"({"QueueUrl":"q"})")["Tags"].members().size(), 1u);
    port.result("CreateQueue", R"({"QueueName":"tagged","tags":{"a":"b"}})");
    EXPECT_EQ(port.result("ListQueueTags", R"({"QueueUrl":"tagged"})")["Tags"]["a"].text(), "b");
}

TEST_F(Queues, tags_have_bounds) {
    EXPECT_EQ(port.json("TagQueue", R"({"QueueUrl":"q","Tags":{"aws:x":"1"}})").status, 400u);
    EXPECT_EQ(port.json("TagQueue", R"({"QueueUrl":"q","Tags":{"":"1"}})").status, 400u);
    EXPECT_EQ(port.json("TagQueue", R"({"QueueUrl":"q","Tags":{}})").status, 400u);
    EXPECT_EQ(port.json("TagQueue", R"({"QueueUrl":"q","Tags":{"k":")" + std::string(257, 'v') + "\"}}").status, 400u);
    std::string many;
    for (int i = 0; i < 51; ++i) many += (i ? "," : "") + std::string("\"k") + std::to_string(i) + "\":\"\"";
    EXPECT_EQ(port.json("TagQueue", R"({"QueueUrl":"q","Tags":{)" + many + "}}").status, 400u);
    EXPECT_TRUE(broker.settings_of("q").extra.empty());
}

TEST_F(Queues, a_queue_is_purged_and_deleted) {
    send();
    port.result("PurgeQueue", R"({"QueueUrl":"q"})");
    EXPECT_EQ(broker.messages_in("q"), 0u);
    port.result("DeleteQueue", R"({"QueueUrl":"q"})");
    EXPECT_FALSE(broker.has("q"));
    EXPECT_EQ(port.refusal("DeleteQueue", R"({"QueueUrl":"q"})"), no_queue);
}

TEST_F(Queues, forebays_own_queues_are_neither_seen_nor_touched) {
    port.result("CreateQueue", R"({"QueueName":"own"})");
    ApiOptions options;
    options.own_queues = {"own"};
    Port outside(broker, options);
    auto list = json::to_text(outside.result("ListQueues", "{}"));
    EXPECT_EQ(list.find("own"), std::string::npos) << list;
    const std::string members = R"("QueueUrl":"http://x/1/own",)";
    for (
        auto [action, body] : std::initializer_list<std::pair<std::string, std::string>>{
            {"GetQueueUrl", R"({"QueueName":"own"})"},
            {"CreateQueue", R"({"QueueName":"own"})"},
            {"DeleteQueue", "{" + members + R"("x":1})"},
            {"PurgeQueue", "{" + members + R"("x":1})"},
            {"SetQueueAttributes", "{" + members + R"("Attributes":{"DelaySeconds":"1"}})"},
            {"GetQueueAttributes", "{" + members + R"("AttributeNames":["All"]})"},
            {"TagQueue", "{" + members + R"("Tags":{"a":"b"}})"},
            {"UntagQueue", "{" + members + R"("TagKeys":["a"]})"},
            {"ListQueueTags", "{" + members + R"("x":1})"},
            {"ListDeadLetterSourceQueues", "{" + members + R"("x":1})"},
            {"SendMessage", "{" + members + R"("MessageBody":"x"})"},
            {"SendMessageBatch", "{" + members + R"("Entries":[{"Id":"a","MessageBody":"x"}]})"},
            {"ReceiveMessage", "{" + members + R"("x":1})"},
            {"DeleteMessage", "{" + members + R"("ReceiptHandle":"x"})"},
            {"DeleteMessageBatch", "{" + members + R"("Entries":[{"Id":"a","ReceiptHandle":"x"}]})"},
            {"ChangeMessageVisibility", "{" + members + R"("ReceiptHandle":"x","VisibilityTimeout":1})"},
            {"SetQueueAttributes",
             R"({"QueueUrl":"q","Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:1:own\",\"maxReceiveCount\":1}"}})"},
            {"CreateQueue",
             R"({"QueueName":"new","Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:1:own\",\"maxReceiveCount\":1}"}})"}})
        EXPECT_TRUE(
            outside.refusal(action, body).starts_with("403 com.amazon.coral.service#AccessDeniedException: The queue own is Forebay's own"))
            << action << " " << outside.refusal(action, body);
    EXPECT_NE(outside.query("Action=PurgeQueue", "/1/own").body.find("<Code>AccessDenied</Code>"), std::string::npos);
    EXPECT_FALSE(broker.has("new"));
    EXPECT_TRUE(broker.has("own"));
}

TEST_F(Queues, a_declared_queue_is_not_purged_deleted_or_changed) {
    broker.declare("leads");
    auto refused =
        "400 com.amazonaws.sqs#UnsupportedOperation: This queue is declared in the configuration of Forebay and carries records: it cannot "
        "be deleted, purged or changed through the API.";
    EXPECT_EQ(port.refusal("DeleteQueue", R"({"QueueUrl":"leads"})"), refused);
    EXPECT_EQ(port.refusal("PurgeQueue", R"({"QueueUrl":"leads"})"), refused);
    EXPECT_EQ(port.refusal("SetQueueAttributes", R"({"QueueUrl":"leads","Attributes":{"DelaySeconds":"1"}})"), refused);
    EXPECT_EQ(port.refusal("TagQueue", R"({"QueueUrl":"leads","Tags":{"a":"b"}})"), refused);
    EXPECT_EQ(port.json("SendMessage", R"({"QueueUrl":"leads","MessageBody":"x"})").status, 200u);
}

}  // namespace
}  // namespace forebay::sqs
