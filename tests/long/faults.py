"""Accidents of a Galera cluster behind HAProxy while records come in: every accepted one becomes a row, and none two.

    tests/long/faults.py [FOREBAY]        the binary; build/release/src/cli/forebay if it is not given

FAULTS=N (60) how many, SEED=N which, RATE=N (500) records a second. Prints each fault with the seconds until rows flow again, and ends
with 1 when a count is not as promised.
"""
import http.client
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "blackbox"))
if len(sys.argv) > 1:
    os.environ["FOREBAY_BIN"] = os.path.abspath(sys.argv[1])

import conftest  # noqa: E402  (reads FOREBAY_BIN)
from servers.balanced import Balanced  # noqa: E402
from servers.mariadb import PASSWORD  # noqa: E402
from servers.process import wait_for  # noqa: E402

FAULTS = int(os.environ.get("FAULTS", "60"))
SEED = int(os.environ.get("SEED", str(random.randrange(1 << 30))))
RATE = int(os.environ.get("RATE", "500"))
CLIENTS = 4
DRAIN_SECONDS = 120

WORKER = """
dead_letter = "leads-dead"
visibility_timeout = "30s"
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


def kill_one(all_of_it, node):
    node.kill9()
    return node.start


def stop_one(all_of_it, node):
    node.stop()
    return node.start


def freeze_one(all_of_it, node):
    node.freeze()
    return node.thaw


def kill_all(all_of_it, _):
    for node in all_of_it.cluster.nodes:
        node.kill9()
    return all_of_it.cluster.start_all


def recover_all(all_of_it, _):
    for node in all_of_it.cluster.nodes:
        node.kill9()
    return all_of_it.cluster.recover


def restart_balancer(all_of_it, _):
    all_of_it.proxy.kill9()
    return all_of_it.proxy.start


ACCIDENTS = [kill_one, stop_one, freeze_one, kill_one, freeze_one, restart_balancer, kill_all, recover_all]


def rows(cluster):
    return cluster.query("SELECT COUNT(*) FROM app.leads")[0][0]


def seconds_until_rows_flow(all_of_it, begun):
    """Until a row is there that was not when the accident was over and mended or the others had taken over."""
    proxy = all_of_it.cluster
    before = rows(proxy)
    wait_for("rows flow again", lambda: rows(proxy) > before, 90)
    return time.monotonic() - begun


def main():
    choose = random.Random(SEED)
    print(f"seed {SEED}, {FAULTS} faults, {RATE} records a second", flush=True)
    os.environ["DB_PASSWORD"] = PASSWORD
    folder = tempfile.mkdtemp(prefix="forebay-faults-")
    all_of_it = Balanced()
    forebay = None
    try:
        all_of_it.start()
        forebay = conftest.Forebay(folder, conftest.LEADS + WORKER + all_of_it.toml, "serve")
        with Posts(forebay.intake) as posts:
            wait_for("the first rows", lambda: all_of_it.cluster.query("SELECT 1 FROM information_schema.tables WHERE table_name = 'leads'") and
                     rows(all_of_it.cluster) > 100, 60, forebay.output)
            for number in range(1, FAULTS + 1):
                accident = ACCIDENTS[(number - 1) % len(ACCIDENTS)] if FAULTS <= len(ACCIDENTS) else choose.choice(ACCIDENTS)
                node = choose.choice(all_of_it.cluster.nodes) if number > 1 else all_of_it.cluster.nodes[0]
                begun = time.monotonic()
                mend = accident(all_of_it, node)
                if accident in (kill_one, stop_one, freeze_one):
                    flows = seconds_until_rows_flow(all_of_it, begun)  # without it
                    mend()
                else:
                    mend()
                    flows = seconds_until_rows_flow(all_of_it, begun)
                all_of_it.cluster.wait_size(3)
                all_of_it.wait_all_up()
                print(f"{number:3} {accident.__name__:16} {node.node}  rows again after {flows:5.1f} s", flush=True)
        ids = posts.ids()
        wait_for("all rows", lambda: rows(all_of_it.cluster) >= len(ids), DRAIN_SECONDS, forebay.output)
        return judge(all_of_it.cluster, forebay, ids, posts.refused)
    finally:
        try:
            if forebay is not None:
                forebay.stop()
        finally:
            all_of_it.close()
            shutil.rmtree(folder, ignore_errors=True)


def judge(cluster, forebay, ids, refused):
    stored = [id for id, in cluster.query("SELECT id FROM app.leads")]
    twice = cluster.query("SELECT COUNT(*) FROM (SELECT email FROM app.leads GROUP BY email HAVING COUNT(*) > 1) AS t")[0][0]
    done = {record for record, in cluster.query("SELECT record FROM app.forebay_effects WHERE effect = 'store' AND state = 'done'")}
    others = cluster.query("SELECT COUNT(*) FROM app.forebay_effects WHERE state <> 'done'")[0][0]
    dead = next(queue for queue in forebay.json("queue", "ls")["queues"] if queue["name"] == "leads-dead")["ready"]
    missing = len(set(ids) - set(stored))
    print(f"accepted {len(ids)}, refused {refused}, rows {len(stored)}, missing {missing}, twice {twice}, effects done {len(done)}, other states {others}, dead {dead}")
    good = missing == 0 and twice == 0 and set(stored) == done and len(stored) == len(ids) and others == 0 and dead == 0
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
