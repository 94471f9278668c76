// The client and the queue, as a program for Amazon SQS has them. Where the queue is, says AWS_ENDPOINT_URL_SQS; without it, Amazon.
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";

export const sqs = new SQSClient({ maxAttempts: 20 }); // the SDK waits between them: an outage of some seconds passes unnoticed
export const { QueueUrl: queueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "calls" }));
