"""`generate haproxy --db` and `dbcheck`: the generated file in the real HAProxy before a real Galera of three nodes."""
import os
import stat
import time

import pytest
import requests

from servers import ports
from servers.balanced import Balanced, DbCheck, Load, forebay, section
from servers.haproxy import HAProxy, complaints
from servers.process import wait_for

STATS = """
[proxy.stats]
listen = "127.0.0.1:{port}"
user = "ops"
password = "${{env:STATS_PASSWORD}}"
"""


@pytest.fixture(scope="module")
def balanced():
    with Balanced() as all_of_it:
        yield all_of_it


class Nowhere:
    """A server that is not there."""

    def __init__(self):
        self.port, = ports.reserve(1)


@pytest.mark.parametrize("check", ["dbcheck", "query", "connect"])
def test_the_file_is_clean(tmp_path, check):
    (tmp_path / "forebay.toml").write_text(section([Nowhere(), Nowhere()], *ports.reserve(2), more=f'check = "{check}"') +
                                           STATS.format(port=ports.reserve(1)[0]))
    out = tmp_path / "haproxy.cfg"
    forebay(tmp_path, "generate", "haproxy", "--db", "--out", str(out))
    assert complaints(out) == ""
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "stats-secret" not in out.read_text() and out.read_text() == forebay(tmp_path, "generate", "haproxy", "--db")
    assert sorted(os.listdir(tmp_path)) == ["forebay.toml", "haproxy.cfg"]


def test_the_statistics_page_asks_for_its_password(tmp_path):
    page, = ports.reserve(1)
    (tmp_path / "forebay.toml").write_text(section([Nowhere()], *ports.reserve(2)) + STATS.format(port=page))
    with HAProxy(forebay(tmp_path, "generate", "haproxy", "--db")):
        url = f"http://127.0.0.1:{page}/haproxy?stats;csv"
        assert requests.get(url, timeout=5).status_code == 401
        assert requests.get(url, timeout=5, auth=("ops", "wrong")).status_code == 401
        answer = requests.get(url, timeout=5, auth=("ops", "stats-secret"))
        assert answer.status_code == 200 and "main_write,n1," in answer.text


def ask(check, path):
    return requests.get(f"http://127.0.0.1:{check.port}{path}", timeout=5)


def test_dbcheck_tells_writer_and_reader_apart(balanced):
    check, node = balanced.checks[2], balanced.cluster.nodes[2]
    assert ask(check, "/writer").status_code == 200 and "synced, 3 nodes" in ask(check, "/writer").text
    assert ask(check, "/nothing").status_code == 404
    node.query("SET GLOBAL read_only = ON")
    try:
        wait_for("not fit to write", lambda: ask(check, "/writer").status_code == 503, 5)
        assert "read-only" in ask(check, "/writer").text
        assert ask(check, "/reader").status_code == 200
    finally:
        node.query("SET GLOBAL read_only = OFF")
    wait_for("fit to write again", lambda: ask(check, "/writer").status_code == 200, 5)
    node.query("SET GLOBAL wsrep_desync = ON")
    try:
        wait_for("not fit to read", lambda: ask(check, "/reader").status_code == 503, 5)
        assert "Donor/Desynced" in ask(check, "/reader").text
    finally:
        node.query("SET GLOBAL wsrep_desync = OFF")
    wait_for("fit to read again", lambda: ask(check, "/reader").status_code == 200, 5)
    balanced.wait_all_up()


def test_dbcheck_answers_when_the_server_hangs(balanced):
    check, node = balanced.checks[2], balanced.cluster.nodes[2]
    assert ask(check, "/reader").status_code == 200
    node.freeze()
    try:
        time.sleep(0.3)  # older than what it remembers
        begun = time.monotonic()
        answer = ask(check, "/reader")
        assert answer.status_code == 503 and "has not answered" in answer.text
        assert time.monotonic() - begun < 1.9
    finally:
        node.thaw()
    wait_for("fit to read again", lambda: ask(check, "/reader").status_code == 200, 20)
    balanced.cluster.wait_size(3)
    balanced.wait_all_up()


def test_dbcheck_works_for_a_single_server(mariadb, postgresql):
    for server, query, writes_off, writes_on in (
            (mariadb, mariadb.query, "SET GLOBAL read_only = ON", "SET GLOBAL read_only = OFF"),
            (postgresql, postgresql.query, "ALTER SYSTEM SET default_transaction_read_only = on", "ALTER SYSTEM SET default_transaction_read_only = off")):
        with DbCheck(server.toml(server.fresh_database()), server) as check:
            assert ask(check, "/writer").status_code == 200, ask(check, "/writer").text
            query(writes_off)
            if server is postgresql:
                query("SELECT pg_reload_conf()")
            wait_for("not fit to write", lambda: ask(check, "/writer").status_code == 503, 5)
            assert ask(check, "/reader").status_code == 200
            query(writes_on)
            if server is postgresql:
                query("SELECT pg_reload_conf()")
            wait_for("fit to write again", lambda: ask(check, "/writer").status_code == 200, 5)


def test_dbcheck_refuses_a_file(tmp_path):
    (tmp_path / "forebay.toml").write_text('[db.main]\ndriver = "sqlite"\npath = "x.db"\n')
    forebay(tmp_path, "dbcheck", "--listen", "127.0.0.1:0", expect=64)


def test_reads_spare_the_writer(balanced):
    seen = [0, 0, 0]
    for _ in range(101):
        with balanced.cluster.nodes[0].connect(port=balanced.read_port) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT @@port")
            port = cursor.fetchone()[0]
        seen[[node.port for node in balanced.cluster.nodes].index(port)] += 1
    assert seen[0] <= 10 and min(seen[1:]) >= 20, seen


def fault(balanced, name, disturb, mend, allowed):
    """Writes while the writer is disturbed and mended: how long a client hears nothing, none lost, none double, and n1 writes again."""
    with Load(balanced.write_port) as load:
        begun = time.monotonic()
        disturb()
        wait_for("another node writes", lambda: balanced.proxy.servers("main_write")["n1"].startswith("DOWN"), 30)
        down = load.outage(begun)
        mended = time.monotonic()
        mend()
        balanced.wait_all_up()
        wait_for("n1 writes again", lambda: balanced.writes_to() == 1, 10)
        back = load.outage(mended)
    lost, double = load.lost_and_double(balanced.cluster.query)
    print(f"\n{name}: nothing written for {down:.2f} s, at the fail-back for {back:.2f} s; {load.count()} written, {lost} lost, {double} double, {load.errors}")
    assert (lost, double) == (0, 0)
    assert down < allowed and back < allowed


def test_the_writer_is_killed(balanced):
    one = balanced.cluster.nodes[0]
    fault(balanced, "kill -9", one.kill9, one.start, 10)


def test_the_writer_is_stopped(balanced):
    one = balanced.cluster.nodes[0]
    fault(balanced, "stop", one.stop, one.start, 10)


def test_the_writer_hangs(balanced):
    one = balanced.cluster.nodes[0]
    fault(balanced, "freeze", one.freeze, one.thaw, 15)


def test_haproxy_is_restarted(balanced):
    with Load(balanced.write_port) as load:
        begun = time.monotonic()
        balanced.proxy.kill9()
        balanced.proxy.start()
        down = load.outage(begun)
    lost, double = load.lost_and_double(balanced.cluster.query)
    print(f"\nhaproxy killed and started: nothing written for {down:.2f} s; {load.count()} written, {lost} lost, {double} double, {load.errors}")
    assert (lost, double) == (0, 0) and down < 5
