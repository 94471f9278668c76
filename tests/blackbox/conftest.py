"""The real binary in a temporary folder on free ports: `forebay(CONFIGURATION)` starts one and gives its handle."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pytest
import requests

sys.path.insert(0, os.path.dirname(__file__))
from servers.process import descendants  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("FOREBAY_BIN", str(ROOT / "build/release/src/cli/forebay"))
# What most tests post to, and the worker that makes rows of it. Settings of the queue may follow LEADS.
LEADS = """
[endpoint.lead]
path = "/v1/lead"
queue = "leads"
[endpoint.lead.fields]
email = { type = "email", required = true }
[queue.leads]
"""
LEADS_TO_SQLITE = """
[db.main]
driver = "sqlite"
path = "leads.db"
[worker.store]
queue = "leads"
handler = "sql"
[worker.store.sql]
db = "main"
table = "leads"
create = true
"""
LISTENERS = """
[node]
data_dir = "data"
[intake]
listen = ["127.0.0.1:{intake}"]
drain_delay = "0s"
drain_timeout = "5s"
[admin]
listen = ["127.0.0.1:{admin}"]
[sqs]
listen = ["127.0.0.1:{sqs}"]
cool_off = false
{verify}
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


class Forebay:
    """One `forebay serve` (or another verb) with its children. `folder` is its working directory. Unless it is `signed`,
    requests to the queue port need no signature."""

    def __init__(self, folder, text, verb, signed=False):
        self.folder = folder
        self.verb = verb
        ports = dict(zip(("intake", "admin", "sqs"), free_ports(3)))
        self.intake, self.admin, self.sqs = (f"http://127.0.0.1:{ports[name]}" for name in ("intake", "admin", "sqs"))
        self.write(LISTENERS.format(verify="" if signed else "verify = false", **ports) + text)
        self.parent = None
        self.start()

    def write(self, text):
        self.text = text
        with open(os.path.join(self.folder, "forebay.toml"), "w") as f:
            f.write(text)

    def start(self):
        self.log = open(os.path.join(self.folder, "stderr.log"), "ab")
        self.parent = subprocess.Popen([BINARY, self.verb, "-c", "forebay.toml"], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self.log,
                                       stderr=self.log)
        self.wait_ready()

    def wait_ready(self, seconds=30):
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(requests.RequestException):
                if requests.get(self.intake + "/readyz", timeout=2).status_code == 200:
                    return
            assert self.parent.poll() is None, f"forebay ended with {self.parent.returncode}:\n{self.output()}"
            assert time.monotonic() < deadline, f"forebay was not ready within {seconds} s:\n{self.output()}"
            time.sleep(0.02)

    def output(self):
        with open(os.path.join(self.folder, "stderr.log"), errors="replace") as f:
            return f.read()[-8000:]

    def ask(self, request):
        """One request to the parent over its control socket."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(60)
            # The path of a socket may have 107 bytes; a temporary folder may be deeper.
            here = os.open(os.path.join(self.folder, "data"), os.O_PATH)
            try:
                s.connect(f"/proc/self/fd/{here}/control.sock")
            finally:
                os.close(here)
            s.sendall(json.dumps(request).encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                part = s.recv(65536)
                if not part:
                    break
                answer += part
        return json.loads(answer)

    def processes(self):
        return self.ask({"do": "status"})["processes"]

    def pid(self, name="node"):
        return next(p["pid"] for p in self.processes() if p["name"] == name)

    def kill9(self, name="node"):
        """Kills one process and waits until the parent has another that is ready."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while self.pid(name) in (0, pid):
            assert time.monotonic() < deadline, f"{name} was not started again"
            time.sleep(0.02)
        self.wait_ready()

    def run(self, *words, expect=0, stdin=None, env=None, timeout=120):
        """Runs a verb of the command line in this folder; its standard output."""
        done = subprocess.run([BINARY, *words, "-c", "forebay.toml"], cwd=self.folder, capture_output=True, text=True, timeout=timeout, input=stdin,
                              env={**os.environ, **(env or {})})
        assert expect is None or done.returncode == expect, f"forebay {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout if expect is not None else done

    def json(self, *words, **more):
        return json.loads(self.run(*words, "--json", **more))

    def stop(self, seconds=40):
        """TERM, and then nothing that it started may be left."""
        if self.parent is None:
            return
        family = descendants(self.parent.pid)
        if self.parent.poll() is None:
            self.parent.send_signal(signal.SIGTERM)
        try:
            code = self.parent.wait(seconds)
        except subprocess.TimeoutExpired:
            for pid in [self.parent.pid, *family]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.parent.wait()
            raise AssertionError(f"forebay did not stop within {seconds} s:\n{self.output()}")
        finally:
            self.log.close()
        self.parent = None
        left = [pid for pid in family if alive(pid)]
        assert not left, f"processes left behind: {left}"
        return code


def alive(pid):
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    return False


@contextlib.contextmanager
def running(text=""):
    """A Forebay that tests share, for a fixture of their module's scope."""
    folder = tempfile.mkdtemp(prefix="forebay-test-")
    process = None
    try:
        process = Forebay(folder, text, "serve")
        yield process
    finally:
        if process is not None:
            process.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def forebay():
    """A function that starts a Forebay with this configuration beside the listeners; all are stopped at the end."""
    started, folders = [], []

    def start(text="", verb="serve", signed=False, files={}):
        folders.append(tempfile.mkdtemp(prefix="forebay-test-"))
        for name, content in files.items():
            pathlib.Path(folders[-1], name).write_text(content)
        process = Forebay.__new__(Forebay)
        started.append(process)
        process.parent = None
        process.__init__(folders[-1], text, verb, signed)
        return process

    yield start
    try:
        for process in started:
            process.stop()
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def mariadb():
    """A real MariaDB for the tests of a module; each takes a fresh_database()."""
    from servers.mariadb import MariaDB
    with MariaDB() as server:
        yield server


@pytest.fixture(scope="module")
def postgresql():
    """A real PostgreSQL for the tests of a module; each takes a fresh_database()."""
    from servers.postgresql import PostgreSQL
    with PostgreSQL() as server:
        yield server


@pytest.fixture(scope="module")
def galera():
    """Three nodes of MariaDB Galera for the tests of a module, which leave it whole."""
    from servers.galera import Galera
    with Galera() as cluster:
        yield cluster
