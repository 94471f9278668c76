"""From the queue to the committed row, ledger included, on SQLite, MariaDB and PostgreSQL with batches of 1 and 50, beside a plain
program that makes the same inserts from memory; then how long rows stand still when the writer of a Galera cluster is killed."""
import json
import os
import re
import statistics
import subprocess
import sys
import time
import urllib.request

from measure import ROOT, ROUNDS, SECONDS_EACH, cpu_seconds, forebay, temporary_folder

sys.path.insert(0, os.path.join(ROOT, "tests/blackbox"))
from servers.mariadb import PASSWORD, USER, MariaDB  # noqa: E402
from servers.postgresql import PostgreSQL  # noqa: E402

PEER = os.path.join(ROOT, "build/release/bench/store_peer")
POST = os.path.join(ROOT, "bench/post.lua")
BATCHES = (1, 50)
FILL = {1: 10000, 50: 100000}
FAILOVERS = 5
SEEN_AT_BEST = 0.5  # `fastinter 250ms fall 2` of the generated haproxy.cfg, after the first broken connection
SUSPECTED = 2.0  # evs.suspect_timeout of the generated my.cnf
CONFIGURATION = """
connections_per_client = 2000
[endpoint.lead]
path = "/v1/lead"
queue = "leads"
[endpoint.lead.fields]
email      = {{ type = "email", required = true }}
first_name = {{ type = "string" }}
last_name  = {{ type = "string" }}
phone      = {{ type = "phone", region = "US" }}
state      = {{ type = "enum", values = "@us_states" }}
zip        = {{ type = "string" }}
amount     = {{ type = "integer" }}
campaign   = {{ type = "string" }}
[queue.leads]
visibility_timeout = "60s"
[worker.store]
queue = "leads"
handler = "sql"
batch = {{ size = {batch}, wait = "20ms" }}
[worker.store.process]
autostart = false
[worker.store.sql]
db = "main"
table = "leads"
create = true
{database}
"""
SQLITE = '[db.main]\ndriver = "sqlite"\npath = "leads.db"\n'


def waiting(ports):
    with urllib.request.urlopen(f"http://127.0.0.1:{ports['admin']}/api/queues") as answer:
        queues = json.load(answer)["queues"]
    counts = next(queue for queue in queues if queue["name"] == "leads")
    return counts["ready"] + counts["in_flight"]


def fill(ports, count):
    url = f"http://127.0.0.1:{ports['intake']}/v1/lead"
    while waiting(ports) < count:
        subprocess.run(["wrk", "-t1", "-c64", "-d1s", "-s", POST, url], check=True, stdout=subprocess.DEVNULL)


def command(folder, *words):
    subprocess.run([os.path.join(ROOT, "build/release/src/cli/forebay"), *words, "-c", f"{folder}/forebay.toml"], check=True, capture_output=True, cwd=folder)


def ours(folder, batch, database, server_pid):
    """Rows a second and CPU a row, of worker and node and of the database server, over SECONDS_EACH from the first rows on."""
    with forebay(folder, CONFIGURATION.format(batch=batch, database=database)) as (ports, pid):
        fill(ports, FILL[batch] * SECONDS_EACH)
        time.sleep(1)
        all_of_them = waiting(ports)
        command(folder, "start", "store")
        while waiting(ports) > all_of_them - 10 * batch:
            time.sleep(0.005)
        cpu_of_server = lambda: cpu_seconds(server_pid) if server_pid else 0  # noqa: E731
        first, begin, cpu, server_cpu = waiting(ports), time.monotonic(), cpu_seconds(pid), cpu_of_server()
        while time.monotonic() < begin + SECONDS_EACH and waiting(ports) > 10 * batch:
            time.sleep(0.05)
        rows, seconds = first - waiting(ports), time.monotonic() - begin
        return {"rate": rows / seconds, "cpu_us": (cpu_seconds(pid) - cpu) / rows * 1e6, "server_cpu_us": (cpu_of_server() - server_cpu) / rows * 1e6}


def peer(where, batch, what, form):
    out = subprocess.run([PEER, *where, str(batch), str(SECONDS_EACH), what, form], check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def one_database(name, folder, result, server=None):
    for batch in BATCHES:
        rounds = {"forebay": [], "row": [], "effect": [], "ledger": [], "many": []}
        for n in range(ROUNDS):
            database = server.fresh_database() if server else None
            run = f"{folder}/{name}-{batch}-{n}"
            rounds["forebay"].append(ours(run, batch, server.toml(database) if server else SQLITE, server.process.pid if server else None))
            for what in ("effect", "many", "row", "ledger"):
                where = [name, str(server.port), server.fresh_database(), USER, PASSWORD] if server else [name, f"{run}/peer-{what}.db"]
                rounds[what].append(peer(where, batch, *(("effect", "many") if what == "many" else (what, "plain"))))
        key = f"{name}_{batch}"
        ratios = [ours_["rate"] / theirs["rate"] for ours_, theirs in zip(rounds["forebay"], rounds["effect"])]
        result["ratio"][key] = round(statistics.median(ratios), 2)
        many = statistics.median(a["rate"] / b["rate"] for a, b in zip(rounds["forebay"], rounds["many"]))
        result["ratio_many"][key] = round(many, 2)
        result["cpu_us"][key] = round(statistics.median(r["cpu_us"] for r in rounds["forebay"]), 1)
        rate = {what: statistics.median(r["rate"] for r in all_) for what, all_ in rounds.items()}
        cpu = {what: statistics.median(r["cpu_us"] for r in all_) for what, all_ in rounds.items()}
        server_cpu = statistics.median(r["server_cpu_us"] for r in rounds["forebay"])
        print(f"{name:10} batch {batch:2}: forebay {rate['forebay']:8,.0f}/s (cpu {cpu['forebay']:.1f} us, server {server_cpu:.1f})   plain program {rate['effect']:8,.0f}/s "
              f"(cpu {cpu['effect']:.1f} us)   ratio {result['ratio'][key]:.2f} ({min(ratios):.2f} - {max(ratios):.2f})\n"
              f"           the ledger's rows cost the plain program: row alone {rate['row']:,.0f}/s, with the effect's {rate['effect']:,.0f}/s, with all of the ledger's {rate['ledger']:,.0f}/s\n"
              f"           beside one that sends a batch's rows at once {rate['many']:,.0f}/s: ratio {many:.2f}",
              flush=True)


def failover(result):
    """Seconds without a new row after the writer of a Galera cluster behind HAProxy is killed, under load."""
    said = subprocess.run(["/usr/bin/python3", os.path.join(ROOT, "tests/long/faults.py")], capture_output=True, text=True,
                          env={**os.environ, "ONLY": "kill_one", "AIM": "writer", "FAULTS": str(FAILOVERS), "SEED": "1"})
    if said.returncode:
        sys.exit(said.stdout + said.stderr)
    seconds = [float(found) for found in re.findall(r"rows again after +([0-9.]+) s", said.stdout)]
    result["failover_s"] = statistics.median(seconds)
    result["failover_at_best_s"] = SEEN_AT_BEST + SUSPECTED
    print(f"failover: rows flow again {result['failover_s']:.1f} s after kill -9 of the writer ({min(seconds)} - {max(seconds)}); at best {SEEN_AT_BEST} s until "
          f"HAProxy's checks have failed and {SUSPECTED} s until the other nodes go on without it", flush=True)


def main():
    result = {"bench": "store", "ratio": {}, "ratio_many": {}, "cpu_us": {}}
    with temporary_folder() as folder:
        one_database("sqlite", folder, result)
        with MariaDB() as server:
            one_database("mariadb", folder, result, server)
        with PostgreSQL() as server:
            one_database("postgresql", folder, result, server)
    failover(result)
    print(json.dumps(result))


main()
