// Good requests with a few bytes changed: whatever they have become, the answer is a 200 or a refusal in AWS's form.

#include <random>

#include "port.h"

namespace forebay::sqs {
namespace {

struct Mutations : PortTest {
    std::mt19937 random{20260920};

    std::string mutated(std::string text) {
        static constexpr std::string_view pieces[] = {"\"",  "{",       "}",    "[",    "]",   ",",     ":",
                                                      "\\",  "\\u0000", "\xff", "%",    "%00", "&",     "=",
                                                      ".",   ".1",      "null", "true", "-1",  "1e999", "99999999999999999999",
                                                      "\r\n"};
        for (unsigned changes = 1 + random() % 4; changes > 0; --changes) {
            auto at = random() % (text.size() + 1);
            auto& piece = pieces[random() % std::size(pieces)];
            switch (random() % 4) {
                case 0:
                    text.insert(at, piece);
                    break;
                case 1:
                    text.erase(at, 1 + random() % 8);
                    break;
                case 2:
                    text.replace(at, std::min(piece.size(), text.size() - at), piece);
                    break;
                default:
                    text.insert(at, text.substr(random() % text.size(), random() % 40));
            }
        }
        return text;
    }
};

TEST_F(Mutations, of_json_requests_are_answered_or_refused) {
    const std::pair<std::string, std::string> calls[] = {
        {"SendMessage",
         R"({"QueueUrl":"q","MessageBody":"x","DelaySeconds":1,"MessageAttributes":{"a":{"DataType":"Binary","BinaryValue":"AQI="}}})"},
        {"SendMessageBatch", R"({"QueueUrl":"q","Entries":[{"Id":"a","MessageBody":"x"},{"Id":"b","MessageBody":"y","DelaySeconds":2}]})"},
        {"ReceiveMessage",
         R"({"QueueUrl":"q","MaxNumberOfMessages":2,"VisibilityTimeout":0,"AttributeNames":["All"],"MessageAttributeNames":["a.*"]})"},
        {"ChangeMessageVisibilityBatch", R"({"QueueUrl":"q","Entries":[{"Id":"a","ReceiptHandle":"handle.1.1.1","VisibilityTimeout":0}]})"},
        {"SetQueueAttributes",
         R"({"QueueUrl":"q","Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:123456789012:q\",\"maxReceiveCount\":5}","DelaySeconds":"1"}})"},
        {"ListQueues", R"({"MaxResults":1,"NextToken":"cQ"})"},
        {"CreateQueue",
         R"({"QueueName":"q.fifo","Attributes":{"FifoQueue":"true","DeduplicationScope":"messageGroup","FifoThroughputLimit":"perMessageGroupId"}})"},
        {"SendMessageBatch",
         R"({"QueueUrl":"q.fifo","Entries":[{"Id":"a","MessageBody":"x","MessageGroupId":"g","MessageDeduplicationId":"d","DelaySeconds":0}]})"},
        {"ReceiveMessage", R"({"QueueUrl":"q.fifo","ReceiveRequestAttemptId":"try","MessageSystemAttributeNames":["SequenceNumber"]})"},
        {"SetQueueAttributes",
         R"({"QueueUrl":"q","Attributes":{"RedriveAllowPolicy":"{\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":[\"arn:aws:sqs:us-east-1:123456789012:q\"]}"}})"},
    };
    for (int i = 0; i < 400; ++i)
        for (auto& [action, body] : calls) {
            auto text = mutated(body);
            auto response = port.json(action, text);
            ASSERT_LT(response.status, 500u) << action << " " << text;
            ASSERT_TRUE(json::parse(response.body).ok()) << action << " " << text << " -> " << response.body;
        }
}

TEST_F(Mutations, of_query_requests_are_answered_or_refused) {
    const std::string forms[] = {
        "Action=SendMessage&QueueUrl=q&MessageBody=x&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=String&MessageAttribute.1."
        "Value.StringValue=b",
        "Action=SendMessageBatch&QueueUrl=q&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=x&"
        "SendMessageBatchRequestEntry.2.Id=b",
        "Action=ReceiveMessage&QueueUrl=q&AttributeName.1=All&MaxNumberOfMessages=3&VisibilityTimeout=0",
        "Action=CreateQueue&QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=1&Tag.1.Key=a&Tag.1.Value=b",
        "Action=TagQueue&QueueUrl=q&Tag.1.Key=a&Tag.1.Value=b&Tag.2.Key=c",
    };
    for (int i = 0; i < 400; ++i)
        for (auto& form : forms) {
            auto text = mutated(form);
            auto response = port.query(text);
            ASSERT_LT(response.status, 500u) << text;
            ASSERT_TRUE(response.body.starts_with("<")) << text;
        }
}

}  // namespace
}  // namespace forebay::sqs
