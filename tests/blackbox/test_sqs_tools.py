"""Other people's clients, unchanged: the AWS command line (Query/XML) and the AWS SDK for JavaScript (JSON 1.0)."""
import json
import os
import pathlib
import subprocess

import sqs_clients

HERE = pathlib.Path(__file__).parent
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": sqs_clients.REGION, "AWS_PAGER": "", "AWS_EC2_METADATA_DISABLED": "true"}


def test_the_aws_command_line(forebay, tmp_path):
    node = forebay()

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
    aws("delete-queue", "--queue-url", url)


def test_the_aws_sdk_for_javascript(forebay):
    # `tools/install test` has put the SDK beside the program.
    done = subprocess.run(["node", "main.mjs", forebay().sqs], cwd=HERE / "sqs_js", capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout == "ok\n", done.stdout + done.stderr
