"""What somebody pauses stays so until it is resumed, whatever is killed meanwhile, and nothing is lost by it."""
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time

import requests
from conftest import BINARY, LEADS, LEADS_TO_SQLITE
from sqs_clients import boto
from waiting import wait_until

PROGRAM = """
[worker.poller]
queue = "leads"
handler = "program"
command = ["/bin/sleep", "1000"]
"""
CAREFUL = LEADS_TO_SQLITE.replace("[worker.store.sql]", '[worker.store.process]\nstartsecs = "200ms"\n[worker.store.sql]')


def post(forebay, n):
    answer = requests.post(forebay.intake + "/v1/lead", json={"email": f"{n}@example.com"}, timeout=10)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def rows(forebay):
    path = os.path.join(forebay.folder, "leads.db")
    if not os.path.exists(path):
        return []
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return sorted(row[0] for row in database.execute("select id from leads"))
    except sqlite3.OperationalError:
        return []
    finally:
        database.close()


def queue(forebay, name="leads"):
    return next(q for q in requests.get(forebay.admin + "/api/queues", timeout=10).json()["queues"] if q["name"] == name)


def complaint(forebay, *words, expect):
    done = forebay.run(*words, expect=None)
    assert done.returncode == expect, done
    return done.stderr


def state(forebay, name):
    told = json.loads(forebay.run("status", "--json", expect=None).stdout)
    return next(p for p in told["processes"] if p["name"] == name)["state"]


def test_a_paused_queue_hands_nothing_out_over_kills_and_restarts(forebay):
    one = forebay(LEADS + CAREFUL)
    first = post(one, 0)
    wait_until(lambda: rows(one) == [first], told=one.output)
    said = one.run("pause", "queue.leads", "--reason", "disk swap", env={"SUDO_USER": "ann"})
    assert said == "queue.leads is paused: nobody is handed its messages until forebay resume queue.leads\n"
    records = [post(one, n) for n in range(1, 6)]
    again = one.run("pause", "queue.leads", "--reason", "another", env={"SUDO_USER": "bob"})
    assert "paused already, for " in again and "by ann: disk swap" in again, again
    one.kill9("node")
    assert queue(one)["paused"]["reason"] == "disk swap"
    one.stop()
    one.start()
    records.append(post(one, 6))
    wait_until(lambda: queue(one)["ready"] == 6, told=lambda: str(queue(one)))
    status = one.run("status", expect=3)
    assert "PAUSED queue.leads  for " in status and "by ann: disk swap, 6 messages wait" in status, status
    assert "leads is paused, for " in one.run("queue", "ls", expect=None).stderr
    time.sleep(1.2)  # a long poll of the worker and more
    assert rows(one) == [first] and queue(one)["receives"] == 0
    said = one.run("resume", "queue.leads")
    assert said.startswith("queue.leads goes on. It was paused for ") and "by ann: disk swap" in said
    wait_until(lambda: rows(one) == sorted([first, *records]), told=one.output)
    assert one.run("resume", "queue.leads") == "queue.leads is not paused.\n"
    log = one.output()
    assert '"event":"queue.paused","queue":"leads"' in log and '"reason":"disk swap","by":"ann"' in log and '"event":"queue.resumed"' in log
    one.kill9("node")
    assert "paused" not in queue(one)


def test_any_sqs_client_is_given_nothing_and_may_do_everything_else(forebay):
    one = forebay(LEADS)
    sqs = boto(one.sqs)
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    for n in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=str(n))
    handles = [m["ReceiptHandle"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=2)["Messages"]]
    waited = []

    def wait():
        began = time.monotonic()
        waited.append((sqs.receive_message(QueueUrl=url, WaitTimeSeconds=3), time.monotonic() - began))

    # The last message is taken first, so that this one waits.
    last = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.3)
    one.run("pause", "queue.jobs")
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=last, VisibilityTimeout=0)
    sqs.send_message(QueueUrl=url, MessageBody="3")
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    for handle in handles:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
    waiting.join()
    answer, seconds = waited[0]
    assert "Messages" not in answer and 2.5 < seconds < 6, waited
    one.kill9("node")
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessages"] == "2", counts
    one.run("resume", "queue.jobs")
    bodies = {m["Body"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]}
    assert bodies == {"2", "3"}


def test_a_paused_worker_takes_nothing_until_it_is_resumed_whatever_is_restarted(forebay):
    one = forebay(LEADS + CAREFUL)
    first = post(one, 0)
    wait_until(lambda: rows(one) == [first], told=one.output)
    assert "finish what they have in hand" in one.run("pause", "worker.store", "--reason", "migration", env={"SUDO_USER": "ann"})
    wait_until(lambda: state(one, "store:1") == "PAUSED", told=one.output)
    records = [post(one, n) for n in range(1, 4)]
    time.sleep(1.2)
    assert rows(one) == [first] and queue(one)["ready"] == 3
    lines = one.run("status", "store", expect=3)
    assert lines.startswith("core:store:1") and " PAUSED " in lines and "by ann: migration" in lines, lines
    assert requests.get(one.intake + "/readyz", timeout=5).status_code == 200
    one.kill9("store:1")
    wait_until(lambda: state(one, "store:1") == "PAUSED", told=one.output)
    one.stop()
    one.start()
    wait_until(lambda: state(one, "store:1") == "PAUSED", told=one.output)
    assert "paused already" in one.run("pause", "worker.store", "--reason", "other")
    assert rows(one) == [first]
    one.run("resume", "worker.store")
    wait_until(lambda: rows(one) == sorted([first, *records]), told=one.output)
    assert state(one, "store:1") == "RUNNING"
    log = one.run("tail", "store", "--lines", "200")
    assert '"event":"worker.paused"' in log and '"by":"ann","reason":"migration"' in log and '"event":"worker.resumed"' in log
    assert queue(one)["receives"] == 3, "none was received and given back"


def test_what_cannot_be_paused_says_why_and_what_can(forebay):
    one = forebay(LEADS + LEADS_TO_SQLITE + PROGRAM)
    said = complaint(one, "pause", "worker.poller", expect=64)
    assert "forebay stop poller" in said and "forebay pause queue.leads" in said
    assert 'there is no queue "leds"; did you mean "queue.leads"?' in complaint(one, "pause", "queue.leds", expect=64)
    assert 'there is no worker "stor"; did you mean "worker.store"?' in complaint(one, "pause", "worker.stor", expect=64)
    for word in ("store", "stor"):
        assert 'did you mean "worker.store"?' in complaint(one, "pause", word, expect=64)
    assert 'did you mean "queue.leads"?' in complaint(one, "pause", "leads", expect=64)
    assert "partners are not in this version" in complaint(one, "pause", "partner.acme", expect=64)
    assert "forebay drain" in complaint(one, "pause", "node", expect=64)
    assert "Nobody receives from the quarantine" in complaint(one, "pause", "queue.forebay-quarantine", expect=65)
    assert one.run("pause", "queue.leads", "worker.store", "--dry-run") == "Would pause queue.leads, worker.store.\n"
    assert "paused" not in queue(one)


def test_a_queue_that_expires_messages_does_not_while_it_is_paused_nor_at_once_after(forebay):
    one = forebay(LEADS)
    sqs = boto(one.sqs)
    url = sqs.create_queue(QueueName="short", Attributes={"MessageRetentionPeriod": "60"})["QueueUrl"]
    one.run("pause", "queue.short")
    kept = json.load(open(os.path.join(one.folder, "data", "paused-queues.json")))
    assert kept["short"]["pause"]["since_ms"] > 0
    sqs.delete_queue(QueueUrl=url)
    one.kill9("node")
    url = sqs.create_queue(QueueName="short")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    assert sqs.receive_message(QueueUrl=url)["Messages"], "another queue of that name is not meant"


def test_a_drained_node_is_left_by_balancers_finishes_and_stays_so(forebay):
    slow = """
[worker.slow]
queue = "leads"
handler = "exec"
batch = { size = 1 }
[worker.slow.exec]
protocol = "per-record"
command = ["/bin/sh", "-c", "cat > /dev/null; echo began >> runs; sleep 2; echo ended >> runs"]
"""
    one = forebay(LEADS + slow)
    post(one, 0)
    runs = os.path.join(one.folder, "runs")
    wait_until(lambda: os.path.exists(runs), told=one.output)
    drained = subprocess.Popen([BINARY, "drain", "--reason", "deploy", "--within", "30s", "-c", "forebay.toml"], cwd=one.folder,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "SUDO_USER": "ann"})
    wait_until(lambda: requests.get(one.intake + "/readyz", timeout=5).status_code == 503, told=one.output)
    post(one, 1)  # what comes all the same is taken
    out, err = drained.communicate(timeout=40)
    assert drained.returncode == 0 and out == "nothing in hand: forebay is drained; stop it now\n", (out, err)
    assert open(runs).read().split() == ["began", "ended"], "what was in hand was finished, and nothing new begun"
    assert queue(one)["ready"] == 1
    status = one.run("status", expect=3)
    assert "drained for " in status and "by ann: deploy" in status and " PAUSED " in status, status
    pid = one.pid("node")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: one.pid("node") not in (0, pid), told=one.output)
    wait_until(lambda: "drained" in one.run("status", expect=None).stdout, told=one.output)
    assert requests.get(one.intake + "/readyz", timeout=5).status_code == 503
    assert "in service again" in one.run("drain", "--undo")
    wait_until(lambda: requests.get(one.intake + "/readyz", timeout=5).status_code == 200, told=one.output)
    wait_until(lambda: open(runs).read().count("ended") == 2, told=one.output)


def test_a_drain_that_is_not_reached_says_what_is_in_the_way_and_a_new_start_ends_it(forebay):
    hangs = """
[worker.slow]
queue = "leads"
handler = "exec"
timeout = "6s"
[worker.slow.exec]
protocol = "per-record"
command = ["/bin/sh", "-c", "echo began >> runs; exec sleep 50"]
"""
    one = forebay(LEADS + hangs)
    post(one, 0)
    wait_until(lambda: os.path.exists(os.path.join(one.folder, "runs")), told=one.output)
    said = complaint(one, "drain", "--within", "2s", expect=75)
    assert "slow:1 has records in hand" in said and "drain --undo" in said, said
    one.stop()
    one.start()  # waits until it is ready
    assert "drain_over" in one.output()


def test_resume_node_ends_a_drain_too(forebay):
    one = forebay(LEADS)
    one.run("drain", "--within", "10s")
    assert "in service again" in one.run("resume", "node")
    assert "nobody drained it" in one.run("drain", "--undo")
