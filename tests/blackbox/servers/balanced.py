"""A cluster as `forebay generate` sets it up: real Galera, `forebay dbcheck` beside each node, HAProxy with the generated file."""
import os
import subprocess
import threading
import time

import pymysql

from servers import ports, process
from servers.galera import SUSPECT_2S, Galera
from servers.haproxy import HAProxy
from servers.mariadb import PASSWORD, USER

ROOT = os.path.join(os.path.dirname(__file__), "../../..")
BINARY = os.environ.get("FOREBAY_BIN", os.path.join(ROOT, "build/release/src/cli/forebay"))


def section(nodes, read_port, write_port, database="app", check_ports=(), more=""):
    """[db.main] with its cluster; `nodes` are servers with a `port`."""
    listed = ", ".join(f'{{ name = "n{i}", address = "{getattr(node, "address", "127.0.0.1")}", port = {node.port}' + (f", check_port = {check_ports[i - 1]}" if check_ports else "") +
                       "".join(f", {key} = {value}" for key, value in getattr(node, "cluster_ports", {}).items()) + " }"
                       for i, node in enumerate(nodes, 1))
    return f"""
[db.main]
driver = "mariadb"
writer = ["127.0.0.1:{write_port}"]
reader = ["127.0.0.1:{read_port}"]
database = "{database}"
user = "{USER}"
password = "${{env:DB_PASSWORD}}"
[db.main.cluster]
read_port = {read_port}
write_port = {write_port}
nodes = [{listed}]
{more}
"""


def forebay(folder, *words, expect=0):
    """Runs a verb on the forebay.toml of a folder; its standard output."""
    done = subprocess.run([BINARY, *words, "-c", os.path.join(folder, "forebay.toml")], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "DB_PASSWORD": PASSWORD, "STATS_PASSWORD": "stats-secret"})
    assert done.returncode == expect, f"forebay {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class DbCheck(process.Server):
    """`forebay dbcheck` for one server, on its host."""

    name = "dbcheck"

    def __init__(self, toml, server, port=None):
        super().__init__()
        self.port = port or ports.reserve(1)[0]
        self.server, self.enter = server, server.enter
        self.write("forebay.toml", toml)

    def command(self):
        return ["env", f"DB_PASSWORD={PASSWORD}", BINARY, "dbcheck", "--listen", f"{self.server.address}:{self.port}", "--server",
                f"{self.server.address}:{self.server.port}", "-c", self.path("forebay.toml")]

    def is_ready(self):
        return ports.answers(self.port, address=self.server.address)


class Balanced(process.Started):
    """`cluster`, `checks`, `proxy`, and the two ports; the table app.t has a unique key k."""

    def __init__(self, settings="", more="", **cluster):
        self.servers = []
        self.read_port, self.write_port = ports.reserve(2)
        self.check_ports = ports.reserve(3)
        self.cluster = self.keep(Galera(provider_options=SUSPECT_2S, settings=settings, **cluster))
        self.more = more

    def keep(self, server):
        self.servers.append(server)
        return server

    def start(self):
        self.cluster.start()
        self.cluster.query("CREATE DATABASE app CHARACTER SET utf8mb4")
        self.cluster.query("CREATE TABLE app.t (id BIGINT AUTO_INCREMENT PRIMARY KEY, k VARCHAR(64) NOT NULL UNIQUE)")
        self.toml = section(self.cluster.nodes, self.read_port, self.write_port, check_ports=self.check_ports, more=self.more)
        self.checks = [self.keep(DbCheck(self.toml, node, port)) for node, port in zip(self.cluster.nodes, self.check_ports)]
        for check in self.checks:
            check.start()
        self.proxy = self.keep(HAProxy(forebay(self.checks[0].folder, "generate", "haproxy", "--db")))
        self.proxy.start()
        self.wait_all_up()

    def wait_all_up(self, seconds=60):
        for proxy in ("main_read", "main_write"):
            for node in ("n1", "n2", "n3"):
                self.proxy.wait_server(proxy, node, "UP", seconds)

    def writes_to(self):
        """The number of the node that the write port leads to."""
        with pymysql.connect(host="127.0.0.1", port=self.write_port, user=USER, password=PASSWORD, connect_timeout=5, read_timeout=5) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SELECT @@port")
                port = cursor.fetchone()[0]
        return next(i for i, node in enumerate(self.cluster.nodes, 1) if node.port == port)

    def recover(self):
        """After all nodes ended, by the script of `generate galera`: the newest position makes the cluster again, the others join it."""
        folder = self.checks[0].path("galera")
        forebay(self.checks[0].folder, "generate", "galera", "--out", folder)
        script, nodes = os.path.join(folder, "galera.sh"), self.cluster.nodes
        positions = [node.script(script, "position").strip() for node in nodes]
        highest = max(positions, key=lambda position: int(position.rsplit(":", 1)[1]))
        best = nodes[positions.index(highest)]
        best.script(script, "recover", highest)
        for node in nodes:
            if node is not best:
                node.script(script, "join")

    def close(self):
        for server in reversed(self.servers):
            server.close()


class Load:
    """Clients that write unique keys through one port and try each again until it was answered, also with "is there already"."""

    def __init__(self, port, clients=3):
        self.port = port
        self.run = f"r{time.monotonic_ns()}"
        self.answered = [[] for _ in range(clients)]  # (moment, key)
        self.errors = {}
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.client, args=(n,)) for n in range(clients)]

    def client(self, n):
        connection, i = None, 0
        while not self.ending.is_set():
            key = f"{self.run}-{n}-{i}"
            try:
                if connection is None:
                    connection = pymysql.connect(host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, database="app", autocommit=True,
                                                 connect_timeout=2, read_timeout=8, write_timeout=8)
                connection.cursor().execute("INSERT INTO t (k) VALUES (%s)", (key,))
            except pymysql.err.IntegrityError:
                pass  # an earlier try was committed, its answer lost
            except (pymysql.MySQLError, OSError) as e:
                self.errors[e.args[0]] = self.errors.get(e.args[0], 0) + 1
                if connection is not None:
                    connection._force_close()
                connection = None
                self.ending.wait(0.02)
                continue
            self.answered[n].append((time.monotonic(), key))
            i += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        process.wait_for("writes flow", lambda: all(self.answered), 30)
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def count(self):
        return sum(len(one) for one in self.answered)

    def outage(self, since, seconds=60):
        """The longest silence of any client since then, in seconds, once all are answered again."""
        now = time.monotonic()
        process.wait_for("writes flow", lambda: all(one and one[-1][0] > now for one in self.answered), seconds)
        silences = []
        for one in self.answered:
            moments = [since] + [moment for moment, _ in one if moment > since]
            silences.append(max(b - a for a, b in zip(moments, moments[1:])))
        return max(silences)

    def lost_and_double(self, query):
        """`query(sql, parameters)` looks at a node itself, not through what was tested."""
        rows = [k for k, in query("SELECT k FROM app.t WHERE k LIKE %s", (self.run + "-%",))]
        answered = [key for one in self.answered for _, key in one]
        return len(set(answered) - set(rows)), len(rows) - len(set(rows))
