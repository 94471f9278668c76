"""Long polls: ten thousand at once within 64 MiB, woken in order; whose client has gone, whose queue is deleted, whose node stops.
Run with -s it prints what it measured."""
import contextlib
import json
import os
import resource
import selectors
import signal
import socket
import struct
import time

import boto3
import pytest
import requests

WAITING = 10000
SPARE_DESCRIPTORS = 300  # of the test and its node: files, other connections
GROWTH_MAX = 64 << 20
# What botocore sends with a receive: its length is what a node has to keep of it.
HEAD = ("POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept-Encoding: identity\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n"
        "Content-Type: application/x-amz-json-1.0\r\nUser-Agent: Boto3/1.40.1 md/Botocore#1.40.1 ua/2.1 os/linux#6.1.0-40-amd64 md/arch#x86_64 "
        "lang/python#3.12.3 md/pyimpl#CPython m/b,Z,D cfg/retry-mode#legacy Botocore/1.40.1\r\nX-Amz-Date: 20261128T090000Z\r\n"
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261128/us-east-1/sqs/aws4_request, SignedHeaders=content-type;host;"
        "x-amz-date;x-amz-target, Signature={signature}\r\namz-sdk-invocation-id: 6f0d1c4e-7b6f-4a58-b1c1-3f4f9f0a7a11\r\n"
        "amz-sdk-request: attempt=1\r\nContent-Length: {length}\r\n\r\n")


@pytest.fixture(autouse=True, scope="module")
def descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def sqs(node):
    return boto3.client("sqs", endpoint_url=node.sqs, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")


class Poll:
    """One receiver on a connection of its own."""

    def __init__(self, node, queue, wait=20, most=1, buffer=None, **more):
        port = int(node.sqs.rsplit(":", 1)[1])
        body = json.dumps({"QueueUrl": queue, "WaitTimeSeconds": wait, "MaxNumberOfMessages": most, "AttributeNames": ["All"],
                           "MessageAttributeNames": ["All"], "VisibilityTimeout": 600, **more})
        self.request = (HEAD.format(port=port, length=len(body), signature="0" * 64) + body).encode()
        self.read = b""
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", port))

    def ask(self):
        self.socket.sendall(self.request)
        return self

    def take(self):
        """Reads what is there; (status, answer) once it is whole."""
        part = self.socket.recv(65536)
        assert part, f"the connection was closed after {self.read[:200]!r}"
        self.read += part
        head, separator, body = self.read.partition(b"\r\n\r\n")
        if not separator or len(body) < int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]):
            return None
        return int(head.split()[1]), json.loads(body)

    def answer(self):
        while True:
            if got := self.take():
                return got

    def messages(self):
        status, answer = self.answer()
        assert status == 200, answer
        return answer.get("Messages", [])

    def vanish(self, by_reset=False):
        if by_reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


@contextlib.contextmanager
def polls(node, queue, count, **how):
    made = []
    try:
        made += (Poll(node, queue, **how) for _ in range(count))
        yield made
    finally:
        for poll in made:
            poll.socket.close()


def answers_of(waiting, count, seconds=60):
    """The next `count` answers of these polls: (place among them, messages)."""
    answers = []
    with selectors.DefaultSelector() as ready:
        for place, poll in enumerate(waiting):
            ready.register(poll.socket, selectors.EVENT_READ, place)
        deadline = time.monotonic() + seconds
        while len(answers) < count:
            left = deadline - time.monotonic()
            assert left > 0, f"only {len(answers)} of {count} answers within {seconds} s"
            for key, _ in ready.select(left):
                if got := waiting[key.data].take():
                    assert got[0] == 200, got
                    answers.append((key.data, got[1].get("Messages", [])))
                    ready.unregister(key.fileobj)
    return answers


def figure(node, name):
    text = requests.get(node.admin + "/metrics", timeout=20).text
    lines = [line for line in text.splitlines() if line.startswith(name + "{") and 'listener="sqs"' in line]
    return int(float(lines[0].split()[-1])) if lines else 0


def wait_until(is_true, seconds=60):
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, f"not within {seconds} s"


def ask_in_order(node, waiting):
    """All ask; returns when the node has taken up every one of them."""
    before = figure(node, "forebay_http_requests_total")
    for poll in waiting:
        poll.ask()
    wait_until(lambda: figure(node, "forebay_http_requests_total") >= before + len(waiting))


def resident(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmRSS:"))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def send(client, url, bodies):
    for i in range(0, len(bodies), 10):
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[i:i + 10])]
        assert "Failed" not in client.send_message_batch(QueueUrl=url, Entries=entries)


def test_ten_thousand_wait_within_64_mib_and_the_first_are_served_first(forebay):
    count = min(WAITING, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE_DESCRIPTORS)
    node = forebay()
    client = sqs(node)
    url = client.create_queue(QueueName="q")["QueueUrl"]
    send(client, url, ["warm"] * 100)
    while client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        pass
    pid = node.pid()
    at_rest = resident(pid)
    with polls(node, "q", count) as waiting:
        half = count // 2
        ask_in_order(node, waiting[:half])
        ask_in_order(node, waiting[half:])
        growth = resident(pid) - at_rest
        cpu, begun = cpu_seconds(pid), time.monotonic()
        time.sleep(2)  # what it costs to let them wait
        idle = (cpu_seconds(pid) - cpu) / (time.monotonic() - begun)
        bodies = [f"m{n}" for n in range(1000)]
        sent = time.monotonic()
        send(client, url, bodies)
        served = answers_of(waiting, len(bodies))
        took = time.monotonic() - sent
        print(f"\n{count:,} receivers wait: {growth / (1 << 20):.1f} MiB over {at_rest / (1 << 20):.1f} MiB, "
              f"{growth / count:.0f} bytes each, {idle:.1%} of a processor; 1,000 messages sent and received in {took:.2f} s")
        assert sorted(message["Body"] for _, messages in served for message in messages) == sorted(bodies)
        assert all(message["Attributes"]["ApproximateReceiveCount"] == "1" for _, messages in served for message in messages)
        # Of the two halves the first has waited longer.
        assert max(place for place, _ in served) < half
    if count == WAITING:
        assert growth < GROWTH_MAX
    assert idle < 0.2


@pytest.mark.parametrize("by_reset", [False, True])
def test_a_client_that_has_gone_gets_nothing_and_the_next_one_does(forebay, by_reset):
    node = forebay()
    client = sqs(node)
    url = client.create_queue(QueueName="q")["QueueUrl"]
    with polls(node, "q", 50) as gone, polls(node, "q", 1) as stays:
        ask_in_order(node, gone + stays)
        for poll in gone:
            poll.vanish(by_reset)
        client.send_message(QueueUrl=url, MessageBody="x")
        message, = stays[0].messages()
        assert message["Body"] == "x"
        assert message["Attributes"]["ApproximateReceiveCount"] == "1"


@pytest.mark.parametrize("name", ["q", "q.fifo"])
def test_what_a_client_does_not_take_is_there_again_at_once_and_not_counted(forebay, name):
    node = forebay()
    client = sqs(node)
    is_fifo = name.endswith(".fifo")
    url = client.create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if is_fifo else {})["QueueUrl"]
    # Every byte is escaped: more than the buffers of both sockets take.
    bodies = [chr(ord("a") + n) + '"' * ((1 << 20) - 1) for n in range(4)]
    for body in bodies:
        client.send_message(QueueUrl=url, MessageBody=body, **({"MessageGroupId": "g", "MessageDeduplicationId": body[0]} if is_fifo else {}))
    with polls(node, name, 1, most=10, buffer=4096) as slow:
        slow[0].ask().socket.recv(1)  # the answer is on its way
        attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert int(attributes["ApproximateNumberOfMessagesNotVisible"]) == len(bodies)
        with polls(node, name, 1, most=10) as next_one:
            ask_in_order(node, next_one)
            slow[0].vanish()
            again = next_one[0].messages()
    in_order = [message["Body"] for message in again]
    assert (in_order if is_fifo else sorted(in_order)) == bodies
    assert {message["Attributes"]["ApproximateReceiveCount"] for message in again} == {"1"}
    assert figure(node, "forebay_http_undelivered_total") == 1


def test_what_was_received_again_under_its_attempt_is_not_taken_back(forebay):
    node = forebay()
    client = sqs(node)
    url = client.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    for n in range(4):
        client.send_message(QueueUrl=url, MessageBody=str(n) + '"' * ((1 << 20) - 1), MessageGroupId="g", MessageDeduplicationId=str(n))
    with polls(node, "q.fifo", 1, most=10, buffer=4096, ReceiveRequestAttemptId="one") as slow:
        slow[0].ask().socket.recv(1)  # the answer is on its way
        again = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600, ReceiveRequestAttemptId="one")["Messages"]
        open_before = figure(node, "forebay_http_connections")
        slow[0].vanish()
        wait_until(lambda: figure(node, "forebay_http_connections") < open_before)
    assert len(again) == 4
    assert client.receive_message(QueueUrl=url).get("Messages", []) == []


def test_a_poll_from_before_its_queue_was_deleted_takes_nothing_from_a_new_one(forebay):
    node = forebay()
    client = sqs(node)
    url = client.create_queue(QueueName="q")["QueueUrl"]
    with polls(node, "q", 1) as old:
        ask_in_order(node, old)
        client.delete_queue(QueueUrl=url)
        status, answer = old[0].answer()
        assert (status, answer["__type"]) == (400, "com.amazonaws.sqs#QueueDoesNotExist")
        assert client.create_queue(QueueName="q")["QueueUrl"] == url
        client.send_message(QueueUrl=url, MessageBody="x")
        message, = client.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
        assert message["Body"] == "x"


def test_polls_end_with_nothing_when_the_node_stops(forebay):
    node = forebay()
    sqs(node).create_queue(QueueName="q")
    with polls(node, "q", 20) as waiting:
        ask_in_order(node, waiting)
        os.kill(node.pid(), signal.SIGTERM)
        begun = time.monotonic()
        assert [messages for _, messages in answers_of(waiting, len(waiting))] == [[]] * len(waiting)
        assert time.monotonic() - begun < 10
