// FIFO queues through the port, over the real broker.

#include "base/digest.h"

#include "port.h"
#include "still_broker.h"

namespace forebay::sqs {
namespace {

constexpr const char* invalid_parameter = "400 com.amazon.coral.service#InvalidParameterValueException: ";
constexpr const char* missing_parameter = "400 com.amazon.coral.service#MissingRequiredParameterException: ";
constexpr const char* invalid_attribute_value = "400 com.amazonaws.sqs#InvalidAttributeValue: ";
constexpr const char* invalid_attribute_name = "400 com.amazonaws.sqs#InvalidAttributeName: ";

/// `{"QueueUrl":"q.fifo", MEMBERS}`
std::string at_queue(std::string_view members = "", std::string_view queue = "q.fifo") {
    return R"({"QueueUrl":")" + std::string(queue) + '"' + std::string(members.empty() ? "" : ",") + std::string(members) + "}";
}

/// A port with a FIFO queue `q.fifo` and a standard queue `q`.
struct Fifo : ::testing::Test {
    StillBroker broker;
    Port port{broker};

    void SetUp() override {
        create("q.fifo");
        port.result("CreateQueue", R"({"QueueName":"q"})");
    }
    void create(const std::string& name, const std::string& more = "") {
        port.result("CreateQueue", R"({"QueueName":")" + name + R"(","Attributes":{"FifoQueue":"true")" + more + "}}");
    }
    json::Value send(const std::string& group, const std::string& id, const std::string& body = "x", std::string_view queue = "q.fifo") {
        return port.result("SendMessage", at_queue(R"("MessageBody":")" + body + R"(","MessageGroupId":")" + group + "\"" +
                                                       (id.empty() ? "" : R"(,"MessageDeduplicationId":")" + id + "\""),
                                                   queue));
    }
    std::vector<json::Value> receive(const std::string& members = R"("MaxNumberOfMessages":10)", std::string_view queue = "q.fifo") {
        return port.result("ReceiveMessage", at_queue(members + R"(,"AttributeNames":["All"])", queue))["Messages"].elements();
    }
    std::string bodies(const std::vector<json::Value>& messages) {
        std::string out;
        for (const auto& message : messages) out += (out.empty() ? "" : " ") + message["Body"].text();
        return out;
    }
    std::string set(const std::string& attributes, const std::string& queue = "q.fifo") {
        auto response = port.json("SetQueueAttributes", at_queue(R"("Attributes":{)" + attributes + "}", queue));
        return response.status == 200 ? "" : Port::summary(response);
    }
    json::Value attributes(const std::string& queue = "q.fifo") {
        return port.result("GetQueueAttributes", at_queue(R"("AttributeNames":["All"])", queue))["Attributes"];
    }
    std::string delete_message(const std::string& handle) {
        auto response = port.json("DeleteMessage", at_queue(R"("ReceiptHandle":")" + handle + "\""));
        return response.status == 200 ? "" : Port::summary(response);
    }
    std::string change_visibility(const std::string& handle, int seconds) {
        auto response = port.json("ChangeMessageVisibility",
                                  at_queue(R"("ReceiptHandle":")" + handle + R"(","VisibilityTimeout":)" + std::to_string(seconds)));
        return response.status == 200 ? "" : Port::summary(response);
    }
};

std::string policy(const std::string& target, int max = 1) {
    return R"("RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:123456789012:)" + target + R"(\",\"maxReceiveCount\":)" +
           std::to_string(max) + R"(}")";
}
std::string policy_refused(const std::string& target, const std::string& reason) {
    return std::string(invalid_parameter) + R"(Value {"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:)" + target +
           R"(","maxReceiveCount":1} for parameter RedrivePolicy is invalid. Reason: )" + reason;
}

// Queues.

TEST_F(Fifo, a_name_and_the_attribute_go_together) {
    auto create = [&](const std::string& name, const std::string& attributes) {
        return port.refusal("CreateQueue", R"({"QueueName":")" + name + R"(","Attributes":{)" + attributes + "}}");
    };
    auto standard = std::string(invalid_parameter) + "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
    auto fifo =
        std::string(invalid_parameter) +
        "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be "
        "1 to 80 in length";
    EXPECT_EQ(create("x.fifo", ""), standard);
    EXPECT_EQ(create("x.fifo", R"("FifoQueue":"false")"), standard);
    EXPECT_EQ(create("x", R"("FifoQueue":"true")"), fifo);
    EXPECT_EQ(create("x y.fifo", R"("FifoQueue":"true")"), fifo);
    EXPECT_EQ(create(std::string(76, 'x') + ".fifo", R"("FifoQueue":"true")"), fifo);
    EXPECT_EQ(create(".fifo", R"("FifoQueue":"true")"), fifo);
    EXPECT_EQ(create("x", R"("FifoQueue":"false")"), std::string(invalid_attribute_name) + "Unknown Attribute FifoQueue.");
    this->create(std::string(75, 'x') + ".fifo");
    EXPECT_EQ(port.result("CreateQueue", R"({"QueueName":"y.fifo","Attributes":{"FifoQueue":"True"}})")["QueueUrl"].text(),
              "http://localhost:9324/123456789012/y.fifo");
}

TEST_F(Fifo, attributes_are_told_set_and_never_of_a_standard_queue) {
    auto told = attributes();
    EXPECT_EQ(told["FifoQueue"].text(), "true");
    EXPECT_EQ(told["ContentBasedDeduplication"].text(), "false");
    EXPECT_EQ(told["DeduplicationScope"].text(), "queue");
    EXPECT_EQ(told["FifoThroughputLimit"].text(), "perQueue");
    EXPECT_EQ(set(R"("ContentBasedDeduplication":"TRUE","DeduplicationScope":"messageGroup","FifoThroughputLimit":"perMessageGroupId")"),
              "");
    broker.restart();
    told = attributes();
    EXPECT_EQ(told["ContentBasedDeduplication"].text(), "true");
    EXPECT_EQ(told["DeduplicationScope"].text(), "messageGroup");
    EXPECT_EQ(told["FifoThroughputLimit"].text(), "perMessageGroupId");
    auto one = port.result("GetQueueAttributes", at_queue(R"("AttributeNames":["FifoQueue"])"))["Attributes"];
    EXPECT_EQ(json::to_text(one), R"({"FifoQueue":"true"})");
    for (auto name : {"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"})
        EXPECT_EQ(attributes("q").find(name), nullptr) << name;
}

TEST_F(Fifo, wrong_attributes_change_nothing) {
    auto invalid = [](std::string name) { return std::string(invalid_attribute_value) + "Invalid value for the parameter " + name + "."; };
    EXPECT_EQ(set(R"("FifoQueue":"false")"), invalid("FifoQueue") + " Reason: Modifying queue type is not supported.");
    EXPECT_EQ(set(R"("FifoQueue":"no")"), invalid("FifoQueue"));
    EXPECT_EQ(set(R"("FifoQueue":"true")"), "");
    EXPECT_EQ(set(R"("ContentBasedDeduplication":"1")"), invalid("ContentBasedDeduplication"));
    EXPECT_EQ(set(R"("DeduplicationScope":"group")"), invalid("DeduplicationScope"));
    EXPECT_EQ(set(R"("FifoThroughputLimit":"")"), invalid("FifoThroughputLimit"));
    auto together = std::string(invalid_attribute_value) +
                    "You can specify perMessageGroupId for FifoThroughputLimit only when DeduplicationScope is set to messageGroup.";
    EXPECT_EQ(set(R"("ContentBasedDeduplication":"true","FifoThroughputLimit":"perMessageGroupId")"), together);
    EXPECT_EQ(attributes()["ContentBasedDeduplication"].text(), "false");
    EXPECT_EQ(set(R"("FifoThroughputLimit":"perMessageGroupId","DeduplicationScope":"messageGroup")"), "");
    EXPECT_EQ(set(R"("DeduplicationScope":"queue")"), together);
    EXPECT_EQ(port.refusal("CreateQueue",
                           R"({"QueueName":"x.fifo","Attributes":{"FifoQueue":"true","FifoThroughputLimit":"perMessageGroupId"}})"),
              together);
}

TEST_F(Fifo, a_standard_queue_has_none_of_it) {
    EXPECT_EQ(set(R"("FifoQueue":"true")", "q"), std::string(invalid_attribute_name) + "Unknown Attribute FifoQueue.");
    EXPECT_EQ(set(R"("ContentBasedDeduplication":"true")", "q"),
              std::string(invalid_attribute_name) + "Unknown Attribute ContentBasedDeduplication.");
    for (std::string name : {"DeduplicationScope", "FifoThroughputLimit"})
        EXPECT_EQ(set("\"" + name + R"(":"queue")", "q"),
                  std::string(invalid_attribute_value) + "You can specify the " + name + " only when FifoQueue is set to true.");
    EXPECT_EQ(
        port.refusal("SendMessage", at_queue(R"("MessageBody":"x","MessageDeduplicationId":"d")", "q")),
        std::string(invalid_parameter) +
            "Value d for parameter MessageDeduplicationId is invalid. Reason: The request include parameter that is not valid for this "
            "queue type.");
}

TEST_F(Fifo, creating_a_queue_again_compares_what_is_given) {
    create("q.fifo");
    create("q.fifo", R"(,"DeduplicationScope":"queue","ContentBasedDeduplication":"false")");
    EXPECT_EQ(port.refusal("CreateQueue", R"({"QueueName":"q.fifo","Attributes":{"FifoQueue":"true","ContentBasedDeduplication":"true"}})"),
              "400 com.amazonaws.sqs#QueueNameExists: A queue already exists with the same name and a different value for attribute "
              "ContentBasedDeduplication");
}

// Sending.

TEST_F(Fifo, a_message_needs_a_group_and_an_id) {
    EXPECT_EQ(port.refusal("SendMessage", at_queue(R"("MessageBody":"x","MessageDeduplicationId":"1")")),
              std::string(missing_parameter) + "The request must contain the parameter MessageGroupId.");
    auto no_id = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly";
    EXPECT_EQ(port.refusal("SendMessage", at_queue(R"("MessageBody":"x","MessageGroupId":"g")")), std::string(invalid_parameter) + no_id);
    auto batch = port.result("SendMessageBatch", at_queue(R"("Entries":[{"Id":"a","MessageBody":"x","MessageGroupId":"g"},
        {"Id":"b","MessageBody":"x","MessageGroupId":"g","MessageDeduplicationId":"1"}])"));
    EXPECT_EQ(batch["Failed"].elements().at(0)["Code"].text(), "InvalidParameterValue");
    EXPECT_EQ(batch["Failed"].elements().at(0)["Message"].text(), no_id);
    EXPECT_EQ(batch["Successful"].elements().at(0)["Id"].text(), "b");
}

TEST_F(Fifo, an_entry_without_a_group_fails_the_whole_batch) {
    auto entries = R"("Entries":[{"Id":"a","MessageBody":"x","MessageGroupId":"g","MessageDeduplicationId":"1"},
        {"Id":"b","MessageBody":"x","MessageDeduplicationId":"2"}])";
    EXPECT_EQ(port.refusal("SendMessageBatch", at_queue(entries)),
              std::string(invalid_parameter) + "The request must contain the parameter MessageGroupId.");
    EXPECT_EQ(port.refusal("SendMessageBatch", at_queue(entries, "none.fifo")),
              "400 com.amazonaws.sqs#QueueDoesNotExist: The specified queue does not exist.");
    EXPECT_EQ(receive().size(), 0u);
}

TEST_F(Fifo, ids_have_their_characters_and_lengths) {
    auto send = [&](const std::string& name, const std::string& value) {
        auto other = name == "MessageGroupId" ? R"("MessageDeduplicationId":"d1")" : R"("MessageGroupId":"g1")";
        auto body = at_queue(R"("MessageBody":"x",)" + std::string(other) + ",\"" + name + "\":\"" + value + "\"");
        auto response = port.json("SendMessage", body);
        return response.status == 200 ? "" : Port::summary(response);
    };
    for (std::string name : {"MessageGroupId", "MessageDeduplicationId"}) {
        auto refused = [&](const std::string& value) {
            return std::string(invalid_parameter) + "Value " + value + " for parameter " + name + " is invalid. Reason: " + name +
                   " can only include alphanumeric and punctuation characters. 1 to 128 in length.";
        };
        std::string all = R"(!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~aZ09)";
        EXPECT_EQ(send(name, all), "");
        EXPECT_EQ(send(name, std::string(128, 'x')), "");
        for (const std::string& bad : {std::string(), std::string(129, 'x'), std::string("a b"), std::string("\u00fc")})
            EXPECT_EQ(send(name, bad), refused(bad));
    }
    EXPECT_EQ(
        port.refusal("ReceiveMessage", at_queue(R"("ReceiveRequestAttemptId":"a b")")),
        std::string(invalid_parameter) +
            "Value a b for parameter ReceiveRequestAttemptId is invalid. Reason: ReceiveRequestAttemptId can only include alphanumeric "
            "and punctuation characters. 1 to 128 in length.");
}

TEST_F(Fifo, a_message_has_no_delay_of_its_own) {
    auto refused = [](int seconds) {
        return "Value " + std::to_string(seconds) +
               " for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.";
    };
    for (int seconds : {1, 900, 901, -1})
        EXPECT_EQ(
            port.refusal("SendMessage", at_queue(R"("MessageBody":"x","MessageGroupId":"g","MessageDeduplicationId":"1","DelaySeconds":)" +
                                                 std::to_string(seconds))),
            invalid_parameter + refused(seconds));
    auto batch = port.result("SendMessageBatch", at_queue(R"("Entries":[
        {"Id":"a","MessageBody":"x","MessageGroupId":"g","MessageDeduplicationId":"1","DelaySeconds":5}])"));
    EXPECT_EQ(batch["Failed"].elements().at(0)["Message"].text(), refused(5));
}

TEST_F(Fifo, a_delay_of_nothing_keeps_the_queues_delay) {
    EXPECT_EQ(set(R"("DelaySeconds":"5")"), "");
    port.result("SendMessage", at_queue(R"("MessageBody":"x","MessageGroupId":"g","MessageDeduplicationId":"1","DelaySeconds":0)"));
    EXPECT_EQ(receive().size(), 0u);
    EXPECT_EQ(attributes()["ApproximateNumberOfMessagesDelayed"].text(), "1");
    broker.advance(5s);
    EXPECT_EQ(receive().size(), 1u);
}

TEST_F(Fifo, sequence_numbers_grow_and_have_twenty_digits) {
    std::string last;
    for (auto id : {"1", "2", "3"}) {
        auto number = send("g", id)["SequenceNumber"].text();
        EXPECT_EQ(number.size(), 20u);
        EXPECT_LT(last, number);
        last = number;
    }
    auto batch = port.result("SendMessageBatch", at_queue(R"("Entries":[
        {"Id":"a","MessageBody":"x","MessageGroupId":"h","MessageDeduplicationId":"4"}])"));
    EXPECT_LT(last, batch["Successful"].elements().at(0)["SequenceNumber"].text());
    EXPECT_EQ(port.result("SendMessage", at_queue(R"("MessageBody":"x")", "q")).find("SequenceNumber"), nullptr);
}

TEST_F(Fifo, a_duplicate_is_answered_with_the_first_ones_id_and_number) {
    auto first = send("g", "1", "first");
    auto again = send("other", "1", "second");
    EXPECT_EQ(again["MessageId"], first["MessageId"]);
    EXPECT_EQ(again["SequenceNumber"], first["SequenceNumber"]);
    EXPECT_EQ(again["MD5OfMessageBody"].text(), to_hex(md5("second")));
    auto batch = port.result("SendMessageBatch", at_queue(R"("Entries":[
        {"Id":"a","MessageBody":"x","MessageGroupId":"g","MessageDeduplicationId":"1"},
        {"Id":"b","MessageBody":"y","MessageGroupId":"g","MessageDeduplicationId":"2"},
        {"Id":"c","MessageBody":"y","MessageGroupId":"g","MessageDeduplicationId":"2"}])"))["Successful"]
                     .elements();
    ASSERT_EQ(batch.size(), 3u);
    EXPECT_EQ(batch[0]["MessageId"], first["MessageId"]);
    EXPECT_EQ(batch[2]["MessageId"], batch[1]["MessageId"]);
    EXPECT_EQ(batch[2]["SequenceNumber"], batch[1]["SequenceNumber"]);
    EXPECT_EQ(bodies(receive()), "first y");
}

TEST_F(Fifo, an_id_counts_for_five_minutes_whatever_becomes_of_its_message) {
    auto first = send("g", "1", "first");
    EXPECT_EQ(delete_message(receive().at(0)["ReceiptHandle"].text()), "");
    broker.advance(299s);
    broker.restart();
    EXPECT_EQ(send("g", "1", "again")["MessageId"], first["MessageId"]);
    EXPECT_EQ(receive().size(), 0u);
    broker.advance(3s);
    EXPECT_NE(send("g", "1", "later")["MessageId"], first["MessageId"]);
    EXPECT_EQ(bodies(receive()), "later");
}

TEST_F(Fifo, a_purge_frees_the_ids) {
    send("g", "1", "first");
    port.result("PurgeQueue", at_queue());
    send("g", "1", "second");
    EXPECT_EQ(bodies(receive()), "second");
}

TEST_F(Fifo, by_content_the_body_is_the_id_and_nothing_else_counts) {
    create("c.fifo", R"(,"ContentBasedDeduplication":"true")");
    auto first = send("g", "", "same", "c.fifo");
    auto with_attribute = port.result("SendMessage", at_queue(R"("MessageBody":"same","MessageGroupId":"h","MessageAttributes":{
        "a":{"DataType":"String","StringValue":"b"}})",
                                                              "c.fifo"));
    EXPECT_EQ(with_attribute["MessageId"], first["MessageId"]);
    EXPECT_NE(send("g", "own", "same", "c.fifo")["MessageId"], first["MessageId"]);
    auto messages = receive(R"("MaxNumberOfMessages":10)", "c.fifo");
    ASSERT_EQ(messages.size(), 2u);
    EXPECT_EQ(messages[0]["Attributes"]["MessageDeduplicationId"].text(), to_hex(sha256("same")));
    EXPECT_EQ(messages[1]["Attributes"]["MessageDeduplicationId"].text(), "own");
}

TEST_F(Fifo, an_id_may_count_within_its_group_only) {
    create("s.fifo", R"(,"DeduplicationScope":"messageGroup","FifoThroughputLimit":"perMessageGroupId")");
    auto first = send("g", "1", "a", "s.fifo");
    EXPECT_NE(send("h", "1", "b", "s.fifo")["MessageId"], first["MessageId"]);
    EXPECT_EQ(send("g", "1", "c", "s.fifo")["MessageId"], first["MessageId"]);
    EXPECT_EQ(attributes("s.fifo")["ApproximateNumberOfMessages"].text(), "2");
}

// Receiving.

TEST_F(Fifo, a_receive_fills_from_one_group_first_and_hides_it_whole) {
    for (auto [group, body] : {std::pair{"a", "a1"}, {"b", "b1"}, {"a", "a2"}, {"b", "b2"}, {"a", "a3"}}) send(group, body, body);
    auto first = receive(R"("MaxNumberOfMessages":2)");
    EXPECT_EQ(bodies(first), "a1 a2");
    auto second = receive();
    EXPECT_EQ(bodies(second), "b1 b2");
    EXPECT_EQ(receive().size(), 0u);
    EXPECT_EQ(delete_message(first[0]["ReceiptHandle"].text()), "");
    EXPECT_EQ(receive().size(), 0u) << "a2 is still out";
    EXPECT_EQ(delete_message(first[1]["ReceiptHandle"].text()), "");
    EXPECT_EQ(bodies(receive()), "a3");
}

TEST_F(Fifo, a_batch_has_all_of_a_group_before_the_next) {
    for (auto [group, body] : {std::pair{"a", "a1"}, {"b", "b1"}, {"a", "a2"}, {"c", "c1"}, {"b", "b2"}}) send(group, body, body);
    EXPECT_EQ(bodies(receive()), "a1 a2 b1 b2 c1");
}

TEST_F(Fifo, system_attributes_tell_group_id_and_number) {
    auto sent = send("g", "1");
    auto told = receive().at(0)["Attributes"];
    EXPECT_EQ(told["MessageGroupId"].text(), "g");
    EXPECT_EQ(told["MessageDeduplicationId"].text(), "1");
    EXPECT_EQ(told["SequenceNumber"], sent["SequenceNumber"]);
    port.result("SendMessage", at_queue(R"("MessageBody":"x","MessageGroupId":"tenant")", "q"));
    told = receive(R"("MaxNumberOfMessages":1)", "q").at(0)["Attributes"];
    EXPECT_EQ(told["MessageGroupId"].text(), "tenant");
    EXPECT_EQ(told.find("SequenceNumber"), nullptr);
    EXPECT_EQ(told.find("MessageDeduplicationId"), nullptr);
}

TEST_F(Fifo, a_receive_repeated_under_its_attempt_gives_the_same_messages) {
    send("a", "1", "a1"), send("b", "2", "b1");
    auto one = R"("MaxNumberOfMessages":1,"ReceiveRequestAttemptId":"try")";
    auto first = receive(one);
    EXPECT_EQ(bodies(first), "a1");
    broker.advance(20s);
    auto again = receive(one);
    ASSERT_EQ(again.size(), 1u);
    EXPECT_EQ(again[0]["ReceiptHandle"], first[0]["ReceiptHandle"]);
    broker.advance(20s);
    EXPECT_EQ(bodies(receive()), "b1") << "the repetition has hidden a1 anew";
    EXPECT_EQ(delete_message(first[0]["ReceiptHandle"].text()), "");
    EXPECT_EQ(receive(one).size(), 0u);
}

TEST_F(Fifo, a_poll_is_answered_when_its_group_is_free_again) {
    send("g", "1", "one"), send("g", "2", "two");
    auto held = receive(R"("MaxNumberOfMessages":1)").at(0)["ReceiptHandle"].text();
    auto poll = port.start(Port::json_request("AmazonSQS.ReceiveMessage", R"({"QueueUrl":"q.fifo","WaitTimeSeconds":20})"));
    EXPECT_FALSE(port.answers.contains(poll));
    EXPECT_EQ(delete_message(held), "");
    EXPECT_NE(port.answers[poll].body.find("\"Body\":\"two\""), std::string::npos);
}

// Handles.

TEST_F(Fifo, a_handle_ends_with_its_lease) {
    send("g", "1");
    auto first = receive(R"("VisibilityTimeout":5)").at(0)["ReceiptHandle"].text();
    broker.advance(5s);
    auto expired = std::string(invalid_parameter) + "Value " + first + " for parameter ReceiptHandle is invalid. Reason: ";
    EXPECT_EQ(delete_message(first), expired + "The receipt handle has expired.");
    EXPECT_EQ(change_visibility(first, 5), expired + "Message does not exist or is not available for visibility timeout change.");
    auto second = receive().at(0)["ReceiptHandle"].text();
    EXPECT_EQ(delete_message(first), expired + "The receipt handle has expired.");
    EXPECT_EQ(change_visibility(first, 0), expired + "Message does not exist or is not available for visibility timeout change.");
    EXPECT_EQ(change_visibility(second, 60), "");
    EXPECT_EQ(delete_message(second), "");
}

TEST_F(Fifo, after_the_delete_a_handle_deletes_again_and_hides_nothing) {
    send("g", "1");
    auto handle = receive().at(0)["ReceiptHandle"].text();
    EXPECT_EQ(delete_message(handle), "");
    EXPECT_EQ(delete_message(handle), "");
    EXPECT_EQ(change_visibility(handle, 5),
              std::string(invalid_parameter) + "Value " + handle +
                  " for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available "
                  "for visibility timeout change.");
}

TEST_F(Fifo, in_batches_each_handle_is_judged_by_itself) {
    send("a", "1"), send("b", "2");
    auto old = receive(R"("MaxNumberOfMessages":1,"VisibilityTimeout":0)").at(0)["ReceiptHandle"].text();
    auto held = receive();
    std::string entries = R"("Entries":[{"Id":"old","ReceiptHandle":")" + old +
                          R"(","VisibilityTimeout":9},{"Id":"new","ReceiptHandle":")" + held.at(1)["ReceiptHandle"].text() +
                          R"(","VisibilityTimeout":9}])";
    auto expired = "Value " + old + " for parameter ReceiptHandle is invalid. Reason: ";
    auto changed = port.result("ChangeMessageVisibilityBatch", at_queue(entries));
    EXPECT_EQ(changed["Successful"].elements().at(0)["Id"].text(), "new");
    EXPECT_EQ(changed["Failed"].elements().at(0)["Message"].text(),
              expired + "Message does not exist or is not available for visibility timeout change.");
    auto deleted = port.result("DeleteMessageBatch", at_queue(entries));
    EXPECT_EQ(deleted["Successful"].elements().at(0)["Id"].text(), "new");
    EXPECT_EQ(deleted["Failed"].elements().at(0)["Code"].text(), "InvalidParameterValue");
    EXPECT_EQ(deleted["Failed"].elements().at(0)["Message"].text(), expired + "The receipt handle has expired.");
}

// Dead letters.

TEST_F(Fifo, dead_letters_go_to_a_queue_of_the_same_kind) {
    auto other_kind = "Dead-letter queue must be same type of queue as the source..";
    EXPECT_EQ(set(policy("q")), policy_refused("q", other_kind));
    EXPECT_EQ(set(policy("q.fifo"), "q"), policy_refused("q.fifo", other_kind));
    EXPECT_EQ(set(policy("none.fifo")), policy_refused("none.fifo", "Dead letter target does not exist."));
    EXPECT_EQ(set(policy("q.fifo")), policy_refused("q.fifo", "Dead letter target does not exist."));
    EXPECT_EQ(port.refusal("CreateQueue", R"({"QueueName":"x.fifo","Attributes":{"FifoQueue":"true",)" + policy("none.fifo") + "}}"),
              policy_refused("none.fifo", "Dead letter target does not exist."));
    EXPECT_EQ(attributes().find("RedrivePolicy"), nullptr);
}

TEST_F(Fifo, dead_letters_keep_their_group_and_their_order_and_come_back) {
    create("dead.fifo");
    EXPECT_EQ(set(policy("dead.fifo")), "");
    send("g", "1", "one"), send("g", "2", "two"), send("h", "3", "three");
    EXPECT_EQ(receive(R"("MaxNumberOfMessages":10,"VisibilityTimeout":5)").size(), 3u);
    broker.advance(5s);
    EXPECT_EQ(receive().size(), 0u);
    auto dead = receive(R"("MaxNumberOfMessages":10,"VisibilityTimeout":5)", "dead.fifo");
    broker.advance(5s);
    EXPECT_EQ(bodies(dead), "one two three");
    EXPECT_EQ(dead.at(0)["Attributes"]["MessageGroupId"].text(), "g");
    EXPECT_EQ(dead.at(0)["Attributes"]["MessageDeduplicationId"].text(), "1");
    EXPECT_EQ(dead.at(0)["Attributes"]["DeadLetterQueueSourceArn"].text(), "arn:aws:sqs:us-east-1:123456789012:q.fifo");
    auto sources = port.result("ListDeadLetterSourceQueues", at_queue("", "dead.fifo"))["queueUrls"].elements();
    EXPECT_EQ(sources.at(0).text(), "http://localhost:9324/123456789012/q.fifo");

    auto arn = [](std::string name) { return "arn:aws:sqs:us-east-1:123456789012:" + name; };
    EXPECT_EQ(port.refusal("StartMessageMoveTask", R"({"SourceArn":")" + arn("dead.fifo") + R"(","DestinationArn":")" + arn("q") + "\"}"),
              std::string(invalid_parameter) + "The source queue and destination queue must be of the same queue type.");
    port.result("StartMessageMoveTask", R"({"SourceArn":")" + arn("dead.fifo") + "\"}");
    broker.advance(1s);
    auto task = port.result("ListMessageMoveTasks", R"({"SourceArn":")" + arn("dead.fifo") + "\"}")["Results"].elements().at(0);
    EXPECT_EQ(task["Status"].text(), "COMPLETED");
    EXPECT_EQ(bodies(receive()), "one two three");
}

TEST_F(Fifo, expiry_lets_the_rest_of_a_group_go_on) {
    EXPECT_EQ(set(R"("MessageRetentionPeriod":"60","VisibilityTimeout":"3600")"), "");
    send("g", "1", "one");
    EXPECT_EQ(receive().size(), 1u);
    broker.advance(30s);
    send("g", "2", "two");
    for (int i = 0; i < 33; ++i) broker.advance(1s);
    EXPECT_EQ(bodies(receive()), "two");
}

// Who may have which dead-letter queue: of both kinds.

struct AllowPolicy : Fifo {
    std::string allow(const std::string& policy, const std::string& queue) {
        auto body = json::Value::object();
        body.set("QueueUrl", queue).set("Attributes", json::Value::object().set("RedriveAllowPolicy", policy));
        auto response = port.json("SetQueueAttributes", json::to_text(body));
        return response.status == 200 ? "" : Port::summary(response);
    }
    static std::string by_queue(const std::string& name) {
        return R"({"redrivePermission":"byQueue","sourceQueueArns":["arn:aws:sqs:us-east-1:123456789012:)" + name + R"("]})";
    }
};

TEST_F(AllowPolicy, a_dead_letter_queue_says_whose_it_takes) {
    auto refused = [](std::string target) {
        return policy_refused(target, "The RedriveAllowPolicy of the dead-letter queue does not allow this source queue.");
    };
    create("dead.fifo");
    port.result("CreateQueue", R"({"QueueName":"dead"})");
    for (auto [queue, dead] : {std::pair<std::string, std::string>{"q", "dead"}, {"q.fifo", "dead.fifo"}}) {
        EXPECT_EQ(allow(R"({"redrivePermission":"denyAll"})", dead), "");
        EXPECT_EQ(set(policy(dead), queue), refused(dead));
        EXPECT_EQ(attributes(queue).find("RedrivePolicy"), nullptr);
        EXPECT_EQ(allow(by_queue("other"), dead), "");
        EXPECT_EQ(set(policy(dead), queue), refused(dead));
        EXPECT_EQ(allow(by_queue(queue), dead), "");
        EXPECT_EQ(set(policy(dead), queue), "");
        EXPECT_EQ(allow(R"({"redrivePermission":"denyAll"})", dead), "") << "who has it keeps it";
        EXPECT_NE(attributes(queue).find("RedrivePolicy"), nullptr);
        EXPECT_EQ(set(R"("RedrivePolicy":"")", queue), "");
        EXPECT_EQ(set(policy(dead), queue), refused(dead));
        EXPECT_EQ(allow(R"({"redrivePermission":"allowAll"})", dead), "");
        EXPECT_EQ(set(policy(dead), queue), "");
        EXPECT_EQ(allow("", dead), "");
        EXPECT_EQ(set(policy(dead), queue), "");
    }
}

TEST_F(AllowPolicy, a_new_queue_is_asked_too) {
    port.result("CreateQueue", R"({"QueueName":"dead","Attributes":{"RedriveAllowPolicy":"{\"redrivePermission\":\"denyAll\"}"}})");
    EXPECT_EQ(port.refusal("CreateQueue", R"({"QueueName":"new","Attributes":{)" + policy("dead") + "}}"),
              policy_refused("dead", "The RedriveAllowPolicy of the dead-letter queue does not allow this source queue."));
    EXPECT_EQ(port.refusal("GetQueueUrl", R"({"QueueName":"new"})"),
              "400 com.amazonaws.sqs#QueueDoesNotExist: The specified queue does not exist.");
}

TEST_F(AllowPolicy, it_has_a_form) {
    auto refused = [](std::string reason) {
        return std::string(invalid_attribute_value) + "Invalid value for the parameter RedriveAllowPolicy. Reason: " + reason;
    };
    EXPECT_EQ(allow("[]", "q"), refused("It must be a JSON object."));
    EXPECT_EQ(allow("{", "q"), refused("It must be a JSON object."));
    EXPECT_EQ(allow("{}", "q"), refused("redrivePermission must be allowAll, denyAll or byQueue."));
    EXPECT_EQ(allow(R"({"redrivePermission":"AllowAll"})", "q"), refused("redrivePermission must be allowAll, denyAll or byQueue."));
    EXPECT_EQ(allow(R"({"redrivePermission":"denyAll","sourceQueueArns":[]})", "q"),
              refused("sourceQueueArns is only for the redrivePermission byQueue."));
    auto list = refused("The redrivePermission byQueue needs sourceQueueArns, a list of 1 to 10.");
    EXPECT_EQ(allow(R"({"redrivePermission":"byQueue"})", "q"), list);
    EXPECT_EQ(allow(R"({"redrivePermission":"byQueue","sourceQueueArns":[]})", "q"), list);
    auto with = [](int count) {
        std::string arns;
        for (int i = 0; i < count; ++i)
            arns += (i > 0 ? "," : "") + std::string("\"arn:aws:sqs:us-east-1:123456789012:q") + std::to_string(i) + "\"";
        return R"({"redrivePermission":"byQueue","sourceQueueArns":[)" + arns + "]}";
    };
    EXPECT_EQ(allow(with(10), "q"), "");
    EXPECT_EQ(allow(with(11), "q"), list);
    EXPECT_EQ(allow(R"({"redrivePermission":"byQueue","sourceQueueArns":["q"]})", "q"), refused("sourceQueueArns must be ARNs of queues."));
}

}  // namespace
}  // namespace forebay::sqs
