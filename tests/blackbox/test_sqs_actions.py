"""Every action of standard queues, over both protocols, as a program that uses SQS would call them."""
import hashlib
import struct
import threading
import time

import pytest

import conftest
import sqs_clients

EVERYTHING = {"AttributeNames": ["All"], "MessageAttributeNames": ["All"]}
AWKWARD = 'ü€😀 "quoted" <tag attr=\'x\'>&amp;</tag> \t line\r\nline\rline\n{"json": [1, 2]} \\ % + = é'


@pytest.fixture(scope="module")
def node():
    with conftest.running() as process:
        yield process


@pytest.fixture(params=["query", "json"])
def sqs(request, node):
    return sqs_clients.boto(node.sqs) if request.param == "query" else sqs_clients.Json(node.sqs)


@pytest.fixture
def queue(request, sqs):
    name = "q-" + hashlib.sha1(request.node.name.encode()).hexdigest()[:12]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def md5_of_attributes(attributes):
    part = lambda b: struct.pack(">I", len(b)) + b
    out = b""
    for name, a in sorted(attributes.items()):
        value = a.get("BinaryValue") if a["DataType"].startswith("Binary") else a["StringValue"].encode()
        out += part(name.encode()) + part(a["DataType"].encode()) + (b"\2" if a["DataType"].startswith("Binary") else b"\1") + part(value)
    return hashlib.md5(out).hexdigest()


def receive(sqs, queue, n=10, **more):
    return sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=n, **more).get("Messages", [])


def attributes(sqs, queue):
    return sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]


def test_a_message_goes_the_whole_way(sqs, queue):
    sent = sqs.send_message(QueueUrl=queue, MessageBody=AWKWARD)
    assert sent["MD5OfMessageBody"] == md5(AWKWARD)
    (message,) = receive(sqs, queue)
    assert message["Body"] == AWKWARD
    assert message["MessageId"] == sent["MessageId"]
    assert message["MD5OfBody"] == md5(AWKWARD)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert attributes(sqs, queue)["ApproximateNumberOfMessagesNotVisible"] == "0"
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def test_a_body_of_one_mebibyte(sqs, queue):
    body = "".join(chr(0x20 + i % 90) for i in range(1048576))
    sqs.send_message(QueueUrl=queue, MessageBody=body)
    (message,) = receive(sqs, queue)
    assert message["Body"] == body
    status, code, sentence = sqs_clients.refused(sqs.send_message, QueueUrl=queue, MessageBody=body + "x")
    assert (status, code) == (400, "InvalidParameterValue")
    assert sentence == "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."


def test_attributes_of_a_message(sqs, queue):
    import base64
    given = {"text": {"DataType": "String", "StringValue": AWKWARD}, "number.x": {"DataType": "Number.float", "StringValue": "-1.5e3"},
             "bytes": {"DataType": "Binary", "BinaryValue": bytes(range(256))}}
    is_json = isinstance(sqs, sqs_clients.Json)
    wire = {n: dict(a) for n, a in given.items()}
    if is_json:
        wire["bytes"]["BinaryValue"] = base64.b64encode(given["bytes"]["BinaryValue"]).decode()
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}}
    sent = sqs.send_message(QueueUrl=queue, MessageBody="x", MessageAttributes=wire, MessageSystemAttributes=trace)
    assert sent["MD5OfMessageAttributes"] == md5_of_attributes(given)
    assert sent["MD5OfMessageSystemAttributes"] == md5_of_attributes(trace)
    before = int(time.time() * 1000)
    (message,) = receive(sqs, queue, VisibilityTimeout=0, **EVERYTHING)
    assert message["MessageAttributes"] == wire
    assert message["MD5OfMessageAttributes"] == md5_of_attributes(given)
    known = message["Attributes"]
    assert known["ApproximateReceiveCount"] == "1"
    assert abs(int(known["SentTimestamp"]) - before) < 60000 and int(known["ApproximateFirstReceiveTimestamp"]) >= int(known["SentTimestamp"])
    assert known["AWSTraceHeader"] == trace["AWSTraceHeader"]["StringValue"]
    assert "ForebayAttempts" not in known
    (message,) = receive(sqs, queue, MessageAttributeNames=["number.*"])
    assert list(message["MessageAttributes"]) == ["number.x"] and "Attributes" not in message
    assert message["MD5OfMessageAttributes"] == md5_of_attributes({"number.x": given["number.x"]})


def test_batches(sqs, queue):
    entries = [{"Id": f"n{i}", "MessageBody": f"body {i}"} for i in range(9)] + [{"Id": "late", "MessageBody": "x", "DelaySeconds": 901}]
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert [e["Id"] for e in answer["Successful"]] == [f"n{i}" for i in range(9)]
    assert [(e["Id"], e["Code"], e["SenderFault"]) for e in answer["Failed"]] == [("late", "InvalidParameterValue", True)]
    messages = receive(sqs, queue)
    assert sorted(m["Body"] for m in messages) == [f"body {i}" for i in range(9)]
    changes = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"], "VisibilityTimeout": 0} for i, m in enumerate(messages)]
    assert len(sqs.change_message_visibility_batch(QueueUrl=queue, Entries=changes)["Successful"]) == 9
    messages = receive(sqs, queue)
    assert len(messages) == 9
    deletes = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)] + [{"Id": "bad", "ReceiptHandle": "nonsense"}]
    answer = sqs.delete_message_batch(QueueUrl=queue, Entries=deletes)
    assert len(answer["Successful"]) == 9
    assert [(e["Id"], e["Code"]) for e in answer["Failed"]] == [("bad", "ReceiptHandleIsInvalid")]
    assert attributes(sqs, queue)["ApproximateNumberOfMessages"] == "0"


def test_visibility(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    (message,) = receive(sqs, queue, VisibilityTimeout=1)
    assert receive(sqs, queue) == []
    assert attributes(sqs, queue)["ApproximateNumberOfMessagesNotVisible"] == "1"
    (again,) = receive(sqs, queue, WaitTimeSeconds=5, AttributeNames=["ApproximateReceiveCount"])
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=again["ReceiptHandle"], VisibilityTimeout=0)
    assert len(receive(sqs, queue)) == 1


def test_a_long_poll_ends_when_a_message_comes(sqs, queue, node):
    def later():
        time.sleep(0.5)
        sqs_clients.Json(node.sqs).send_message(QueueUrl=queue, MessageBody="late")

    sender = threading.Thread(target=later)
    started = time.monotonic()
    sender.start()
    (message,) = receive(sqs, queue, WaitTimeSeconds=20)
    assert message["Body"] == "late" and 0.4 < time.monotonic() - started < 10
    sender.join()


def test_a_long_poll_ends_with_nothing(sqs, queue):
    started = time.monotonic()
    assert receive(sqs, queue, WaitTimeSeconds=1) == []
    assert 0.9 < time.monotonic() - started < 10


def test_delays(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="x", DelaySeconds=1)
    assert receive(sqs, queue) == []
    assert attributes(sqs, queue)["ApproximateNumberOfMessagesDelayed"] == "1"
    assert len(receive(sqs, queue, WaitTimeSeconds=10)) == 1


def test_a_message_received_too_often_is_a_dead_letter(sqs, queue):
    dead = sqs.create_queue(QueueName="dead-" + queue.rsplit("/", 1)[1])["QueueUrl"]
    arn = attributes(sqs, dead)["QueueArn"]
    policy = f'{{"deadLetterTargetArn":"{arn}","maxReceiveCount":"2"}}'
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": policy})
    sqs.send_message(QueueUrl=queue, MessageBody="poison")
    for _ in range(2):
        assert len(receive(sqs, queue, VisibilityTimeout=0)) == 1
    assert receive(sqs, queue) == []
    (message,) = receive(sqs, dead, WaitTimeSeconds=5, AttributeNames=["All"])
    assert message["Body"] == "poison"
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == attributes(sqs, queue)["QueueArn"]
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [queue]
    sqs.delete_queue(QueueUrl=dead)


def test_queue_attributes_and_tags(sqs, queue):
    values = {"VisibilityTimeout": "7", "DelaySeconds": "1", "ReceiveMessageWaitTimeSeconds": "2", "MessageRetentionPeriod": "60", "MaximumMessageSize": "1024"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=values)
    assert {k: v for k, v in attributes(sqs, queue).items() if k in values} == values
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=queue)
    status, code, sentence = sqs_clients.refused(sqs.send_message, QueueUrl=queue, MessageBody="x" * 1025)
    assert sentence == "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes."
    sqs.tag_queue(QueueUrl=queue, Tags={"team": "core", "empty": ""})
    assert sqs.list_queue_tags(QueueUrl=queue)["Tags"] == {"team": "core", "empty": ""}
    sqs.untag_queue(QueueUrl=queue, TagKeys=["team", "empty"])
    assert "Tags" not in sqs.list_queue_tags(QueueUrl=queue)


def test_queues_are_found_listed_purged_and_deleted(sqs, node):
    made = [sqs.create_queue(QueueName=f"list-{i}", Attributes={"VisibilityTimeout": "5"})["QueueUrl"] for i in range(3)]
    assert sqs.create_queue(QueueName="list-0")["QueueUrl"] == made[0]
    assert sqs_clients.refused(sqs.create_queue, QueueName="list-0", Attributes={"VisibilityTimeout": "6"})[:2] == (400, "QueueAlreadyExists")
    assert made[0] == f"{node.sqs}/{sqs_clients.ACCOUNT}/list-0"
    assert sqs.get_queue_url(QueueName="list-1")["QueueUrl"] == made[1]
    assert sqs.list_queues(QueueNamePrefix="list-")["QueueUrls"] == made
    first = sqs.list_queues(QueueNamePrefix="list-", MaxResults=2)
    second = sqs.list_queues(QueueNamePrefix="list-", MaxResults=2, NextToken=first["NextToken"])
    assert first["QueueUrls"] + second["QueueUrls"] == made and "NextToken" not in second
    sqs.send_message(QueueUrl=made[0], MessageBody="x")
    sqs.purge_queue(QueueUrl=made[0])
    assert receive(sqs, made[0]) == []
    for url in made:
        sqs.delete_queue(QueueUrl=url)
    assert sqs_clients.refused(sqs.get_queue_url, QueueName="list-0")[:2] == (400, "AWS.SimpleQueueService.NonExistentQueue")


@pytest.mark.parametrize("form", ["{name}", "http://elsewhere:1234/123456789012/{name}", "https://sqs.eu-west-1.amazonaws.com/123456789012/{name}"])
def test_a_queue_url_of_any_host_works(sqs, queue, node, form):
    if not isinstance(sqs, sqs_clients.Json):
        sqs = sqs_clients.Json(node.sqs)  # boto3 would send the call to that host
    name = queue.rsplit("/", 1)[1]
    sqs.send_message(QueueUrl=form.format(name=name), MessageBody="x")
    assert len(receive(sqs, queue)) == 1


def test_what_one_protocol_sends_the_other_receives(node):
    query, js = sqs_clients.boto(node.sqs), sqs_clients.Json(node.sqs)
    url = js.create_queue(QueueName="both")["QueueUrl"]
    for sender, receiver in ((query, js), (js, query)):
        sender.send_message(QueueUrl=url, MessageBody=AWKWARD)
        (message,) = receive(receiver, url)
        assert message["Body"] == AWKWARD
        sender.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    query.delete_queue(QueueUrl=url)
