"""What people, networks and machines do to it: broken framing, odd bodies, keys in the wrong place, signals, a store that vanishes."""
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time

import pytest
import requests
from conftest import BINARY, LEADS, LEADS_TO_SQLITE, descendants

KEY = "ik_live_canary_canary_canary_canary"
ENDPOINT = LEADS + """
dead_letter = "leads-dead"
max_receive_count = 20
[queue.leads-dead]
"""
STORE = ENDPOINT + LEADS_TO_SQLITE
GOOD = b'{"email":"jane@example.com"}'


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def rows(f):
    with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(sqlite3.connect(f"file:{f.folder}/leads.db?mode=ro", uri=True)) as db:
        return [row[0] for row in db.execute("SELECT id FROM leads")]
    return []


def post(f, **more):
    return requests.post(f.intake + "/v1/lead", json={"email": "jane@example.com"}, timeout=10, **more)


def exchange(f, data, half_close=False):
    """Everything that comes back on one connection until the server closes it, which it must do soon."""
    with socket.create_connection(("127.0.0.1", int(f.intake.rsplit(":", 1)[1])), timeout=10) as s:
        with contextlib.suppress(ConnectionError):
            s.sendall(data)
            if half_close:
                s.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while part := s.recv(65536):
                answer += part
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


def request(*headers, body=GOOD, line=b"POST /v1/lead HTTP/1.1"):
    return b"\r\n".join([line, b"Host: x", b"Content-Type: application/json", *headers, b"", b""]) + body


SIZED = b"Content-Length: %d" % len(GOOD)
CHUNKED = b"Transfer-Encoding: chunked"
CHUNK = b"%x\r\n" % len(GOOD) + GOOD + b"\r\n"
BROKEN = {
    "both lengths": (request(SIZED, CHUNKED, body=b"0\r\n\r\n"), 400),
    "two lengths": (request(SIZED, b"Content-Length: 1"), 400),
    "a signed length": (request(b"Content-Length: +%d" % len(GOOD)), 400),
    "a list of lengths": (request(b"Content-Length: %d, %d" % (len(GOOD), len(GOOD))), 400),
    "a coding that hides": (request(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"), 501),
    "chunks in HTTP/1.0": (request(CHUNKED, body=CHUNK + b"0\r\n\r\n", line=b"POST /v1/lead HTTP/1.0"), 400),
    "a size too large for a number": (request(CHUNKED, body=b"FFFFFFFFFFFFFFFFF\r\n" + GOOD), 400),
    "bare line feeds": (request(CHUNKED, body=b"%x\n" % len(GOOD) + GOOD + b"\n0\n\n"), 400),
    "no line end behind a chunk": (request(CHUNKED, body=b"%x\r\n" % len(GOOD) + GOOD + b"0\r\n\r\n"), 400),
    "a chunk extension of 1 MiB": (request(CHUNKED, body=b"1;" + b"a" * 1048576), 400),
    "a header of 1 MiB": (request(SIZED, b"X: " + b"a" * 1048576), 431),
    "an address of 64 KiB": (request(SIZED, line=b"POST /v1/lead?" + b"a" * 65536 + b" HTTP/1.1"), 414),
    "a folded header": (request(SIZED, b"X: a\r\n b"), 400),
    "a NUL in a header": (request(SIZED, b"X: a\0b"), 400),
    "two hosts": (request(SIZED, b"Host: y"), 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 500, 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "a length beyond the limit": (request(b"Content-Length: 100000000", b"Expect: 100-continue", body=b""), 413),
}


def test_broken_framing_is_refused_closes_the_connection_and_keeps_nothing(forebay):
    f = forebay(ENDPOINT)
    for name, (data, status) in BROKEN.items():
        assert exchange(f, data) == [status], name
    for cut in (request(b"Content-Length: 500"), request(CHUNKED, body=CHUNK), request(SIZED)[:30]):
        assert exchange(f, cut, half_close=True) == []
    # Nothing behind the first mistake is carried out.
    assert exchange(f, request(SIZED) + b"BAD\r\n\r\n" + request(SIZED)) == [202, 400]
    assert {q["name"]: q["sends"] for q in f.json("queue", "ls")["queues"]} == {"forebay-quarantine": 0, "leads": 1, "leads-dead": 0}


def test_every_body_that_is_accepted_becomes_a_row(forebay):
    f = forebay(STORE)
    head = '{"email":"jane@example.com","x":'
    bodies = [head + value + "}" for value in ("1e999999", "-0", "1" * 50000, '"\\u001b[31m<script>"', '"\\ud83d\\ude00"', "{}", "[[],[]]", "null")]
    bodies += [head + "[" * depth + "1" + "]" * depth + "}" for depth in (58, 59, 60, 61, 62, 63, 64, 30000)]
    bodies += ['{"email":"jane@example.com","id":"x","received_at":"y","v":9,"raw":"z","":"empty","x\\"; DROP TABLE leads;--":1}']
    accepted = []
    for body in bodies:
        answer = requests.post(f.intake + "/v1/lead", data=body.encode(), headers={"Content-Type": "application/json"}, timeout=10)
        assert answer.status_code in (202, 400), body[:80]
        if answer.status_code == 202:
            accepted.append(answer.json()["id"])
    compressed = requests.post(f.intake + "/v1/lead", data=GOOD, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"}, timeout=10)
    assert compressed.status_code == 415
    until(lambda: sorted(rows(f)) == sorted(accepted))
    assert len(accepted) >= 10
    assert next(q for q in f.json("queue", "ls")["queues"] if q["name"] == "leads-dead")["ready"] == 0


def test_one_address_with_hundreds_of_idle_connections_does_not_keep_others_out(forebay):
    f = forebay(ENDPOINT)
    port = int(f.intake.rsplit(":", 1)[1])
    with contextlib.ExitStack() as open_ones:
        for _ in range(300):
            s = open_ones.enter_context(socket.socket())
            s.bind(("127.0.0.2", 0))
            s.connect(("127.0.0.1", port))
            s.sendall(b"POST /v1/lead HTTP/1.1\r\nHost: x\r\n")
        assert post(f).status_code == 202
    assert post(f).status_code == 202


def test_a_key_shows_up_nowhere(forebay):
    hashed = hashlib.sha256(KEY.encode()).hexdigest()
    f = forebay(ENDPOINT.replace('queue = "leads"\n', 'queue = "leads"\nauth = ["key:website"]\nkey_fields = { id = "who", key = "secret" }\n', 1)
                + f'[key.website]\nhash = "sha256:{hashed}"\n[log]\nlevel = "debug"\n')
    seen = []
    for headers in ({"Authorization": "Bearer " + KEY}, {"Authorization": "Bearer " + KEY + "x"}, {"Authorization": "Basic " + KEY},
                    {"X-Api-Id": "website", "X-Api-Key": KEY}, {"X-Api-Id": "other", "X-Api-Key": KEY}):
        seen.append(post(f, headers=headers))
    assert [answer.status_code for answer in seen] == [202, 401, 401, 202, 401]
    for more in ({"who": "website"}, {"who": "website", "email": "wrong"}, {"who": "other"}, {}):
        fields = {"email": "jane@example.com", **more, "secret": KEY}
        for kind in ({"json": fields}, {"data": fields}, {"files": {name: (None, value) for name, value in fields.items()}},
                     {"data": fields, "headers": {"Accept": "text/html"}}):
            seen.append(requests.post(f.intake + "/v1/lead", timeout=10, allow_redirects=False, **kind))
    broken = [("application/json", '{"secret":"%s","email":'), ("application/json", "{'secret': '%s'}"), ("application/json", "secret=%s"),
              ("application/x-www-form-urlencoded", '{"who":"website","secret":"%s"}'), ("application/x-www-form-urlencoded", "secret=%s&x=%%ff"),
              ("multipart/form-data; boundary=b", '--b\r\nContent-Disposition: form-data; name="secret"\r\n\r\n%s')]
    for kind, body in broken:
        seen.append(requests.post(f.intake + "/v1/lead", data=body % KEY, headers={"Content-Type": kind}, timeout=10))
        assert seen[-1].status_code in (400, 401) and seen[-1].json()["kept"], body
    texts = [answer.text for answer in seen] + [requests.get(f.admin + path, timeout=10).text for path in
                                                ("/metrics", "/api/rejects?max=100", "/api/queues/forebay-quarantine/peek?max=100",
                                                 "/api/queues/leads/peek?max=100")]
    texts += [f.run("config", "show"), f.run("config", "show", "--json"), f.output()]
    for reject in f.json("rejects", "ls")["rejects"]:
        texts.append(f.run("rejects", "show", reject["id"]))
    for pid in [f.parent.pid, *descendants(f.parent.pid)]:
        for name in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{name}", errors="replace") as file:
                texts.append(file.read())
    assert len(texts) > 30 and not [text for text in texts if KEY in text]


def test_no_signal_but_those_that_ask_for_it_ends_anything(forebay):
    f = forebay(STORE)
    accepted = []
    pids = [f.parent.pid, f.pid("node"), f.pid("store:1")]
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTSTP, signal.SIGCONT):
        for pid in pids if number != signal.SIGUSR2 else pids[1:]:  # USR2 is the parent's upgrade
            os.kill(pid, number)
        accepted.append(post(f).json()["id"])
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    until(lambda: sorted(rows(f)) == sorted(accepted))
    assert [f.parent.pid, f.pid("node"), f.pid("store:1")] == pids and f.parent.poll() is None


def test_a_second_parent_or_node_on_the_same_data_is_told_so(forebay):
    f = forebay(ENDPOINT)
    for verb in ("serve", "dev", "node"):
        done = f.run(verb, expect=None)
        assert done.returncode == 75 and ("stop it first" in done.stderr or "in use" in done.stderr), done.stderr
    assert post(f).status_code == 202


def test_a_store_that_vanishes_takes_no_more_posts_and_is_taken_up_when_it_is_back(forebay):
    f = forebay(ENDPOINT)
    before = post(f).json()["id"]
    data = os.path.join(f.folder, "data")
    os.rename(data, data + ".moved")
    until(lambda: post(f).status_code == 503)
    ready = requests.get(f.intake + "/readyz", timeout=10)
    assert ready.status_code == 503 and "moved or deleted" in ready.text
    assert requests.post(f.sqs, json={"QueueName": "x"}, headers={"X-Amz-Target": "AmazonSQS.CreateQueue"}, timeout=10).status_code == 503
    os.rename(data + ".moved", data)
    until(lambda: requests.get(f.intake + "/readyz", timeout=10).status_code == 200)
    after = post(f).json()["id"]
    f.kill9()
    assert {before, after} <= {json.loads(m["body"])["id"] for m in f.json("queue", "peek", "leads")["messages"]}
    # Deleted for good: posts are refused until somebody starts it anew.
    shutil.rmtree(os.path.join(data, "store"))
    until(lambda: post(f).status_code == 503)


def test_a_locked_database_holds_and_spends_no_attempt(forebay):
    f = forebay(STORE)
    accepted = [post(f).json()["id"]]
    until(lambda: rows(f) == accepted)
    log = os.path.join(f.folder, "data/log/store-1.log")
    with contextlib.closing(sqlite3.connect(os.path.join(f.folder, "leads.db"), isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        accepted += [post(f).json()["id"] for _ in range(20)]
        until(lambda: "hold.begin" in open(log).read())
        assert requests.get(f.intake + "/readyz", timeout=10).status_code == 200
        db.execute("COMMIT")
    until(lambda: sorted(rows(f)) == sorted(accepted))
    with contextlib.closing(sqlite3.connect(f"file:{f.folder}/leads.db?mode=ro", uri=True)) as db:
        assert db.execute("SELECT max(attempts), count(*) FROM forebay_effects").fetchone() == (1, len(accepted))


def test_config_diff_compares_with_what_runs(forebay):
    f = forebay(ENDPOINT)
    assert "is what the files say" in f.run("config", "diff")
    with open(os.path.join(f.folder, "forebay.toml"), "a") as file:
        file.write('[journal]\nkeep = "3d"\n')
    assert "journal.keep" in f.run("config", "diff", expect=1)


@pytest.fixture
def full_disk(tmp_path):
    """A file system of its own with 96 MiB."""
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(tmp_path)], capture_output=True)
    if made.returncode != 0:
        pytest.skip("no right to mount")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_a_full_disk_refuses_posts_and_lets_everything_else_go_on(forebay, full_disk, monkeypatch):
    for name, value in (("NODE__DATA_DIR", str(full_disk)), ("NODE__MIN_FREE_DISK", "4MiB"), ("NODE__RESERVE_DISK", "8MiB"),
                        ("JOURNAL__SEGMENT", "4MiB")):
        monkeypatch.setenv("FOREBAY__" + name, value)
    f = forebay(STORE + "[queue.x]\n")

    def sqs(action, **arguments):
        return requests.post(f.sqs, json={"QueueUrl": f.sqs + "/123456789012/x", **arguments}, timeout=10,
                             headers={"X-Amz-Target": "AmazonSQS." + action, "Content-Type": "application/x-amz-json-1.0"})

    assert sqs("SendMessage", MessageBody="waits").status_code == 200
    f.run("stop", "store:1", "--yes")
    accepted = [post(f).json()["id"] for _ in range(20)]
    with open(full_disk / "filler", "wb") as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"x" * 65536)
            filler.flush()
    while (answer := post(f)).status_code == 202:
        accepted.append(answer.json()["id"])
    assert answer.status_code == 503 and answer.headers["Retry-After"]
    until(lambda: requests.get(f.intake + "/readyz", timeout=10).status_code == 503)
    assert sqs("SendMessage", MessageBody="more").status_code == 503
    (message,) = sqs("ReceiveMessage").json()["Messages"]
    assert message["Body"] == "waits" and sqs("DeleteMessage", ReceiptHandle=message["ReceiptHandle"]).status_code == 200
    f.run("start", "store:1", "--yes")
    until(lambda: sorted(rows(f)) == sorted(accepted))
    os.unlink(full_disk / "filler")
    until(lambda: post(f).status_code == 202)
    until(lambda: len(rows(f)) == len(accepted) + 1)
