"""kill -9 of the node under a client: what it was told is sent is there, what it was told is deleted is not."""
import random
import time

import botocore.exceptions
import requests

import sqs_clients


def again(call, **members):
    """As a program that retries: until the node answers."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return call(**members)
        except (botocore.exceptions.BotoCoreError, requests.RequestException):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def receive_all(sqs, url):
    found = []
    while messages := again(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
        found += messages
    return found


def test_batches_between_kills_are_all_there(forebay):
    node = forebay()
    sqs = sqs_clients.boto(node.sqs)
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "43200"})["QueueUrl"]
    sent, deleted = set(), set()
    for round_ in range(6):
        for batch in range(10):
            entries = [{"Id": str(i), "MessageBody": f"{round_}.{batch}.{i}"} for i in range(10)]
            answer = again(sqs.send_message_batch, QueueUrl=url, Entries=entries)
            sent |= {entries[int(e["Id"])]["MessageBody"] for e in answer["Successful"]}
        messages = again(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        taken = random.sample(messages, 5)
        again(sqs.delete_message_batch, QueueUrl=url, Entries=[{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(taken)])
        deleted |= {m["Body"] for m in taken}
        given_back = [m for m in messages if m not in taken]
        node.kill9()
        # A receive handed out is durable: its messages stay hidden and their handles still work.
        for m in given_back:
            again(sqs.change_message_visibility, QueueUrl=url, ReceiptHandle=m["ReceiptHandle"], VisibilityTimeout=0)
    assert len(sent) == 600
    bodies = [m["Body"] for m in receive_all(sqs, url)]
    assert len(bodies) == len(set(bodies)), "a message stands twice in the queue"
    assert set(bodies) == sent - deleted


def test_queues_settings_and_counts_outlive_a_kill(forebay):
    node = forebay()
    sqs = sqs_clients.boto(node.sqs)
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = f'{{"deadLetterTargetArn":"{arn}","maxReceiveCount":2}}'
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "1", "RedrivePolicy": policy}, tags={"team": "core"})["QueueUrl"]
    sent = sqs.send_message(QueueUrl=url, MessageBody="poison", MessageAttributes={"a": {"DataType": "String", "StringValue": "b"}})
    for count in ("1", "2"):
        (message,) = again(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=10, AttributeNames=["All"], MessageAttributeNames=["All"])["Messages"]
        assert message["MessageId"] == sent["MessageId"]
        assert message["Attributes"]["ApproximateReceiveCount"] == count
        assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
        node.kill9()
    assert again(sqs.list_queue_tags, QueueUrl=url)["Tags"] == {"team": "core"}
    deadline = time.monotonic() + 30
    while not (found := again(sqs.receive_message, QueueUrl=dead).get("Messages")):
        assert time.monotonic() < deadline
        again(sqs.receive_message, QueueUrl=url)
    assert found[0]["Body"] == "poison"
