"""What the benchmarks share: starting servers on free ports, CPU time of a process, wrk, medians."""
import contextlib
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOREBAY = os.path.join(ROOT, "build/release/src/cli/forebay")
ROUNDS = int(os.environ.get("ROUNDS", "9"))
SECONDS_EACH = int(os.environ.get("SECONDS_EACH", "3"))
TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def temporary_folder():
    folder = tempfile.mkdtemp(prefix="forebay-bench-", dir=os.environ.get("BENCH_DIR"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def children_of(pid):
    found = [pid]
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                with open(f"/proc/{entry}/stat") as f:
                    if int(f.read().rsplit(")", 1)[1].split()[1]) == pid:
                        found += children_of(int(entry))
    return found


def cpu_seconds(pid):
    """User and system time of a process and its living descendants."""
    total = 0
    for one in children_of(pid):
        with contextlib.suppress(OSError):
            with open(f"/proc/{one}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
                total += int(fields[11]) + int(fields[12])
    return total / TICK


def rss_mib(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) / 1024


@contextlib.contextmanager
def server(argv, ready, **kwargs):
    """Starts a program, waits until `ready()` is true, ends it by pid."""
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, **kwargs)
    try:
        deadline = time.monotonic() + 30
        while not ready():
            if process.poll() is not None:
                raise SystemExit(f"{argv[0]} ended with {process.returncode} before it was ready")
            if time.monotonic() > deadline:
                raise SystemExit(f"{argv[0]} was not ready within 30 s")
            time.sleep(0.02)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


LISTENERS = """
[node]
data_dir = "{folder}/data"
[admin]
listen = ["127.0.0.1:{admin}"]
[sqs]
listen = ["127.0.0.1:{sqs}"]
verify = {verify}
[log]
level = "warn"
[intake]
listen = ["127.0.0.1:{intake}"]
"""


@contextlib.contextmanager
def forebay(folder, more="", verify="false"):
    """`forebay serve` on free ports with its data in `folder`: (the ports by name, pid). `more` is configuration that follows in [intake];
    its relative paths are in `folder`. `verify`: whether requests to the queue port must be signed."""
    os.makedirs(folder, exist_ok=True)
    ports = {name: free_port() for name in ("intake", "admin", "sqs")}
    path = f"{folder}/forebay.toml"
    with open(path, "w") as f:
        f.write(LISTENERS.format(folder=folder, verify=verify, **ports) + more)
    with open(f"{folder}/log", "w") as log, \
         server([FOREBAY, "serve", "-c", path], answers(f"http://127.0.0.1:{ports['intake']}/readyz"), cwd=folder, stdout=log,
                stderr=log) as process:
        yield ports, process.pid


def answers(url):
    def check():
        try:
            return urllib.request.urlopen(url, timeout=1).status < 500
        except OSError:
            return False
    return check


def accepts(port):
    def check():
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0
    return check


def run_counted(argv):
    """Runs a load generator; its output and the CPU seconds it used."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return out, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def wrk(url, connections, script, pid):
    """One round of wrk with one thread: requests a second, CPU microseconds a request of the server and of wrk."""
    before = cpu_seconds(pid)
    out, load_cpu = run_counted(["wrk", "-t1", f"-c{connections}", f"-d{SECONDS_EACH}s", "--latency", "-s", script, url])
    server_cpu = cpu_seconds(pid) - before
    requests = int(re.search(r"(\d+) requests in", out)[1])
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    if bad:
        raise SystemExit(f"{url}: {bad[1]} answers were not 2xx\n{out}")
    return {
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]),
        "cpu_us": server_cpu / requests * 1e6,
        "load_cpu_us": load_cpu / requests * 1e6,
        "p99": re.search(r"99%\s+(\S+)", out)[1],
    }


def median(rounds, key):
    return statistics.median(r[key] for r in rounds)


def ratio(ours, theirs):
    """Of two that took turns: the median over the rounds, since a shared machine is not equally fast in each."""
    return round(statistics.median(a["rate"] / b["rate"] for a, b in zip(ours, theirs)), 2)


def show(name, rounds):
    rates = [r["rate"] for r in rounds]
    print(f"{name:28} {statistics.median(rates):9,.0f}/s  ({min(rates):,.0f} - {max(rates):,.0f})"
          f"   cpu {median(rounds, 'cpu_us'):5.2f} us   load generator {median(rounds, 'load_cpu_us'):5.2f} us"
          + (f"   p99 {rounds[-1]['p99']}" if "p99" in rounds[-1] else ""), flush=True)
