"""Accidents of a Galera cluster behind HAProxy while records come in: every accepted one becomes a row, and none two.

    tests/long/faults.py [FOREBAY]        the binary; build/release/src/cli/forebay if it is not given

FAULTS=N (60) how many, SEED=N which, RATE=N (500) records a second, ONLY=NAME,NAME of these kinds, AIM=writer only on the writer. Prints each fault with the seconds
until rows flow again, and ends with 1 when a count is not as promised. As root the nodes are network namespaces and the writer has a
small disk of its own; else no node is cut off and no disk is filled, which is said.
"""
import collections
import contextlib
import http.client
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "blackbox"))
if len(sys.argv) > 1:
    os.environ["FOREBAY_BIN"] = os.path.abspath(sys.argv[1])

import pymysql  # noqa: E402

import conftest  # noqa: E402  (reads FOREBAY_BIN)
from servers import hosts  # noqa: E402
from servers.accidents import ACCIDENTS  # noqa: E402
from servers.balanced import Balanced  # noqa: E402
from servers.mariadb import PASSWORD, USER  # noqa: E402
from servers.process import wait_for  # noqa: E402

FAULTS = int(os.environ.get("FAULTS", "60"))
SEED = int(os.environ.get("SEED", str(random.randrange(1 << 30))))
RATE = int(os.environ.get("RATE", "500"))
ONLY = os.environ.get("ONLY", "")
IS_WRITER_ONLY = os.environ.get("AIM") == "writer"
CLIENTS = 4
FLOW_SECONDS = 90
DRAIN_SECONDS = 300
WATCHED_SECONDS = 5  # a check of the balancer may come to it that late
UNATTENDED_FROM = 20  # so many faults are worth that all nodes are left dead for a while, too
UNATTENDED_SECONDS = 150  # longer than all deliveries that a record may have, were it received meanwhile
DISK = "6G"
AUDIT = ("audit", "--against", "main", "--table", "leads")

WORKER = """
dead_letter = "leads-dead"
visibility_timeout = "30s"
max_receive_count = 3
[queue.leads-dead]
[worker.store]
queue = "leads"
handler = "sql"
count = { min = 2, max = 2 }
batch = { size = 50, wait = "20ms" }
[worker.store.sql]
db = "main"
table = "leads"
create = true
"""


class Posts:
    """Clients that post a record each few milliseconds and remember the ids of those that were accepted."""

    def __init__(self, url):
        self.host = urllib.parse.urlparse(url).netloc
        self.accepted = [[] for _ in range(CLIENTS)]
        self.refused = 0
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.client, args=(n,)) for n in range(CLIENTS)]

    def client(self, n):
        connection = http.client.HTTPConnection(self.host, timeout=10)
        begun, i = time.monotonic(), 0
        while not self.ending.is_set():
            connection.request("POST", "/v1/lead", json.dumps({"email": f"p{n}-{i}@example.com"}), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == 202:
                self.accepted[n].append(json.loads(body)["id"])
            else:
                self.refused += 1
            i += 1
            self.ending.wait(max(0, begun + i * CLIENTS / RATE - time.monotonic()))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def ids(self):
        return [id for one in self.accepted for id in one]


class Watch:
    """When new rows came, looked at all the time on a node that is well."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.newest, self.moments = "", []
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.look)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join()

    def look(self):
        while not self.ending.wait(0.02):
            # Of a table that is not there yet and of nodes that are all down nothing is seen.
            with contextlib.suppress(AssertionError, pymysql.MySQLError, OSError):
                with self.cluster.ready_node().root(database="app", connect_timeout=2, read_timeout=2) as connection, connection.cursor() as cursor:
                    cursor.execute("SELECT MAX(id) FROM leads")
                    newest, = cursor.fetchone()
                if newest and newest > self.newest:  # ids grow with time
                    self.newest = newest
                    self.moments.append(time.monotonic())

    def silence(self, since, seconds, details):
        """The longest time without a new row since then, once `seconds` have passed and rows flow."""
        def flow():
            now = time.monotonic()
            return now - since > seconds and self.moments and now - self.moments[-1] < 0.5

        wait_for("rows flow again", flow, FLOW_SECONDS, details)
        moments = [since] + [moment for moment in self.moments if moment > since]
        return max(b - a for a, b in zip(moments, moments[1:]))


class Run:
    """Forebay on all of it, and what has become of the faults so far."""

    def __init__(self, all_of_it, forebay, watch):
        self.all, self.cluster, self.forebay, self.watch = all_of_it, all_of_it.cluster, forebay, watch
        self.seconds = collections.defaultdict(list)

    def strike(self, accident, node):
        begun = time.monotonic()
        mend = accident.strike(self.all, node)
        if accident.needs_mending:
            mend()
        down = self.silence(begun, WATCHED_SECONDS)
        mended = time.monotonic()
        if not accident.needs_mending:
            mend()
        self.cluster.wait_size(3)
        self.all.wait_all_up()
        self.note(accident.name, node.node if accident.aim == "any" else accident.aim, down, self.silence(mended, 1))

    def silence(self, since, seconds):
        return self.watch.silence(since, seconds, lambda: self.forebay.run("status", expect=None).stdout)

    def note(self, name, aim, down, back):
        self.seconds[name].append((down, back))
        print(f"{sum(map(len, self.seconds.values())):3} {name:16} {aim:6}  rows again after {down:5.1f} s, at its end {back:4.1f} s", flush=True)

    def leave_all_dead(self):
        """Nobody comes for minutes: the worker is held, says so, and what waits is not received."""
        for node in self.cluster.nodes:
            node.kill9()
        waiting = wait_for("the hold", self.waiting, 60, self.forebay.output)
        receives = wait_for("that nothing is in hand", lambda: self.queue("leads")["in_flight"] == 0 and self.queue("leads")["receives"], 60)
        until = time.monotonic() + UNATTENDED_SECONDS
        while time.monotonic() < until:
            time.sleep(5)
            assert self.queue("leads")["receives"] == receives, "something was received while all nodes were down"
        assert self.waiting() > waiting
        begun = time.monotonic()
        self.all.recover()
        down = self.silence(begun, WATCHED_SECONDS)
        self.all.wait_all_up()
        self.note("leave_all_dead", "all", down, self.silence(time.monotonic(), 1))

    def waiting(self):
        """For a database that is down; None while it is not known to be."""
        said = json.loads(self.forebay.run("status", "--json", expect=None).stdout)
        return next((one["waiting"] for one in said["outages"] if one["what"] == "db.main"), None)

    def queue(self, name):
        return next(queue for queue in self.forebay.json("queue", "ls")["queues"] if queue["name"] == name)

    def tell(self):
        print("\n| fault | times | rows again after | at most | at its end, at most |\n|---|---|---|---|---|")
        for name, seconds in sorted(self.seconds.items()):
            downs, backs = zip(*seconds)
            print(f"| {name} | {len(seconds)} | {statistics.median(downs):.1f} s | {max(downs):.1f} s | {max(backs):.1f} s |")
        logs = "".join(log.read_text() for log in pathlib.Path(self.forebay.folder, "data/log").glob("store-*"))
        print(f"\ncommits of unknown outcome {logs.count('commit.unknown')}, holds {logs.count('hold.begin')}", flush=True)


def chosen(choose):
    """(accident, node): each kind once and on the writer first, then any on any."""
    isolated = hosts.may_be_made()
    if not isolated:
        print("no network of its own can be made here: no node is cut off and no disk is filled", flush=True)
    kinds = [kind for kind in ACCIDENTS if (isolated or not kind.isolates) and (not ONLY or kind.name in ONLY.split(","))]
    for number in range(FAULTS):
        kind = kinds[number] if number < len(kinds) else choose.choice(kinds)
        yield kind, choose.randrange(3) if number >= len(kinds) and kind.aim == "any" and not IS_WRITER_ONLY else 0


def main():
    if hosts.may_be_made():
        hosts.enter()
    choose = random.Random(SEED)
    print(f"seed {SEED}, {FAULTS} faults, {RATE} records a second", flush=True)
    os.environ["DB_PASSWORD"] = PASSWORD
    folder = tempfile.mkdtemp(prefix="forebay-faults-")
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        isolated = {"hosts": stack.enter_context(hosts.Hosts(3)).hosts, "disk_size": DISK} if hosts.may_be_made() else {}
        all_of_it = stack.enter_context(Balanced(**isolated))
        forebay = conftest.Forebay(folder, conftest.LEADS + WORKER + all_of_it.toml, "serve")
        stack.callback(forebay.stop)
        with Posts(forebay.intake) as posts, Watch(all_of_it.cluster) as watch:
            wait_for("the first rows", lambda: len(watch.moments) > 10, 60, forebay.output)
            run = Run(all_of_it, forebay, watch)
            faults = list(chosen(choose))
            for number, (accident, node) in enumerate(faults, 1):
                run.strike(accident, all_of_it.cluster.nodes[node])
                if number == UNATTENDED_FROM:
                    run.leave_all_dead()
        run.tell()
        return judge(run, posts)


def rows(cluster):
    return cluster.query("SELECT COUNT(*) FROM app.leads")[0][0]


def judge(run, posts):
    ids = posts.ids()
    wait_for("all rows", lambda: rows(run.cluster) >= len(ids), DRAIN_SECONDS, run.forebay.output)
    wait_for("an empty queue", lambda: run.queue("leads")["ready"] + run.queue("leads")["in_flight"] == 0, 60)
    good = count(run, ids, posts.refused)
    good = is_balanced(audit(run)) and good
    good = count_independently(run) == [] and good
    gone = random.Random(SEED).choice(ids)
    run.cluster.query("DELETE FROM app.leads WHERE id = %s", (gone,))
    print("one row is removed by hand", flush=True)
    good = count_independently(run) == [f"wrong: {gone}: removed: noted as done, and there is no row"] and good
    differences = audit(run)["differences"]
    good = [(one["what"], one["id"]) for one in differences] == [("row_missing", gone)] and good
    print("as promised" if good else "NOT AS PROMISED")
    return 0 if good else 1


def count(run, ids, refused):
    query = run.cluster.query
    stored = [id for id, in query("SELECT id FROM app.leads")]
    twice = query("SELECT COUNT(*) FROM (SELECT email FROM app.leads GROUP BY email HAVING COUNT(*) > 1) AS t")[0][0]
    done = {record for record, in query("SELECT record FROM app.forebay_effects WHERE effect = 'store' AND state = 'done'")}
    others = query("SELECT COUNT(*) FROM app.forebay_effects WHERE state <> 'done'")[0][0]
    attempts = query("SELECT MAX(attempts) FROM app.forebay_effects")[0][0]
    dead = run.queue("leads-dead")["ready"]
    missing = len(set(ids) - set(stored))
    print(f"accepted {len(ids)}, refused {refused}, rows {len(stored)}, missing {missing}, twice {twice}, effects done {len(done)}, other states "
          f"{others}, most attempts {attempts}, dead {dead}", flush=True)
    return (missing, twice, others, dead, attempts) == (0, 0, 0, 0, 1) and set(stored) == done and len(stored) == len(ids)


def audit(run):
    begun = time.monotonic()
    found = json.loads(run.forebay.run(*AUDIT, "--json", expect=None, timeout=1200).stdout)
    print(f"forebay audit: {found['verdict']}, {found['total']}, {len(found['differences'])} differences, {time.monotonic() - begun:.0f} s", flush=True)
    return found


def is_balanced(found):
    total = found["total"]
    return found["verdict"] == "balanced" and total["accepted"] == total["settled"] == total["rows"] and not found["differences"]


def count_independently(run):
    """What tests/checker makes of the store, while nothing writes it, and of a node: its findings."""
    begun = time.monotonic()
    run.forebay.stop()
    try:
        node = run.cluster.ready_node()
        done = subprocess.run(["/usr/bin/python3", "-B", TESTS / "checker/check_balance.py", "data/store", "--database",
                               f"mysql://{USER}:{PASSWORD}@{node.address}:{node.port}/app", "--table", "leads", "--queue", "leads", "--effect", "store"],
                              cwd=run.forebay.folder, capture_output=True, text=True)
    finally:
        run.forebay.start()
    assert done.returncode in (0, 1) and not done.stderr, done.stderr
    *findings, balance = done.stdout.splitlines()
    print(f"independent check: {balance}, {time.monotonic() - begun:.0f} s", *findings[:20], sep="\n", flush=True)
    return findings


if __name__ == "__main__":
    sys.exit(main())
