// Sends batches of ten to the queue named in the second argument of the port named in the first, until it is told to stop (TERM), and
// writes the MessageId of each entry that was acknowledged. What was not is not sent again.
import { SQSClient, SendMessageBatchCommand } from "@aws-sdk/client-sqs";

const [, , endpoint, QueueUrl] = process.argv;
const sqs = new SQSClient({ endpoint, region: "us-east-1", maxAttempts: 1 });
let running = true;
process.on("SIGTERM", () => { running = false; });

for (let batch = 0; running; ++batch) {
  const Entries = Array.from({ length: 10 }, (_, i) => ({ Id: `${i}`, MessageBody: `js ${batch}.${i}` }));
  try {
    const { Successful = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    console.log(Successful.map((entry) => entry.MessageId).join("\n"));
  } catch {
    await new Promise((again) => setTimeout(again, 20));
  }
}
