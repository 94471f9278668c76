#include "port.h"
#include "sqs/action.h"

namespace forebay::sqs {
namespace {

using Query = PortTest;

constexpr const char* open = "<?xml version=\"1.0\"?>";
std::string wrapped(const std::string& action, const std::string& result) {
    return open + ("<" + action + "Response xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\">") + result +
           "<ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></" + action + "Response>";
}

TEST_F(Query, a_message_goes_the_whole_way) {
    auto sent = port.query(
        "Action=SendMessage&Version=2012-11-05&QueueUrl=http%3A%2F%2Flocalhost%3A9324%2F123456789012%2Fq&MessageBody=a+%26+b%3C%0D%0A");
    EXPECT_EQ(sent.status, 200u);
    EXPECT_EQ(sent.content_type, "text/xml");
    EXPECT_EQ(Port::without_id(sent),
              wrapped("SendMessage",
                      "<SendMessageResult><MD5OfMessageBody>a7e3e21db7f8804673c063a782e9f6ad</"
                      "MD5OfMessageBody><MessageId>00000000-0000-0000-0000-000000000001</MessageId></SendMessageResult>"));
    auto received = port.query("Action=ReceiveMessage", "/123456789012/q");
    EXPECT_EQ(
        Port::without_id(received),
        wrapped(
            "ReceiveMessage",
            "<ReceiveMessageResult><Message><MessageId>00000000-0000-0000-0000-000000000001</MessageId><ReceiptHandle>handle.1.1.1</"
            "ReceiptHandle>"
            "<MD5OfBody>a7e3e21db7f8804673c063a782e9f6ad</MD5OfBody><Body>a &amp; b&lt;&#13;\n</Body></Message></ReceiveMessageResult>"));
    auto deleted = port.query("Action=DeleteMessage&QueueUrl=q&ReceiptHandle=handle.1.1.1");
    EXPECT_EQ(Port::without_id(deleted), wrapped("DeleteMessage", ""));
}

TEST_F(Query, an_empty_receive_has_an_empty_result) {
    EXPECT_EQ(Port::without_id(port.query("Action=ReceiveMessage&QueueUrl=q")), wrapped("ReceiveMessage", "<ReceiveMessageResult/>"));
}

TEST_F(Query, attributes_are_flattened_both_ways) {
    port.query(
        "Action=SendMessage&QueueUrl=q&MessageBody=x&MessageAttribute.1.Name=t&MessageAttribute.1.Value.DataType=String&MessageAttribute.1."
        "Value.StringValue=v"
        "&MessageAttribute.2.Name=b&MessageAttribute.2.Value.DataType=Binary&MessageAttribute.2.Value.BinaryValue=AQI%3D"
        "&MessageSystemAttribute.1.Name=AWSTraceHeader&MessageSystemAttribute.1.Value.DataType=String&MessageSystemAttribute.1.Value."
        "StringValue=Root");
    auto body = port.query(
                        "Action=ReceiveMessage&QueueUrl=q&AttributeName.1=ApproximateReceiveCount&MessageSystemAttributeName.1="
                        "AWSTraceHeader&MessageAttributeName.1=All&MaxNumberOfMessages=10")
                    .body;
    EXPECT_NE(body.find("<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute><Attribute><Name>AWSTraceHeader</"
                        "Name><Value>Root</Value></Attribute>"),
              std::string::npos)
        << body;
    EXPECT_NE(
        body.find(
            "<MessageAttribute><Name>t</Name><Value><StringValue>v</StringValue><DataType>String</DataType></Value></MessageAttribute>"),
        std::string::npos)
        << body;
    EXPECT_NE(body.find("<BinaryValue>AQI=</BinaryValue>"), std::string::npos) << body;
}

TEST_F(Query, queues_are_made_set_and_listed) {
    auto made = port.query("Action=CreateQueue&QueueName=two&Attribute.1.Name=DelaySeconds&Attribute.1.Value=7&Tag.1.Key=a&Tag.1.Value=b");
    EXPECT_EQ(Port::without_id(made),
              wrapped("CreateQueue", "<CreateQueueResult><QueueUrl>http://localhost:9324/123456789012/two</QueueUrl></CreateQueueResult>"));
    auto set = port.query("Action=SetQueueAttributes&QueueUrl=two&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=9");
    EXPECT_EQ(Port::without_id(set), wrapped("SetQueueAttributes", ""));
    auto got = port.query("Action=GetQueueAttributes&QueueUrl=two&AttributeName.1=VisibilityTimeout&AttributeName.2=DelaySeconds");
    EXPECT_EQ(Port::without_id(got),
              wrapped("GetQueueAttributes",
                      "<GetQueueAttributesResult><Attribute><Name>VisibilityTimeout</Name><Value>9</Value></Attribute>"
                      "<Attribute><Name>DelaySeconds</Name><Value>7</Value></Attribute></GetQueueAttributesResult>"));
    auto listed = port.query("Action=ListQueues");
    EXPECT_EQ(Port::without_id(listed), wrapped("ListQueues",
                                                "<ListQueuesResult><QueueUrl>http://localhost:9324/123456789012/q</"
                                                "QueueUrl><QueueUrl>http://localhost:9324/123456789012/two</QueueUrl></ListQueuesResult>"));
    auto tags = port.query("Action=ListQueueTags&QueueUrl=two");
    EXPECT_EQ(Port::without_id(tags),
              wrapped("ListQueueTags", "<ListQueueTagsResult><Tag><Key>a</Key><Value>b</Value></Tag></ListQueueTagsResult>"));
    EXPECT_EQ(Port::without_id(port.query("Action=UntagQueue&QueueUrl=two&TagKey.1=a")), wrapped("UntagQueue", ""));
}

TEST_F(Query, batches_have_entries_of_their_own_names) {
    auto sent = port.query(
        "Action=SendMessageBatch&QueueUrl=q&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=x"
        "&SendMessageBatchRequestEntry.2.Id=b&SendMessageBatchRequestEntry.2.MessageBody=y&SendMessageBatchRequestEntry.2.DelaySeconds=901"
        "&SendMessageBatchRequestEntry.10.Id=z&SendMessageBatchRequestEntry.10.MessageBody=last");
    auto& body = sent.body;
    EXPECT_NE(body.find("<SendMessageBatchResult><SendMessageBatchResultEntry>"), std::string::npos) << body;
    EXPECT_NE(body.find("<BatchResultErrorEntry><Id>b</Id><Code>InvalidParameterValue</Code><SenderFault>true</SenderFault>"),
              std::string::npos)
        << body;
    EXPECT_EQ(broker.messages_in("q"), 2u);
    receive();
    auto changed = port.query(
        "Action=ChangeMessageVisibilityBatch&QueueUrl=q&ChangeMessageVisibilityBatchRequestEntry.1.Id=a&"
        "ChangeMessageVisibilityBatchRequestEntry.1.ReceiptHandle=handle.1.1.0&ChangeMessageVisibilityBatchRequestEntry.1."
        "VisibilityTimeout=0");
    EXPECT_NE(changed.body.find("<ChangeMessageVisibilityBatchResultEntry><Id>a</Id>"), std::string::npos) << changed.body;
    auto deleted = port.query(
        "Action=DeleteMessageBatch&QueueUrl=q&DeleteMessageBatchRequestEntry.1.Id=a&DeleteMessageBatchRequestEntry.1.ReceiptHandle=handle."
        "1.1.0");
    EXPECT_NE(deleted.body.find("<DeleteMessageBatchResultEntry><Id>a</Id></DeleteMessageBatchResultEntry>"), std::string::npos)
        << deleted.body;
}

TEST_F(Query, errors_have_amazons_form) {
    auto response = port.query("Action=SendMessage&QueueUrl=none&MessageBody=x");
    EXPECT_EQ(response.status, 400u);
    EXPECT_EQ(Port::without_id(response),
              std::string(open) +
                  "<ErrorResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><Error><Type>Sender</Type>"
                  "<Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>The specified queue does not exist for this wsdl "
                  "version.</Message><Detail/></Error><RequestId>ID</RequestId></ErrorResponse>");
    EXPECT_NE(port.query("Action=SendMessage&QueueUrl=q")
                  .body.find("<Code>MissingParameter</Code><Message>The request must contain the parameter MessageBody.</Message>"),
              std::string::npos);
    EXPECT_NE(port.query("Action=SendMessage&MessageBody=x").body.find("The request must contain the parameter QueueUrl."),
              std::string::npos);
    EXPECT_NE(port.query("Action=ReceiveMessage&QueueUrl=q&MaxNumberOfMessages=ten").body.find("InvalidParameterValue"), std::string::npos);
    broker.refuses = broker::Refusal::no_room;
    auto full = port.query("Action=SendMessage&QueueUrl=q&MessageBody=x");
    EXPECT_EQ(full.status, 503u);
    EXPECT_NE(full.body.find("<Type>Receiver</Type><Code>ServiceUnavailable</Code>"), std::string::npos);
    EXPECT_EQ(Port::header(full, "Retry-After"), "1");
}

TEST_F(Query, no_action_and_unknown_actions) {
    auto none = port.query("QueueUrl=q");
    EXPECT_EQ(none.status, 404u);
    EXPECT_EQ(none.body, "<UnknownOperationException/>");
    auto unknown = port.query("Action=Explode");
    EXPECT_EQ(unknown.status, 400u);
    EXPECT_NE(unknown.body.find("<Code>InvalidAction</Code><Message>The action Explode is not valid for this endpoint.</Message>"),
              std::string::npos);
    for (auto action : {"CreateQueue&QueueName=x", "ListQueues"})
        EXPECT_NE(port.query("Action=" + std::string(action), "/123456789012/q").body.find("is not valid for this endpoint."),
                  std::string::npos);
    EXPECT_EQ(port.query("Action=GetQueueUrl&QueueName=q", "/123456789012/q").status, 200u);
}

TEST_F(Query, a_get_works_and_a_queue_url_wins_over_the_path) {
    http::Request request = Port::query_request("");
    request.method = "GET";
    request.path = "/123456789012/none";
    request.query = "Action=SendMessage&QueueUrl=q&MessageBody=from+a+link";
    EXPECT_EQ(port.ask(request).status, 200u);
    EXPECT_EQ(receive().elements().at(0)["Body"].text(), "from a link");
}

TEST_F(Query, nonsense_is_refused_and_changes_nothing) {
    for (std::string form :
         {"Action=SendMessage&QueueUrl=q&MessageBody=%FF", "Action=SendMessage&QueueUrl=q&MessageBody=%01",
          "Action=SendMessage&QueueUrl=q&MessageBody=x&a.b.c.d.e.f.g.h.i.j=1", "Action=SendMessage&QueueUrl=q&MessageBody.1=x",
          "Action=SendMessageBatch&QueueUrl=q&SendMessageBatchRequestEntry=x",
          "Action=SendMessageBatch&QueueUrl=q&SendMessageBatchRequestEntry.1=x",
          "Action=SendMessage&QueueUrl=q&MessageBody=x&MessageAttribute.1=2", "Action=%00",
          "Action=SendMessage&QueueUrl=q&MessageBody=x&DelaySeconds="}) {
        auto response = port.query(form);
        EXPECT_EQ(response.status, 400u) << form << response.body;
        EXPECT_EQ(broker.messages_in("q"), 0u) << form;
    }
    std::string many = "Action=SendMessage&QueueUrl=q&MessageBody=x";
    for (int i = 0; i < 2000; ++i) many += "&p" + std::to_string(i) + "=";
    EXPECT_EQ(port.query(many).status, 400u);
}

TEST_F(Query, a_parameter_is_given_once) {
    port.query("Action=SendMessage&QueueUrl=q&MessageBody=x");
    for (auto form : {"Action=PurgeQueue&Action=ListQueues&QueueUrl=q", "Action=ListQueues&QueueUrl=q&Action=PurgeQueue",
                      "Action=SendMessage&QueueUrl=q&MessageBody=x&MessageBody=y", "Action=PurgeQueue&QueueUrl=none&Queue%55rl=q"})
        EXPECT_NE(port.query(form).body.find("<Code>MalformedInput</Code><Message>A parameter is given twice."), std::string::npos) << form;
    EXPECT_EQ(broker.messages_in("q"), 1u);
}

TEST_F(Query, an_empty_list_is_no_list) {
    EXPECT_EQ(port.query("Action=GetQueueAttributes&QueueUrl=q&AttributeName=").status, 200u);
    EXPECT_EQ(port.query("Action=CreateQueue&QueueName=q&Attribute=").status, 200u);
}

TEST_F(Query, every_action_answers_in_xml) {
    for (auto& action : actions()) {
        auto response = port.query("Action=" + std::string(action.name));
        EXPECT_TRUE(response.body.starts_with("<?xml")) << action.name;
        EXPECT_LT(response.status, 500u) << action.name;
    }
}

}  // namespace
}  // namespace forebay::sqs
