"""`forebay erase`: afterwards the person's data is in no file of the data directory and in no table, and everybody else's is."""
import contextlib
import json
import os
import pathlib
import re
import sqlite3
import time

import pytest
import requests
from conftest import LEADS, LEADS_TO_SQLITE
from waiting import wait_until

CONFIGURATION = LEADS.replace("[queue.leads]", "[endpoint.wait]\nqueue = \"waiting\"\n[queue.waiting]\n[queue.leads]") + LEADS_TO_SQLITE + """
erase = "DELETE FROM leads WHERE id = :id"
[journal]
segment = "1MiB"
"""


def post(node, fields, endpoint="lead"):
    answer = requests.post(f"{node.intake}/v1/{endpoint}", json=fields)
    return answer.json().get("id") or re.search(r"[0-9a-f-]{36}", answer.text).group(0)


def rows(node):
    with contextlib.suppress(sqlite3.OperationalError):
        with contextlib.closing(sqlite3.connect(f"file:{node.folder}/leads.db?mode=ro", uri=True)) as db:
            return [row[0] for row in db.execute("SELECT email FROM leads")]
    return []


def files_with(node, text):
    """Files in which the text stands: as it is, or in a compressed segment of history."""
    found = []
    for path in pathlib.Path(node.folder).rglob("*"):
        if path.is_file() and path.name != "stderr.log" and text.encode() in path.read_bytes():
            found.append(str(path.relative_to(node.folder)))
    return found


def test_what_is_erased_is_nowhere_and_the_rest_is_where_it_was(forebay):
    node = forebay(CONFIGURATION)
    mine, others = [], []
    for n in range(900):
        others.append(post(node, {"email": f"p{n}@example.com", "note": "x" * 2000}))
        if n in (10, 450, 890):
            mine.append(post(node, {"email": "Jane.Doe@example.com", "note": f"janes secret {n}"}))
    refused = post(node, {"email": "jane.doe@example.com@x", "note": "janes secret, refused"})
    waiting = post(node, {"email": "jane.doe@example.com", "note": "janes secret, waiting"}, "wait")
    # Checkpoints, and with the second of them history, come by themselves while something happens.
    deadline = time.monotonic() + 120
    while not any(pathlib.Path(node.folder, "data/store/history").glob("log-*")):
        assert time.monotonic() < deadline
        others.append(post(node, {"email": f"p{len(others)}@example.com"}))
        time.sleep(0.5)
    wait_until(lambda: len(rows(node)) == len(others) + len(mine))
    assert files_with(node, "janes secret")
    would = node.json("erase", "--email", "jane.doe@example.com", "--dry-run")
    assert set(would["ids"]) == {*mine, refused, waiting}
    assert files_with(node, "janes secret"), "a dry run erases nothing"
    done = node.json("erase", "--email", "jane.doe@example.com", "--reason", "she asked", "--yes")
    assert set(done["ids"]) == {*mine, refused, waiting}
    assert done["log"]["bodies"] >= 5 and done["log"]["messages"] == 2 and done["log"]["bodies_left"] == 0 and done["rows"] == 3 and done["in_ledgers"] == 3
    assert [path for path in files_with(node, "janes secret") if "spare" not in path] == []
    assert [path for text in ("Jane.Doe@", "jane.doe@") for path in files_with(node, text) if "spare" not in path] == []
    assert "jane.doe@example.com" not in rows(node) and len(rows(node)) == len(others)
    assert node.run("find", "jane.doe@example.com", expect=1) == ""
    assert node.json("queue", "peek", "waiting")["messages"] == [] and node.json("rejects", "ls")["rejects"] == []
    shown = node.json("show", mine[0])
    assert shown["fields"] == {} and shown["flags"] == ["erased"]
    exported = [json.loads(line)["_record"] for line in node.run("export", "--format", "jsonl").splitlines()]
    assert exported == others
    replayed = requests.post(f"{node.admin}/api/replay", json={"ids": [mine[0]], "queue": "leads", "reason": "test"}).json()
    assert replayed == {"sent": 0, "not_found": [mine[0]]}
    with contextlib.closing(sqlite3.connect(f"file:{node.folder}/leads.db?mode=ro", uri=True)) as db:
        erased = [row[0] for row in db.execute("SELECT id FROM forebay_records WHERE erased_at IS NOT NULL")]
    assert set(mine) <= set(erased) <= set(done["ids"])
    # The log is as whole as before, after a kill too, and goes on.
    node.kill9()
    assert "corrupt=true" not in node.output() and '"corrupt":true' not in node.output()
    assert [json.loads(line)["_record"] for line in node.run("export", "--format", "jsonl").splitlines()] == others
    assert post(node, {"email": "later@example.com"})
    wait_until(lambda: "later@example.com" in rows(node))
    assert node.run("erase", *mine, "--reason", "again", "--yes"), "doing it again does no harm"


def test_wrong_words_are_told(forebay):
    node = forebay(CONFIGURATION)
    for words, code, said in [((), 64, "say whose"), (("x",), 64, "x is not an id"), (("--email", "nobody@example.com"), 1, "Nothing found"),
                              (("--email", "x"), 65, "at least 3 characters"),
                              (("01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11", "--yes"), 64, "--reason")]:
        done = node.run("erase", *words, expect=None)
        assert done.returncode == code and said in done.stderr, (words, done.returncode, done.stderr)
    identity = post(node, {"email": "a@example.com"})
    said = node.run("erase", identity, "--reason", "r", expect=None)
    assert said.returncode == 0 and "Not reached: backups" in said.stderr and "Erased 1 record" in said.stdout, said.stderr
    with open(os.path.join(node.folder, "forebay.toml"), "a") as f:
        f.write('\n[worker.bad]\nqueue = "leads"\nhandler = "sql"\n[worker.bad.sql]\ndb = "main"\ntable = "x"\nerase = "DELETE FROM x WHERE e = :email"\n')
    assert "of an erased record only :id is known" in node.run("check", expect=None).stderr + node.run("check", expect=None).stdout
