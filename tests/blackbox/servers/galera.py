"""A real MariaDB Galera cluster of three nodes on loopback, each with ports of its own.

All three start from copies of one data folder with a position of the cluster, and each with a gvwstate.dat as if they had lost power
together: so they form their component again without the transfer of state that costs six seconds a node. A node that is started by hand
must be given its position, else it rejoins by a full transfer and a bootstrap makes another cluster."""
import os
import re
import shutil
import subprocess
import time
import uuid

import pymysql

from servers import ports, process, template
from servers.disk import Disk
from servers.mariadb import SERVER, MariaDB, empty_data

PROVIDER = "/usr/lib/galera/libgalera_smm.so"
# Debian's default of 5 s is what a kill -9 of the writer costs; 1 s was seen to split a cluster on two busy cores.
SUSPECT_2S = "evs.suspect_timeout=PT2S;evs.inactive_timeout=PT5S;evs.install_timeout=PT5S;evs.keepalive_period=PT0.5S;evs.inactive_check_period=PT0.25S"


class Node(MariaDB):
    """One node. `members()` gives the group addresses of all. `start()` joins; `bootstrap()` makes a cluster of it alone. Given a size
    its data has a `disk` of its own."""

    ready_within = 90
    is_away = False  # a test has cut it off, and asks the others
    donor = ""  # who shall give it all data when it has none

    def __init__(self, number, members=lambda: "", provider_options="", settings="", data=None, host=None, disk_size=None):
        process.Server.__init__(self)
        self.name = f"galera-{number}"
        self.node = f"n{number}"
        self.members = members
        self.provider_options = provider_options
        self.settings = settings
        self.databases = 0
        self.host = host
        if host is not None:
            self.address, self.enter = host.address, host.enter
        self.port, self.group_port, self.ist_port, self.sst_port = ports.reserve(4)
        os.mkdir(self.path("tmp"))
        self.own(self.path("tmp"))
        self.disk = Disk(self.path("data"), disk_size) if disk_size else None
        template.copy(data or empty_data(), self.path("data"), holes=disk_size is None)

    def close(self):
        self.kill9()
        if self.disk is not None:
            self.disk.close()
        super().close()

    @property
    def cluster_ports(self):
        """As [db.X.cluster] calls them."""
        return {"group_port": self.group_port, "ist_port": self.ist_port, "transfer_port": self.sst_port}

    def configuration(self):
        options = f"gmcast.listen_addr=tcp://{self.address}:{self.group_port};ist.recv_addr={self.address}:{self.ist_port};gcache.size=64M;gcache.recover=yes"
        return super().configuration() + f"""
default_storage_engine=InnoDB
binlog_format=ROW
innodb_autoinc_lock_mode=2
innodb_flush_log_at_trx_commit=1
wsrep_on=ON
wsrep_provider={PROVIDER}
wsrep_cluster_name=t
wsrep_cluster_address=gcomm://{self.members()}
wsrep_node_name={self.node}
wsrep_node_address={self.address}:{self.group_port}
wsrep_node_incoming_address={self.address}:{self.port}
wsrep_sst_method=rsync
wsrep_sst_receive_address={self.address}:{self.sst_port}
wsrep_provider_options="{options}{";" if self.provider_options else ""}{self.provider_options}"
wsrep_slave_threads=2
""" + (f"wsrep_sst_donor={self.donor}\n" if self.donor else "")

    def state_file(self):
        return self.path("data", "grastate.dat")

    def position(self):
        """UUID:SEQNO as grastate.dat has it, or after a crash as InnoDB has it; empty for a node that was never in a cluster."""
        if not os.path.exists(self.state_file()):
            return ""
        with open(self.state_file()) as f:
            text = f.read()
        cluster, seqno = re.search(r"^uuid:\s*(\S+)", text, re.M)[1], re.search(r"^seqno:\s*(\S+)", text, re.M)[1]
        if seqno != "-1":
            return f"{cluster}:{seqno}"
        done = subprocess.run(process.as_user(self.user) + [SERVER, f"--defaults-file={self.write('my.cnf', self.configuration())}", "--wsrep-recover"],
                              cwd=self.folder, capture_output=True, text=True)
        found = re.findall(r"Recovered position:\s*(\S+)", done.stderr + done.stdout)
        return found[-1] if found else ""

    def command(self):
        position = self.position()
        return super().command() + ([f"--wsrep_start_position={position}"] if position else []) + self.extra

    extra = ()

    def start(self, wait=True):
        self.extra = []
        super().start(wait)

    def bootstrap(self):
        """Makes it the first node of a cluster, whatever grastate.dat says about its being safe."""
        if os.path.exists(self.state_file()):
            with open(self.state_file()) as f:
                text = f.read()
            with open(self.state_file(), "w") as f:
                f.write(re.sub(r"^safe_to_bootstrap:.*", "safe_to_bootstrap: 1", text, flags=re.M))
        self.new_cluster()

    def new_cluster(self, wait=True):
        """As Debian's galera_new_cluster: it says so and nothing more; whether that is safe, grastate.dat must say."""
        self.extra = ["--wsrep-new-cluster"]
        process.Server.start(self, wait)

    def script(self, galera_sh, *words, expect=0):
        """Runs the generated galera.sh here and does what it asks for: there is no systemd, and starting and stopping is the test's own
        business."""
        ask = self.write("ask", f'touch "{self.folder}/$1"; while [ -e "{self.folder}/$1" ]; do sleep 0.05; done\n', 0o755)
        recover = " ".join(process.as_user(self.user) + [SERVER, f"--defaults-file={self.path('my.cnf')}", "--wsrep-recover"])
        recovery = self.write("recovery", f"cd {self.folder}; {recover} 2>&1 | sed -n 's/.*Recovered position: */--wsrep_start_position=/p'\n", 0o755)
        running = subprocess.Popen(["sh", galera_sh, *words], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={
            **os.environ, "GALERA_CLIENT": f"mariadb --no-defaults -uroot -S {self.path('s.sock')}", "GALERA_DATA": self.path("data"),
            "GALERA_START": f"sh {ask} want-start", "GALERA_STOP": f"sh {ask} want-stop", "GALERA_NEW_CLUSTER": f"sh {ask} want-new-cluster",
            "GALERA_RECOVERY": f"sh {recovery}", "GALERA_DRAIN": "0", "GALERA_WAIT": "90"})
        while running.poll() is None:
            for want, do in (("want-start", lambda: self.start(wait=False)), ("want-stop", self.stop), ("want-new-cluster", lambda: self.new_cluster(False))):
                if os.path.exists(self.path(want)):
                    do()
                    os.unlink(self.path(want))
            time.sleep(0.02)
        out, errors = running.communicate()
        assert running.returncode == expect, f"galera.sh {' '.join(words)}: exit {running.returncode}\n{out}\n{errors}\n{self.output()}"
        return out if expect == 0 else errors

    def state(self):
        """wsrep_* of SHOW STATUS by name; empty when it does not answer."""
        try:
            with self.root(connect_timeout=2, read_timeout=2) as connection, connection.cursor() as cursor:
                cursor.execute("SHOW GLOBAL STATUS LIKE 'wsrep\\_%'")
                return dict(cursor.fetchall())
        except (pymysql.MySQLError, OSError):
            return {}

    def wait_state(self, name, value, seconds=30):
        process.wait_for(f"{self.name}: {name} is {value}", lambda: self.state().get(name) == value, seconds, lambda: str(self.state()))

    def is_ready(self):
        state = self.state()
        return state.get("wsrep_local_state") == "4" and state.get("wsrep_ready") == "ON" and state.get("wsrep_cluster_status") == "Primary"


def make_template(folder):
    """The data of a node that was alone in a cluster with the users of the tests and was stopped in peace."""
    node = Node(0)
    try:
        node.bootstrap()
        MariaDB.is_ready(node)
        node.stop()
        for name in os.listdir(node.path("data")):
            if name not in ("galera.cache", "gvwstate.dat"):
                shutil.move(node.path("data", name), folder)
        if os.geteuid() == 0:
            shutil.chown(folder, "mysql")
    finally:
        node.close()


class Galera(process.Started):
    """Three nodes, `nodes[0]` to `nodes[2]`, on three hosts if they are given. All settings apply to each; a `disk_size` to the first."""

    def __init__(self, provider_options="", settings="", hosts=(None, None, None), disk_size=None):
        self.nodes = []
        data = template.template("galera-" + template.version(SERVER, "--version"), make_template)
        try:
            for number, host in enumerate(hosts, 1):
                self.nodes.append(Node(number, self.members, provider_options, settings, data, host, disk_size if number == 1 else None))
        except BaseException:
            self.close()
            raise

    def members(self):
        return ",".join(f"{node.address}:{node.group_port}" for node in self.nodes)

    def start(self):
        """Ready when three nodes are in one primary component."""
        ids = sorted(str(uuid.uuid1()) for _ in self.nodes)
        view = "".join(f"member: {id} 0\n" for id in ids)
        for node, id in zip(self.nodes, ids):
            node.write("data/gvwstate.dat", f"my_uuid: {id}\n#vwbeg\nview_id: 3 {ids[0]} 3\nbootstrap: 0\n{view}#vwend\n")
        self.start_all()

    def start_all(self):
        """All at once, after all ended at once: they find each other by what each knows of the last component."""
        for node in self.nodes:
            node.start(wait=False)
        for node in self.nodes:
            node.wait_ready()
        self.wait_size(len(self.nodes))

    def wait_size(self, count, seconds=60):
        """Until every running node sees `count` members and is synced."""
        for node in self.nodes:
            if node.running():
                process.wait_for(f"{node.name} sees {count} members",
                                 lambda: node.is_ready() and node.state().get("wsrep_cluster_size") == str(count), seconds, node.output)

    def recover(self):
        """After all nodes ended: the one with the newest position makes the cluster again, the others join."""
        best = max(self.nodes, key=lambda node: int(node.position().rsplit(":", 1)[-1] or -1))
        best.bootstrap()
        for node in self.nodes:
            if node is not best:
                node.start()
        self.wait_size(len(self.nodes))

    def ready_node(self):
        for node in self.nodes:
            if node.running() and not node.is_frozen and not node.is_away and node.is_ready():
                return node
        raise AssertionError("no node of the cluster is ready")

    def query(self, statement, parameters=None, database=None):
        """On the first node that answers, and only when it has applied all that was committed before."""
        with self.ready_node().root(database=database) as connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION wsrep_sync_wait = 15")
            cursor.execute(statement, parameters)
            return cursor.fetchall()

    def close(self):
        for node in self.nodes:
            node.close()
