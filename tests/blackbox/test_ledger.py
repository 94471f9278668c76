"""The ledger's tables: made, brought from version 1, in a database of its own for exec workers."""
import contextlib
import os
import pathlib
import shutil
import sqlite3
import subprocess

import pytest
import requests

from conftest import BINARY, LEADS
from waiting import wait_until

VERSION_1 = pathlib.Path(__file__).parent / "ledger_v1"  # as the program of that version left them
JANE, DEAD = "01a22254-d3b8-7b89-9481-b2ca9f5f0a59", "01a22254-d3cc-7e21-bd0e-56eb1eab4daf"
STORE_AND_MAIL = LEADS + """
max_receive_count = 100
dead_letter = "leads-dead"
[queue.leads-dead]
[queue.mail]
max_receive_count = 100
dead_letter = "mail-dead"
[queue.mail-dead]
[db.main]
driver = "sqlite"
path = "leads.db"
[worker.store]
queue = "leads"
handler = "sql"
then = ["mail"]
[worker.store.sql]
db = "main"
table = "leads"
create = true
[worker.mail]
queue = "mail"
handler = "exec"
[worker.mail.exec]
protocol = "per-record"
command = ["/bin/sh", "-c", "cat >> mails; echo >> mails"]
"""


def query(file, statement):
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        return db.execute(statement).fetchall()


def post(forebay, email):
    answer = requests.post(forebay.intake + "/v1/lead", json={"email": email}, timeout=10)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "forebay.toml").write_text('[node]\ndata_dir = "data"\n' + STORE_AND_MAIL)
    (tmp_path / "data/effects").mkdir(parents=True)
    return tmp_path


def run(folder, *words, expect=0):
    done = subprocess.run([BINARY, *words], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_tables_of_version_1_are_brought_to_this_one_with_all_that_is_in_them(folder):
    shutil.copy(VERSION_1 / "leads.db", folder)
    shutil.copy(VERSION_1 / "mail-1.db", folder / "data/effects")
    assert run(folder, "db", "migrate", "--dry-run").count("version 1, would become version 2") == 2
    assert query(folder / "leads.db", "SELECT version FROM forebay_schema") == [(1,)]
    assert run(folder, "db", "migrate").count("version 1 -> version 2") == 2
    assert run(folder, "db", "migrate").count("version 2, as it should be") == 2
    assert query(folder / "leads.db", "SELECT COUNT(*) FROM forebay_effects WHERE state = 'done'") == [(3,)]
    assert query(folder / "data/effects/mail-1.db", "SELECT record, cause FROM forebay_dead") == [(DEAD, "the command refused it (exit 65)")]
    for file in ("leads.db", "data/effects/mail-1.db"):
        assert query(folder / file, "SELECT COUNT(*) FROM forebay_outbox") == [(0,)]


def test_tables_are_made_where_there_are_none(folder):
    assert "no tables -> version 2" in run(folder, "db", "migrate")
    assert query(folder / "leads.db", "SELECT COUNT(*) FROM forebay_effects") == [(0,)]


def test_a_database_that_cannot_be_migrated_is_told_and_exits_74(folder):
    (folder / "leads.db").write_text("this is no database, but long enough to be looked at " * 40)
    assert "FAILED" in run(folder, "db", "migrate", expect=74)


def test_a_worker_goes_on_with_a_ledger_of_version_1(forebay):
    one = forebay(STORE_AND_MAIL)
    one.stop()
    database = os.path.join(one.folder, "leads.db")
    shutil.copy(VERSION_1 / "leads.db", database)
    os.makedirs(os.path.join(one.folder, "data/effects"), exist_ok=True)
    shutil.copy(VERSION_1 / "mail-1.db", os.path.join(one.folder, "data/effects/mail-1.db"))
    one.start()
    record = post(one, "new@example.com")
    mails = pathlib.Path(one.folder, "mails")
    wait_until(lambda: mails.exists() and record in mails.read_text(), told=one.output)
    assert query(database, "SELECT version FROM forebay_schema") == [(2,)]
    assert JANE in one.run("find", "jane@example.com")


def test_exec_workers_note_their_effects_in_the_ledgers_database(forebay, mariadb):
    database = mariadb.fresh_database()
    text = STORE_AND_MAIL.replace("[worker.mail]", "[worker.mail]\ncount = { min = 2 }") + mariadb.toml(database, "ledger") + '[ledger]\ndb = "ledger"\n'
    one = forebay(text)
    records = [post(one, f"{n}@example.com") for n in range(20)]

    def done():
        if not mariadb.query("SHOW TABLES LIKE 'forebay_effects'", database=database):
            return set()
        return {record for record, in mariadb.query("SELECT record FROM forebay_effects WHERE effect = 'mail' AND state = 'done'", database=database)}

    wait_until(lambda: done() == set(records), told=one.output)
    mails = pathlib.Path(one.folder, "mails").read_text()
    assert all(mails.count(f'"id":"{record}"') == 1 for record in records)
    assert not list(pathlib.Path(one.folder, "data/effects").glob("*.db"))
    shown = one.run("show", records[0], "--effects")
    assert "mail" in shown and "store" in shown, shown
