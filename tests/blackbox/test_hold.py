"""Hold: while something is down its workers receive nothing, one process asks, and it is told for how long and how many wait."""
import json
import os
import pathlib
import shutil
import sqlite3
import time

import requests

from conftest import LEADS, LEADS_TO_SQLITE
from waiting import wait_until

WITH_DEAD = 'max_receive_count = 3\nvisibility_timeout = "2s"\ndead_letter = "leads-dead"\n[queue.leads-dead]\n'
QUICK_PROBE = LEADS_TO_SQLITE.replace('path = "leads.db"', 'path = "leads.db"\nprobe = "200ms"')
SAYS_WHETHER = """
[worker.mail]
queue = "leads"
handler = "exec"
count = { min = 3 }
[worker.mail.exec]
protocol = "per-record"
command = ["/bin/sh", "-c", "cat > /dev/null; echo run >> runs; test ! -e down || exit 69"]
"""


def post(forebay, n):
    answer = requests.post(forebay.intake + "/v1/lead", json={"email": f"{n}@example.com"}, timeout=10)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def events(forebay, name):
    """The lines of all workers' logs that have this event."""
    lines = [line for log in pathlib.Path(forebay.folder, "data/log").glob("*.log") for line in log.read_text().splitlines()]
    return [json.loads(line) for line in lines if line.startswith("{") and f'"event":"{name}"' in line]


def queue(forebay, name):
    return next(q for q in requests.get(forebay.admin + "/api/queues", timeout=10).json()["queues"] if q["name"] == name)


def metric(forebay, name):
    return next((float(line.split()[-1]) for line in requests.get(forebay.admin + "/metrics", timeout=10).text.splitlines() if line.startswith(name)), None)


def test_a_database_that_is_down_holds_its_worker_and_all_of_it_is_told(forebay):
    one = forebay(LEADS + WITH_DEAD + QUICK_PROBE)
    database = os.path.join(one.folder, "leads.db")
    first = post(one, 0)
    wait_until(lambda: os.path.exists(database) and events(one, "effect.done"), told=one.output)
    wait_until(lambda: metric(one, 'forebay_db_up{db="main",role="writer"}') == 1, told="the gauge")
    shutil.move(database, database + ".away")
    records = [post(one, n) for n in range(1, 31)]
    wait_until(lambda: events(one, "hold.begin"), told=one.output)
    begin = events(one, "hold.begin")[0]
    assert begin["what"] == "db.main" and "is gone" in begin["why"] and begin["workers"] == "core:store" and begin["ready"] > 0
    wait_until(lambda: queue(one, "leads")["ready"] == 30, told=lambda: str(queue(one, "leads")))
    # Longer than max_receive_count visibility timeouts: what is not received spends nothing.
    receives, until = queue(one, "leads")["receives"], time.monotonic() + 7
    while time.monotonic() < until:
        assert queue(one, "leads")["receives"] == receives
        time.sleep(0.2)
    status = one.run("status", expect=3)
    assert "HOLD db.main  for " in status and "30 records wait for core:store" in status, status
    assert one.json("status", expect=3)["outages"][0]["waiting"] == 30
    assert metric(one, 'forebay_db_up{db="main",role="writer"}') == 0
    assert metric(one, 'forebay_db_hold_seconds_total{db="main"}') >= 5
    shutil.move(database + ".away", database)
    wait_until(lambda: queue(one, "leads")["ready"] + queue(one, "leads")["in_flight"] == 0, told=one.output)
    end, = events(one, "hold.end")
    assert end["what"] == "db.main" and end["seconds"] >= 7 and end["attempts_spent"] == 0 and end["waited"] >= 20
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        assert {row for row, in db.execute("SELECT id FROM leads")} == {first, *records}
        assert db.execute("SELECT MAX(attempts) FROM forebay_effects").fetchone() == (1,)
    assert queue(one, "leads-dead")["ready"] == 0
    wait_until(lambda: metric(one, 'forebay_db_up{db="main",role="writer"}') == 1, told="the gauge")
    assert "HOLD" not in one.run("status")


def test_a_ledger_that_is_down_holds_an_exec_worker_as_the_database_it_is_in(forebay):
    one = forebay(LEADS + WITH_DEAD + SAYS_WHETHER.replace("{ min = 3 }", "{ min = 1 }") + """
[db.notes]
driver = "sqlite"
path = "notes.db"
probe = "200ms"
[ledger]
db = "notes"
""")
    database, runs = pathlib.Path(one.folder, "notes.db"), pathlib.Path(one.folder, "runs")
    post(one, 0)
    wait_until(lambda: events(one, "effect.done"), told=one.output)
    database.rename(one.folder + "/away")
    post(one, 1)
    wait_until(lambda: events(one, "hold.begin"), told=one.output)
    assert events(one, "hold.begin")[0]["what"] == "db.notes"
    wait_until(lambda: queue(one, "leads")["ready"] == 1, told=lambda: str(queue(one, "leads")))
    status = one.run("status", expect=3)
    assert "HOLD db.notes  for " in status and "1 record waits for core:mail" in status, status
    assert metric(one, 'forebay_db_up{db="notes",role="writer"}') == 0
    assert len(runs.read_text().splitlines()) == 1, "whose effect cannot be noted is not run"
    pathlib.Path(one.folder, "away").rename(database)
    wait_until(lambda: len(events(one, "effect.done")) == 2, told=one.output)
    assert len(runs.read_text().splitlines()) == 2


def test_of_several_processes_one_tries_and_the_others_wait(forebay):
    one = forebay(LEADS + WITH_DEAD + SAYS_WHETHER)
    down, runs = pathlib.Path(one.folder, "down"), pathlib.Path(one.folder, "runs")
    down.touch()
    records = [post(one, n) for n in range(12)]
    wait_until(lambda: [p["state"] for p in one.json("status", expect=3)["processes"] if p["worker"] == "mail"] == ["HELD"] * 3, told=one.output)
    assert len(events(one, "hold.begin")) == 1
    assert events(one, "hold.begin")[0]["what"] == "worker.mail"
    before, began = len(runs.read_text().splitlines()), time.monotonic()
    time.sleep(8)  # a try every two seconds, one to three
    tries = len(runs.read_text().splitlines()) - before
    assert 1 <= tries <= 1 + (time.monotonic() - began), "one process tries, not three"
    assert queue(one, "leads")["in_flight"] <= 1, "what is not tried is given back"
    # Another takes over where the one that tries is killed.
    prober = json.loads(pathlib.Path(one.folder, "data/outages/worker.mail.json").read_text())["down"]["prober"]
    name = next(p["name"] for p in one.processes() if p["pid"] == prober)
    os.kill(prober, 9)
    wait_until(lambda: json.loads(pathlib.Path(one.folder, "data/outages/worker.mail.json").read_text())["down"]["prober"] != prober, told=name)
    down.unlink()
    wait_until(lambda: len(events(one, "effect.done")) == len(records), told=one.output)
    assert events(one, "hold.end")[-1]["attempts_spent"] == 0
    wait_until(lambda: queue(one, "leads")["ready"] + queue(one, "leads")["in_flight"] == 0, told=one.output)
    assert queue(one, "leads-dead")["ready"] == 0
