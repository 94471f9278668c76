// The port over the real broker: what the queues in memory only imitate.

#include "broker/broker_thread.h"

#include <future>

#include "base/digest.h"

#include "port.h"
#include "testing/seeded_entropy.h"
#include "testing/simulated_disk.h"

namespace forebay::sqs {
namespace {

broker::BrokerOptions small_options() {
    broker::BrokerOptions options;
    options.journal.segment_bytes = 16_MiB;
    options.journal.reserve_bytes = 0;
    options.journal.min_free_bytes = 0;
    options.page_memory = 1_MiB;
    options.body_memory = 1_MiB;
    options.mailbox_bytes = 8_MiB;
    return options;
}

struct RealBroker : ::testing::Test {
    SystemClock clock;
    forebay::testing::SimulatedDisk disk{1};
    forebay::testing::SeededEntropy entropy{1};
    std::unique_ptr<broker::Broker> broker;
    std::unique_ptr<Port> port;

    void SetUp() override {
        open();
        port->result("CreateQueue", R"({"QueueName":"q"})");
    }
    void open() {
        auto opened = broker::Broker::open(disk, clock, entropy, small_options());
        ASSERT_TRUE(opened.ok()) << opened.error().what;
        broker = std::move(*opened);
        port = std::make_unique<Port>(*broker);
    }
    void restart() {
        broker.reset();
        disk.kill_process();
        open();
    }
    void declare(const std::string& name) {
        std::promise<bool> done;
        broker::QueueSettings settings;
        settings.carries_records = true;
        broker->submit(broker::CreateQueue{name, settings, true, [&](auto made) { done.set_value(made.ok()); }});
        ASSERT_TRUE(done.get_future().get());
    }
    json::Value receive(std::string_view members = "") {
        return port->result("ReceiveMessage", R"({"QueueUrl":"q","MaxNumberOfMessages":10)" + std::string(members) + "}")["Messages"];
    }
};

constexpr const char* no_queue = "400 com.amazonaws.sqs#QueueDoesNotExist: The specified queue does not exist.";

TEST_F(RealBroker, a_message_with_everything_outlives_a_restart) {
    auto sent = port->result(
        "SendMessage", R"({"QueueUrl":"q","MessageBody":"\u00e9\r\n","MessageAttributes":{"b":{"DataType":"Binary.x","BinaryValue":"AAH/"}},
        "MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":"Root=1"}},"MessageGroupId":"g"})");
    restart();
    auto message = receive(R"(,"AttributeNames":["All"],"MessageAttributeNames":["All"])").elements().at(0);
    EXPECT_EQ(message["MessageId"], sent["MessageId"]);
    EXPECT_EQ(message["Body"].text(), "\xC3\xA9\r\n");
    EXPECT_EQ(message["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"]);
    EXPECT_EQ(message["MessageAttributes"]["b"]["BinaryValue"].text(), "AAH/");
    EXPECT_EQ(message["Attributes"]["AWSTraceHeader"].text(), "Root=1");
    EXPECT_EQ(message["Attributes"]["MessageGroupId"].text(), "g");
    auto handle = message["ReceiptHandle"].text();
    restart();
    port->result("DeleteMessage", R"({"QueueUrl":"q","ReceiptHandle":")" + handle + "\"}");
    auto counts =
        port->result("GetQueueAttributes",
                     R"({"QueueUrl":"q","AttributeNames":["ApproximateNumberOfMessages","ApproximateNumberOfMessagesNotVisible"]})");
    EXPECT_EQ(json::to_text(counts["Attributes"]), R"({"ApproximateNumberOfMessages":"0","ApproximateNumberOfMessagesNotVisible":"0"})");
}

TEST_F(RealBroker, a_missing_queue_is_named_before_anything_else_that_is_wrong) {
    EXPECT_EQ(port->refusal("DeleteMessage", R"({"QueueUrl":"none","ReceiptHandle":"nonsense"})"), no_queue);
    EXPECT_EQ(port->refusal("DeleteMessageBatch", R"({"QueueUrl":"none","Entries":[{"Id":"a","ReceiptHandle":"nonsense"}]})"), no_queue);
    EXPECT_EQ(port->refusal("ChangeMessageVisibility", R"({"QueueUrl":"none","ReceiptHandle":"nonsense","VisibilityTimeout":1})"),
              no_queue);
    EXPECT_EQ(port->refusal("SendMessageBatch", R"({"QueueUrl":"none","Entries":[{"Id":"a","MessageBody":"x","DelaySeconds":901}]})"),
              no_queue);
    EXPECT_EQ(port->refusal("GetQueueAttributes", R"({"QueueUrl":"none"})"), no_queue);
    EXPECT_EQ(port->refusal("TagQueue", R"({"QueueUrl":"none","Tags":{"a":"b"}})"), no_queue);
}

TEST_F(RealBroker, batches_of_which_no_entry_is_submitted_are_answered) {
    auto sent = port->result("SendMessageBatch", R"({"QueueUrl":"q","Entries":[{"Id":"a","MessageBody":"x","DelaySeconds":901}]})");
    EXPECT_EQ(sent["Failed"].elements().size(), 1u);
    auto deleted = port->result("DeleteMessageBatch", R"({"QueueUrl":"q","Entries":[{"Id":"a","ReceiptHandle":"nonsense"}]})");
    EXPECT_EQ(deleted["Failed"].elements().size(), 1u);
    EXPECT_EQ(port->refusal("DeleteMessage", R"({"QueueUrl":"q","ReceiptHandle":"nonsense"})"),
              "400 com.amazonaws.sqs#ReceiptHandleIsInvalid: The input receipt handle \"nonsense\" is not a valid receipt handle.");
}

TEST_F(RealBroker, a_handle_of_another_queue_or_a_changed_one_is_refused) {
    port->result("CreateQueue", R"({"QueueName":"other"})");
    port->result("SendMessage", R"({"QueueUrl":"q","MessageBody":"x"})");
    auto handle = receive().elements().at(0)["ReceiptHandle"].text();
    EXPECT_TRUE(port->refusal("DeleteMessage", R"({"QueueUrl":"other","ReceiptHandle":")" + handle + "\"}")
                    .starts_with("400 com.amazonaws.sqs#ReceiptHandleIsInvalid"));
    auto forged = handle;
    forged[forged.size() / 2] = forged[forged.size() / 2] == 'A' ? 'B' : 'A';
    EXPECT_TRUE(port->refusal("DeleteMessage", R"({"QueueUrl":"q","ReceiptHandle":")" + forged + "\"}")
                    .starts_with("400 com.amazonaws.sqs#ReceiptHandleIsInvalid"));
    port->result("DeleteMessage", R"({"QueueUrl":"q","ReceiptHandle":")" + handle + "\"}");
}

TEST_F(RealBroker, the_queues_limit_is_the_brokers) {
    port->result("SetQueueAttributes", R"({"QueueUrl":"q","Attributes":{"MaximumMessageSize":"1024"}})");
    std::string body(1025, 'x');
    EXPECT_EQ(port->refusal("SendMessage", R"({"QueueUrl":"q","MessageBody":")" + body + "\"}"),
              "400 com.amazon.coral.service#InvalidParameterValueException: One or more parameters are invalid. Reason: Message must be "
              "shorter than 1024 bytes.");
    auto batch = port->result("SendMessageBatch",
                              R"({"QueueUrl":"q","Entries":[{"Id":"a","MessageBody":")" + body + R"("},{"Id":"b","MessageBody":"x"}]})");
    EXPECT_EQ(batch["Failed"].elements().at(0)["Message"].text(),
              "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes.");
    EXPECT_EQ(batch["Successful"].elements().at(0)["Id"].text(), "b");
}

TEST_F(RealBroker, releases_and_attempts_are_the_brokers) {
    port->result("SendMessage", R"({"QueueUrl":"q","MessageBody":"x"})");
    auto handle = receive().elements().at(0)["ReceiptHandle"].text();
    port->result("ChangeMessageVisibility", R"({"QueueUrl":"q","VisibilityTimeout":0,"ReceiptHandle":")" + handle + "\"}",
                 {{"x-forebay-attempt", "3"}});
    auto second = receive(R"(,"AttributeNames":["ApproximateReceiveCount","ForebayAttempts"])").elements().at(0);
    EXPECT_EQ(json::to_text(second["Attributes"]), R"({"ApproximateReceiveCount":"2","ForebayAttempts":"3"})");
    port->result("ChangeMessageVisibility",
                 R"({"QueueUrl":"q","VisibilityTimeout":0,"ReceiptHandle":")" + second["ReceiptHandle"].text() + "\"}",
                 {{"x-forebay-release", "hold"}});
    auto third = receive(R"(,"AttributeNames":["ApproximateReceiveCount","ForebayAttempts"])").elements().at(0);
    EXPECT_EQ(json::to_text(third["Attributes"]), R"({"ApproximateReceiveCount":"2","ForebayAttempts":"3"})");
}

TEST_F(RealBroker, messages_that_nobody_got_are_there_again_as_if_they_had_not_been_received) {
    port->result("SendMessage", R"({"QueueUrl":"q","MessageBody":"x"})");
    const auto request = R"({"QueueUrl":"q","AttributeNames":["ApproximateReceiveCount"]})";
    for (int i = 0; i < 3; ++i) {
        auto lost = port->json("ReceiveMessage", request);
        ASSERT_TRUE(lost.on_undelivered);
        EXPECT_FALSE(port->json("ReceiveMessage", request).on_undelivered) << "there is nothing in it to give back";
        lost.on_undelivered();
    }
    auto lost = port->query("Action=ReceiveMessage&QueueUrl=q");
    ASSERT_TRUE(lost.on_undelivered);
    lost.on_undelivered();
    auto messages = port->result("ReceiveMessage", request)["Messages"];
    EXPECT_EQ(messages.elements().at(0)["Attributes"]["ApproximateReceiveCount"].text(), "1");
}

TEST_F(RealBroker, declared_queues_refuse_what_would_lose_records) {
    declare("leads");
    for (auto [action, body] : {std::pair{"DeleteQueue", R"({"QueueUrl":"leads"})"},
                                {"PurgeQueue", R"({"QueueUrl":"leads"})"},
                                {"SetQueueAttributes", R"({"QueueUrl":"leads","Attributes":{"DelaySeconds":"1"}})"},
                                {"TagQueue", R"({"QueueUrl":"leads","Tags":{"a":"b"}})"}})
        EXPECT_TRUE(port->refusal(action, body).starts_with("400 com.amazonaws.sqs#UnsupportedOperation: This queue is declared"))
            << action;
    EXPECT_EQ(port->json("CreateQueue", R"({"QueueName":"leads"})").status, 200u);
}

TEST_F(RealBroker, of_changes_at_the_same_moment_none_is_lost) {
    auto tag = [](int i) { return R"({"QueueUrl":"q","Tags":{"t)" + std::to_string(i) + R"(":"1"}})"; };
    std::vector<std::string> bodies;
    for (int i = 0; i < 40; ++i) bodies.push_back(tag(i));
    std::vector<std::uint64_t> asked;
    for (auto& body : bodies) asked.push_back(port->start(Port::json_request("AmazonSQS.TagQueue", body)));
    asked.push_back(
        port->start(Port::json_request("AmazonSQS.SetQueueAttributes", R"({"QueueUrl":"q","Attributes":{"DelaySeconds":"7"}})")));
    asked.push_back(
        port->start(Port::json_request("AmazonSQS.SetQueueAttributes", R"({"QueueUrl":"q","Attributes":{"VisibilityTimeout":"9"}})")));
    asked.push_back(port->start(Port::json_request("AmazonSQS.UntagQueue", R"({"QueueUrl":"q","TagKeys":["t0"]})")));
    EXPECT_EQ(port->result("ListQueueTags", R"({"QueueUrl":"q"})")["Tags"].members().size(), 39u);
    EXPECT_EQ(
        json::to_text(port->result("GetQueueAttributes", R"({"QueueUrl":"q","AttributeNames":["DelaySeconds","VisibilityTimeout"]})")),
        R"({"Attributes":{"VisibilityTimeout":"9","DelaySeconds":"7"}})");
    for (auto number : asked) EXPECT_EQ(port->answers[number].status, 200u);
    // The fifty-first of them is refused by what was there when it was decided.
    for (int i = 40; i < 51; ++i) EXPECT_EQ(port->json("TagQueue", tag(i)).status, 200u);
    EXPECT_EQ(port->refusal("TagQueue", tag(51)),
              "400 com.amazon.coral.service#InvalidParameterValueException: Too many tags added for queue: at most 50 are allowed.");
}

TEST_F(RealBroker, a_receive_that_hides_nothing_names_each_message_once) {
    for (auto body : {"1", "2", "3"}) port->result("SendMessage", R"({"QueueUrl":"q","MessageBody":")" + std::string(body) + "\"}");
    EXPECT_EQ(receive(R"(,"VisibilityTimeout":0)").elements().size(), 3u);
    EXPECT_EQ(receive(R"(,"VisibilityTimeout":0)").elements().size(), 3u);
}

TEST_F(RealBroker, redrive_needs_a_target_and_moves_with_its_source_named) {
    auto policy = [](std::string target) {
        return R"({"QueueUrl":"q","Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:123456789012:)" + target +
               R"(\",\"maxReceiveCount\":1}"}})";
    };
    EXPECT_TRUE(port->refusal("SetQueueAttributes", policy("dead")).ends_with("Reason: Dead letter target does not exist."));
    port->result("CreateQueue", R"({"QueueName":"dead"})");
    port->result("SetQueueAttributes", policy("dead"));
    port->result("SendMessage", R"({"QueueUrl":"q","MessageBody":"poison"})");
    EXPECT_EQ(receive(R"(,"VisibilityTimeout":0)").elements().size(), 1u);
    EXPECT_EQ(receive().elements().size(), 0u);
    auto dead = port->result("ReceiveMessage", R"({"QueueUrl":"dead","WaitTimeSeconds":5,"AttributeNames":["DeadLetterQueueSourceArn"]})");
    EXPECT_EQ(dead["Messages"].elements().at(0)["Attributes"]["DeadLetterQueueSourceArn"].text(), "arn:aws:sqs:us-east-1:123456789012:q");
}

constexpr const char* dead_arn = R"("SourceArn":"arn:aws:sqs:us-east-1:123456789012:dead")";

TEST_F(RealBroker, a_move_task_brings_dead_letters_back_and_is_listed) {
    port->result("CreateQueue", R"({"QueueName":"dead"})");
    EXPECT_EQ(port->refusal("StartMessageMoveTask", "{" + std::string(dead_arn) + "}"),
              "400 com.amazon.coral.service#InvalidParameterValueException: Source queue must be configured as a Dead Letter Queue.");
    port->result("SetQueueAttributes", R"({"QueueUrl":"q","Attributes":{"RedrivePolicy":
        "{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:123456789012:dead\",\"maxReceiveCount\":1}"}})");
    port->result("SendMessage", R"({"QueueUrl":"q","MessageBody":"poison"})");
    EXPECT_EQ(receive(R"(,"VisibilityTimeout":0)").elements().size(), 1u);
    EXPECT_EQ(receive().elements().size(), 0u);
    auto handle =
        port->result("StartMessageMoveTask", "{" + std::string(dead_arn) + R"(,"MaxNumberOfMessagesPerSecond":500})")["TaskHandle"];
    EXPECT_TRUE(from_base64(handle.text())->starts_with(R"({"taskId":")"));
    EXPECT_EQ(receive(R"(,"WaitTimeSeconds":5)").elements().size(), 1u);
    // The message is handed out after the task's record, which says that it has ended.
    auto task = port->result("ListMessageMoveTasks", "{" + std::string(dead_arn) + "}")["Results"].elements().at(0);
    EXPECT_EQ(task["Status"].text(), "COMPLETED");
    EXPECT_EQ(task["ApproximateNumberOfMessagesMoved"].integer(), 1);
    EXPECT_EQ(task["MaxNumberOfMessagesPerSecond"].integer(), 500);
    EXPECT_EQ(task["TaskHandle"].text(), "");
    EXPECT_EQ(
        port->refusal("CancelMessageMoveTask", R"({"TaskHandle":")" + handle.text() + "\"}"),
        "404 com.amazonaws.sqs#ResourceNotFoundException: Task does not exist or is not running: only a running task can be cancelled.");
}

TEST_F(RealBroker, a_move_task_that_waits_outlives_a_restart_and_is_cancelled) {
    port->result("CreateQueue", R"({"QueueName":"dead"})");
    port->result("SetQueueAttributes", R"({"QueueUrl":"q","Attributes":{"RedrivePolicy":
        "{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:123456789012:dead\",\"maxReceiveCount\":1}"}})");
    port->result("SendMessage", R"({"QueueUrl":"dead","MessageBody":"later","DelaySeconds":900})");
    auto handle = port->result("StartMessageMoveTask", "{" + std::string(dead_arn) + "}")["TaskHandle"].text();
    EXPECT_EQ(port->refusal("StartMessageMoveTask", "{" + std::string(dead_arn) + "}"),
              "400 com.amazonaws.sqs#UnsupportedOperation: There is already a task running. Only one active task is allowed for a source "
              "queue arn at a given time.");
    restart();
    auto task = port->result("ListMessageMoveTasks", "{" + std::string(dead_arn) + "}")["Results"].elements().at(0);
    EXPECT_EQ(task["Status"].text(), "RUNNING");
    EXPECT_EQ(task["TaskHandle"].text(), handle);
    auto cancelled = port->result("CancelMessageMoveTask", R"({"TaskHandle":")" + handle + "\"}");
    EXPECT_EQ(cancelled["ApproximateNumberOfMessagesMoved"].integer(), 0);
    task = port->result("ListMessageMoveTasks", "{" + std::string(dead_arn) + "}")["Results"].elements().at(0);
    EXPECT_EQ(task["Status"].text(), "CANCELLED");
}

TEST_F(RealBroker, a_broker_that_stops_is_unavailable) {
    broker->stop();
    auto response = port->json("SendMessage", R"({"QueueUrl":"q","MessageBody":"x"})");
    EXPECT_EQ(response.status, 503u);
    EXPECT_EQ(Port::header(response, "Retry-After"), "1");
}

}  // namespace
}  // namespace forebay::sqs
