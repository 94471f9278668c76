"""FIFO queues over both protocols, as a program that uses SQS would call them; and what kill -9 does to them."""
import hashlib
import json
import threading
import time

import botocore.exceptions
import pytest
import requests

import conftest
import sqs_clients

ARN = f"arn:aws:sqs:{sqs_clients.REGION}:{sqs_clients.ACCOUNT}:"
NOT_OF_THIS_TYPE = "The request include parameter that is not valid for this queue type."
GONE = "Message does not exist or is not available for visibility timeout change."


@pytest.fixture(scope="module")
def node():
    with conftest.running() as process:
        yield process


@pytest.fixture(params=["query", "json"])
def sqs(request, node):
    return sqs_clients.boto(node.sqs) if request.param == "query" else sqs_clients.Json(node.sqs)


@pytest.fixture
def made(request, sqs):
    """A function that makes a queue of this test; all go at its end."""
    urls = []

    def make(suffix="", fifo=True, **attributes):
        name = "q" + suffix + hashlib.sha1(request.node.name.encode()).hexdigest()[:12] + (".fifo" if fifo else "")
        urls.append(sqs.create_queue(QueueName=name, Attributes={**({"FifoQueue": "true"} if fifo else {}), **attributes})["QueueUrl"])
        return urls[-1]

    yield make
    for url in urls:
        sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def queue(made):
    return made()


def name_of(url):
    return url.rsplit("/", 1)[1]


def send(sqs, queue, group, body, id=None, **more):
    return sqs.send_message(QueueUrl=queue, MessageGroupId=group, MessageBody=body, MessageDeduplicationId=id or f"{group}-{body}", **more)


def receive(sqs, queue, n=10, **more):
    return sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=n, **more).get("Messages", [])


def bodies(messages):
    return [m["Body"] for m in messages]


def delete(sqs, queue, messages):
    for m in messages:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=m["ReceiptHandle"])


def attributes(sqs, queue, *names):
    return sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=list(names) or ["All"])["Attributes"]


def policy(target, count=1):
    return json.dumps({"deadLetterTargetArn": ARN + target, "maxReceiveCount": count})


# Queues.


def test_names_and_kinds_go_together(sqs, made):
    standard = (400, "InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
    fifo = (400, "InvalidParameterValue", "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with "
                                          ".fifo suffix and be 1 to 80 in length")
    assert sqs_clients.refused(sqs.create_queue, QueueName="x.fifo") == standard
    assert sqs_clients.refused(sqs.create_queue, QueueName="x.fifo", Attributes={"FifoQueue": "false"}) == standard
    assert sqs_clients.refused(sqs.create_queue, QueueName="x", Attributes={"FifoQueue": "true"}) == fifo
    assert sqs_clients.refused(sqs.create_queue, QueueName="x.y.fifo", Attributes={"FifoQueue": "true"}) == fifo
    assert sqs_clients.refused(sqs.create_queue, QueueName="x" * 76 + ".fifo", Attributes={"FifoQueue": "true"}) == fifo
    assert sqs_clients.refused(sqs.create_queue, QueueName="x", Attributes={"FifoQueue": "false"}) == (
        400, "InvalidAttributeName", "Unknown Attribute FifoQueue.")
    queue = made()
    again = sqs.create_queue(QueueName=name_of(queue), Attributes={"FifoQueue": "true", "DeduplicationScope": "queue"})
    assert name_of(again["QueueUrl"]) == name_of(queue)
    status, code, sentence = sqs_clients.refused(sqs.create_queue, QueueName=name_of(queue),
                                                 Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})
    assert (status, code) == (400, "QueueAlreadyExists")
    assert sentence == "A queue already exists with the same name and a different value for attribute ContentBasedDeduplication"


def test_attributes_of_both_kinds(sqs, made):
    queue, standard = made(), made(fifo=False)
    of_fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "false", "DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"}
    assert attributes(sqs, queue, *of_fifo) == of_fifo
    assert not set(of_fifo) & set(attributes(sqs, standard))
    change = {"ContentBasedDeduplication": "True", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"FifoQueue": "true", **change})
    assert attributes(sqs, queue, *change) == {**change, "ContentBasedDeduplication": "true"}

    def refused(url, **attributes):
        return sqs_clients.refused(sqs.set_queue_attributes, QueueUrl=url, Attributes=attributes)
    assert refused(queue, FifoQueue="false") == (400, "InvalidAttributeValue",
                                                 "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.")
    assert refused(queue, DeduplicationScope="x") == (400, "InvalidAttributeValue", "Invalid value for the parameter DeduplicationScope.")
    assert refused(queue, DeduplicationScope="queue") == (
        400, "InvalidAttributeValue", "You can specify perMessageGroupId for FifoThroughputLimit only when DeduplicationScope is set to messageGroup.")
    for value in ("true", "false"):
        assert refused(standard, FifoQueue=value) == (400, "InvalidAttributeName", "Unknown Attribute FifoQueue.")
    assert refused(standard, ContentBasedDeduplication="true") == (400, "InvalidAttributeName", "Unknown Attribute ContentBasedDeduplication.")
    for name, value in (("DeduplicationScope", "queue"), ("FifoThroughputLimit", "perQueue")):
        assert refused(standard, **{name: value}) == (400, "InvalidAttributeValue", f"You can specify the {name} only when FifoQueue is set to true.")


# Sending.


def test_what_a_message_must_have(sqs, queue):
    def refused(**more):
        return sqs_clients.refused(sqs.send_message, QueueUrl=queue, MessageBody="x", **more)

    def entry(id, **more):
        return {"Id": id, "MessageBody": "x", **more}
    no_group = "The request must contain the parameter MessageGroupId."
    no_id = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
    assert refused(MessageDeduplicationId="1") == (400, "MissingParameter", no_group)
    assert refused(MessageGroupId="g") == (400, "InvalidParameterValue", no_id)
    assert sqs_clients.refused(sqs.send_message_batch, QueueUrl=queue, Entries=[
        entry("a", MessageGroupId="g", MessageDeduplicationId="1"), entry("b", MessageDeduplicationId="2")]) == (400, "InvalidParameterValue", no_group)
    assert attributes(sqs, queue, "ApproximateNumberOfMessages") == {"ApproximateNumberOfMessages": "0"}
    batch = sqs.send_message_batch(QueueUrl=queue, Entries=[entry("a", MessageGroupId="g"), entry("b", MessageGroupId="g", MessageDeduplicationId="2")])
    assert [e["Id"] for e in batch["Successful"]] == ["b"]
    assert [(e["Id"], e["Code"], e["Message"], e["SenderFault"]) for e in batch["Failed"]] == [("a", "InvalidParameterValue", no_id, True)]
    for seconds in (1, 900, 901):
        assert refused(MessageGroupId="g", MessageDeduplicationId="3", DelaySeconds=seconds) == (
            400, "InvalidParameterValue", f"Value {seconds} for parameter DelaySeconds is invalid. Reason: {NOT_OF_THIS_TYPE}")
    for name, other in (("MessageGroupId", "MessageDeduplicationId"), ("MessageDeduplicationId", "MessageGroupId")):
        for bad in ("a b", "x" * 129, "ü", ""):
            assert refused(**{name: bad, other: "x"}) == (
                400, "InvalidParameterValue",
                f"Value {bad} for parameter {name} is invalid. Reason: {name} can only include alphanumeric and punctuation characters. 1 to 128 in length.")
        sqs.send_message(QueueUrl=queue, MessageBody="x", **{name: "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", other: "x"})


def test_a_standard_queue_takes_no_deduplication_id(sqs, made):
    queue = made(fifo=False)
    assert sqs_clients.refused(sqs.send_message, QueueUrl=queue, MessageBody="x", MessageDeduplicationId="1") == (
        400, "InvalidParameterValue", f"Value 1 for parameter MessageDeduplicationId is invalid. Reason: {NOT_OF_THIS_TYPE}")


def test_duplicates_are_told_the_first_ones_id_and_number(sqs, queue):
    first = send(sqs, queue, "g", "first", "1")
    assert len(first["SequenceNumber"]) == 20 and first["SequenceNumber"].isdigit()
    again = send(sqs, queue, "other", "second", "1")
    assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    assert again["MD5OfMessageBody"] == hashlib.md5(b"second").hexdigest()
    second = send(sqs, queue, "g", "third", "2")
    assert int(second["SequenceNumber"]) > int(first["SequenceNumber"])
    messages = receive(sqs, queue, AttributeNames=["All"])
    assert bodies(messages) == ["first", "third"]
    told = messages[0]["Attributes"]
    assert (told["MessageGroupId"], told["MessageDeduplicationId"], told["SequenceNumber"]) == ("g", "1", first["SequenceNumber"])
    delete(sqs, queue, messages)
    assert send(sqs, queue, "g", "after the delete", "1")["MessageId"] == first["MessageId"]
    sqs.purge_queue(QueueUrl=queue)
    assert send(sqs, queue, "g", "after the purge", "1")["MessageId"] != first["MessageId"]


def test_deduplication_by_content_and_within_a_group(sqs, made):
    queue = made(ContentBasedDeduplication="true", DeduplicationScope="messageGroup")
    first = sqs.send_message(QueueUrl=queue, MessageBody="x", MessageGroupId="a")["MessageId"]
    other_attributes = {"a": {"DataType": "String", "StringValue": "b"}}
    assert sqs.send_message(QueueUrl=queue, MessageBody="x", MessageGroupId="a", MessageAttributes=other_attributes)["MessageId"] == first
    assert sqs.send_message(QueueUrl=queue, MessageBody="x", MessageGroupId="b")["MessageId"] != first
    assert sqs.send_message(QueueUrl=queue, MessageBody="x", MessageGroupId="a", MessageDeduplicationId="own")["MessageId"] != first
    ids = [m["Attributes"]["MessageDeduplicationId"] for m in receive(sqs, queue, AttributeNames=["MessageDeduplicationId"])]
    assert ids == [hashlib.sha256(b"x").hexdigest(), "own", hashlib.sha256(b"x").hexdigest()]


# Receiving.


def test_a_batch_fills_from_one_group_and_hides_it_whole(sqs, queue):
    for group, n in (("a", 1), ("b", 1), ("a", 2), ("b", 2), ("a", 3)):
        send(sqs, queue, group, f"{group}{n}")
    first = receive(sqs, queue, 2)
    assert bodies(first) == ["a1", "a2"]
    second = receive(sqs, queue)
    assert bodies(second) == ["b1", "b2"]
    assert receive(sqs, queue) == []
    delete(sqs, queue, first[:1])
    assert receive(sqs, queue) == [], "a2 is still out"
    delete(sqs, queue, first[1:])
    assert bodies(receive(sqs, queue)) == ["a3"]


def test_a_message_given_back_comes_before_what_follows_it(sqs, queue):
    for n in range(3):
        send(sqs, queue, "g", str(n))
    (first,) = receive(sqs, queue, 1)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    assert bodies(receive(sqs, queue)) == ["0", "1", "2"]


def test_a_receive_can_be_repeated_under_its_attempt(sqs, queue):
    send(sqs, queue, "a", "a1"), send(sqs, queue, "b", "b1")
    (first,) = receive(sqs, queue, 1, ReceiveRequestAttemptId="try-1")
    (again,) = receive(sqs, queue, 1, ReceiveRequestAttemptId="try-1")
    assert (again["MessageId"], again["ReceiptHandle"]) == (first["MessageId"], first["ReceiptHandle"])
    (other,) = receive(sqs, queue, 1, ReceiveRequestAttemptId="try-2")
    assert other["Body"] == "b1"
    delete(sqs, queue, [again])
    assert receive(sqs, queue, 1, ReceiveRequestAttemptId="try-1") == []
    assert sqs_clients.refused(sqs.receive_message, QueueUrl=queue, ReceiveRequestAttemptId="a b") == (
        400, "InvalidParameterValue", "Value a b for parameter ReceiveRequestAttemptId is invalid. Reason: ReceiveRequestAttemptId can only include "
                                      "alphanumeric and punctuation characters. 1 to 128 in length.")


def test_only_the_newest_handle_counts(sqs, queue):
    send(sqs, queue, "g", "x")
    (old,) = receive(sqs, queue, VisibilityTimeout=0)
    (new,) = receive(sqs, queue)
    handle = old["ReceiptHandle"]
    expired = (400, "InvalidParameterValue", f"Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.")
    gone = (400, "InvalidParameterValue", f"Value {handle} for parameter ReceiptHandle is invalid. Reason: {GONE}")
    assert sqs_clients.refused(sqs.delete_message, QueueUrl=queue, ReceiptHandle=handle) == expired
    assert sqs_clients.refused(sqs.change_message_visibility, QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=0) == gone
    assert receive(sqs, queue) == [], "the old handle has changed nothing"
    batch = sqs.delete_message_batch(QueueUrl=queue, Entries=[{"Id": "old", "ReceiptHandle": handle}, {"Id": "new", "ReceiptHandle": new["ReceiptHandle"]}])
    assert [e["Id"] for e in batch["Successful"]] == ["new"]
    assert [(e["Code"], e["Message"]) for e in batch["Failed"]] == [expired[1:]]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=new["ReceiptHandle"])
    status, code, sentence = sqs_clients.refused(sqs.change_message_visibility, QueueUrl=queue, ReceiptHandle=new["ReceiptHandle"], VisibilityTimeout=5)
    assert (status, code) == (400, "InvalidParameterValue") and sentence.endswith(GONE)


# Dead letters.


def test_dead_letters_keep_group_and_order_and_come_back(sqs, made):
    dead, standard = made("d"), made("s", fifo=False)
    queue = made(RedrivePolicy=policy(name_of(dead)))
    other_kind = f"Value {policy(name_of(standard))} for parameter RedrivePolicy is invalid. Reason: Dead-letter queue must be same type of queue as the source.."
    assert sqs_clients.refused(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"RedrivePolicy": policy(name_of(standard))}) == (
        400, "InvalidParameterValue", other_kind)
    for body in ("1", "2", "3"):
        send(sqs, queue, "g", body)
    assert bodies(receive(sqs, queue, VisibilityTimeout=0)) == ["1", "2", "3"]
    assert receive(sqs, queue) == []
    assert [name_of(u) for u in sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"]] == [name_of(queue)]
    letters = receive(sqs, dead, AttributeNames=["All"], VisibilityTimeout=0)
    assert bodies(letters) == ["1", "2", "3"]
    told = letters[0]["Attributes"]
    assert (told["MessageGroupId"], told["MessageDeduplicationId"], told["DeadLetterQueueSourceArn"]) == ("g", "g-1", ARN + name_of(queue))


def test_a_move_task_brings_fifo_dead_letters_back_in_order(node, made, sqs):
    js = sqs_clients.Json(node.sqs)  # Debian's boto3 does not know move tasks
    dead, standard = made("d"), made("s", fifo=False)
    queue = made(RedrivePolicy=policy(name_of(dead)))
    assert sqs_clients.refused(js.start_message_move_task, SourceArn=ARN + name_of(dead), DestinationArn=ARN + name_of(standard)) == (
        400, "InvalidParameterValue", "The source queue and destination queue must be of the same queue type.")
    for n in range(30):
        send(sqs, queue, f"g{n % 3}", str(n))
    while receive(sqs, queue, VisibilityTimeout=0):
        pass
    assert attributes(sqs, dead, "ApproximateNumberOfMessages") == {"ApproximateNumberOfMessages": "30"}
    js.start_message_move_task(SourceArn=ARN + name_of(dead))
    back = {f"g{g}": [] for g in range(3)}
    while sum(map(len, back.values())) < 30:
        messages = receive(sqs, queue, AttributeNames=["MessageGroupId"], WaitTimeSeconds=20)
        assert messages, "the task moved nothing for 20 s"
        for m in messages:
            back[m["Attributes"]["MessageGroupId"]].append(int(m["Body"]))
        delete(sqs, queue, messages)
    assert back == {f"g{g}": list(range(g, 30, 3)) for g in range(3)}


@pytest.mark.parametrize("fifo", [True, False])
def test_a_dead_letter_queue_says_whose_it_takes(sqs, made, fifo):
    dead, queue = made("d", fifo), made("q", fifo)
    wanted = policy(name_of(dead))

    def allow(**policy):
        sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": json.dumps(policy)})

    def redrive(value=wanted):
        return sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": value})
    refusal = (400, "InvalidParameterValue", f"Value {wanted} for parameter RedrivePolicy is invalid. Reason: "
                                             "The RedriveAllowPolicy of the dead-letter queue does not allow this source queue.")
    allow(redrivePermission="denyAll")
    assert sqs_clients.refused(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"RedrivePolicy": wanted}) == refusal
    allow(redrivePermission="byQueue", sourceQueueArns=[ARN + "other" + (".fifo" if fifo else "")])
    assert sqs_clients.refused(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"RedrivePolicy": wanted}) == refusal
    allow(redrivePermission="byQueue", sourceQueueArns=[ARN + name_of(queue)])
    redrive()
    redrive("")
    allow(redrivePermission="allowAll")
    redrive()
    many = json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [ARN + f"q{n}" for n in range(11)]})
    assert sqs_clients.refused(sqs.set_queue_attributes, QueueUrl=dead, Attributes={"RedriveAllowPolicy": many})[1] == "InvalidAttributeValue"


# What surprises who knows other queues: each was seen on AWS.


def test_surprises(sqs, made):
    queue, standard = made(DelaySeconds="2"), made(fifo=False)
    # A delay of nothing on a FIFO queue keeps the queue's.
    sent_at = time.monotonic()
    send(sqs, queue, "g", "x", DelaySeconds=0)
    assert receive(sqs, queue) == [] or time.monotonic() - sent_at >= 2
    assert bodies(receive(sqs, queue, WaitTimeSeconds=20)) == ["x"]
    # Of a standard queue an old handle deletes, twice if need be, and one whose time is over can still hide.
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}}
    told = sqs.send_message(QueueUrl=standard, MessageBody="x", MessageSystemAttributes=trace)
    # System attributes have a digest of their own.
    assert "MD5OfMessageAttributes" not in told and len(told["MD5OfMessageSystemAttributes"]) == 32
    (old,) = receive(sqs, standard, VisibilityTimeout=0)
    sqs.change_message_visibility(QueueUrl=standard, ReceiptHandle=old["ReceiptHandle"], VisibilityTimeout=0)
    (new,) = receive(sqs, standard)
    delete(sqs, standard, [old, old])
    assert attributes(sqs, standard, "ApproximateNumberOfMessagesNotVisible") == {"ApproximateNumberOfMessagesNotVisible": "0"}
    # What is set to nothing, or to its default, is not there.
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": "k", "KmsDataKeyReusePeriodSeconds": "600"})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": "", "KmsDataKeyReusePeriodSeconds": "300", "RedrivePolicy": ""})
    assert not {"KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "RedrivePolicy"} & set(attributes(sqs, queue))
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=queue)


# kill -9.


def again(call, **members):
    """As a program that retries: until the node answers. What was refused is raised."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return call(**members)
        except sqs_clients.Refused as e:
            if e.status != 503 or time.monotonic() > deadline:
                raise
        except (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError, requests.RequestException):
            assert time.monotonic() < deadline, "no answer for a minute"
        time.sleep(0.02)


def test_a_retry_after_a_crash_is_still_a_duplicate(forebay):
    node = forebay()
    sqs = sqs_clients.boto(node.sqs)
    queue = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    sent = {n: send(sqs, queue, "g", str(n), f"id{n}") for n in range(50)}
    for restart in (node.kill9, lambda: (node.stop(), node.start())):
        restart()
        for n, first in sent.items():
            retry = again(sqs.send_message, QueueUrl=queue, MessageGroupId="g", MessageBody=str(n), MessageDeduplicationId=f"id{n}")
            assert (retry["MessageId"], retry["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    found = []
    while messages := receive(sqs, queue):
        found += bodies(messages)
        delete(sqs, queue, messages)
    assert found == [str(n) for n in range(50)]


class Producer(threading.Thread):
    """Sends one group's messages in order. One without an answer is sent again under its id, as a client should."""

    def __init__(self, url, queue, group, stop):
        super().__init__()
        self.url, self.queue, self.group, self.stop = url, queue, group, stop
        self.sent, self.failure = [], None

    def run(self):
        try:
            sqs = sqs_clients.Json(self.url)
            while not self.stop.is_set():
                n = len(self.sent)
                self.sent.append(again(sqs.send_message, QueueUrl=self.queue, MessageBody=str(n), MessageGroupId=self.group,
                                       MessageDeduplicationId=f"{self.group}-{n}"))
        except Exception as e:  # told by the test
            self.failure = e


class Ledger:
    """What consumers have seen of each group: every message in its order, and none after its delete was acknowledged."""

    def __init__(self):
        self.lock = threading.Lock()
        self.next, self.ids, self.deleted, self.wrong = {}, {}, {}, []

    def received(self, message, asked_at):
        group, n = message["Attributes"]["MessageGroupId"], int(message["Body"])
        with self.lock:
            following = self.next.get(group, 0)
            if n > following:
                self.wrong.append(f"{group}: {n} came before {following}")
            self.next[group] = max(following, n + 1)
            if self.ids.setdefault((group, n), message["MessageId"]) != message["MessageId"]:
                self.wrong.append(f"{group}: {n} was there twice")
            if self.deleted.get((group, n), asked_at) < asked_at:
                self.wrong.append(f"{group}: {n} came back after its delete")

    def acknowledged(self, message):
        with self.lock:
            self.deleted.setdefault((message["Attributes"]["MessageGroupId"], int(message["Body"])), time.monotonic())

    def settled(self):
        with self.lock:
            return len(self.deleted)


class Consumer(threading.Thread):
    def __init__(self, url, queue, ledger, stop):
        super().__init__()
        self.url, self.queue, self.ledger, self.stop = url, queue, ledger, stop
        self.failure = None

    def run(self):
        try:
            sqs = sqs_clients.Json(self.url)
            while not self.stop.is_set():
                asked_at = time.monotonic()
                answer = again(sqs.receive_message, QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=1, AttributeNames=["MessageGroupId"])
                messages = answer.get("Messages", [])
                for m in messages:
                    self.ledger.received(m, asked_at)
                for m in messages:
                    try:
                        again(sqs.delete_message, QueueUrl=self.queue, ReceiptHandle=m["ReceiptHandle"])
                        self.ledger.acknowledged(m)
                    except sqs_clients.Refused as e:
                        # Its time was over before the node was back: it comes again, and so does what follows it.
                        assert "The receipt handle has expired" in e.message, e
                        break
        except Exception as e:  # told by the test
            self.failure = e


def test_order_and_ids_outlive_kills_under_load(forebay):
    kills = 8
    node = forebay()
    sqs = sqs_clients.Json(node.sqs)
    queue = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true", "VisibilityTimeout": "3"})["QueueUrl"]
    sent_enough, done, ledger = threading.Event(), threading.Event(), Ledger()
    producers = [Producer(node.sqs, queue, f"g{n}", sent_enough) for n in range(4)]
    consumers = [Consumer(node.sqs, queue, ledger, done) for _ in range(3)]
    for thread in producers + consumers:
        thread.start()
    try:
        for _ in range(kills):
            before = ledger.settled()
            deadline = time.monotonic() + 60
            while ledger.settled() < before + 20:  # it is working again
                assert time.monotonic() < deadline, "nothing goes on"
                assert not any(t.failure for t in producers + consumers), [t.failure for t in producers + consumers]
                time.sleep(0.01)
            node.kill9()
        sent_enough.set()
        for producer in producers:
            producer.join()
        total = sum(len(p.sent) for p in producers)
        deadline = time.monotonic() + 60
        while ledger.settled() < total and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        sent_enough.set()
        done.set()
        for thread in producers + consumers:
            thread.join()
    assert not any(t.failure for t in producers + consumers), [t.failure for t in producers + consumers]
    assert ledger.wrong == []
    expected = {(p.group, n): answer["MessageId"] for p in producers for n, answer in enumerate(p.sent)}
    assert ledger.ids == expected, "something was lost, or is what nobody sent"
    for producer in producers:
        numbers = [int(answer["SequenceNumber"]) for answer in producer.sent]
        assert numbers == sorted(set(numbers))
    counts = attributes(sqs, queue)
    assert (counts["ApproximateNumberOfMessages"], counts["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0")
