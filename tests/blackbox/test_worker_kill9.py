"""kill -9 of workers around COMMIT, a chain of two stages: every row once, effects equal to rows, follow-ups run once."""
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time

import requests

import conftest

KILLS = int(os.environ.get("FOREBAY_WORKER_KILLS", "100"))
CHAIN = """
[endpoint.lead]
path = "/v1/lead"
queue = "leads"
[endpoint.lead.fields]
n = {{ type = "integer" }}
[queue.leads]
visibility_timeout = "2s"
max_receive_count = 1000
dead_letter = "leads-dead"
[queue.leads-dead]
[queue.scores]
visibility_timeout = "2s"
max_receive_count = 1000
dead_letter = "scores-dead"
[queue.scores-dead]
{databases}
[worker.store]
queue = "leads"
handler = "sql"
then = ["scores"]
batch = {{ size = 10 }}
[worker.store.process]
autostart = false
[worker.store.sql]
db = "first"
statement = "INSERT INTO leads (id, n) VALUES (:id, :n)"
[worker.score]
queue = "scores"
handler = "sql"
batch = {{ size = 10 }}
[worker.score.process]
autostart = false
[worker.score.sql]
db = "second"
statement = "INSERT INTO scores (id, n) VALUES (:id, :n)"
"""
# Without a key: a row that is written twice is there twice.
TABLES = ("CREATE TABLE leads (id VARCHAR(36), n INT)", "CREATE TABLE scores (id VARCHAR(36), n INT)")


class SQLite:
    def __init__(self, folder):
        self.files = {"first": os.path.join(folder, "first.db"), "second": os.path.join(folder, "second.db")}
        for file, statement in zip(self.files.values(), TABLES):
            with contextlib.closing(sqlite3.connect(file)) as db:
                db.execute(statement)

    def toml(self):
        return "".join(f'[db.{name}]\ndriver = "sqlite"\npath = "{file}"\n' for name, file in self.files.items())

    def query(self, name, statement):
        with contextlib.closing(sqlite3.connect(f"file:{self.files[name]}?mode=ro", uri=True, timeout=10)) as db:
            return db.execute(statement).fetchall()


class Server:
    def __init__(self, server):
        self.server, self.names = server, {name: server.fresh_database() for name in ("first", "second")}
        for name, statement in zip(self.names, TABLES):
            server.query(statement, database=self.names[name])

    def toml(self):
        return "".join(self.server.toml(database, name) for name, database in self.names.items())

    def query(self, name, statement):
        return list(self.server.query(statement, database=self.names[name]))


class Worker:
    """`forebay work NAME 1`, without a supervisor that would wait before the next start."""

    def __init__(self, folder, name):
        self.folder, self.name, self.process = folder, name, None
        self.start()

    def start(self):
        with open(os.path.join(self.folder, self.name + ".log"), "ab") as log:
            self.process = subprocess.Popen([conftest.BINARY, "work", self.name, "1", "-c", "forebay.toml"], cwd=self.folder,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def end(self, how):
        self.process.send_signal(how)
        return self.process.wait(30)


class Producer(threading.Thread):
    def __init__(self, url):
        super().__init__()
        self.url, self.accepted, self.stop, self.failure = url, {}, threading.Event(), None

    def run(self):
        try:
            session, n = requests.Session(), 0
            while not self.stop.is_set():
                n += 1
                answer = session.post(self.url, json={"n": n}, timeout=10)
                assert answer.status_code == 202, answer.text
                self.accepted[answer.json()["id"]] = n
                time.sleep(0.002)
        except Exception as failure:  # told to the test, which fails with it
            self.failure = failure


def queues(forebay):
    return {q["name"]: q for q in requests.get(forebay.admin + "/api/queues", timeout=10).json()["queues"]}


def depth(forebay, *names):
    now = queues(forebay)
    return sum(now[name][state] for name in names for state in ("ready", "in_flight", "delayed"))


def kill_again_and_again(forebay, databases, kills=KILLS):
    workers = [Worker(forebay.folder, name) for name in ("store", "score")]
    producer = Producer(forebay.intake + "/v1/lead")
    producer.start()
    chance = random.Random(20261128)
    try:
        for _ in range(kills):
            time.sleep(chance.uniform(0.03, 0.25))
            worker = chance.choice(workers)
            assert worker.process.poll() is None, f"{worker.name} ended by itself"
            worker.end(signal.SIGKILL)
            worker.start()
        producer.stop.set()
        producer.join(30)
        assert producer.failure is None, producer.failure
        deadline = time.monotonic() + 60
        while depth(forebay, "leads", "scores") > 0:
            assert time.monotonic() < deadline, f"still there: {queues(forebay)}"
            time.sleep(0.1)
    finally:
        producer.stop.set()
        codes = [worker.end(signal.SIGTERM) for worker in workers]
    assert codes == [0, 0]
    check(forebay, databases, producer.accepted, kills)


def check(forebay, databases, accepted, kills):
    received = sum(queues(forebay)[name]["receives"] for name in ("leads", "scores"))
    print(f"{kills} kills, {len(accepted)} accepted, {received - 2 * len(accepted)} received again")
    assert depth(forebay, "leads-dead", "scores-dead") == 0
    assert len(accepted) > kills and received > 2 * len(accepted), "no kill met a message in hand"
    for name, table, effect in (("first", "leads", "store"), ("second", "scores", "score")):
        rows = databases.query(name, f"SELECT id, n FROM {table}")
        assert len(rows) == len(accepted), f"{table}: {len(rows)} rows of {len(accepted)}"
        assert dict(rows) == accepted
        done = databases.query(name, f"SELECT record FROM forebay_effects WHERE effect = '{effect}' AND state = 'done'")
        assert {record for record, in done} == accepted.keys()
    left = databases.query("first", "SELECT COUNT(*), COUNT(sent_at) FROM forebay_outbox")[0]
    assert left[0] == left[1], "a follow-up is not sent, and its message is gone"
    assert left[0] == len(accepted), "one follow-up a record"


def test_with_sqlite(forebay, tmp_path):
    databases = SQLite(tmp_path)
    kill_again_and_again(forebay(CHAIN.format(databases=databases.toml())), databases)


def test_with_mariadb(forebay, mariadb):
    databases = Server(mariadb)
    kill_again_and_again(forebay(CHAIN.format(databases=databases.toml())), databases)


def test_with_postgresql(forebay, postgresql):
    databases = Server(postgresql)
    kill_again_and_again(forebay(CHAIN.format(databases=databases.toml())), databases, KILLS // 4)
