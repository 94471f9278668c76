"""kill -9 in the middle of SendMessageBatch, by boto3 and by the AWS SDK for JavaScript: each MessageId acknowledged is there, once."""
import collections
import threading
import time

import botocore.exceptions
import sqs_clients
from sqs_programs import HERE, KEY, SECRET, Program, start_node, wait_until
from test_sqs_restart import receive_all

KILLS = 5
THREADS = 3
BETWEEN_KILLS = 100  # messages acknowledged to each kind of client


class Sender(threading.Thread):
    """Sends batches of ten; a batch without an answer is not sent again."""

    def __init__(self, node, url, number, stop):
        super().__init__()
        self.sqs, self.url, self.number, self.stop, self.acknowledged = sqs_clients.boto(node.sqs, KEY, SECRET), url, number, stop, []

    def run(self):
        batch = 0
        while not self.stop.is_set():
            batch += 1
            try:
                answer = self.sqs.send_message_batch(QueueUrl=self.url, Entries=[{"Id": str(i), "MessageBody": f"{self.number}.{batch}.{i}"} for i in range(10)])
            except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
                time.sleep(0.02)
                continue
            self.acknowledged += [entry["MessageId"] for entry in answer["Successful"]]


def ids(program):
    """What it has written without Node.js's own warnings."""
    return [line for line in program.lines() if len(line) == 36 and line.count("-") == 4]


def test_every_acknowledged_message_id_is_there_once(forebay, tmp_path):
    node = start_node(forebay)
    sqs = sqs_clients.boto(node.sqs, KEY, SECRET)
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "43200"})["QueueUrl"]
    stop = threading.Event()
    senders = [Sender(node, url, number, stop) for number in range(THREADS)]
    js = Program(["node", HERE / "sqs_js/batches.mjs", node.sqs, url], tmp_path, "js")
    counts = lambda: (sum(len(one.acknowledged) for one in senders), len(ids(js)))
    try:
        for one in senders:
            one.start()
        for _ in range(KILLS):
            python, node_js = counts()
            wait_until(lambda: counts()[0] > python + BETWEEN_KILLS and counts()[1] > node_js + BETWEEN_KILLS, told=lambda: f"{counts()}\n{node.output()}")
            node.kill9()
    finally:
        stop.set()
        js.stop()
        for one in senders:
            one.join()
    acknowledged = [one for sender in senders for one in sender.acknowledged] + ids(js)
    assert len(set(acknowledged)) == len(acknowledged) >= 2 * KILLS * BETWEEN_KILLS
    there = collections.Counter(message["MessageId"] for message in receive_all(sqs, url))
    print(f"{KILLS} kills, {len(acknowledged)} acknowledged, {len(there)} there")
    assert [one for one in acknowledged if there[one] != 1] == []
    assert set(there.values()) == {1}
