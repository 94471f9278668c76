"""The first five minutes of a new user: `forebay dev` in an empty folder, a good and a bad post, and following them."""
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

import pytest
import requests
from browser import chromium
from conftest import BINARY, alive, descendants, free_ports


class Dev:
    """`forebay dev` as a person starts it, but on free ports (the sample configuration is written first, then its ports changed)."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="forebay-dev-")
        self.ports = free_ports(3)
        self.intake, self.admin, self.sqs = (f"http://127.0.0.1:{port}" for port in self.ports)
        variables = ("INTAKE", "ADMIN", "SQS")
        self.env = {**os.environ, **{f"FOREBAY__{name}__LISTEN": f"127.0.0.1:{port}" for name, port in zip(variables, self.ports)}, "NO_COLOR": "1"}
        self.out = open(os.path.join(self.folder, "terminal.txt"), "wb")
        self.process = subprocess.Popen([BINARY, "dev"], cwd=self.folder, env=self.env, stdout=self.out, stderr=self.out, stdin=subprocess.DEVNULL)
        self.wait(lambda: "ready in" in self.terminal())

    def terminal(self):
        with open(os.path.join(self.folder, "terminal.txt"), errors="replace") as f:
            return f.read()

    def wait(self, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None and time.monotonic() < deadline, self.terminal()
            time.sleep(0.05)

    def run(self, *words, expect=0):
        done = subprocess.run([BINARY, *words], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=60)
        assert expect in (None, done.returncode), f"forebay {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def rows(self):
        path = os.path.join(self.folder, "forebay-data/forebay.db")
        with contextlib.suppress(sqlite3.OperationalError):
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
                return db.execute("SELECT id, email, campaign FROM leads").fetchall()
        return []

    def close(self):
        family = descendants(self.process.pid)
        self.process.send_signal(signal.SIGINT)
        try:
            assert self.process.wait(30) == 0
        finally:
            if self.process.poll() is None:
                self.process.kill()
            self.out.close()
        assert not [pid for pid in family if alive(pid)]
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def dev():
    running = Dev()
    yield running
    running.close()


def test_the_banner_says_where_everything_is(dev):
    text = dev.terminal()
    for line in (f"post to     {dev.intake}/v1/lead", f"try the form: {dev.intake}/demo", f"look at     {dev.admin}", f"SQS API     {dev.sqs}",
                 "forebay-data/forebay.db (SQLite)", "dev mode"):
        assert line in text, text


def test_a_good_post_becomes_a_row_and_can_be_followed(dev):
    answer = requests.post(dev.intake + "/v1/lead", json={"email": "jane@example.com", "first_name": "Jane", "campaign": "auto"})
    assert answer.status_code == 202
    record = answer.json()["id"]
    dev.wait(lambda: (record, "jane@example.com", "auto") in dev.rows())
    found = dev.run("find", "jane@example.com")
    assert record[:8] in found and "lead" in found and "settled" in found, found
    assert record in dev.run("show", record)
    assert json.loads(dev.run("find", record, "--json"))


def test_a_bad_post_is_refused_with_reasons_and_kept(dev):
    answer = requests.post(dev.intake + "/v1/lead", data={"email": "jane@@example", "campaign": "auto"})
    assert answer.status_code == 422 and answer.json()["kept"] is True
    assert {error["code"] for error in answer.json()["errors"]} == {"email_invalid", "required"}
    assert "email_invalid" in dev.run("rejects", "ls")


def test_status_is_all_running(dev):
    # A process counts as RUNNING once it has lived for startsecs.
    dev.wait(lambda: all(p["state"] == "RUNNING" for p in json.loads(dev.run("status", "--json", expect=None))["processes"]))
    out = dev.run("status")
    assert "core:store" in out and "RUNNING" in out and "leads" in out, out
    status = json.loads(dev.run("status", "--json"))
    assert status["node"]["ready"] is True


def test_stopping_a_worker_shows_in_the_exit_code(dev):
    dev.run("stop", "store:1", "--yes")
    try:
        assert "STOPPED" in dev.run("status", expect=3)
        record = requests.post(dev.intake + "/v1/lead", json={"email": "waits@example.com", "first_name": "W"}).json()["id"]
        assert record[:8] in dev.run("queue", "peek", "leads")
        assert "leads" in dev.run("queue", "ls")
    finally:
        dev.run("start", "store:1", "--yes")
    dev.wait(lambda: any(row[0] == record for row in dev.rows()))


def test_replay_runs_only_what_is_missing(dev):
    requests.post(dev.intake + "/v1/lead", json={"email": "replay@example.com", "first_name": "R"})
    dev.wait(lambda: any(row[1] == "replay@example.com" for row in dev.rows()))
    out = dev.run("replay", "--from", "2020-01-01", "--to", "2099-01-01", "--effect", "store", "--dry-run")
    assert "store" in out and "0 records" in out.replace("for 0 record", "0 records"), out
    # A row and its effect that are gone, as after a restore of an older database, come back.
    path = os.path.join(dev.folder, "forebay-data/forebay.db")
    with contextlib.closing(sqlite3.connect(path, timeout=20)) as db:
        (record,) = db.execute("SELECT id FROM leads WHERE email = 'replay@example.com'").fetchone()
        db.execute("DELETE FROM leads WHERE id = ?", (record,))
        db.execute("DELETE FROM forebay_effects WHERE record = ?", (record,))
        db.commit()
    dev.run("replay", "--from", "2020-01-01", "--to", "2099-01-01", "--effect", "store", "--reason", "restored", "--yes")
    dev.wait(lambda: any(row[0] == record for row in dev.rows()))


def test_an_edit_of_the_file_is_taken_up(dev):
    path = os.path.join(dev.folder, "forebay.toml")
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace("[endpoint.lead.fields]\n", "[endpoint.lead.fields]\nshoe_size = { type = \"integer\", min = 10 }\n"))
    dev.wait(lambda: requests.post(dev.intake + "/v1/lead", json={"email": "s@example.com", "first_name": "S", "shoe_size": 3}).status_code == 422)
    with open(path, "w") as f:
        f.write(text.replace("required = true", "requred = true", 1))
    dev.wait(lambda: 'did you mean "required"?' in dev.terminal())
    assert requests.post(dev.intake + "/v1/lead", json={"email": "s@example.com", "first_name": "S"}).status_code == 202
    with open(path, "w") as f:
        f.write(text)


def test_a_form_filled_in_chromium_without_javascript_arrives_as_a_row(dev):
    with chromium(javascript=False) as browser:
        browser.open(dev.intake + "/demo")
        browser.fill("[name=email]", "browser@example.com")
        browser.fill("[name=first_name]", "Chrome")
        browser.fill("[name=campaign]", "from the form")
        browser.click("[type=submit]")
        browser.wait_for_text("thank")
    dev.wait(lambda: any(row[1:] == ("browser@example.com", "from the form") for row in dev.rows()))


def test_a_wrong_form_comes_back_with_what_was_typed(dev):
    with chromium(javascript=False) as browser:
        browser.open(dev.intake + "/demo")
        browser.fill("[name=email]", "wrong@example.com")
        browser.fill("[name=first_name]", "Chrome")
        browser.fill("[name=zip]", "12")
        browser.click("[type=submit]")
        browser.wait_for_text("attention")
        assert browser.value("[name=first_name]") == "Chrome" and browser.value("[name=email]") == "wrong@example.com"
        assert "zip" in browser.text().lower()
        browser.fill("[name=zip]", "94103")
        browser.click("[type=submit]")
        browser.wait_for_text("thank")
    dev.wait(lambda: any(row[1] == "wrong@example.com" for row in dev.rows()))


def test_the_admin_page_shows_the_queues(dev):
    page = requests.get(dev.admin + "/")
    assert page.status_code == 200 and "leads" in page.text and "ready" in page.text
