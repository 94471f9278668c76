"""`forebay audit --against` a real MariaDB and a real PostgreSQL, and the independent count of the same."""
import json
import subprocess
import uuid

import pytest
import requests

from conftest import LEADS
from servers import mariadb, postgresql
from test_audit import AGAINST, CHECKER, audit, depth, post
from waiting import wait_until

WORKER = """
[worker.store]
queue = "leads"
handler = "sql"
[worker.store.sql]
db = "main"
table = "leads"
create = true
"""


@pytest.fixture(scope="module", params=[mariadb.MariaDB, postgresql.PostgreSQL], ids=["mariadb", "postgresql"])
def server(request):
    with request.param() as started:
        yield started


def url_of(server, database):
    scheme, of = ("mysql", mariadb) if isinstance(server, mariadb.MariaDB) else ("postgresql", postgresql)
    return f"{scheme}://{of.USER}:{of.PASSWORD}@127.0.0.1:{server.port}/{database}"


def has_done(server, database, count):
    try:
        rows = server.query("SELECT count(*) FROM forebay_effects WHERE state = 'done'", database=database)
    except Exception:  # the tables are not there yet, in either library's words
        return False
    return rows[0][0] == count


def started(forebay, server):
    database = server.fresh_database()
    process = forebay(LEADS + server.toml(database) + WORKER)
    keyed = requests.post(process.intake + "/v1/lead", json={"email": "k@example.com"}, headers={"Idempotency-Key": str(uuid.uuid4())}, timeout=10)
    ids = [keyed.json()["id"]] + [post(process, f"p{n}@example.com") for n in range(9)]
    wait_until(lambda: has_done(server, database, 10) and depth(process, "leads") == 0)
    return process, database, ids


def test_rows_are_counted_again_and_what_is_gone_or_strange_is_named(forebay, server):
    process, database, ids = started(forebay, server)
    found = audit(process, *AGAINST)
    assert found["verdict"] == "balanced" and found["total"]["rows"] == found["total"]["settled"] == 10
    server.query("DELETE FROM leads WHERE id IN (%s, %s)", (ids[0], ids[4]), database=database)
    found = audit(process, *AGAINST, expect=1)
    assert {(d["what"], d["id"]) for d in found["differences"]} == {("row_missing", ids[0]), ("row_missing", ids[4])}
    process.stop()
    done = subprocess.run(["/usr/bin/python3", "-B", CHECKER, "data/store", "--database", url_of(server, database), "--table", "leads", "--queue",
                           "leads", "--effect", "store"], cwd=process.folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stderr
    *lines, balance = done.stdout.splitlines()
    assert lines == [f"wrong: {id}: removed: noted as done, and there is no row" for id in sorted([ids[0], ids[4]])]
    assert json.loads(balance)["rows"] == 8


def test_a_server_that_is_down_makes_it_incomplete(forebay, server):
    process, _, _ = started(forebay, server)
    assert audit(process, *AGAINST)["verdict"] == "balanced"
    server.stop()
    try:
        found = audit(process, *AGAINST, expect=4)
        assert found["verdict"] == "incomplete" and any(str(server.port) in gap for gap in found["gaps"]), found
    finally:
        server.start()
    wait_until(lambda: process.run("audit", *AGAINST, expect=None).returncode == 0)
