"""Reloads and upgrades to a new binary while posts come in at a steady rate: no request fails, no record is lost or doubled.

    tests/long/renewals.py FOREBAY STEADY_POSTS        the two binaries

RELOADS, UPGRADES and RATE (posts a second) change the size. Prints what the clients noticed and the counts, and ends with 1 when one
of them is not as promised.
"""
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "blackbox"))
BINARY, STEADY_POSTS = (os.path.abspath(word) for word in sys.argv[1:3])
os.environ["FOREBAY_BIN"] = BINARY

import conftest  # noqa: E402  (reads FOREBAY_BIN)
from test_succession import Upgradable  # noqa: E402
from waiting import wait_until  # noqa: E402

RELOADS = int(os.environ.get("RELOADS", "100"))
UPGRADES = int(os.environ.get("UPGRADES", "20"))
RATE = int(os.environ.get("RATE", "10000"))
CONFIGURATION = conftest.LEADS + conftest.LEADS_TO_SQLITE + "[worker.store.batch]\nsize = SIZE\n[journal]\nkeep = \"DAYSd\"\n"
DRAIN_SECONDS = 600


def start_load(forebay, folder):
    return subprocess.Popen([STEADY_POSTS, "--url", forebay.intake + "/v1/lead", "--rate", str(RATE), "--connections", "64",
                             "--seconds", "3600", "--out", str(folder / "acknowledged")], stdout=subprocess.PIPE, text=True)


def reload(forebay, text, number):
    """In turn what the node takes up as it runs, what a worker is renewed for, and what the node hands over for."""
    size = 50 + number // 3
    days = 14 + number // 3 % 2 if number % 3 == 2 else 14
    more = f"[endpoint.extra{number % 2}]\npath = \"/v1/extra\"\nqueue = \"leads\"\n[endpoint.extra{number % 2}.fields]\nemail = {{ type = \"email\" }}\n"
    forebay.write(text.replace("SIZE", str(size if number % 3 == 1 else 50)).replace("DAYS", str(days)) + more)
    answer = forebay.ask({"do": "reload"})
    assert answer["ok"], answer
    return answer["text"]


def upgrade(forebay):
    forebay.replace_binary()
    os.kill(forebay.parent.pid, signal.SIGUSR2)
    wait_until(lambda: forebay.runs_new_binary(forebay.parent.pid) and up(forebay), 60, forebay.output)


def up(forebay):
    return all(p["state"] == "RUNNING" and forebay.runs_new_binary(p["pid"]) for p in forebay.processes())


def renew(forebay, text):
    done = {"reloads": 0, "upgrades": 0}
    for number in range(RELOADS):
        reload(forebay, text, number)
        done["reloads"] += 1
        if done["upgrades"] < (number + 1) * UPGRADES // RELOADS:
            upgrade(forebay)
            done["upgrades"] += 1
    return done


def count(folder, path):
    acknowledged = path.read_text().split()
    rows = [row[0] for row in sqlite3.connect(folder / "leads.db").execute("select id from leads")]
    return {"acknowledged": len(acknowledged), "rows": len(rows), "missing": len(set(acknowledged) - set(rows)),
            "not acknowledged": len(set(rows) - set(acknowledged)), "twice": len(rows) - len(set(rows))}


def main():
    with tempfile.TemporaryDirectory(prefix="forebay-renewals-") as name:
        folder = pathlib.Path(name)
        forebay = Upgradable(name, CONFIGURATION.replace("SIZE", "50").replace("DAYS", "14"), "serve")
        text = forebay.text.replace("size = 50", "size = SIZE").replace('keep = "14d"', 'keep = "DAYSd"')
        load = start_load(forebay, folder)
        try:
            began = time.monotonic()
            done = renew(forebay, text)
            took = time.monotonic() - began
            load.send_signal(signal.SIGTERM)
            noticed = json.loads(load.communicate(timeout=60)[0].splitlines()[-1])
            queue = lambda: next(q for q in json.loads(forebay.run("queue", "ls", "--json"))["queues"] if q["name"] == "leads")  # noqa: E731
            wait_until(lambda: queue()["ready"] + queue()["in_flight"] == 0, DRAIN_SECONDS)
            counts = count(folder, folder / "acknowledged")
        except BaseException:
            print(forebay.output())
            raise
        finally:
            load.kill()
            load.wait()
            forebay.stop()
            shutil.rmtree(folder / "data", ignore_errors=True)
    print(f"{done['reloads']} reloads and {done['upgrades']} upgrades in {took:.1f} s at {noticed['rate']:.0f} posts a second")
    print("clients: " + json.dumps(noticed))
    print(", ".join(f"{number} {what}" for what, number in counts.items()))
    failed = noticed["posts"] - noticed["accepted"] + noticed["surplus"] + noticed["ids_given_twice"]
    kept = failed == 0 and all(counts[what] == 0 for what in ("missing", "not acknowledged", "twice"))
    worth_it = noticed["rate"] >= 0.9 * RATE
    print("LOST 0" if kept and worth_it else "FAILED" if not kept else "FAILED: there was no load worth the name")
    return 0 if kept and worth_it else 1


if __name__ == "__main__":
    sys.exit(main())
