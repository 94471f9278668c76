"""`forebay backup` under load, `forebay restore` elsewhere, and nothing that was accepted before is missing or there twice."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import threading

import pytest
import requests
from conftest import BINARY, LEADS, LEADS_TO_SQLITE
from waiting import wait_until

HOOK = """
[worker.keep]
queue = "kept"
handler = "exec"
command = ["cat"]
[worker.keep.exec]
protocol = "per-record"
[queue.kept]
"""


def rows_of(folder):
    with contextlib.suppress(sqlite3.OperationalError):
        with contextlib.closing(sqlite3.connect(f"file:{folder}/leads.db?mode=ro", uri=True)) as db:
            return [row[0] for row in db.execute("SELECT id FROM leads")]
    return []


def test_a_backup_under_load_holds_what_was_accepted_before_it(forebay):
    # Small segments, so that some are dropped and some are history while the copy is made.
    node = forebay(LEADS + LEADS_TO_SQLITE + '[journal]\nsegment = "1MiB"\n')
    accepted, stop = [], threading.Event()

    def load():
        session = requests.Session()
        while not stop.is_set():
            with contextlib.suppress(requests.RequestException):
                answer = session.post(node.intake + "/v1/lead", json={"email": f"p{len(accepted)}@example.com", "note": "x" * 2000})
                if answer.status_code == 202:
                    accepted.append(answer.json()["id"])

    loaders = [threading.Thread(target=load) for _ in range(2)]
    for loader in loaders:
        loader.start()
    wait_until(lambda: len(accepted) > 800)
    before = list(accepted)
    made = node.json("backup", "saved")
    wait_until(lambda: len(accepted) > len(before) + 100)
    stop.set()
    for loader in loaders:
        loader.join()
    assert made["files"] > 3
    saved = os.path.join(node.folder, "saved")
    assert all(os.stat(path).st_mode & 0o077 == 0 for path in pathlib.Path(saved).rglob("*"))
    os.kill(node.pid(), signal.SIGKILL)
    node.stop()

    # Elsewhere: another folder, the same configuration.
    other = os.path.join(node.folder, "elsewhere")
    os.mkdir(other)
    shutil.copy(os.path.join(node.folder, "forebay.toml"), other)
    run = lambda *words: subprocess.run([BINARY, *words, "-c", "forebay.toml"], cwd=other, capture_output=True, text=True, timeout=120)
    looked = run("restore", saved, "--dry-run", "--json")
    assert looked.returncode == 0, looked.stderr
    assert json.loads(looked.stdout)["records"] >= len(before) and not os.path.exists(other + "/data")
    done = run("restore", saved)
    assert done.returncode == 0 and "Restored to data" in done.stdout, done.stderr
    assert "is there and not empty" in run("restore", saved).stderr
    node.folder = other
    node.start()
    wait_until(lambda: set(before) <= set(rows_of(other)))
    wait_until(lambda: sum(q[k] for q in node.json("queue", "ls")["queues"] for k in ("ready", "in_flight", "delayed")) == 0)
    rows = rows_of(other)
    assert len(rows) == len(set(rows)), "nothing is there twice"
    exported = [json.loads(line)["_record"] for line in node.run("export", "--format", "jsonl").splitlines()]
    assert set(before) <= set(exported) and set(exported) <= set(accepted)
    assert set(exported) <= set(rows)
    # The node goes on from it.
    answer = requests.post(node.intake + "/v1/lead", json={"email": "later@example.com"})
    wait_until(lambda: answer.json()["id"] in rows_of(other))


def test_a_log_at_rest_is_copied_too(forebay):
    node = forebay(LEADS)
    ids = [requests.post(node.intake + "/v1/lead", json={"email": f"p{n}@example.com"}).json()["id"] for n in range(20)]
    node.stop()
    assert "What was accepted by then is in it." in node.run("backup", "saved")
    shutil.move(node.folder + "/data", node.folder + "/old")
    node.run("restore", "saved")
    node.start()
    assert [json.loads(m["body"])["id"] for m in node.json("queue", "peek", "leads", "--max", "100")["messages"]] == ids


def test_a_restore_that_cannot_end_leaves_nothing_behind(forebay):
    node = forebay(LEADS + LEADS_TO_SQLITE)
    requests.post(node.intake + "/v1/lead", json={"email": "a@example.com"})
    wait_until(lambda: rows_of(node.folder))
    node.run("backup", "saved")
    node.stop()
    shutil.move(node.folder + "/data", node.folder + "/old")
    os.remove(node.folder + "/leads.db")
    os.symlink("nowhere", node.folder + "/data")  # no folder can take that name, which the last step tells
    before = set(os.listdir(node.folder))
    failed = node.run("restore", "saved", expect=None)
    assert failed.returncode == 74 and failed.stderr.endswith("; nothing was restored\n"), failed.stderr
    assert set(os.listdir(node.folder)) == before
    os.remove(node.folder + "/data")
    node.run("restore", "saved")
    assert len(rows_of(node.folder)) == 1


def test_what_is_wrong_with_a_backup_is_told(forebay):
    node = forebay(LEADS + LEADS_TO_SQLITE)
    requests.post(node.intake + "/v1/lead", json={"email": "a@example.com"})
    wait_until(lambda: rows_of(node.folder))
    said = lambda code, *words: (lambda done: done.stderr if done.returncode == code else pytest.fail(f"{done.returncode}: {done.stderr}"))(
        node.run(*words, expect=None))
    assert "DIR" in said(64, "backup")
    assert "is there already and is not an empty folder" in said(64, "backup", "data")
    assert "is there already" in said(64, "backup", "forebay.toml")
    assert "File name too long" in said(64, "backup", "x" * 100_000)
    assert "is made on the machine that has the data" in said(64, "backup", "x", "--node", "http://127.0.0.1:1")
    assert "Would copy the log" in node.run("backup", "x", "--dry-run") and not os.path.exists(node.folder + "/x")
    assert "holds no backup that was finished" in said(65, "restore", "nowhere")
    node.run("backup", "saved")
    assert "data is there and not empty" in said(64, "restore", "saved")
    assert "It would be refused now" in said(0, "restore", "saved", "--dry-run")
    segment = next(pathlib.Path(node.folder, "saved/store").glob("log-*.seg"))
    segment.chmod(0o600)
    with open(segment, "r+b") as f:
        f.seek(5000)
        f.write(b"damage")
    assert "is not what was written" in said(65, "restore", "saved", "--dry-run")
    segment.unlink()
    assert "the backup is damaged" in said(65, "restore", "saved", "--dry-run")
    manifest = pathlib.Path(node.folder, "saved/manifest.json")
    manifest.write_text(manifest.read_text().replace('"path": "db/', '"path": "../db/'))
    assert "is damaged" in said(65, "restore", "saved")
    manifest.write_text("{")
    assert "is damaged" in said(65, "restore", "saved")
