"""Messages waiting in four shapes: resident memory beside that of ten thousand, and the time to serve after kill -9.
MESSAGES=N changes the ten million; the default needs some 12 GiB of disk at a time."""
import json
import os
import subprocess

from measure import ROOT, temporary_folder

SHAPES = ("untouched", "half_deleted", "received", "delayed")
MESSAGES = int(os.environ.get("MESSAGES", "10000000"))
FEW = 10000


def one(count, shape):
    with temporary_folder() as folder:
        out = subprocess.run([os.path.join(ROOT, "build/release/bench/backlog_bench"), f"{folder}/backlog", str(count), shape], capture_output=True,
                             text=True, check=True).stdout
    events = {line["event"]: line for line in map(json.loads, out.splitlines())}
    if "serves" not in events:
        raise SystemExit(f"{shape}: the store did not serve again:\n{out}")
    return events


def main():
    result = {"bench": "backlog", "messages": MESSAGES, "rss_mib": {}, "rss_mib_10k": {}, "recovery_s": {}}
    for shape in SHAPES:
        few, many = one(FEW, shape), one(MESSAGES, shape)
        result["rss_mib_10k"][shape] = few["loaded"]["rss_mib"]
        result["rss_mib"][shape] = many["loaded"]["rss_mib"]
        result["recovery_s"][shape] = many["serves"]["seconds"]
        print(f"{shape:14} {MESSAGES:,} messages: {many['loaded']['rss_mib']:.0f} MiB (10 thousand: {few['loaded']['rss_mib']:.0f} MiB), "
              f"after kill -9 {many['serves']['rss_mib']:.0f} MiB and served in {many['serves']['seconds']:.2f} s", flush=True)
    print(json.dumps(result))


main()
