#include <cctype>
#include <fstream>

#include "port.h"
#include "sqs/action.h"
#include "sqs/error.h"

namespace forebay::sqs {
namespace {

using Errors = PortTest;

struct BadCall {
    std::string action, body, refusal;
};

TEST_F(Errors, bad_requests_get_amazons_sentences_and_change_nothing) {
    auto parameter = [](std::string text) { return "400 com.amazon.coral.service#InvalidParameterValueException: " + text; };
    auto missing = [](std::string name) {
        return "400 com.amazon.coral.service#MissingRequiredParameterException: The request must contain the parameter " + name + ".";
    };
    auto type = [](std::string text) { return "400 com.amazon.coral.service#SerializationException: " + text; };
    auto shape = [](std::string text) { return "400 com.amazonaws.sqs#" + text; };
    auto value = [](std::string text) { return "400 com.amazon.coral.service#InvalidParameterValueException: " + text; };
    auto entries = [](int n) {
        std::string out = R"({"QueueUrl":"q","Entries":[)";
        for (int i = 0; i < n; ++i) out += (i ? "," : "") + std::string(R"({"Id":"i)") + std::to_string(i) + R"(","MessageBody":"x"})";
        return out + "]}";
    };
    auto attribute = [](std::string name, std::string value) {
        return R"({"QueueUrl":"q","MessageBody":"x","MessageAttributes":{")" + name + R"(":)" + value + "}}";
    };
    std::string eleven;
    for (int i = 0; i < 11; ++i)
        eleven += (i ? "," : "") + std::string("\"a") + std::to_string(i) + R"(":{"DataType":"String","StringValue":"v"})";
    std::string half(600000, 'x');
    const BadCall calls[] = {
        {"SendMessage", R"({"MessageBody":"x"})", missing("QueueUrl")},
        {"SendMessage", R"({"QueueUrl":"q"})", missing("MessageBody")},
        {"SendMessage", R"({"QueueUrl":"q","MessageBody":""})", missing("MessageBody")},
        {"SendMessage", R"({"QueueUrl":"q","MessageBody":null})", missing("MessageBody")},
        {"SendMessage", R"({"QueueUrl":"q","MessageBody":5})", type("NUMBER_VALUE can not be converted to String")},
        {"SendMessage", R"({"QueueUrl":5,"MessageBody":"x"})", type("NUMBER_VALUE can not be converted to String")},
        {"SendMessage", R"({"QueueUrl":"q","MessageBody":{}})", type("START_OBJECT can not be converted to String")},
        {"SendMessage", R"({"QueueUrl":"q","MessageBody":"x","DelaySeconds":"5"})", type("STRING_VALUE can not be converted to Integer")},
        {"SendMessage", R"({"QueueUrl":"q","MessageBody":"x","DelaySeconds":1.5})",
         parameter("Value 1.5 for parameter DelaySeconds is invalid. Reason: Must be an integer.")},
        {"SendMessage", R"({"QueueUrl":"q","MessageBody":"x","DelaySeconds":901})",
         parameter("Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.")},
        {"SendMessage", R"({"QueueUrl":"q","MessageBody":"x","DelaySeconds":-1})",
         parameter("Value -1 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.")},
        {"SendMessage", R"({"QueueUrl":"q","MessageBody":"x","DelaySeconds":9223372036854775807})",
         parameter("Value 9223372036854775807 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.")},
        {"SendMessage", R"({"QueueUrl":"q","MessageBody":"\u0001"})",
         shape("InvalidMessageContents: Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 "
               "to #xFFFD | #x10000 to #x10FFFF")},
        {"SendMessage", R"({"QueueUrl":"q","MessageBody":"x","MessageDeduplicationId":"d"})",
         parameter("Value d for parameter MessageDeduplicationId is invalid. Reason: The request include parameter that is not valid for "
                   "this queue type.")},
        {"SendMessage", R"({"QueueUrl":"q","MessageBody":"x","MessageGroupId":"a b"})",
         parameter("Value a b for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and "
                   "punctuation characters. 1 to 128 in length.")},
        {"SendMessage", R"({"QueueUrl":"none","MessageBody":"x"})", shape("QueueDoesNotExist: The specified queue does not exist.")},
        {"SendMessage", R"({"QueueUrl":"q","MessageBody":"x","MessageAttributes":[]})", type("START_ARRAY can not be converted to Map")},
        {"SendMessage", attribute("a", R"("text")"), type("STRING_VALUE can not be converted to Structure")},
        {"SendMessage", attribute("a", "{}"),
         parameter("The message (user) attribute 'a' must contain a non-empty message attribute type.")},
        {"SendMessage", attribute("a", R"({"DataType":"Text","StringValue":"x"})"),
         parameter("The type of message (user) attribute 'a' is invalid. You must use only the following supported type prefixes: Binary, "
                   "Number, String.")},
        {"SendMessage", attribute("a", R"({"DataType":"String","StringValue":""})"),
         parameter("Message (user) attribute 'a' must contain a non-empty value of type 'String'.")},
        {"SendMessage", attribute("a", R"({"DataType":"String"})"),
         parameter("Message (user) attribute 'a' must contain a non-empty value of type 'String'.")},
        {"SendMessage", attribute("a", R"({"DataType":"Binary"})"),
         parameter("Message (user) attribute 'a' must contain a non-empty value of type 'Binary'.")},
        {"SendMessage", attribute("a", R"({"DataType":"Binary","BinaryValue":"***"})"), type("The BinaryValue of 'a' is not base64.")},
        {"SendMessage", attribute("a", R"({"DataType":"Number","StringValue":"12x"})"),
         parameter("Can't cast the value of message (user) attribute 'a' to a number.")},
        {"SendMessage", attribute("a", R"({"DataType":"String","StringValue":"\u0001"})"),
         shape("InvalidMessageContents: Message (user) attribute 'a' holds characters that are not allowed.")},
        {"SendMessage", attribute("AWS.x", R"({"DataType":"String","StringValue":"x"})"),
         parameter("The message (user) attribute name 'AWS.x' must not start with a prefix that AWS reserves (AWS., Amazon.).")},
        {"SendMessage", R"({"QueueUrl":"q","MessageBody":"x","MessageAttributes":{)" + eleven + "}}",
         parameter("Number of message attributes [11] exceeds the allowed maximum [10].")},
        {"SendMessage",
         R"({"QueueUrl":"q","MessageBody":"x","MessageSystemAttributes":{"SenderId":{"DataType":"String","StringValue":"x"}}})",
         parameter("Message system attribute name 'SenderId' is invalid.")},
        {"SendMessageBatch", R"({"QueueUrl":"q"})",
         shape("EmptyBatchRequest: There should be at least one SendMessageBatchRequestEntry in the request.")},
        {"SendMessageBatch", R"({"QueueUrl":"q","Entries":[]})",
         shape("EmptyBatchRequest: There should be at least one SendMessageBatchRequestEntry in the request.")},
        {"SendMessageBatch", R"({"QueueUrl":"q","Entries":{}})", type("START_OBJECT can not be converted to List")},
        {"SendMessageBatch", R"({"QueueUrl":"q","Entries":["x"]})", type("STRING_VALUE can not be converted to Structure")},
        {"SendMessageBatch", entries(11),
         shape("TooManyEntriesInBatchRequest: Maximum number of entries per request are 10. You have sent 11.")},
        {"SendMessageBatch", R"({"QueueUrl":"q","Entries":[{"Id":"a","MessageBody":"x"},{"Id":"a","MessageBody":"y"}]})",
         shape("BatchEntryIdsNotDistinct: Id a repeated.")},
        {"SendMessageBatch", R"({"QueueUrl":"q","Entries":[{"Id":"a b","MessageBody":"x"}]})",
         shape("InvalidBatchEntryId: A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most "
               "80 letters long.")},
        {"SendMessageBatch", R"({"QueueUrl":"q","Entries":[{"MessageBody":"x"}]})", missing("Id")},
        {"SendMessageBatch", R"({"QueueUrl":"q","Entries":[{"Id":"a","MessageBody":"x"},{"Id":"b"}]})", missing("MessageBody")},
        {"SendMessageBatch",
         R"({"QueueUrl":"q","Entries":[{"Id":"a","MessageBody":")" + half + R"("},{"Id":"b","MessageBody":")" + half + R"("}]})",
         shape("BatchRequestTooLong: Batch requests cannot be longer than 1048576 bytes. You have sent 1200000 bytes.")},
        {"ReceiveMessage", R"({"QueueUrl":"q","MaxNumberOfMessages":11})",
         parameter("Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.")},
        {"ReceiveMessage", R"({"QueueUrl":"q","MaxNumberOfMessages":0})",
         parameter("Value 0 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.")},
        {"ReceiveMessage", R"({"QueueUrl":"q","WaitTimeSeconds":21})",
         parameter("Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.")},
        {"ReceiveMessage", R"({"QueueUrl":"q","VisibilityTimeout":43201})",
         parameter("Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200, if provided.")},
        {"ReceiveMessage", R"({"QueueUrl":"q","AttributeNames":"All"})", type("STRING_VALUE can not be converted to List")},
        {"ReceiveMessage", R"({"QueueUrl":"none"})", shape("QueueDoesNotExist: The specified queue does not exist.")},
        {"DeleteMessage", R"({"QueueUrl":"q"})", missing("ReceiptHandle")},
        {"DeleteMessage", R"({"QueueUrl":"q","ReceiptHandle":"nonsense"})",
         shape("ReceiptHandleIsInvalid: The input receipt handle \"nonsense\" is not a valid receipt handle.")},
        {"DeleteMessage", R"({"QueueUrl":"q","ReceiptHandle":"handle.9.1.1"})",
         shape("ReceiptHandleIsInvalid: The input receipt handle \"handle.9.1.1\" is not a valid receipt handle.")},
        {"DeleteMessage", R"({"QueueUrl":"none","ReceiptHandle":"nonsense"})",
         shape("QueueDoesNotExist: The specified queue does not exist.")},
        {"DeleteMessageBatch", R"({"QueueUrl":"q","Entries":[{"Id":"a"}]})", missing("ReceiptHandle")},
        {"DeleteMessageBatch", R"({"QueueUrl":"none","Entries":[{"Id":"a","ReceiptHandle":"x"}]})",
         shape("QueueDoesNotExist: The specified queue does not exist.")},
        {"ChangeMessageVisibility", R"({"QueueUrl":"q","ReceiptHandle":"x"})", missing("VisibilityTimeout")},
        {"ChangeMessageVisibility", R"({"QueueUrl":"q","ReceiptHandle":"x","VisibilityTimeout":43201})",
         parameter(
             "Value 43201 for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an integer between 0 and 43200.")},
        {"ChangeMessageVisibility", R"({"QueueUrl":"q","ReceiptHandle":"x","VisibilityTimeout":1})",
         shape("ReceiptHandleIsInvalid: The input receipt handle \"x\" is not a valid receipt handle.")},
        {"CreateQueue", "{}", missing("QueueName")},
        {"CreateQueue", R"({"QueueName":["x"]})", type("START_ARRAY can not be converted to String")},
        {"CreateQueue", R"({"QueueName":"x","Attributes":{"DelaySeconds":5}})", type("NUMBER_VALUE can not be converted to String")},
        {"GetQueueUrl", R"({"QueueName":"none"})", shape("QueueDoesNotExist: The specified queue does not exist.")},
        {"GetQueueUrl", "{}", missing("QueueName")},
        {"SetQueueAttributes", R"({"QueueUrl":"q"})", missing("Attribute.Name")},
        {"ListDeadLetterSourceQueues", R"({"QueueUrl":"none"})", shape("QueueDoesNotExist: The specified queue does not exist.")},
        {"ListQueues", R"({"MaxResults":true})", type("TRUE_VALUE can not be converted to Integer")},
        {"AddPermission", R"({"QueueUrl":"q","Label":"l"})", missing("Actions")},
        {"RemovePermission", R"({"QueueUrl":"q"})", missing("Label")},
        {"StartMessageMoveTask", "{}", missing("SourceArn")},
        {"CancelMessageMoveTask", "{}", missing("TaskHandle")},
        {"ListMessageMoveTasks", "{}", missing("SourceArn")},
        {"StartMessageMoveTask", R"({"SourceArn":"q"})",
         value("You must use this format to specify the SourceArn: arn:<partition>:<service>:<region>:<account-id>:<resource-id>")},
        {"StartMessageMoveTask", R"({"SourceArn":"arn:aws:sqs:eu-west-1:1:d","DestinationArn":""})",
         value("You must use this format to specify the DestinationArn: arn:<partition>:<service>:<region>:<account-id>:<resource-id>")},
        {"StartMessageMoveTask", R"({"SourceArn":"arn:aws:sqs:eu-west-1:1:d","MaxNumberOfMessagesPerSecond":501})",
         value("Value for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: You must enter a number that's between 1 and 500.")},
        {"CancelMessageMoveTask", R"({"TaskHandle":"bm8="})", value("Value for parameter TaskHandle is invalid.")},
        {"Explode", "{}", "400 com.amazon.coral.service#UnknownOperationException: There is no action Explode."},
        {"", "{}", "400 com.amazon.coral.service#UnknownOperationException: There is no action ."},
        {"SendMessage", "[]", type("The request body must be a JSON object.")},
        {"SendMessage", "5", type("The request body must be a JSON object.")},
    };
    for (auto& [action, body, refusal] : calls) {
        EXPECT_EQ(port.refusal(action, body), refusal) << action << " " << body.substr(0, 200);
        EXPECT_EQ(broker.messages_in("q"), 0u) << action << " " << body.substr(0, 200);
    }
}

TEST_F(Errors, what_is_no_json_is_a_serialization_error) {
    for (std::string body :
         {"{", "nonsense", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}", "{\"QueueUrl\":\"\\ud800\"}", "{} {}", "{\"a\":\"\x01\"}"})
        EXPECT_TRUE(port.refusal("SendMessage", body).starts_with("400 com.amazon.coral.service#SerializationException: ")) << body;
    EXPECT_TRUE(port.refusal("SendMessage", std::string(100000, '[')).starts_with("400 com.amazon.coral.service#SerializationException: "));
}

TEST_F(Errors, a_target_of_another_service_is_unknown) {
    EXPECT_EQ(Port::summary(port.ask(Port::json_request("DynamoDB_20120810.PutItem", "{}"))),
              "400 com.amazon.coral.service#UnknownOperationException: The header X-Amz-Target must be AmazonSQS.ACTION.");
}

struct Refused {
    broker::Refusal refusal;
    unsigned status;
    std::string shape, code;
};

TEST_F(Errors, every_refusal_of_the_broker_has_a_row) {
    using broker::Refusal;
    const Refused rows[] = {
        {Refusal::no_such_queue, 400, "com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue;Sender"},
        {Refusal::queue_exists, 400, "com.amazonaws.sqs#QueueNameExists", "QueueAlreadyExists;Sender"},
        {Refusal::queue_is_declared, 400, "com.amazonaws.sqs#UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation;Sender"},
        {Refusal::message_too_long, 400, "com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue;Sender"},
        {Refusal::too_many_in_flight, 403, "com.amazonaws.sqs#OverLimit", "OverLimit;Sender"},
        {Refusal::invalid_receipt, 400, "com.amazonaws.sqs#ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid;Sender"},
        {Refusal::not_in_flight, 400, "com.amazonaws.sqs#MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight;Sender"},
        {Refusal::visibility_too_long, 400, "com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue;Sender"},
        {Refusal::invalid_attribute, 400, "com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue;Sender"},
        {Refusal::not_a_dead_letter_queue, 400, "com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue;Sender"},
        {Refusal::same_queue, 400, "com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue;Sender"},
        {Refusal::no_such_destination, 404, "com.amazonaws.sqs#ResourceNotFoundException", "ResourceNotFoundException;Sender"},
        {Refusal::other_kind_of_queue, 400, "com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue;Sender"},
        {Refusal::would_lose_records, 400, "com.amazonaws.sqs#UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation;Sender"},
        {Refusal::move_is_running, 400, "com.amazonaws.sqs#UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation;Sender"},
        {Refusal::too_many_moves, 403, "com.amazonaws.sqs#OverLimit", "OverLimit;Sender"},
        {Refusal::no_such_move, 404, "com.amazonaws.sqs#ResourceNotFoundException", "ResourceNotFoundException;Sender"},
        {Refusal::move_has_ended, 404, "com.amazonaws.sqs#ResourceNotFoundException", "ResourceNotFoundException;Sender"},
        {Refusal::overloaded, 503, "com.amazon.coral.service#ServiceUnavailable", "ServiceUnavailable;Receiver"},
        {Refusal::no_room, 503, "com.amazon.coral.service#ServiceUnavailable", "ServiceUnavailable;Receiver"},
        {Refusal::stopping, 503, "com.amazon.coral.service#ServiceUnavailable", "ServiceUnavailable;Receiver"},
    };
    for (auto& row : rows) {
        broker.refuses = row.refusal;
        auto response = port.json("ReceiveMessage", R"({"QueueUrl":"q"})");
        EXPECT_EQ(response.status, row.status) << row.shape;
        EXPECT_EQ((*json::parse(response.body))["__type"].text(), row.shape);
        EXPECT_EQ(Port::header(response, "x-amzn-query-error"), row.code);
        EXPECT_EQ(Port::header(response, "x-amzn-RequestId").size(), 36u);
        EXPECT_EQ(response.content_type, "application/x-amz-json-1.0");
        EXPECT_EQ(Port::header(response, "Retry-After"), row.status == 503 ? "1" : "");
        EXPECT_FALSE((*json::parse(response.body))["message"].text().empty());
    }
}

TEST_F(Errors, every_action_passes_the_brokers_refusal_on) {
    broker.refuses = broker::Refusal::overloaded;
    auto body =
        R"({"QueueUrl":"q","QueueName":"q","MessageBody":"x","ReceiptHandle":"handle.1.1.1","VisibilityTimeout":1,"Attributes":{"DelaySeconds":"1"},
                    "Tags":{"a":"b"},"Label":"l","AWSAccountIds":["111122223333"],"Actions":["SendMessage"],"TagKeys":["a"],"Entries":[{"Id":"a","MessageBody":"x","ReceiptHandle":"handle.1.1.1","VisibilityTimeout":1}],
                    "SourceArn":"arn:aws:sqs:eu-west-1:1:d","TaskHandle":"eyJ0YXNrSWQiOiIwMThmM2E1Yy03ZjAwLTdhYmMtOGRlZi0wMDAwMDAwMDAwMDEiLCJzb3VyY2VBcm4iOiJhcm46YXdzOnNxczpldS13ZXN0LTE6MTpkIn0="})";
    for (auto& action : actions()) {
        auto response = port.json(std::string(action.name), body);
        EXPECT_EQ(response.status, 503u) << action.name << " " << response.body;
    }
}

TEST_F(Errors, a_header_that_decides_something_is_given_once) {
    auto twice = [&](std::string_view name, std::string_view value) {
        return port.refusal("PurgeQueue", R"({"QueueUrl":"q"})", {{name, value}, {name, value}});
    };
    for (std::string_view name : {"Authorization", "Origin", "Sec-Fetch-Site", "X-Amz-Target", "X-Amz-Date", "X-Forebay-Attempt"})
        EXPECT_EQ(twice(name, "1"),
                  "400 com.amazon.coral.service#InvalidParameterValueException: The header " + std::string(name) + " may be given once.");
    auto query = port.query("Action=PurgeQueue&QueueUrl=q", "/", {{"content-type", "text/plain"}});
    EXPECT_EQ(query.status, 400u);
    EXPECT_NE(query.body.find("<Code>InvalidParameterValue</Code>"), std::string::npos) << query.body;
}

TEST_F(Errors, a_method_that_may_be_thought_harmless_does_nothing) {
    for (auto method : {"HEAD", "OPTIONS", "PUT", "post", "BREW"}) {
        auto request = Port::json_request("AmazonSQS.DeleteQueue", R"({"QueueUrl":"q"})");
        request.method = method;
        auto response = port.ask(request);
        EXPECT_EQ(response.status, 405u) << method;
        EXPECT_EQ(Port::header(response, "Allow"), "POST, GET");
    }
    send();
}

TEST_F(Errors, pages_of_other_sites_are_refused) {
    auto status = [&](Port::Headers headers) { return port.json("PurgeQueue", R"({"QueueUrl":"q"})", std::move(headers)).status; };
    send();
    EXPECT_EQ(status({{"Origin", "https://evil.example"}}), 403u);
    EXPECT_EQ(status({{"Origin", "null"}}), 403u);
    EXPECT_EQ(status({{"Sec-Fetch-Site", "cross-site"}}), 403u);
    EXPECT_EQ(status({{"Sec-Fetch-Site", "same-site"}}), 403u);
    EXPECT_EQ(port.query("Action=PurgeQueue&QueueUrl=q", "/", {{"Origin", "http://localhost:1"}}).status, 403u);
    EXPECT_EQ(broker.messages_in("q"), 1u);
    EXPECT_EQ(status({{"Origin", "http://localhost:9324"}, {"Sec-Fetch-Site", "same-origin"}}), 200u);
}

TEST(Table, holds_the_twenty_three_actions) {
    EXPECT_EQ(actions().size(), 23u);
    EXPECT_NE(find_action("SendMessage"), nullptr);
    EXPECT_EQ(find_action("sendMessage"), nullptr);
}

}  // namespace
}  // namespace forebay::sqs
