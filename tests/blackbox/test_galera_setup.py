"""`generate galera`: its settings, users and script set up a real cluster from nothing, maintain a node and recover from the death of all.
There is no systemd here, so the commands that start and stop a server are given to the script; all else is as on a real node."""
import os
import subprocess
import time

import pymysql
import pytest

from servers import ports, process
from servers.balanced import forebay, section
from servers.galera import Node
from servers.mariadb import PASSWORD, SERVER, USER, MariaDB


class GeneratedNode(Node):
    """A node with the generated settings; the paths are the test's."""

    generated = ""

    def configuration(self):
        return MariaDB.configuration(self) + self.generated

    def script(self, *words, expect=0, **environment):
        """Runs galera.sh here and does what it asks for: starting and stopping is the test's own business."""
        ask = self.write("ask", f'touch "{self.folder}/$1"; while [ -e "{self.folder}/$1" ]; do sleep 0.05; done\n', 0o755)
        recover = " ".join(process.as_user(self.user) + [SERVER, f"--defaults-file={self.path('my.cnf')}", "--wsrep-recover"])
        recovery = self.write("recovery", f"cd {self.folder}; {recover} 2>&1 | sed -n 's/.*Recovered position: */--wsrep_start_position=/p'\n", 0o755)
        running = subprocess.Popen(["sh", self.galera_sh, *words], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={
            **os.environ, "GALERA_CLIENT": f"mariadb --no-defaults -uroot -S {self.path('s.sock')}", "GALERA_DATA": self.path("data"),
            "GALERA_START": f"sh {ask} want-start", "GALERA_STOP": f"sh {ask} want-stop", "GALERA_NEW_CLUSTER": f"sh {ask} want-new-cluster",
            "GALERA_RECOVERY": f"sh {recovery}", "GALERA_DRAIN": "0", "GALERA_WAIT": "90", **environment})
        while running.poll() is None:
            for want, do in (("want-start", lambda: self.start(wait=False)), ("want-stop", self.stop), ("want-new-cluster", self.new_cluster)):
                if os.path.exists(self.path(want)):
                    do()
                    os.unlink(self.path(want))
            time.sleep(0.02)
        out, errors = running.communicate()
        assert running.returncode == expect, f"galera.sh {' '.join(words)}: exit {running.returncode}\n{out}\n{errors}\n{self.output()}"
        return out if expect == 0 else errors

    def new_cluster(self):
        """As Debian's galera_new_cluster: it says so and nothing more; whether that is safe, grastate.dat must say."""
        self.extra = ["--wsrep-new-cluster"]
        process.Server.start(self, wait=False)


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
