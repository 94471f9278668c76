"""The `sql` worker on a real MariaDB and a real PostgreSQL: what arrives, and what each accident leaves."""
import json
import os
import time

import pytest
import requests
from conftest import LEADS
from servers.cutter import Cutter
from servers.mariadb import MariaDB
from servers.postgresql import PostgreSQL

WORKER = """
[worker.store]
queue = "leads"
handler = "sql"
batch = { size = 20, wait = "50ms" }
retry = { after = ["1s"] }
[worker.store.sql]
db = "main"
"""
TABLE = WORKER + 'table = "leads"\ncreate = true\n'
TIMEOUT = 'timeout = { statement = "1s" }\nprobe = "200ms"\n'


@pytest.fixture(scope="module", params=[MariaDB, PostgreSQL], ids=["mariadb", "postgresql"])
def server(request):
    with request.param() as started:
        yield started


def leads(**fields):
    return LEADS + "".join(f"[endpoint.lead.fields.{name}]\n{line}\n" for name, line in fields.items())


def post(node, **fields):
    answer = requests.post(node.intake + "/v1/lead", json={"email": "jane@example.com", **fields})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def effects(server, database, states=("done",)):
    rows = server.query("SELECT record, state FROM forebay_effects", database=database)
    return {row[0] for row in rows if row[1] in states}


def wait_for(what, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.05)


def has_tables(server, database):
    return server.query("SELECT 1 FROM information_schema.tables WHERE table_name = 'leads' AND table_schema IN (%s, 'public')", (database,), database=database)


def rows(server, database, what="id"):
    return server.query(f"SELECT {what} FROM leads", database=database) if has_tables(server, database) else []


def settled(server, database, ids):
    wait_for("rows of all records", lambda: {row[0] for row in rows(server, database)} >= set(ids))
    assert effects(server, database) >= set(ids)


def test_values_arrive_exactly(forebay, server):
    database = server.fresh_database()
    node = forebay(leads(name='type = "string"\nmax = 40000', amount='type = "decimal"', count='type = "integer"', consent='type = "bool"', note='type = "string"')
                   + server.toml(database) + TABLE)
    name = "Zoë 🦊 O'Neill \\ \"q\" :id ? $1" + "x" * 30000
    given = post(node, name=name, amount=1234567890123.45, count=-9007199254740993, consent=True, note=None)
    bare = post(node)
    settled(server, database, [given, bare])
    found = {row[0]: row[1:] for row in rows(server, database, "id, name, amount, count, consent, note, received_at")}
    assert found[given][0] == name
    assert str(found[given][1]).rstrip("0") == "1234567890123.45"
    assert found[given][2] == -9007199254740993
    assert str(found[given][3]) in ("1", "True")
    assert found[given][4] is None and found[bare][:5] == (None, None, None, None, None)
    accepted = json.loads(node.run("show", given, "--json", "--reveal"))["received_at"]
    assert found[given][5].strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" == accepted


def test_a_record_that_comes_twice_is_one_row(forebay, server):
    database = server.fresh_database()
    node = forebay(leads() + server.toml(database) + TABLE)
    ids = [post(node, email=f"a{n}@example.com") for n in range(30)]
    settled(server, database, ids)
    node.run("replay", "--from", "1h", "--effect", "store", "--reason", "test", "-n", "--yes")
    import sqs_clients
    sqs = sqs_clients.boto(node.sqs)
    url = sqs.get_queue_url(QueueName="leads")["QueueUrl"]
    for n in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"v": 1, "id": ids[0], "endpoint": "lead", "received_at": "2026-09-20T14:03:11.482Z",
                                                               "fields": {"email": "a0@example.com"}, "raw_type": "application/json", "raw": "{}", "flags": []}))
    last = post(node, email="last@example.com")
    settled(server, database, [last])
    assert sorted(row[0] for row in rows(server, database)) == sorted([*ids, last])
    assert len(effects(server, database)) == 31


def test_one_poisonous_row_does_not_hold_up_its_batch(forebay, server):
    database = server.fresh_database()
    server.query("CREATE TABLE leads (id CHAR(36) PRIMARY KEY, email VARCHAR(20))", database=database)
    node = forebay(leads() + server.toml(database) + WORKER + 'table = "leads"\ncolumns = ["id", "email"]\n')
    node.run("stop", "store:1", "--reason", "test")
    good = [post(node, email=f"a{n}@example.com") for n in range(19)]
    bad = post(node, email="far.too.long.for.its.column@example.com")
    node.run("start", "store:1")
    settled(server, database, good)
    dead = wait_for("the dead effect", lambda: server.query("SELECT record, error FROM forebay_effects WHERE state = 'dead'", database=database))
    assert [row[0] for row in dead] == [bad]
    assert server.query("SELECT record, effect FROM forebay_dead", database=database)[0][0] == bad
    assert "long" in dead[0][1] and "far.too" not in node.output()


def test_a_row_that_meets_another_unique_key_is_not_lost_silently(forebay, server):
    database = server.fresh_database()
    server.query("CREATE TABLE leads (id CHAR(36) PRIMARY KEY, email VARCHAR(100) UNIQUE)", database=database)
    node = forebay(leads() + 'dead_letter = "leads-dead"\n' + server.toml(database) + WORKER + 'table = "leads"\ncolumns = ["id", "email"]\n')
    first = post(node, email="same@example.com")
    settled(server, database, [first])
    second = post(node, email="same@example.com")
    wait_for("the dead effect", lambda: effects(server, database, ("dead",)) == {second})
    assert [row[0] for row in rows(server, database)] == [first]
    # The same when what is done is run again: a row that is there stays, and none of another record is taken.
    server.query("UPDATE leads SET email = 'mended@example.com' WHERE id = %s", (first,), database=database)
    node.run("replay", "--from", "1h", "--effect", "store", "--again", "--reason", "test")
    again = "SELECT state FROM forebay_effects WHERE record = %s AND effect = 'store again-%s'"
    wait_for("the first time again", lambda: [row[0] for row in server.query(again, (first, 1), database=database)] == ["done"])
    assert [row[0] for row in rows(server, database, "email")] == ["mended@example.com"]
    node.run("dead", "retry", "--all", "--reason", "the address is free")
    settled(server, database, [first, second])
    server.query("DELETE FROM leads WHERE id = %s", (first,), database=database)
    node.run("replay", "--from", "1h", "--effect", "store", "--again", "--where", f'id == "{first}"', "--reason", "its row is gone")
    wait_for("the second time again", lambda: [row[0] for row in server.query(again, (first, 2), database=database)] == ["dead"])
    assert [row[0] for row in rows(server, database)] == [second]
    assert "store again-2" in node.run("dead", "ls") and effects(server, database) == {first, second}


def test_a_commit_of_unknown_outcome_is_replayed_by_id(forebay, server):
    database = server.fresh_database()
    with Cutter(server.port) as cutter:
        node = forebay(leads() + server.toml(database).replace(f":{server.port}", f":{cutter.port}") + TABLE)
        settled(server, database, [post(node)])
        cutter.cuts_left = 3
        ids = []
        while cutter.cuts < 3:
            ids.append(post(node, email=f"a{len(ids)}@example.com"))
            settled(server, database, ids)
        wait_for("an empty queue", lambda: json.loads(node.run("queue", "ls", "--json"))["queues"][0]["ready"] == 0)
    assert len(rows(server, database)) == len(ids) + 1
    assert "commit.unknown" in open(os.path.join(node.folder, "data/log/store-1.log")).read()


def test_a_lock_that_another_holds_costs_no_attempt(forebay, server):
    database = server.fresh_database()
    node = forebay(leads() + server.toml(database, more=TIMEOUT) + TABLE)
    settled(server, database, [post(node)])
    blocker = server.root(database=database)
    blocker.autocommit = False
    cursor = blocker.cursor()
    cursor.execute("LOCK TABLES leads WRITE" if isinstance(server, MariaDB) else "LOCK TABLE leads")
    waits = post(node, email="waits@example.com")
    time.sleep(2.5)
    blocker.close()
    settled(server, database, [waits])
    assert server.query("SELECT attempts, state FROM forebay_effects WHERE record = %s", (waits,), database=database)[0][0] == 1


def test_records_wait_while_the_server_is_down_and_spend_nothing(forebay, server):
    database = server.fresh_database()
    node = forebay(leads() + server.toml(database, more=TIMEOUT) + TABLE)
    settled(server, database, [post(node)])
    server.kill9()
    ids = [post(node, email=f"a{n}@example.com") for n in range(50)]
    wait_for("the hold", lambda: "HELD" in node.run("status", expect=None).stdout)
    server.start()
    settled(server, database, ids)
    attempts = server.query("SELECT record, attempts FROM forebay_effects", database=database)
    assert {row[1] for row in attempts} == {1} and len(attempts) == 51


def test_a_statement_of_ones_own_with_names(forebay, server):
    database = server.fresh_database()
    server.query("CREATE TABLE leads (id CHAR(36) PRIMARY KEY, mail TEXT, kind TEXT, ip TEXT, raw TEXT)", database=database)
    keep = "ON DUPLICATE KEY UPDATE id = id" if isinstance(server, MariaDB) else "ON CONFLICT (id) DO NOTHING"
    node = forebay(leads() + server.toml(database) + WORKER + f"""statement = '''
INSERT INTO leads (id, mail, kind, ip, raw) -- :nothing
VALUES (:id, :email, ':email?', :_ip, :_raw) {keep}'''
""")
    ids = [post(node, email=f"a{n}@example.com") for n in range(5)]
    settled(server, database, ids)
    found = rows(server, database, "mail, kind, ip, raw")
    assert {row[0] for row in found} == {f"a{n}@example.com" for n in range(5)}
    assert {row[1:3] for row in found} == {(":email?", "127.0.0.1")} and all(json.loads(row[3])["email"] == row[0] for row in found)


def everything_in(server, database):
    """All values of all tables, as one text."""
    schema = database if isinstance(server, MariaDB) else "public"
    tables = server.query("SELECT table_name FROM information_schema.tables WHERE table_schema = %s", (schema,), database=database)
    return "\n".join(str(server.query(f"SELECT * FROM {table}", database=database)) for table, in tables)


def test_a_person_who_is_erased_is_in_no_table(forebay, server):
    database = server.fresh_database()
    server.query("CREATE TABLE leads (id CHAR(36) PRIMARY KEY, email VARCHAR(100))", database=database)
    node = forebay(leads() + server.toml(database, more=TIMEOUT) + WORKER + """table = "leads"
columns = ["id", "email"]
erase = "DELETE FROM leads WHERE id = :id"
""")
    others = [post(node, email=f"a{n}@example.com") for n in range(3)]
    hers = [post(node, email="Ada@example.org") for _ in range(2)]
    settled(server, database, others + hers)
    assert set(node.json("erase", "--email", "ada@example.org", "--dry-run")["ids"]) == set(hers)
    assert "ada@" in everything_in(server, database).lower()
    server.stop()
    said = node.run("erase", hers[0], "--reason", "she asked", "--yes", expect=None)
    assert said.returncode == 75 and "database main" in said.stderr and "do it again" in said.stderr, said.stderr
    server.start()
    done = node.json("erase", *hers, "--reason", "she asked", "--yes")
    assert set(done["ids"]) == set(hers) and done["rows"] == done["in_ledgers"] == 2
    assert any("server of database main" in line for line in done["not_reached"])
    assert "ada@" not in everything_in(server, database).lower()
    assert {row[0] for row in rows(server, database)} == set(others)
    assert node.run("find", "ada@example.org", expect=1) == ""
    wait_for("the worker again", lambda: node.run("audit", expect=None).returncode == 0)
    total = node.json("audit", "--against", "main", "--table", "leads")["total"]
    assert total["erased"] == 2 and total["settled"] == total["rows"] == 3


def test_who_may_not_create_the_ledgers_tables_is_told_what_to_do(forebay, server):
    database = server.fresh_database()
    if isinstance(server, MariaDB):
        server.query("CREATE USER poor@'%' IDENTIFIED BY 'app-secret'")
        server.query(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {database}.* TO poor@'%'")
    else:
        server.query("CREATE ROLE poor LOGIN PASSWORD 'app-secret'")
        server.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC", database=database)
    node = forebay(leads() + server.toml(database, more=TIMEOUT).replace('"app"', '"poor"') + TABLE)
    post(node)
    wait_for("the hold", lambda: "forebay db migrate" in node.run("status", expect=None).stdout)
    assert "app-secret" not in node.output()


def test_a_writer_that_is_read_only_is_waited_for(forebay):
    with MariaDB() as server:
        database = server.fresh_database()
        server.query("CREATE USER plain@'%' IDENTIFIED BY 'app-secret'")
        server.query(f"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX ON {database}.* TO plain@'%'")
        node = forebay(leads() + server.toml(database, more=TIMEOUT).replace('"app"', '"plain"') + TABLE)
        settled(server, database, [post(node)])
        server.query("SET GLOBAL read_only = 1")
        waits = post(node, email="waits@example.com")
        wait_for("the hold", lambda: "read-only" in node.run("status", expect=None).stdout)
        server.query("SET GLOBAL read_only = 0")
        settled(server, database, [waits])
        assert server.query("SELECT attempts FROM forebay_effects WHERE record = %s", (waits,), database=database) == ((1,),)
