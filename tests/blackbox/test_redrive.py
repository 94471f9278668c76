"""Dead letters moved back: by `forebay queue redrive`, and by the API's move tasks as an older SDK's wire sends them."""
import json
import xml.etree.ElementTree

import requests
import sqs_clients
from conftest import LEADS
from test_sqs_restart import again, receive_all
from waiting import wait_until

XML = "{http://queue.amazonaws.com/doc/2012-11-05/}"


def dead_letters(node, count):
    """A queue and its dead-letter queue, which holds `count` messages: (client, url of the one, url of the other, bodies)."""
    sqs = sqs_clients.boto(node.sqs)
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    url = sqs.create_queue(QueueName="live", Attributes={"VisibilityTimeout": "0", "RedrivePolicy": policy})["QueueUrl"]
    bodies = [f"message {n}" for n in range(count)]
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body)
    while waiting(sqs, dead) < count:
        sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return sqs, url, dead, set(bodies)


def waiting(sqs, url):
    return int(again(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"])


def test_dead_letters_go_back_once_each_although_the_node_is_killed_meanwhile(forebay):
    node = forebay()
    sqs, url, dead, bodies = dead_letters(node, 40)
    assert "Would move 40 messages of dead" in node.run("queue", "redrive", "dead", "--dry-run")
    said = node.run("queue", "redrive", "dead", "--rate", "20", "--reason", "the worker is mended")
    assert said == "Moving 40 messages of dead to live. See how many are left: forebay queue ls\n"
    wait_until(lambda: 0 < waiting(sqs, url) < 40)
    node.kill9()
    wait_until(lambda: waiting(sqs, dead) == 0)
    assert waiting(sqs, url) == 40
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "600"})
    found = [m["Body"] for m in receive_all(sqs, url)]
    assert len(found) == 40 and set(found) == bodies


def test_a_queue_that_is_nobodys_dead_letter_is_not_redriven(forebay):
    node = forebay()
    sqs, url, dead, _ = dead_letters(node, 1)
    assert "is no queue's dead_letter" in node.run("queue", "redrive", "live", "--reason", "x", expect=None).stderr
    assert "no such queue to move them to" in node.run("queue", "redrive", "dead", "--to", "nowhere", "--reason", "x", expect=None).stderr
    assert waiting(sqs, dead) == 1 and waiting(sqs, url) == 0


def test_move_tasks_in_the_query_protocol(forebay):
    node = forebay()
    sqs, url, dead, _ = dead_letters(node, 3)
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def ask(action, **parameters):
        answer = requests.post(node.sqs, data={"Action": action, "Version": "2012-11-05", **parameters}, timeout=30)
        return answer.status_code, xml.etree.ElementTree.fromstring(answer.text)

    status, started = ask("StartMessageMoveTask", SourceArn=arn)
    assert status == 200 and started.find(f".//{XML}TaskHandle").text
    wait_until(lambda: waiting(sqs, url) == 3)
    status, listed = ask("ListMessageMoveTasks", SourceArn=arn)
    entry = listed.find(f".//{XML}ListMessageMoveTasksResultEntry")
    assert status == 200 and entry.find(f"{XML}Status").text == "COMPLETED"
    assert entry.find(f"{XML}ApproximateNumberOfMessagesMoved").text == "3"
    status, refused = ask("StartMessageMoveTask", SourceArn=arn.replace("dead", "nowhere"))
    assert status == 404 and refused.find(f".//{XML}Code").text == "ResourceNotFoundException"


def test_what_a_worker_gave_up_goes_back_and_is_done_again(forebay):
    worker = """
[worker.check]
queue = "leads"
handler = "exec"
[worker.check.exec]
protocol = "per-record"
command = ["sh", "-c", "cat >> seen; echo >> seen; test -e mended || exit 65"]
"""
    node = forebay(LEADS + 'dead_letter = "leads-dead"\n' + worker)
    assert requests.post(node.intake + "/v1/lead", json={"email": "jane@example.com"}, timeout=30).status_code == 202
    sqs = sqs_clients.boto(node.sqs)
    dead = again(sqs.get_queue_url, QueueName="leads-dead")["QueueUrl"]
    wait_until(lambda: waiting(sqs, dead) == 1)
    open(f"{node.folder}/mended", "w").close()
    assert "Moving 1 message of leads-dead to leads." in node.run("queue", "redrive", "leads-dead", "--reason", "mended")
    wait_until(lambda: node.json("queue", "ls")["queues"] and all(q["ready"] + q["in_flight"] == 0 for q in node.json("queue", "ls")["queues"]))
    with open(f"{node.folder}/seen") as seen:
        first, again_ = (json.loads(line)["id"] for line in seen if line.strip())
    assert first == again_, "the record is the same one"


def test_dead_letters_of_several_queues_need_a_destination(forebay):
    node = forebay()
    sqs, url, dead, _ = dead_letters(node, 1)
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
    sqs.create_queue(QueueName="other", Attributes=policy)
    assert "Several queues have their dead letters there (live, other)" in node.run("queue", "redrive", "dead", "--reason", "x", expect=None).stderr
    assert waiting(sqs, dead) == 1
    node.run("queue", "redrive", "dead", "--to", "live", "--reason", "x")
    wait_until(lambda: waiting(sqs, dead) == 0)
