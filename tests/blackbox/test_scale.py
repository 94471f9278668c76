"""Workers that become more when there is much to do, and fewer again: nothing is cut off, nothing done twice."""
import collections
import os
import sys

import requests
from conftest import LEADS
from waiting import wait_until

COUNT = """
count = { min = 1, max = 5, drain_within = "2s", step = 2, cooldown = "1s" }
"""
SLOW_EXEC = LEADS + """
dead_letter = "leads-dead"
[worker.score]
queue = "leads"
handler = "exec"
batch = { size = 1, wait = "0s" }
""" + COUNT + r"""
[worker.score.exec]
protocol = "jsonl"
command = ["/bin/sh", "-c", '''
while IFS= read -r line; do
    id=${line#*\"id\":\"}
    sleep 0.25
    printf '%s\n' "${id%%\"*}" >> done.log
    printf '{"id":"%s","result":"done"}\n' "${id%%\"*}"
done
''']
"""
SLOW_PROGRAM = LEADS + f"""
dead_letter = "leads-dead"
[worker.score]
queue = "leads"
handler = "program"
command = ["{sys.executable}", "score.py"]
""" + COUNT
# Takes one message at a time, and when it is asked to stop finishes the one it has.
PROGRAM = """
import json, os, signal, time, urllib.request
stopping = []
signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
def ask(action, **members):
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL_SQS"], json.dumps({"QueueUrl": os.environ["FOREBAY_QUEUE_URL"], **members}).encode(),
                                     {"X-Amz-Target": "AmazonSQS." + action, "Content-Type": "application/x-amz-json-1.0"})
    return json.loads(urllib.request.urlopen(request).read() or "{}")
while not stopping:
    for message in ask("ReceiveMessage", WaitTimeSeconds=1).get("Messages", []):
        time.sleep(0.25)
        with open("done.log", "a") as done:
            done.write(json.loads(message["Body"])["id"] + "\\n")
        ask("DeleteMessage", ReceiptHandle=message["ReceiptHandle"])
"""
RECORDS = 50


def post(one, count=RECORDS):
    with requests.Session() as session:
        for i in range(count):
            assert session.post(one.intake + "/v1/lead", json={"email": f"{i}@example.com"}, timeout=30).status_code == 202


def pool(one):
    return next(p for p in one.ask({"do": "status"})["pools"] if p["worker"] == "score")


def running(one):
    return sum(p["worker"] == "score" and p["state"] == "RUNNING" for p in one.processes())


def done(one):
    path = os.path.join(one.folder, "done.log")
    return open(path).read().split() if os.path.exists(path) else []


def grows_empties_and_shrinks(one):
    wait_until(lambda: running(one) == 1, told=one.output)
    post(one)
    wait_until(lambda: running(one) == 5, 30, one.output)
    wait_until(lambda: len(done(one)) >= RECORDS, 60, one.output)
    wait_until(lambda: pool(one)["count"] == 1 and running(one) == 1, 60, one.output)
    times = collections.Counter(done(one))
    assert len(times) == RECORDS and set(times.values()) == {1}, times
    assert "KILL" not in one.output(), one.output()


def test_an_exec_worker_grows_to_what_is_needed_and_shrinks_without_cutting_anything_off(forebay):
    one = forebay(SLOW_EXEC)
    grows_empties_and_shrinks(one)
    assert '"worker.scaled"' in one.output() and "empty the queue within 2s" in one.output(), one.output()


def test_a_program_is_scaled_by_what_leaves_its_queue(forebay):
    grows_empties_and_shrinks(forebay(SLOW_PROGRAM, files={"score.py": PROGRAM}))


def test_a_count_by_hand_stays_until_auto(forebay):
    one = forebay(SLOW_EXEC)
    wait_until(lambda: running(one) == 1, told=one.output)
    assert one.run("scale", "score=3", "--reason", "a test") == "score: was 1 (automatic, 1 to 5), is 3 by hand\n"
    assert running(one) == 3
    wait_until(lambda: scale(one)["why"] == "fixed by hand", told=one.output)
    post(one)
    assert "3/3 by hand" in one.run("status", expect=None).stdout
    wait_until(lambda: len(done(one)) == RECORDS, told=one.output)
    assert pool(one)["count"] == 3, "whatever waited"
    assert one.run("scale", "core:score=auto").startswith("score: was 3 by hand, is ")
    wait_until(lambda: pool(one)["count"] == 1, told=one.output)
    assert "1-5" in one.run("status", expect=None).stdout


def test_a_reload_takes_up_other_bounds_and_ends_what_was_by_hand(forebay):
    one = forebay(SLOW_EXEC)
    wait_until(lambda: running(one) == 1, told=one.output)
    assert one.ask({"do": "scale", "names": ["score"], "count": 3})["ok"]
    one.write(one.text.replace("min = 1, max = 5", "min = 2, max = 4"))
    assert one.ask({"do": "reload"})["ok"]
    wait_until(lambda: pool(one)["count"] == 2, told=one.output)
    assert (pool(one)["count_min"], pool(one)["count_max"], pool(one)["by_hand"]) == (2, 4, False)
    told = wait_until(lambda: (t := scale(one))["processes"] == 2 and t, told=one.output)
    assert (told["min"], told["max"]) == (2, 4), told


def test_a_worker_that_is_held_gets_no_more_processes(forebay):
    one = forebay(SLOW_EXEC.replace('"result":"done"', '"result":"hold"'))
    wait_until(lambda: running(one) == 1, told=one.output)
    post(one, 1)
    wait_until(lambda: "HELD" in one.run("status", expect=None).stdout, told=one.output)
    post(one)
    held = wait_until(lambda: (t := scale(one))["ready"] >= RECORDS and "nothing is received" in t["why"] and t, told=one.output)
    assert held["desired"] == 1 and pool(one)["count"] == 1, held


def test_a_paused_worker_gets_no_more_processes_and_grows_when_it_is_resumed(forebay):
    one = forebay(SLOW_EXEC)
    wait_until(lambda: running(one) == 1, told=one.output)
    for what in ("queue.leads", "worker.score"):
        one.run("pause", what, "--reason", "a test")
        post(one, 30)
        paused = wait_until(lambda: (t := scale(one))["ready"] >= 29 and "nothing is received" in t["why"] and t, told=one.output)
        assert paused["desired"] == 1 and pool(one)["count"] == 1, paused
        one.run("resume", what)
        wait_until(lambda: pool(one)["count"] > 1, told=one.output)
        wait_until(lambda: pool(one)["count"] == 1 and running(one) == 1, told=one.output)


def test_a_count_that_makes_no_sense_is_refused(forebay):
    one = forebay(LEADS + """
[db.main]
path = "leads.db"
[worker.store]
queue = "leads"
sql = { db = "main", table = "leads", create = true }
""")
    wait_until(lambda: any(p["name"] == "store:1" and p["state"] == "RUNNING" for p in one.processes()), told=one.output)
    refused = one.run("scale", "store=2", expect=None)
    assert refused.returncode == 64 and "which only one process may" in refused.stderr, refused
    for words, why in ((["stor=1"], 'did you mean "store"?'), (["store=many"], "is not WORKER=N"), (["store=1001"], "is not WORKER=N")):
        refused = one.run("scale", *words, expect=None)
        assert refused.returncode == 64 and why in refused.stderr, refused
    assert one.run("scale", "store=0", "--dry-run") == "Would scale store from 1 to 0 by hand.\n"
    assert pool_of(one, "store") == 1
    assert one.run("scale", "store=0") == "store: was 1, is 0 by hand\n"
    assert one.run("scale", "store=auto") == "store: was 0 by hand, is 1\n"


def pool_of(one, worker):
    return next(p["count"] for p in one.ask({"do": "status"})["pools"] if p["worker"] == worker)


def scale(one, worker="score", port=None):
    answer = requests.get(f"{port or one.admin}/v1/scale/{worker}", timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_who_starts_processes_elsewhere_is_told_how_many(forebay):
    one = forebay(SLOW_EXEC)
    for port in (one.admin, one.intake):
        told = wait_until(lambda port=port: (t := scale(one, port=port))["ready"] == 0 and t)
        assert {k: told[k] for k in ("worker", "queue", "in_flight", "processes", "desired", "min", "max")} == {
            "worker": "score", "queue": "leads", "in_flight": 0, "processes": 1, "desired": 1, "min": 1, "max": 5}, told
        unknown = requests.get(port + "/v1/scale/scores", timeout=10)
        assert unknown.status_code == 404 and "there are score." in unknown.json()["detail"], unknown.text
    post(one)
    busy = wait_until(lambda: (t := scale(one))["desired"] > 1 and t, told=one.output)
    assert busy["why"] and busy["oldest_seconds"] > 0, busy
