// Works on what is in the queue `calls`, ten at a time, and appends a line for each to calls.jsonl. What is returned is deleted.
import { appendFileSync } from "node:fs";
import { Consumer } from "sqs-consumer";
import { queueUrl, sqs } from "./queue.mjs";

const app = Consumer.create({
  queueUrl,
  sqs,
  batchSize: 10,
  waitTimeSeconds: 10,
  visibilityTimeout: 10,
  handleMessageBatch: async (messages) => {
    appendFileSync("calls.jsonl", messages.map((message) => `${message.Body}\n`).join(""));
    return messages;
  },
});
app.on("error", (error) => console.error(error.message));
app.on("processing_error", (error) => console.error(error.message));
process.on("SIGTERM", () => app.stop());
app.start();
