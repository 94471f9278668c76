#include "base/digest.h"
#include "port.h"

namespace forebay::sqs {
namespace {

using Messages = PortTest;

TEST_F(Messages, a_message_sent_is_received_with_its_digest_and_deleted) {
    auto sent = port.result("SendMessage", R"({"QueueUrl":"http://localhost:9324/123456789012/q","MessageBody":"hello"})");
    EXPECT_EQ(sent["MD5OfMessageBody"].text(), "5d41402abc4b2a76b9719d911017c592");
    EXPECT_EQ(sent["MessageId"].text().size(), 36u);
    EXPECT_EQ(sent.find("MD5OfMessageAttributes"), nullptr);
    auto messages = receive();
    ASSERT_EQ(messages.elements().size(), 1u);
    auto& message = messages.elements()[0];
    EXPECT_EQ(message["Body"].text(), "hello");
    EXPECT_EQ(message["MD5OfBody"].text(), "5d41402abc4b2a76b9719d911017c592");
    EXPECT_EQ(message["MessageId"], sent["MessageId"]);
    EXPECT_EQ(message.find("Attributes"), nullptr);
    port.result("DeleteMessage", R"({"QueueUrl":"q","ReceiptHandle":")" + message["ReceiptHandle"].text() + "\"}");
    EXPECT_EQ(broker.messages_in("q"), 0u);
}

TEST_F(Messages, an_empty_receive_leaves_the_list_out) { EXPECT_EQ(port.json("ReceiveMessage", R"({"QueueUrl":"q"})").body, "{}"); }

TEST_F(Messages, bodies_come_back_to_the_byte) {
    for (std::string body : {"\\u00e9\\ud83d\\ude00 \\t\\r\\n", "{\\\"a\\\":[1,2]}", "<&>\\\"'"}) {
        send(body);
        auto messages = receive();
        auto sent = json::parse("\"" + body + "\"");
        EXPECT_EQ(messages.elements().at(0)["Body"].text(), sent->text());
        port.result("DeleteMessage", R"({"QueueUrl":"q","ReceiptHandle":")" + messages.elements()[0]["ReceiptHandle"].text() + "\"}");
    }
}

TEST_F(Messages, a_body_of_one_mebibyte_is_taken_and_one_byte_more_is_not) {
    std::string largest(1048576, 'x');
    send(largest);
    EXPECT_EQ(receive().elements().at(0)["Body"].text().size(), largest.size());
    EXPECT_EQ(port.refusal("SendMessage", R"({"QueueUrl":"q","MessageBody":")" + largest + "x\"}"),
              "400 com.amazon.coral.service#InvalidParameterValueException: One or more parameters are invalid. Reason: Message must be "
              "shorter than 1048576 bytes.");
}

TEST_F(Messages, the_queues_own_limit_is_named) {
    port.result("CreateQueue", R"({"QueueName":"small","Attributes":{"MaximumMessageSize":"1024"}})");
    std::string body(1025, 'x');
    EXPECT_EQ(port.refusal("SendMessage", R"({"QueueUrl":"small","MessageBody":")" + body + "\"}"),
              "400 com.amazon.coral.service#InvalidParameterValueException: One or more parameters are invalid. Reason: Message must be "
              "shorter than 1024 bytes.");
    auto result = port.result("SendMessageBatch",
                              R"({"QueueUrl":"small","Entries":[{"Id":"a","MessageBody":"ok"},{"Id":"b","MessageBody":")" + body + "\"}]}");
    EXPECT_EQ(result["Successful"].elements().size(), 1u);
    EXPECT_EQ(result["Failed"].elements().at(0)["Code"].text(), "InvalidParameterValue");
    EXPECT_EQ(result["Failed"].elements().at(0)["Message"].text(),
              "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes.");
}

TEST_F(Messages, attributes_have_amazons_digest) {
    // Name, type and value in order of names, each behind its length; 1 before text, 2 before bytes.
    auto sent = port.result("SendMessage", R"({"QueueUrl":"q","MessageBody":"x","MessageAttributes":{
        "text":{"DataType":"String","StringValue":"one"},"bytes":{"DataType":"Binary","BinaryValue":"AQI="},"number":{"DataType":"Number.int","StringValue":"42"}}})");
    std::string bytes;
    auto put = [&](std::string_view text) { bytes.append({0, 0, 0, static_cast<char>(text.size())}).append(text); };
    put("bytes"), put("Binary"), bytes += '\2', put("\1\2");
    put("number"), put("Number.int"), bytes += '\1', put("42");
    put("text"), put("String"), bytes += '\1', put("one");
    EXPECT_EQ(sent["MD5OfMessageAttributes"].text(), to_hex(md5(bytes)));
    auto message = receive(R"(,"MessageAttributeNames":["All"])").elements().at(0);
    EXPECT_EQ(message["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"]);
    EXPECT_EQ(message["MessageAttributes"]["bytes"]["BinaryValue"].text(), "AQI=");
    EXPECT_EQ(message["MessageAttributes"]["number"]["DataType"].text(), "Number.int");
}

TEST_F(Messages, attributes_have_the_digest_of_a_known_vector) {
    auto sent = port.result(
        "SendMessage",
        R"({"QueueUrl":"q","MessageBody":"x","MessageAttributes":{"timestamp":{"DataType":"Number","StringValue":"1493147359900"}}})");
    EXPECT_EQ(sent["MD5OfMessageAttributes"].text(), "235c5c510d26fb653d073faed50ae77c");
}

TEST_F(Messages, a_receiver_gets_the_attributes_it_asks_for_and_their_digest) {
    port.result(
        "SendMessage",
        R"({"QueueUrl":"q","MessageBody":"x","MessageAttributes":{"a.x":{"DataType":"String","StringValue":"1"},"a.y":{"DataType":"String","StringValue":"2"},"b":{"DataType":"String","StringValue":"3"}}})");
    auto names = [&](std::string_view wanted) {
        auto message = receive(R"(,"VisibilityTimeout":0,"MessageAttributeNames":)" + std::string(wanted)).elements().at(0);
        std::string out;
        for (auto& [name, value] : message["MessageAttributes"].members()) out += name + " ";
        EXPECT_EQ(message.find("MD5OfMessageAttributes") != nullptr, !out.empty());
        return out;
    };
    EXPECT_EQ(names("[]"), "");
    EXPECT_EQ(names(R"(["b"])"), "b ");
    EXPECT_EQ(names(R"(["a.*"])"), "a.x a.y ");
    EXPECT_EQ(names(R"([".*"])"), "a.x a.y b ");
    EXPECT_EQ(names(R"(["All"])"), "a.x a.y b ");
    EXPECT_EQ(names(R"(["none"])"), "");
}

TEST_F(Messages, system_attributes_tell_what_the_queue_knows) {
    port.result(
        "SendMessage",
        R"({"QueueUrl":"q","MessageBody":"x","MessageGroupId":"tenant","MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":"Root=1"}}})");
    broker.now = broker.now + 5s;
    auto attributes = receive(R"(,"AttributeNames":["All"])").elements().at(0)["Attributes"];
    EXPECT_EQ(attributes["SentTimestamp"].text(), "1700000000000");
    EXPECT_EQ(attributes["ApproximateFirstReceiveTimestamp"].text(), "1700000005000");
    EXPECT_EQ(attributes["ApproximateReceiveCount"].text(), "1");
    EXPECT_EQ(attributes["SenderId"].text(), "123456789012");
    EXPECT_EQ(attributes["AWSTraceHeader"].text(), "Root=1");
    EXPECT_EQ(attributes["MessageGroupId"].text(), "tenant");
    EXPECT_EQ(attributes.find("ForebayAttempts"), nullptr);
    EXPECT_EQ(attributes.find("DeadLetterQueueSourceArn"), nullptr);
}

TEST_F(Messages, old_and_new_names_of_system_attributes_may_be_mixed) {
    send();
    auto attributes = receive(R"(,"AttributeNames":["SentTimestamp"],"MessageSystemAttributeNames":["ApproximateReceiveCount"])")
                          .elements()
                          .at(0)["Attributes"];
    EXPECT_EQ(attributes.members().size(), 2u);
    EXPECT_EQ(port.refusal("ReceiveMessage", R"({"QueueUrl":"q","AttributeNames":["Foo"]})"),
              "400 com.amazonaws.sqs#InvalidAttributeName: Unknown Attribute Foo.");
}

TEST_F(Messages, the_trace_header_has_a_digest_of_its_own) {
    auto sent = port.result(
        "SendMessage",
        R"({"QueueUrl":"q","MessageBody":"x","MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":"Root=1"}}})");
    EXPECT_EQ(sent["MD5OfMessageSystemAttributes"].text().size(), 32u);
    EXPECT_EQ(sent.find("MD5OfMessageAttributes"), nullptr);
}

TEST_F(Messages, a_dead_letter_names_its_source) {
    port.result("CreateQueue", R"({"QueueName":"dead"})");
    port.result(
        "SetQueueAttributes",
        R"({"QueueUrl":"q","Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:123456789012:dead\",\"maxReceiveCount\":\"1\"}"}})");
    send("poison");
    EXPECT_EQ(receive(R"(,"VisibilityTimeout":0)").elements().size(), 1u);
    EXPECT_EQ(receive().elements().size(), 0u);
    auto result = port.result("ReceiveMessage", R"({"QueueUrl":"dead","AttributeNames":["All"]})");
    EXPECT_EQ(result["Messages"].elements().at(0)["Attributes"]["DeadLetterQueueSourceArn"].text(), "arn:aws:sqs:us-east-1:123456789012:q");
    auto sources = port.result("ListDeadLetterSourceQueues", R"({"QueueUrl":"dead"})");
    EXPECT_EQ(sources["queueUrls"].elements().at(0).text(), "http://localhost:9324/123456789012/q");
}

TEST_F(Messages, a_long_poll_answers_when_a_message_comes) {
    auto poll = port.start(Port::json_request("AmazonSQS.ReceiveMessage", R"({"QueueUrl":"q","WaitTimeSeconds":20})"));
    EXPECT_FALSE(port.answers.contains(poll));
    send();
    EXPECT_NE(port.answers.at(poll).body.find("\"Body\":\"hello\""), std::string::npos);
}

TEST_F(Messages, a_long_poll_ends_with_nothing) {
    auto poll = port.start(Port::json_request("AmazonSQS.ReceiveMessage", R"({"QueueUrl":"q","WaitTimeSeconds":20})"));
    broker.end_waits();
    EXPECT_EQ(port.answers.at(poll).body, "{}");
}

TEST_F(Messages, a_client_that_has_gone_gets_no_message) {
    port.start(Port::json_request("AmazonSQS.ReceiveMessage", R"({"QueueUrl":"q","WaitTimeSeconds":20})"));
    port.connected = false;
    send();
    port.connected = true;
    EXPECT_EQ(receive().elements().size(), 1u);
}

TEST_F(Messages, a_batch_answers_for_each_entry) {
    auto result = port.result(
        "SendMessageBatch",
        R"({"QueueUrl":"q","Entries":[{"Id":"one","MessageBody":"1"},{"Id":"two","MessageBody":"2","DelaySeconds":901},{"Id":"three","MessageBody":"\u0001"}]})");
    ASSERT_EQ(result["Successful"].elements().size(), 1u);
    EXPECT_EQ(result["Successful"].elements()[0]["Id"].text(), "one");
    EXPECT_EQ(result["Successful"].elements()[0]["MD5OfMessageBody"].text(), "c4ca4238a0b923820dcc509a6f75849b");
    ASSERT_EQ(result["Failed"].elements().size(), 2u);
    EXPECT_EQ(result["Failed"].elements()[0]["Code"].text(), "InvalidParameterValue");
    EXPECT_TRUE(result["Failed"].elements()[0]["SenderFault"].boolean());
    EXPECT_EQ(result["Failed"].elements()[1]["Code"].text(), "InvalidMessageContents");
    EXPECT_EQ(broker.messages_in("q"), 1u);
}

TEST_F(Messages, a_batch_without_failures_leaves_the_list_out) {
    auto result = port.result("SendMessageBatch", R"({"QueueUrl":"q","Entries":[{"Id":"one","MessageBody":"1"}]})");
    EXPECT_EQ(result.find("Failed"), nullptr);
}

TEST_F(Messages, a_batch_of_deletes_answers_for_each_entry) {
    send();
    auto result = port.result(
        "DeleteMessageBatch",
        R"({"QueueUrl":"q","Entries":[{"Id":"bad","ReceiptHandle":"nonsense"},{"Id":"good","ReceiptHandle":")" + handle() + "\"}]}");
    EXPECT_EQ(result["Successful"].elements().at(0)["Id"].text(), "good");
    EXPECT_EQ(result["Failed"].elements().at(0)["Id"].text(), "bad");
    EXPECT_EQ(result["Failed"].elements().at(0)["Code"].text(), "ReceiptHandleIsInvalid");
    EXPECT_EQ(broker.messages_in("q"), 0u);
}

TEST_F(Messages, deleting_twice_succeeds) {
    send();
    auto body = R"({"QueueUrl":"q","ReceiptHandle":")" + handle() + "\"}";
    port.result("DeleteMessage", body);
    port.result("DeleteMessage", body);
}

TEST_F(Messages, visibility_can_be_changed_alone_and_in_batches) {
    send();
    auto first = handle();
    port.result("ChangeMessageVisibility", R"({"QueueUrl":"q","VisibilityTimeout":0,"ReceiptHandle":")" + first + "\"}");
    auto second = handle();
    auto result =
        port.result("ChangeMessageVisibilityBatch", R"({"QueueUrl":"q","Entries":[{"Id":"a","VisibilityTimeout":0,"ReceiptHandle":")" +
                                                        second + R"("},{"Id":"b","VisibilityTimeout":43201,"ReceiptHandle":")" + second +
                                                        R"("},{"Id":"c","VisibilityTimeout":1,"ReceiptHandle":"zzz"}]})");
    EXPECT_EQ(result["Successful"].elements().size(), 1u);
    EXPECT_EQ(result["Failed"].elements().size(), 2u);
    EXPECT_EQ(receive().elements().size(), 1u);
}

TEST_F(Messages, visibility_ends_twelve_hours_after_the_receive) {
    send();
    auto held = handle();
    broker.now = broker.now + 1h;
    EXPECT_EQ(port.refusal("ChangeMessageVisibility", R"({"QueueUrl":"q","VisibilityTimeout":43200,"ReceiptHandle":")" + held + "\"}"),
              "400 com.amazon.coral.service#InvalidParameterValueException: Value 43200 for parameter VisibilityTimeout is invalid. "
              "Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds].");
}

TEST_F(Messages, changing_the_visibility_of_a_deleted_message_is_refused) {
    send();
    auto held = handle();
    port.result("DeleteMessage", R"({"QueueUrl":"q","ReceiptHandle":")" + held + "\"}");
    EXPECT_EQ(
        port.refusal("ChangeMessageVisibility", R"({"QueueUrl":"q","VisibilityTimeout":1,"ReceiptHandle":")" + held + "\"}"),
        "400 com.amazon.coral.service#InvalidParameterValueException: Value " + held +
            " for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.");
}

TEST_F(Messages, our_workers_give_back_without_a_count_and_note_attempts) {
    send();
    auto body = R"({"QueueUrl":"q","VisibilityTimeout":0,"ReceiptHandle":")" + handle() + "\"}";
    port.result("ChangeMessageVisibility", body, {{"x-forebay-release", "hold"}, {"x-forebay-attempt", "3"}});
    auto attributes = receive(R"(,"AttributeNames":["ApproximateReceiveCount","ForebayAttempts"])").elements().at(0)["Attributes"];
    EXPECT_EQ(attributes["ApproximateReceiveCount"].text(), "1");
    EXPECT_EQ(attributes["ForebayAttempts"].text(), "3");
}

TEST_F(Messages, our_workers_may_take_and_delete_more_than_ten_at_once) {
    for (int i = 0; i < 30; ++i) send();
    auto ask = R"({"QueueUrl":"q","MaxNumberOfMessages":25})";
    EXPECT_EQ(port.json("ReceiveMessage", ask).status, 400u);
    EXPECT_EQ(port.json("ReceiveMessage", ask, {{"x-forebay-batch", "24"}}).status, 400u);
    auto got = port.result("ReceiveMessage", ask, {{"x-forebay-batch", "25"}})["Messages"];
    ASSERT_EQ(got.elements().size(), 25u);
    std::string entries;
    for (std::size_t i = 0; i < 25; ++i)
        entries += (i == 0 ? "" : ",") + (R"({"Id":")" + std::to_string(i)) + R"(","ReceiptHandle":")" +
                   got.elements()[i]["ReceiptHandle"].text() + "\"}";
    auto remove = R"({"QueueUrl":"q","Entries":[)" + entries + "]}";
    EXPECT_EQ(port.json("DeleteMessageBatch", remove).status, 400u);
    EXPECT_EQ(port.result("DeleteMessageBatch", remove, {{"x-forebay-batch", "100"}})["Successful"].elements().size(), 25u);
    for (auto* number : {"0", "101", "-1", "many", "1 0"})
        EXPECT_EQ(port.json("ReceiveMessage", ask, {{"x-forebay-batch", number}}).status, 400u) << number;
}

TEST_F(Messages, our_headers_are_read_strictly) {
    send();
    auto body = R"({"QueueUrl":"q","VisibilityTimeout":0,"ReceiptHandle":")" + handle() + "\"}";
    EXPECT_EQ(port.json("ChangeMessageVisibility", body, {{"x-forebay-attempt", "many"}}).status, 400u);
    EXPECT_EQ(port.json("ChangeMessageVisibility", body, {{"x-forebay-release", "yes"}}).status, 400u);
    EXPECT_EQ(receive().elements().size(), 0u);
}

}  // namespace
}  // namespace forebay::sqs
