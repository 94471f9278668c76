// The AWS SDK for JavaScript v3 (AWS JSON 1.0) against the queue port named in the first argument. The SDK itself
// checks the digest of every body it sends and receives.
import assert from "node:assert/strict";
import {
  SQSClient, CreateQueueCommand, GetQueueUrlCommand, ListQueuesCommand, SendMessageCommand, SendMessageBatchCommand, ReceiveMessageCommand,
  DeleteMessageCommand, DeleteMessageBatchCommand, ChangeMessageVisibilityCommand, GetQueueAttributesCommand, SetQueueAttributesCommand,
  PurgeQueueCommand, DeleteQueueCommand, TagQueueCommand, ListQueueTagsCommand, UntagQueueCommand, ListDeadLetterSourceQueuesCommand,
  StartMessageMoveTaskCommand, ListMessageMoveTasksCommand, CancelMessageMoveTaskCommand, ChangeMessageVisibilityBatchCommand,
} from "@aws-sdk/client-sqs";

const credentials = { accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? "test", secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? "test" };
const sqs = new SQSClient({ endpoint: process.argv[2], region: "us-east-1", credentials, maxAttempts: 1 });
const call = (Command, input) => sqs.send(new Command(input));

const { QueueUrl } = await call(CreateQueueCommand, { QueueName: "js", Attributes: { VisibilityTimeout: "20" }, tags: { made: "here" } });
assert.equal((await call(GetQueueUrlCommand, { QueueName: "js" })).QueueUrl, QueueUrl);
assert.ok((await call(ListQueuesCommand, {})).QueueUrls.includes(QueueUrl));
assert.deepEqual((await call(ListQueueTagsCommand, { QueueUrl })).Tags, { made: "here" });
await call(TagQueueCommand, { QueueUrl, Tags: { a: "b" } });
await call(UntagQueueCommand, { QueueUrl, TagKeys: ["made"] });
assert.deepEqual((await call(ListQueueTagsCommand, { QueueUrl })).Tags, { a: "b" });

const MessageBody = 'ü€😀 "<&>" \r\n\t{"json":[1]}';
const MessageAttributes = { text: { DataType: "String", StringValue: "é" }, bytes: { DataType: "Binary", BinaryValue: new Uint8Array([0, 1, 255]) } };
const sent = await call(SendMessageCommand, { QueueUrl, MessageBody, MessageAttributes });
const { Messages: [message] } = await call(ReceiveMessageCommand, { QueueUrl, MessageSystemAttributeNames: ["All"], MessageAttributeNames: ["All"] });
assert.equal(message.MessageId, sent.MessageId);
assert.equal(message.Body, MessageBody);
assert.equal(message.Attributes.ApproximateReceiveCount, "1");
assert.deepEqual([...message.MessageAttributes.bytes.BinaryValue], [0, 1, 255]);
assert.equal(message.MD5OfMessageAttributes, sent.MD5OfMessageAttributes);
await call(ChangeMessageVisibilityCommand, { QueueUrl, ReceiptHandle: message.ReceiptHandle, VisibilityTimeout: 0 });
const { Messages: [again] } = await call(ReceiveMessageCommand, { QueueUrl, WaitTimeSeconds: 1 });
await call(DeleteMessageCommand, { QueueUrl, ReceiptHandle: again.ReceiptHandle });
assert.equal((await call(ReceiveMessageCommand, { QueueUrl })).Messages, undefined);

const Entries = Array.from({ length: 10 }, (_, i) => ({ Id: `n${i}`, MessageBody: `body ${i}` }));
const batch = await call(SendMessageBatchCommand, { QueueUrl, Entries });
assert.equal(batch.Successful.length, 10);
const received = (await call(ReceiveMessageCommand, { QueueUrl, MaxNumberOfMessages: 10 })).Messages;
const deleted = await call(DeleteMessageBatchCommand, { QueueUrl, Entries: received.map((m, i) => ({ Id: `${i}`, ReceiptHandle: m.ReceiptHandle })) });
assert.equal(deleted.Successful.length, received.length);
assert.equal(received.length, 10);

const dead = (await call(CreateQueueCommand, { QueueName: "js-dead" })).QueueUrl;
const arn = (await call(GetQueueAttributesCommand, { QueueUrl: dead, AttributeNames: ["QueueArn"] })).Attributes.QueueArn;
await call(SetQueueAttributesCommand, { QueueUrl, Attributes: { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 3 }) } });
assert.deepEqual((await call(ListDeadLetterSourceQueuesCommand, { QueueUrl: dead })).queueUrls, [QueueUrl]);

// What was received three times is a dead letter, and a move task brings it back.
await call(SendMessageCommand, { QueueUrl, MessageBody: "poison" });
for (let receives = 0; receives < 3; ++receives) {
  const { Messages: [{ ReceiptHandle }] } = await call(ReceiveMessageCommand, { QueueUrl });
  assert.equal((await call(ChangeMessageVisibilityBatchCommand, { QueueUrl, Entries: [{ Id: "a", ReceiptHandle, VisibilityTimeout: 0 }] })).Successful.length, 1);
}
assert.equal((await call(ReceiveMessageCommand, { QueueUrl })).Messages, undefined);
const inDead = async () => (await call(GetQueueAttributesCommand, { QueueUrl: dead, AttributeNames: ["ApproximateNumberOfMessages"] })).Attributes.ApproximateNumberOfMessages;
while ((await inDead()) !== "1");
const { TaskHandle } = await call(StartMessageMoveTaskCommand, { SourceArn: arn, MaxNumberOfMessagesPerSecond: 500 });
let task;
do [task] = (await call(ListMessageMoveTasksCommand, { SourceArn: arn })).Results; while (task.Status === "RUNNING");
assert.deepEqual([task.Status, task.ApproximateNumberOfMessagesMoved, task.TaskHandle], ["COMPLETED", 1, undefined]);
assert.equal((await call(ReceiveMessageCommand, { QueueUrl })).Messages[0].Body, "poison");

const refusal = async (Command, input) => {
  try {
    await call(Command, input);
  } catch (error) {
    return [error.name, error.$metadata.httpStatusCode, error.message];
  }
  assert.fail("was not refused");
};
assert.deepEqual(await refusal(SendMessageCommand, { QueueUrl: `${QueueUrl}-none`, MessageBody: "x" }), ["QueueDoesNotExist", 400, "The specified queue does not exist."]);
assert.deepEqual((await refusal(DeleteMessageCommand, { QueueUrl, ReceiptHandle: "x" }))[0], "ReceiptHandleIsInvalid");
assert.deepEqual((await refusal(SendMessageBatchCommand, { QueueUrl, Entries: [] }))[0], "EmptyBatchRequest");
assert.deepEqual((await refusal(CancelMessageMoveTaskCommand, { TaskHandle }))[0], "ResourceNotFoundException");
assert.deepEqual((await refusal(StartMessageMoveTaskCommand, { SourceArn: `${arn}-none` }))[0], "ResourceNotFoundException");

// A FIFO queue: one message for one id, a group in order and hidden while one of it is in flight.
const fifo = (await call(CreateQueueCommand, { QueueName: "js.fifo", Attributes: { FifoQueue: "true", ContentBasedDeduplication: "true" } })).QueueUrl;
const one = await call(SendMessageCommand, { QueueUrl: fifo, MessageBody: "1", MessageGroupId: "g" });
assert.deepEqual(await call(SendMessageCommand, { QueueUrl: fifo, MessageBody: "1", MessageGroupId: "g" }).then(({ MessageId, SequenceNumber }) => [MessageId, SequenceNumber]), [one.MessageId, one.SequenceNumber]);
await call(SendMessageBatchCommand, { QueueUrl: fifo, Entries: ["2", "3"].map((n) => ({ Id: n, MessageBody: n, MessageGroupId: "g", MessageDeduplicationId: n })) });
const receive = (ReceiveRequestAttemptId) => call(ReceiveMessageCommand, { QueueUrl: fifo, MaxNumberOfMessages: 2, ReceiveRequestAttemptId, MessageSystemAttributeNames: ["All"] });
const { Messages: firstTwo } = await receive("attempt");
assert.deepEqual(firstTwo.map((m) => [m.Body, m.Attributes.MessageGroupId]), [["1", "g"], ["2", "g"]]);
assert.equal(firstTwo[0].Attributes.SequenceNumber, one.SequenceNumber);
assert.deepEqual((await receive("attempt")).Messages.map((m) => m.ReceiptHandle), firstTwo.map((m) => m.ReceiptHandle));
assert.equal((await receive()).Messages, undefined);
await call(DeleteMessageBatchCommand, { QueueUrl: fifo, Entries: firstTwo.map((m, i) => ({ Id: `${i}`, ReceiptHandle: m.ReceiptHandle })) });
assert.deepEqual((await receive()).Messages.map((m) => m.Body), ["3"]);
await call(DeleteQueueCommand, { QueueUrl: fifo });

await call(PurgeQueueCommand, { QueueUrl });
await call(DeleteQueueCommand, { QueueUrl });
await call(DeleteQueueCommand, { QueueUrl: dead });
console.log("ok");
