"""`forebay export`, what `import` makes of it again, and `forebay watch`."""
import csv
import io
import json
import os
import queue
import signal
import stat
import subprocess
import threading
import time

import pytest
import requests
from conftest import BINARY, LEADS_TO_SQLITE

ENDPOINT = """
[endpoint.lead]
queue = "leads"
[endpoint.lead.fields]
email = { type = "email", required = true }
first_name = { type = "string" }
amount = { type = "decimal", as = "value" }
[endpoint.other]
queue = "leads"
[queue.leads]
"""
POSTS = [{"email": "a@example.com", "first_name": "=1+1", "amount": 42.50, "tags": ["x", "y"], "note": "-2+3"},
         {"email": "b@example.com", "first_name": "'=x", "amount": -5},
         {"email": "c@example.com", "first_name": "two\r\nlines, \"quoted\"; é", "note": "+15551234567"}]


def post(node, fields, endpoint="lead"):
    answer = requests.post(f"{node.intake}/v1/{endpoint}", json=fields)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def test_what_export_writes_import_reads(forebay):
    node, other = forebay(ENDPOINT), forebay(ENDPOINT)
    ids = [post(node, fields) for fields in POSTS]
    post(node, {"x": 1}, "other")
    text = node.run("export", "--endpoint", "lead")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["_record"] for row in rows] == ids
    assert rows[0]["first_name"] == "'=1+1" and json.loads(rows[0]["_other"]) == {"tags": ["x", "y"], "note": "-2+3"}
    assert rows[1]["first_name"] == "''=x" and rows[1]["amount"] == "-5" and rows[2]["_other"] == '{"note":"+15551234567"}'
    assert not any(cell[:1] in "=+-@" for row in rows for cell in row.values() if cell and not cell.lstrip("+-").replace(".", "").isdigit())
    for form in "csv", "jsonl":
        path = os.path.join(other.folder, f"out.{form}")
        node.run("export", "--endpoint", "lead", "--format", form, "--out", path)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert other.json("import", path, "--endpoint", "lead")["accepted"] == 3
    lines = [json.loads(line) for line in other.run("export", "--format", "jsonl").splitlines()]
    strip = lambda line: {name: value for name, value in line.items() if not name.startswith("_")}
    expected = [json.loads(line) for line in node.run("export", "--format", "jsonl", "--endpoint", "lead").splitlines()]
    assert [strip(line) for line in lines] == 2 * [strip(line) for line in expected]
    assert strip(expected[0]) == POSTS[0] and expected[0]["_value"] == 42.5


def test_export_chooses(forebay):
    node = forebay(ENDPOINT + LEADS_TO_SQLITE)
    ids = [post(node, fields) for fields in POSTS]
    post(node, {"x": 1}, "other")
    lines = lambda *words: [json.loads(line) for line in node.run("export", "--format", "jsonl", *words).splitlines()]
    assert len(lines()) == 4 and len(lines("--since", "1h")) == 4 and lines("--to", "1h") == []
    assert [line["_record"] for line in lines("--where", 'email == "b@example.com" or amount > 40')] == ids[:2]
    assert set(lines("--fields", "email", "--endpoint", "lead")[0]) == {"_record", "_endpoint", "_received_at", "email", "_value", "_currency"}
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not all(e["state"] == "done" for line in lines("--effects") for e in line["_effects"]):
        time.sleep(0.1)
    assert [e["state"] for line in lines("--effects") for e in line["_effects"]] == ["done"] * 4
    assert "store done" in node.run("export", "--effects").splitlines()[1]
    # A record that is put on a queue again is in the log twice, and in the export once.
    body = node.json("show", ids[0])
    assert requests.post(f"{node.admin}/api/replay", json={"ids": [ids[0]], "queue": "leads", "reason": "test"}).json()["sent"] == 1
    assert len(lines()) == 4 and body["id"] == ids[0]
    node.stop()
    assert len(lines()) == 4, "the log is read, whether there is a node or not"


@pytest.mark.parametrize("words,code,said", [
    (("--format", "xml"), 64, "--format must be csv or jsonl"),
    (("--since", "yesterdy"), 64, "--since yesterdy is no moment"),
    (("--from", "1h", "--to", "2h"), 64, "--from must be before --to"),
    (("--from", "1h", "--since", "1h"), 64, "give one"),
    (("--where", 'email = "x"'), 64, "--where:7: error"),
    (("--fields", "a,,b"), 64, "--fields must be names"),
    (("--fields", "a,a"), 64, "each once"),
    (("--out", "forebay.toml"), 74, "forebay.toml is there already"),
    (("--out", "nowhere/x.csv"), 74, "No such file"),
    (("--node", "http://127.0.0.1:1"), 64, "run it on the machine"),
])
def test_wrong_words_are_told(shared, words, code, said):
    done = shared.run("export", *words, expect=None)
    assert done.returncode == code and said in done.stderr, (done.returncode, done.stderr)


@pytest.fixture(scope="module")
def shared():
    from conftest import running
    with running(ENDPOINT) as process:
        yield process


def test_an_export_that_nobody_reads_ends(shared):
    for n in range(300):
        post(shared, {"x": "y" * 2000}, "other")
    done = subprocess.run(f"{BINARY} export -c forebay.toml | head -1", shell=True, cwd=shared.folder, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("_record,")
    assert "There is no endpoint \"laed\" now; did you mean \"lead\"?" in shared.run("export", "--endpoint", "laed", expect=None).stderr


class Watching:
    def __init__(self, node, *words):
        self.process = subprocess.Popen([BINARY, "watch", "-c", "forebay.toml", *words], cwd=node.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        self.lines = queue.Queue()
        threading.Thread(target=lambda: [self.lines.put(line) for line in self.process.stdout], daemon=True).start()

    def until(self, what, seconds=30):
        seen, deadline = [], time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                seen.append(self.lines.get(timeout=0.2))
            except queue.Empty:
                continue
            if what(seen[-1]):
                return seen
        raise AssertionError(seen)

    def end(self):
        self.process.send_signal(signal.SIGINT)
        errors = self.process.stderr.read()
        assert self.process.wait(10) == 0, errors
        return errors


def test_watch_follows_records_and_effects_over_a_restart(forebay):
    node = forebay(ENDPOINT + LEADS_TO_SQLITE)
    plain, chosen = Watching(node), Watching(node, "--json", "--where", 'email == "z@example.com"')
    try:
        # The first look of each decides from when on it tells.
        deadline = time.monotonic() + 30
        started = []
        while not started and time.monotonic() < deadline:
            post(node, {"email": "early@example.com"})
            try:
                started.append(plain.lines.get(timeout=0.5))
            except queue.Empty:
                pass
        first = post(node, POSTS[0])
        seen = plain.until(lambda line: first in line and "store done  store:1" in line)
        assert any(first in line and "lead  accepted  email a***@example.com" in line for line in seen), seen
        node.kill9()
        second = post(node, {"email": "z@example.com"})
        plain.until(lambda line: second in line and "accepted" in line)
        plain.until(lambda line: second in line and "store done" in line)
        objects = [json.loads(line) for line in chosen.until(lambda line: '"store"' in line and '"done"' in line)]
        assert {o["id"] for o in objects} == {second} and objects[0]["event"] == "accepted" and objects[0]["fields"] == {"email": "z***@example.com"}
    finally:
        said = plain.end() + chosen.end()
    assert said.count("The node is away") == said.count("The node is back")


def test_watch_without_a_node(shared):
    done = shared.run("watch", "--node", "http://127.0.0.1:1", expect=None)
    assert done.returncode == 69 and "Is it running?" in done.stderr
