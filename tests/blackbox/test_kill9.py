"""kill -9 of the node and of workers under load: every acknowledged record is in the database, once."""
import json
import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import threading
import time
import uuid

import requests

KILLS = int(os.environ.get("FOREBAY_KILLS", "100"))
PRODUCERS = 4
CHECKER = pathlib.Path(__file__).resolve().parent.parent / "checker/check_store.py"

CONFIGURATION = """
[endpoint.lead]
path = "/v1/lead"
queue = "leads"
[endpoint.lead.fields]
email = { type = "email", required = true }
n     = { type = "integer" }
[queue.leads]
visibility_timeout = "3s"
max_receive_count = 1000
dead_letter = "leads-dead"
[queue.leads-dead]
[db.main]
driver = "sqlite"
path = "leads.db"
[worker.store]
queue = "leads"
handler = "sql"
count = { min = 1, max = 1 }
batch = { size = 10 }
[worker.store.process]
startsecs = "300ms"
[worker.store.sql]
db = "main"
table = "leads"
create = true
"""


class Producer(threading.Thread):
    """Posts as fast as it is answered. A post without an answer is sent again with its key, as a client should."""

    def __init__(self, url, number, stop):
        super().__init__()
        self.url, self.number, self.stop = url, number, stop
        self.acknowledged, self.unanswered, self.failure = {}, 0, None

    def run(self):
        try:
            n = 0
            session = requests.Session()
            while not self.stop.is_set():
                n += 1
                self.post(session, self.number * 10_000_000 + n)
        except Exception as failure:  # told to the test, which fails with it
            self.failure = failure

    def post(self, session, n):
        key = str(uuid.uuid4())
        while True:
            try:
                answer = session.post(self.url, json={"email": f"p{n}@example.com", "n": n}, headers={"Idempotency-Key": key}, timeout=10)
            except requests.RequestException:
                self.unanswered += 1
                if self.stop.is_set():
                    return
                time.sleep(0.02)
                continue
            if answer.status_code in (503, 409):
                time.sleep(0.02)
                continue
            assert answer.status_code == 202, (answer.status_code, answer.text)
            self.acknowledged[answer.json()["id"]] = n
            return


def running_pid(process, name):
    """Its pid once it counts as started; killed earlier, the parent would rightly wait before the next try."""
    deadline = time.monotonic() + 30
    while True:
        found = next(p for p in process.processes() if p["name"] == name)
        if found["state"] == "RUNNING":
            return found["pid"]
        assert time.monotonic() < deadline, f"{name} is {found['state']}: {found['why']}"
        time.sleep(0.01)


def test_every_acknowledged_record_is_in_the_database_once(forebay):
    process = forebay(CONFIGURATION)
    stop = threading.Event()
    producers = [Producer(process.intake + "/v1/lead", i, stop) for i in range(1, PRODUCERS + 1)]
    for producer in producers:
        producer.start()
    chance = random.Random(20261124)
    for kill in range(KILLS):
        time.sleep(chance.uniform(0.02, 0.3))
        if kill % 4 == 0:  # on a busy machine too the node must come to work between some of its ends
            wait_for_another(producers)
        os.kill(running_pid(process, "node" if kill % 2 == 0 else "store:1"), signal.SIGKILL)
    process.wait_ready()
    stop.set()
    for producer in producers:
        producer.join(60)
        assert producer.failure is None, producer.failure

    acknowledged = {}
    for producer in producers:
        acknowledged.update(producer.acknowledged)
    wait_until_empty(process, "leads")

    rows = sqlite3.connect(os.path.join(process.folder, "leads.db")).execute("SELECT id, n FROM leads").fetchall()
    stored = dict(rows)
    missing = [record for record in acknowledged if record not in stored]
    print(f"{KILLS} kills, {len(acknowledged)} acknowledged, {len(rows)} rows, {sum(p.unanswered for p in producers)} without an answer")
    assert not missing, f"{len(missing)} acknowledged records are not in the database, e.g. {missing[:3]}"
    assert len(stored) == len(rows)
    numbers = [n for _, n in rows]
    assert len(set(numbers)) == len(numbers), "one post became two rows"
    assert all(stored[record] == n for record, n in acknowledged.items())
    assert depth(process, "leads-dead") == 0
    assert len(acknowledged) > KILLS, "there was no load worth the name"
    balance = process.json("audit", "--against", "main", "--table", "leads")
    assert balance["verdict"] == "balanced" and balance["total"]["accepted"] == balance["total"]["rows"] == len(rows)
    process.stop()
    check_store(process, acknowledged)
    check_balance(process, balance["total"])


def wait_for_another(producers):
    before, deadline = sum(len(p.acknowledged) for p in producers), time.monotonic() + 30
    while sum(len(p.acknowledged) for p in producers) == before:
        assert time.monotonic() < deadline, "nothing is acknowledged any more"
        time.sleep(0.005)


def check_store(process, acknowledged):
    """What the files say by their description alone, read by a program that shares nothing with ours."""
    ids = os.path.join(process.folder, "acknowledged")
    with open(ids, "w") as f:
        f.write("\n".join(acknowledged))
    done = subprocess.run(["/usr/bin/python3", "-B", CHECKER, "data/store", "--acknowledged", ids, "--database", "leads.db", "--table", "leads"],
                          cwd=process.folder, capture_output=True, text=True, timeout=300)
    print(done.stdout.splitlines()[-1:])
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def check_balance(process, counted):
    """The same as `forebay audit`, counted from the stopped store by that program's kind, value by value."""
    done = subprocess.run(["/usr/bin/python3", "-B", CHECKER.with_name("check_balance.py"), "data/store", "--database", "leads.db", "--table", "leads",
                           "--queue", "leads", "--effect", "store"], cwd=process.folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert {term: found[term] for term in ("accepted", "settled", "open", "dead", "missing", "rows")} == {
        term: counted[term] for term in ("accepted", "settled", "open", "dead", "missing", "rows")}


def depth(process, queue):
    queues = {q["name"]: q for q in requests.get(process.admin + "/api/queues", timeout=10).json()["queues"]}
    return sum(queues[queue][state] for state in ("ready", "in_flight", "delayed"))


def wait_until_empty(process, queue):
    deadline = time.monotonic() + 120
    while (left := depth(process, queue)) > 0:
        assert time.monotonic() < deadline, f"{left} messages are still in {queue}: {json.dumps(process.processes())}"
        time.sleep(0.1)
