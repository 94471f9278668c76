"""The programs of examples/ as their READMEs say, in a copy of their folder and on free ports."""
import json
import os
import shutil
import sqlite3
import tempfile
import time

import pytest
import requests
from conftest import ROOT, Forebay, free_ports


class Example(Forebay):
    def __init__(self, name):
        self.folder = os.path.join(tempfile.mkdtemp(prefix="forebay-example-"), name)
        shutil.copytree(ROOT / "examples" / name, self.folder)
        self.verb = "serve"
        ports = free_ports(3)
        self.intake, self.admin, self.sqs = (f"http://127.0.0.1:{port}" for port in ports)
        with open(os.path.join(self.folder, "forebay.toml")) as f:
            text = f.read()
        for given, port in zip((8080, 8090, 9324), ports):
            assert f"127.0.0.1:{given}" in text
            text = text.replace(f"127.0.0.1:{given}", f"127.0.0.1:{port}")
        self.write(text)
        self.parent = None
        self.start()

    def remove(self):
        self.stop()
        shutil.rmtree(os.path.dirname(self.folder), ignore_errors=True)

    def wait(self, get, seconds=30):
        deadline = time.monotonic() + seconds
        while True:
            found = get()
            if found:
                return found
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.1)


@pytest.fixture
def example():
    running = []

    def start(name):
        running.append(Example(name))
        return running[0]

    yield start
    for one in running:
        one.remove()


def post(process, **fields):
    answer = requests.post(process.intake + "/v1/lead", data=fields)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def test_a_php_worker_under_exec_scores_every_lead_once(example):
    process = example("php_exec")
    ids = [post(process, first_name=f"Jane{i}", email=f"jane{i}@example.com") for i in range(20)]

    def scores():
        with open(os.path.join(process.folder, "scores.jsonl")) as f:
            return [json.loads(line) for line in f]

    process.wait(lambda: os.path.exists(os.path.join(process.folder, "scores.jsonl")) and len(scores()) >= len(ids))
    assert sorted(score[0] for score in scores()) == sorted(ids)
    story = process.run("show", ids[0])
    assert "store" in story and "score" in story, story

    bad = post(process, first_name="Nobody")
    process.wait(lambda: bad in process.run("queue", "peek", "leads-dead"))


def test_a_php_program_polls_the_queue_itself(example):
    process = example("php_program")
    ids = [post(process, first_name=f"Jane{i}", phone="212-555-0123") for i in range(20)]

    def calls():
        try:
            with sqlite3.connect(f"file:{process.folder}/calls.db?mode=ro", uri=True) as db:
                return db.execute("SELECT record FROM calls").fetchall()
        except sqlite3.OperationalError:
            return []

    process.wait(lambda: len(calls()) >= len(ids))
    assert sorted(row[0] for row in calls()) == sorted(ids)
    # What it has carried it has deleted: nothing waits and nothing is dead.
    process.wait(lambda: all(queue["ready"] + queue["in_flight"] == 0 for queue in requests.get(process.admin + "/api/queues").json()["queues"]))
