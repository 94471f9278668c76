"""kill -9 of anything, ten times in a row, while wrk posts: every acknowledged id becomes a row, and none two.

    tests/long/kills [FOREBAY]        the binary; build/release/src/cli/forebay if it is not given

KILLS=N changes how often. Prints what was killed and the counts, and ends with 1 when one of them is not as promised.
"""
import os
import pathlib
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "blackbox"))
if len(sys.argv) > 1:
    os.environ["FOREBAY_BIN"] = os.path.abspath(sys.argv[1])

import conftest  # noqa: E402  (reads FOREBAY_BIN)
import test_kill9  # noqa: E402

KILLS = int(os.environ.get("KILLS", "10"))
SECONDS_BETWEEN = (0.7, 1.7)
DRAIN_SECONDS = 200

# One thread of wrk, so that n is never given twice. What was acknowledged goes to standard error.
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local n = 0
request = function()
    n = n + 1
    return wrk.format(nil, nil, nil, '{"email":"p' .. n .. '@example.com","n":' .. n .. '}')
end
response = function(status, headers, body)
    if status == 202 then io.stderr:write(body:match('"id":"([^"]+)"') .. "\\n") end
end
"""


def kill(forebay, whom):
    if whom != "parent":
        os.kill(test_kill9.running_pid(forebay, whom), signal.SIGKILL)
        return
    forebay.parent.kill()
    forebay.parent.wait()
    forebay.log.close()
    forebay.start()


def start_load(forebay, folder, seconds):
    (folder / "ids.lua").write_text(SCRIPT)
    with open(folder / "acknowledged", "wb") as acknowledged:
        return subprocess.Popen(["wrk", "-t1", "-c32", f"-d{seconds:.0f}s", "-s", str(folder / "ids.lua"), forebay.intake + "/v1/lead"],
                                stdout=subprocess.PIPE, stderr=acknowledged, text=True)


def kill_under_load(forebay, folder):
    seconds = KILLS * max(SECONDS_BETWEEN) + 3
    load = start_load(forebay, folder, seconds)
    try:
        for number in range(KILLS):
            time.sleep(random.uniform(*SECONDS_BETWEEN))
            whom = ("node", "store:1", "parent")[number % 3]
            kill(forebay, whom)
            print(f"kill -9 {whom}", flush=True)
        report, _ = load.communicate(timeout=seconds + 30)
    finally:
        load.kill()
        load.wait()
    forebay.wait_ready()
    return next((line.strip() for line in report.splitlines() if "Socket errors" in line), "no socket errors")


def count(folder):
    acknowledged = re.findall(r"^[0-9a-f-]{36}$", (folder / "acknowledged").read_text(errors="replace"), re.MULTILINE)
    rows = sqlite3.connect(folder / "leads.db").execute("select id, n from leads").fetchall()
    return {"acknowledged": len(acknowledged),
            "acknowledged twice": len(acknowledged) - len(set(acknowledged)),
            "rows": len(rows),
            "missing": len(set(acknowledged) - {row[0] for row in rows}),
            "twice": len(rows) - len({row[1] for row in rows})}


def main():
    with tempfile.TemporaryDirectory(prefix="forebay-kills-") as name:
        folder = pathlib.Path(name)
        forebay = conftest.Forebay(name, test_kill9.CONFIGURATION, "serve")
        try:
            errors = kill_under_load(forebay, folder)
            deadline = time.monotonic() + DRAIN_SECONDS
            while test_kill9.depth(forebay, "leads") > 0 and time.monotonic() < deadline:
                time.sleep(0.2)
            counts = count(folder)
            counts["waiting"], counts["dead"] = test_kill9.depth(forebay, "leads"), test_kill9.depth(forebay, "leads-dead")
        finally:
            forebay.stop()
    print(f"wrk: {errors}")
    print(f"{KILLS} kills: " + ", ".join(f"{number} {what}" for what, number in counts.items()))
    kept = all(counts[what] == 0 for what in ("acknowledged twice", "missing", "twice", "waiting", "dead"))
    worth_it = counts["acknowledged"] > 100 * KILLS
    print("LOST 0" if kept and worth_it else "FAILED" if not kept else "FAILED: there was no load worth the name")
    return 0 if kept and worth_it else 1


if __name__ == "__main__":
    sys.exit(main())
