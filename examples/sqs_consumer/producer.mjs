// Sends as many messages as it is told, ten a batch, and writes the n of each that the queue has taken.
import { Producer } from "sqs-producer";
import { queueUrl, sqs } from "./queue.mjs";

const count = Number(process.argv[2] ?? 1);
const producer = Producer.create({ queueUrl, sqs });
for (let first = 0; first < count; first += 10) {
  const batch = Array.from({ length: Math.min(10, count - first) }, (_, i) => first + i);
  const taken = await producer.send(batch.map((n) => ({ id: `${n}`, body: JSON.stringify({ n, name: `Jane ${n}`, phone: "212-555-0123" }) })));
  for (const { Id } of taken) console.log(Id);
}
