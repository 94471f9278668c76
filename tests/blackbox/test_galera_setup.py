"""`generate galera`: its settings, users and script set up a real cluster from nothing, maintain a node and recover from the death of all.
There is no systemd here, so the commands that start and stop a server are given to the script; all else is as on a real node."""
import os
import subprocess

import pymysql
import pytest

from servers import ports, process
from servers.balanced import forebay, section
from servers.galera import Node
from servers.mariadb import PASSWORD, USER, MariaDB


class GeneratedNode(Node):
    """A node with the generated settings; the paths are the test's."""

    generated = ""

    def configuration(self):
        return MariaDB.configuration(self) + self.generated

    def script(self, *words, expect=0):
        return super().script(self.galera_sh, *words, expect=expect)


@pytest.fixture
def nodes(tmp_path):
    made = []
    try:
        for number in (1, 2, 3):
            made.append(GeneratedNode(number))
        (tmp_path / "forebay.toml").write_text(section(made, *ports.reserve(2), database="leads", more='gcache = "64MiB"\ntransfer = "rsync"'))
        forebay(tmp_path, "generate", "galera", "--out", str(tmp_path / "galera"))
        for number, node in enumerate(made, 1):
            node.generated = (tmp_path / f"galera/n{number}.cnf").read_text()
            node.galera_sh = str(tmp_path / "galera/galera.sh")
        yield made
    finally:
        for node in made:
            node.close()


def app(node, statement):
    with pymysql.connect(host="127.0.0.1", port=node.port, user=USER, password=PASSWORD, database="leads", autocommit=True, connect_timeout=5) as connection:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()


def test_a_cluster_from_nothing_to_the_death_of_all(nodes, tmp_path):
    one, two, three = nodes
    assert "Synced" in one.script("bootstrap")
    with open(tmp_path / "galera/users.sql") as sql:
        subprocess.run(["mariadb", "--no-defaults", "-uroot", "-S", one.path("s.sock")], stdin=sql, check=True)
    two.script("join")
    assert "wsrep_cluster_size 3" in three.script("join")

    # The user of users.sql may work, and the settings hold.
    app(one, "CREATE TABLE t (id INT PRIMARY KEY)")
    with pytest.raises(pymysql.MySQLError):
        app(one, "CREATE TABLE u (id INT)")
    forebay(tmp_path, "db", "probe", expect=69)  # nobody balances yet
    found = forebay(tmp_path, "db", "check", "main", expect=1)
    assert found.count("error") == 1, found  # and that is all that is wrong
    one.query("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
    assert "main/n1  innodb_flush_log_at_trx_commit" in forebay(tmp_path, "db", "check", expect=1)
    one.query("SET GLOBAL innodb_flush_log_at_trx_commit = 1")

    # One node is maintained; with a node missing nobody is.
    three.script("maintain", "sh", "-c", "touch was-maintained")
    assert os.path.exists(three.path("was-maintained"))
    two.script("leave")
    app(one, "INSERT INTO t VALUES (1)")
    assert "bring back the missing one" in three.script("maintain", "true", expect=1)
    assert "behind" not in two.script("position")

    # n2 is away, then the two others die at once: the highest position makes the cluster again, a lower one refuses.
    behind = two.script("position").strip()
    for node in (one, three):
        node.kill9()
    positions = [node.script("position").strip() for node in nodes]
    highest = max(positions, key=lambda position: int(position.rsplit(":", 1)[1]))
    assert highest != behind
    assert "behind" in two.script("recover", highest, expect=1)
    assert "which is the highest" in one.script("recover", expect=1)
    best = nodes[positions.index(highest)]
    best.script("recover", highest)
    for node in nodes:
        if node is not best:
            node.script("join")
    for node in nodes:
        assert "wsrep_cluster_size 3" in node.script("state")
        process.wait_for(f"{node.name} has the row", lambda: app(node, "SELECT id FROM t") == ((1,),), 10)
