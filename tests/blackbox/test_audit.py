"""`forebay audit`: balanced whatever was killed, and never when something is missing, surplus or out of reach."""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
import uuid

import requests

from conftest import LEADS, LEADS_TO_SQLITE
from sqs_clients import Json
from waiting import wait_until

PLAIN = LEADS + """
visibility_timeout = "2s"
max_receive_count = 1000
dead_letter = "leads-dead"
[queue.leads-dead]
""" + LEADS_TO_SQLITE
CHECKER = pathlib.Path(__file__).resolve().parent.parent / "checker/check_balance.py"
AGAINST = ("--against", "main", "--table", "leads")


def post(process, email):
    answer = requests.post(process.intake + "/v1/lead", json={"email": email}, timeout=30)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def rows(process, sql="SELECT id FROM leads", file="leads.db"):
    try:
        connection = sqlite3.connect(f"file:{process.folder}/{file}?mode=ro", uri=True)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()
    except sqlite3.OperationalError:
        return []


def change(process, sql, *values):
    connection = sqlite3.connect(os.path.join(process.folder, "leads.db"), timeout=30)
    with connection:
        assert connection.execute(sql, values).rowcount == 1
    connection.close()


def audit(process, *more, expect=0):
    return process.json("audit", *more, expect=expect)


def depth(process, queue):
    queues = requests.get(process.admin + "/api/queues", timeout=10).json()["queues"]
    return sum(q["ready"] + q["in_flight"] + q["delayed"] for q in queues if q["name"] == queue)


def settle(process, count):
    wait_until(lambda: len(rows(process)) == count and depth(process, "leads") == 0)


def check_balance(process, database="leads.db"):
    """What the independent program makes of a stopped store: its lines and its balance."""
    done = subprocess.run(["/usr/bin/python3", "-B", CHECKER, "data/store", "--database", database, "--table", "leads", "--queue", "leads",
                           "--effect", "store"], cwd=process.folder, capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1) and not done.stderr, done.stderr
    *lines, balance = done.stdout.splitlines()
    assert (done.returncode == 0) == (not lines)
    return lines, json.loads(balance)


def test_what_was_accepted_is_settled_and_the_rows_agree(forebay):
    process = forebay(PLAIN)
    ids = [post(process, f"p{n}@example.com") for n in range(30)]
    settle(process, 30)
    found = audit(process, *AGAINST)
    assert found["verdict"] == "balanced" and found["differences"] == [] and found["gaps"] == []
    assert found["total"] == {"accepted": 30, "settled": 30, "open": 0, "dead": 0, "discarded": 0, "erased": 0, "missing": 0, "difference": 0,
                              "rows": 30}
    assert {row for row, in rows(process)} == set(ids)
    text = process.run("audit", *AGAINST)
    lines = text.splitlines()
    assert re.fullmatch(r"hour \(UTC\) +accepted +settled +open +dead +rows in leads +difference", lines[0])
    assert re.fullmatch(r"24h +30 +30 +0 +0 +30 +0 +BALANCED", lines[-1])
    assert sum(int(line.split()[1]) for line in lines[1:-1]) == 30
    # Nothing is counted twice when a record is sent to its queue again.
    answer = requests.post(process.admin + "/api/replay", json={"ids": ids[:3], "queue": "leads", "reason": "test"}, timeout=10)
    assert answer.json()["sent"] == 3
    settle(process, 30)
    assert audit(process, *AGAINST)["total"]["accepted"] == 30
    metrics = requests.get(process.admin + "/metrics", timeout=10).text
    assert 'forebay_audit_difference{endpoint="lead"} 0' in metrics


def test_what_waits_is_open_and_what_failed_for_good_is_dead(forebay):
    process = forebay(LEADS + """
max_receive_count = 20
dead_letter = "leads-dead"
[queue.leads-dead]
[queue.later]
[worker.score]
queue = "leads"
handler = "exec"
then = ["later"]
[worker.score.exec]
protocol = "per-record"
command = ["/bin/sh", "-c", "grep -q dead@ && exit 65 || exit 0"]
""")
    post(process, "dead@example.com")
    for n in range(4):
        post(process, f"p{n}@example.com")
    wait_until(lambda: depth(process, "later") == 4 and depth(process, "leads-dead") == 1)
    total = audit(process)["total"]
    assert (total["accepted"], total["settled"], total["open"], total["dead"], total["missing"]) == (5, 0, 4, 1, 0)
    # Nobody of ours empties the queue: whoever does has settled the record.
    sqs = Json(process.sqs)
    url = sqs.get_queue_url(QueueName="later")["QueueUrl"]
    for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    total = audit(process)["total"]
    assert total["settled"] + total["open"] == 4 and total["settled"] > 0 and total["missing"] == 0


def test_a_message_that_somebody_deleted_is_missing_by_name_and_can_be_repaired(forebay):
    process = forebay(PLAIN)
    post(process, "before@example.com")
    settle(process, 1)
    process.run("stop", "store")
    ids = [post(process, f"p{n}@example.com") for n in range(3)]
    assert audit(process, *AGAINST)["total"]["open"] == 3
    sqs = Json(process.sqs)
    url = sqs.get_queue_url(QueueName="leads")["QueueUrl"]
    message = sqs.receive_message(QueueUrl=url)["Messages"][0]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    found = audit(process, *AGAINST, expect=1)
    assert found["verdict"] == "mismatch" and found["total"]["missing"] == 1
    difference, = found["differences"]
    assert difference["what"] == "missing" and difference["endpoint"] == "lead" and difference["id"] in ids
    text = process.run("audit", expect=1)
    assert "NOT BALANCED" in text and f"{difference['id']} of lead" in text and "missing: it was put on leads" in text
    assert 'forebay_audit_difference{endpoint="lead"} 1' in requests.get(process.admin + "/metrics", timeout=10).text
    assert "Would queue 1 record again" in process.run("audit", "--repair", "--dry-run", expect=1)
    refused = process.run("audit", "--repair", "--yes", expect=None)
    assert refused.returncode == 64 and "--reason" in refused.stderr
    assert "Queued 1 record again" in process.run("audit", "--repair", "--yes", "--reason", "deleted by hand")
    process.run("start", "store")
    settle(process, 4)
    assert audit(process, *AGAINST)["verdict"] == "balanced"


def test_a_row_that_was_removed_or_added_by_hand_is_named(forebay):
    process = forebay(PLAIN)
    ids = [post(process, f"p{n}@example.com") for n in range(5)]
    settle(process, 5)
    assert audit(process, *AGAINST)["verdict"] == "balanced"
    change(process, "DELETE FROM leads WHERE id = ?", ids[2])
    found = audit(process, *AGAINST, expect=1)
    assert [(d["what"], d["id"]) for d in found["differences"]] == [("row_missing", ids[2])]
    assert found["total"]["rows"] == 4 and found["total"]["settled"] == 5 and found["total"]["difference"] == 1
    assert f"{ids[2]} of lead" in process.run("audit", *AGAINST, expect=1)
    assert audit(process)["verdict"] == "balanced", "without --against the rows are not looked at"
    stranger = ids[1][:-4] + ("0000" if ids[1][-4:] != "0000" else "1111")
    change(process, "INSERT INTO leads (id) VALUES (?)", stranger)
    found = audit(process, *AGAINST, expect=1)
    assert {(d["what"], d["id"]) for d in found["differences"]} == {("row_missing", ids[2]), ("row_surplus", stranger)}
    done = process.run("audit", *AGAINST, "--repair", "--yes", "--reason", "test", expect=None)
    assert done.returncode == 1 and "Queued 1 record again" in done.stdout and "Not repaired: 1 row too many in leads" in done.stderr
    settle(process, 6)
    change(process, "DELETE FROM leads WHERE id = ?", stranger)
    assert audit(process, *AGAINST)["verdict"] == "balanced"
    change(process, "DELETE FROM leads WHERE id = ?", ids[2])
    process.run("audit", *AGAINST, "--repair", "--yes", "--reason", "it happened once more")
    settle(process, 5)
    assert audit(process, *AGAINST)["verdict"] == "balanced"


def test_a_doubled_row_is_named(forebay):
    process = forebay(LEADS + """
[db.main]
driver = "sqlite"
path = "leads.db"
[worker.store]
queue = "leads"
handler = "sql"
[worker.store.sql]
db = "main"
statement = "INSERT INTO plain (id, email) VALUES (:id, :email)"
""")
    connection = sqlite3.connect(os.path.join(process.folder, "leads.db"), timeout=30)
    with connection:
        connection.execute("CREATE TABLE plain (id TEXT, email TEXT)")
    connection.close()
    keyed = {"Idempotency-Key": str(uuid.uuid4())}
    ids = [post(process, "a@example.com"),
           requests.post(process.intake + "/v1/lead", json={"email": "b@example.com"}, headers=keyed, timeout=10).json()["id"]]
    wait_until(lambda: len(rows(process, "SELECT id FROM plain")) == 2 and depth(process, "leads") == 0)
    against = ("--against", "db.main", "--table", "plain")
    assert audit(process, *against)["verdict"] == "balanced"
    for id in ids:
        change(process, "INSERT INTO plain (id) VALUES (?)", id)
    found = audit(process, *against, expect=1)
    assert {(d["what"], d["id"]) for d in found["differences"]} == {("row_doubled", id) for id in ids}
    assert found["total"]["rows"] == 4


def test_what_cannot_be_reached_is_incomplete_and_never_balanced(forebay):
    process = forebay(PLAIN)
    post(process, "a@example.com")
    settle(process, 1)
    assert audit(process, *AGAINST)["verdict"] == "balanced"
    away = os.path.join(process.folder, "elsewhere.db")
    os.rename(os.path.join(process.folder, "leads.db"), away)
    found = audit(process, *AGAINST, expect=4)
    assert found["verdict"] == "incomplete" and found["differences"] == [] and "total" not in found
    assert any("leads.db" in gap for gap in found["gaps"])
    assert "INCOMPLETE" in process.run("audit", expect=4)
    refused = process.run("audit", "--repair", "--yes", "--reason", "x", expect=None)
    assert refused.returncode == 4 and "nothing is repaired" in refused.stderr
    os.rename(away, os.path.join(process.folder, "leads.db"))
    assert audit(process, *AGAINST)["verdict"] == "balanced"
    process.stop()
    found = audit(process, *AGAINST, expect=4)
    assert found["verdict"] == "incomplete" and "no answer from" in found["gaps"][0]


def test_wrong_arguments_are_named(forebay):
    process = forebay(PLAIN)
    for words, what in ((("--since", "yesterday"), "--since yesterday is no moment"),
                        (("--to", "2026-01-01"), "--to needs --from"),
                        (("--since", "1h", "--from", "2h"), "--since goes up to now"),
                        (("--from", "2026-01-02", "--to", "2026-01-01"), "must begin before it ends"),
                        (("--from", "2999-01-01"), "before now"),
                        (("--against", "main"), "--against DB and --table T go together"),
                        (("--against", "mian", "--table", "leads"), 'did you mean "main"?'),
                        (("--against", "main", "--table", "lead"), 'did you mean "leads"?'),
                        (("--reason", "x"), "--reason is for --repair"),
                        (("--dry-run",), "--dry-run is for --repair"),
                        (("--table", ""), "go together"),
                        (("--sinse", "1h"), "did you mean --since?")):
        done = process.run("audit", *words, expect=None)
        assert done.returncode == 64 and what in done.stderr, (words, done.returncode, done.stderr)
    found = audit(process, *AGAINST)
    assert found["verdict"] == "balanced" and found["total"]["accepted"] == 0 and found["hours"] == []
    assert audit(process, *AGAINST, "--from", "2020-01-01", "--to", "2020-01-02")["verdict"] == "balanced"


class Producer(threading.Thread):
    """Posts until told to stop; what has no answer is sent again under its key."""

    def __init__(self, url, stop):
        super().__init__()
        self.url, self.stop, self.acknowledged = url, stop, set()

    def run(self):
        session = requests.Session()
        while not self.stop.is_set():
            key, answer = str(uuid.uuid4()), None
            while answer is None or answer.status_code in (409, 503):
                try:
                    answer = session.post(self.url, json={"email": "p@example.com"}, headers={"Idempotency-Key": key}, timeout=10)
                except requests.RequestException:
                    if self.stop.is_set():
                        return
                    time.sleep(0.02)
            assert answer.status_code == 202, answer.text
            self.acknowledged.add(answer.json()["id"])


def test_the_balance_holds_while_records_move_and_after_everything_was_killed(forebay):
    process = forebay(PLAIN + """
[worker.store.process]
startsecs = "300ms"
""")
    stop = threading.Event()
    producers = [Producer(process.intake + "/v1/lead", stop) for _ in range(3)]
    for producer in producers:
        producer.start()
    chance = random.Random(1)
    try:
        for _ in range(6):
            process.kill9(chance.choice(["node", "store:1"]))
            # In the middle of everything: something may be open, nothing is missing.
            found = audit(process, *AGAINST)
            assert found["verdict"] == "balanced" and found["total"]["missing"] == 0
            time.sleep(0.2)
    finally:
        stop.set()
        for producer in producers:
            producer.join()
    acknowledged = set().union(*(producer.acknowledged for producer in producers))
    wait_until(lambda: depth(process, "leads") == 0)
    found = audit(process, *AGAINST)
    assert found["verdict"] == "balanced"
    total = found["total"]
    assert total["accepted"] == total["settled"] == total["rows"] >= len(acknowledged)
    assert {id for id, in rows(process)} >= acknowledged
    process.stop()
    lines, balance = check_balance(process)
    assert lines == []
    assert {term: balance[term] for term in ("accepted", "settled", "open", "dead", "missing", "rows")} == {
        term: total[term] for term in ("accepted", "settled", "open", "dead", "missing", "rows")}


def test_the_independent_count_finds_a_removed_a_doubled_and_a_changed_row(forebay):
    process = forebay(PLAIN)
    ids = [post(process, f"p{n}@example.com") for n in range(6)]
    settle(process, 6)
    process.stop()
    lines, balance = check_balance(process)
    assert lines == [] and balance["accepted"] == balance["settled"] == balance["rows"] == 6

    def spoilt(*statements):
        shutil.copy(os.path.join(process.folder, "leads.db"), os.path.join(process.folder, "spoilt.db"))
        connection = sqlite3.connect(os.path.join(process.folder, "spoilt.db"))
        with connection:
            for sql, *values in statements:
                connection.execute(sql, values)
        connection.close()
        return check_balance(process, "spoilt.db")[0]

    without_key = [("CREATE TABLE plain AS SELECT * FROM leads",), ("DROP TABLE leads",), ("ALTER TABLE plain RENAME TO leads",)]
    assert spoilt(*without_key) == []
    assert spoilt(("DELETE FROM leads WHERE id = ?", ids[0])) == [f"wrong: {ids[0]}: removed: noted as done, and there is no row"]
    assert spoilt(*without_key, ("INSERT INTO leads SELECT * FROM leads WHERE id = ?", ids[1])) == [f"wrong: {ids[1]}: doubled: 2 rows"]
    assert spoilt(("UPDATE leads SET email = 'x' WHERE id = ?", ids[2])) == [f"wrong: {ids[2]}: changed: email is not what was accepted"]
    assert spoilt(("UPDATE leads SET email = NULL WHERE id = ?", ids[3])) == [f"wrong: {ids[3]}: changed: email is not what was accepted"]
    stranger = str(uuid.uuid4())
    assert spoilt(("INSERT INTO leads (id) VALUES (?)", stranger)) == [f"wrong: {stranger}: surplus: a row that no effect explains"]
    assert spoilt(("DELETE FROM forebay_effects WHERE record = ?", ids[4])) == [
        f"wrong: {ids[4]}: missing: accepted, and neither finished nor waiting", f"wrong: {ids[4]}: surplus: a row that no effect explains"]
    assert spoilt(("UPDATE forebay_records SET body_sha = 'ab' WHERE id = ?", ids[5])) == [
        f"wrong: {ids[5]}: changed: the ledger knows it with another body"]


def log_lines(process, event):
    with open(os.path.join(process.folder, "stderr.log")) as f:
        return [line for line in f if event in line]


def test_a_scheduled_audit_says_in_the_log_what_it_found_and_status_shows_it(forebay):
    process = forebay(PLAIN + """
[schedule.proof]
every = "2s"
run = "audit --since 24h --against main --table leads"
""")
    ids = [post(process, f"p{n}@example.com") for n in range(3)]
    settle(process, 3)
    wait_until(lambda: any("3" in line for line in log_lines(process, "audit.balanced")))
    wait_until(lambda: "BALANCE today  accepted 3 = settled 3  counted" in process.run("status", expect=None).stdout)
    assert json.loads(process.run("status", "--json", expect=None).stdout)["audit"]["last"]["verdict"] == "balanced"
    change(process, "DELETE FROM leads WHERE id = ?", ids[1])
    wait_until(lambda: any(ids[1] in line for line in log_lines(process, "audit.mismatch")))
    wait_until(lambda: 'forebay_audit_difference{endpoint="lead"} 1' in requests.get(process.admin + "/metrics", timeout=10).text)
    assert "difference 1: forebay audit" in process.run("status")
    os.rename(os.path.join(process.folder, "leads.db"), os.path.join(process.folder, "away.db"))
    wait_until(lambda: log_lines(process, "audit.incomplete"))
    os.rename(os.path.join(process.folder, "away.db"), os.path.join(process.folder, "leads.db"))


def test_a_running_node_takes_up_schedules_when_it_is_told(forebay):
    process = forebay(PLAIN)
    process.write(process.text + '[schedule.proof]\nevery = "1s"\nrun = "audit --against main --table leads"\n')
    process.parent.send_signal(signal.SIGHUP)
    wait_until(lambda: log_lines(process, "audit.balanced") + log_lines(process, "audit.incomplete"))
    process.write(process.text.replace('"audit --against main', '"audit --against mian'))
    process.parent.send_signal(signal.SIGHUP)
    wait_until(lambda: log_lines(process, "schedule.failed"))
    process.write(process.text.split("[schedule.proof]")[0])
    process.parent.send_signal(signal.SIGHUP)
    wait_until(lambda: len(log_lines(process, "configuration.reloaded")) == 3)
    time.sleep(1.5)  # what ran meanwhile is finished
    before = len(log_lines(process, "schedule.failed"))
    time.sleep(2.5)
    assert len(log_lines(process, "schedule.failed")) == before


def test_a_schedule_without_the_database_named_right_fails_in_the_log(forebay):
    process = forebay(PLAIN + """
[schedule.proof]
every = "1s"
run = "audit --against mian --table leads"
""")
    wait_until(lambda: any('exit 64' in line and "mian" in line for line in log_lines(process, "schedule.failed")))


def test_check_says_that_no_audit_is_scheduled(forebay):
    process = forebay(PLAIN)
    done = process.run("check", expect=None)
    assert done.returncode == 0 and "warning: no audit is scheduled" in done.stderr
    process.write(process.text + '[schedule.proof]\ncron = "5 * * * *"\nrun = "audit"\n')
    done = process.run("check", expect=None)
    assert done.returncode == 0 and "no problems" in done.stdout, done.stdout + done.stderr
