"""Other people's clients, unchanged: the AWS command line (Query/XML) and the AWS SDK for JavaScript (JSON 1.0)."""
import json
import os
import subprocess

from sqs_programs import HERE, KEYS, start_node


def test_the_aws_command_line(forebay, tmp_path):
    node = start_node(forebay)

    def aws(*words, expect=0):
        done = subprocess.run(["/usr/bin/aws", "--endpoint-url", node.sqs, "--output", "json", "sqs", *words], capture_output=True, text=True, timeout=60,
                              env={**os.environ, **KEYS, "HOME": str(tmp_path)})
        assert done.returncode == expect, done.stderr
        return json.loads(done.stdout) if done.stdout else done.stderr

    url = aws("create-queue", "--queue-name", "tool")["QueueUrl"]
    sent = aws("send-message", "--queue-url", url, "--message-body", "from the shell ü")
    (message,) = aws("receive-message", "--queue-url", url, "--attribute-names", "All")["Messages"]
    assert message["Body"] == "from the shell ü" and message["MessageId"] == sent["MessageId"]
    aws("delete-message", "--queue-url", url, "--receipt-handle", message["ReceiptHandle"])
    assert aws("list-queues", "--queue-name-prefix", "tool")["QueueUrls"] == [url]
    assert aws("get-queue-attributes", "--queue-url", url, "--attribute-names", "ApproximateNumberOfMessages")["Attributes"] == {"ApproximateNumberOfMessages": "0"}
    assert "AWS.SimpleQueueService.NonExistentQueue" in aws("receive-message", "--queue-url", url + "-none", expect=254)
    entries = [{"Id": str(n), "MessageBody": f"body {n}", "MessageAttributes": {"a": {"DataType": "String", "StringValue": "ü"}}} for n in range(10)]
    assert len(aws("send-message-batch", "--queue-url", url, "--entries", json.dumps(entries))["Successful"]) == 10
    messages = aws("receive-message", "--queue-url", url, "--max-number-of-messages", "10", "--message-attribute-names", "All")["Messages"]
    assert [m["MessageAttributes"]["a"]["StringValue"] for m in messages] == 10 * ["ü"]
    given = json.dumps([{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)])
    assert len(aws("delete-message-batch", "--queue-url", url, "--entries", given)["Successful"]) == 10
    aws("delete-queue", "--queue-url", url)

    fifo = aws("create-queue", "--queue-name", "tool.fifo", "--attributes", "FifoQueue=true,ContentBasedDeduplication=true")["QueueUrl"]
    sent = [aws("send-message", "--queue-url", fifo, "--message-body", body, "--message-group-id", "g") for body in ("1", "1", "2")]
    assert sent[0]["SequenceNumber"] == sent[1]["SequenceNumber"] < sent[2]["SequenceNumber"]
    messages = aws("receive-message", "--queue-url", fifo, "--max-number-of-messages", "10", "--receive-request-attempt-id", "a")["Messages"]
    assert [m["Body"] for m in messages] == ["1", "2"]


def test_the_aws_sdk_for_javascript(forebay):
    # `tools/install test` has put the SDK beside the program.
    done = subprocess.run(["node", "main.mjs", forebay().sqs], cwd=HERE / "sqs_js", capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout == "ok\n", done.stdout + done.stderr
