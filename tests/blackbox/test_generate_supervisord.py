"""The same configuration under `forebay serve`, and under the real supervisord with the file that `generate supervisord` makes."""
import contextlib
import os
import pathlib
import signal
import sqlite3
import subprocess
import time

import pytest
import requests
from conftest import BINARY, LEADS, LEADS_TO_SQLITE, alive
from servers.process import descendants
from waiting import wait_until

PROGRAM = """
[worker.api]
handler = "program"
command = ["/bin/sh", "-c", '''
echo "n=$FOREBAY_N {n} of {worker}, 50% ;here url=$FOREBAY_QUEUE_URL key=${AWS_ACCESS_KEY_ID:+there}"
exec sleep 1000{n}''']
queue = "leads"
group = "apiworkers"
log = "data/log/shared.log"
count = { min = 2 }
[worker.api.process]
stopsignal = "QUIT"
[schedule.fresh]
every = "4h"
run = "restart apiworkers:*"
"""


class Supervisord:
    """supervisord in a folder, with what is generated there included."""

    def __init__(self, folder):
        self.folder = folder
        own = pathlib.Path(folder, "supervisord.conf")
        own.write_text(f"""[unix_http_server]
file={folder}/s.sock
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{folder}/s.sock
[include]
files={folder}/forebay.conf
""")
        self.words = ["-c", str(own)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.process = subprocess.Popen(["/usr/bin/supervisord", *self.words], cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env=environment)

    def ctl(self, *words):
        return subprocess.run(["/usr/bin/supervisorctl", *self.words, *words], capture_output=True, text=True, timeout=60).stdout

    def pids(self):
        """Of each process that is RUNNING."""
        rows = (line.split() for line in self.ctl("status").splitlines())
        return {row[0]: int(row[3].rstrip(",")) for row in rows if len(row) > 3 and row[1] == "RUNNING"}

    def stop(self):
        family = descendants(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(40)
        finally:
            for pid in [self.process.pid, *family]:
                if alive(pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def supervised():
    started = []

    def start(folder):
        started.append(Supervisord(folder))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def rows(folder):
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(f"file:{folder}/leads.db?mode=ro", uri=True)) as database:
        return database.execute("select count(*) from leads").fetchone()[0]
    return 0


def post(process, count):
    with requests.Session() as session:
        for i in range(count):
            assert session.post(process.intake + "/v1/lead", json={"email": f"n{i}-{time.time_ns()}@example.com"}, timeout=30).status_code == 202


def test_supervisord_runs_what_serve_ran(forebay, supervised):
    process = forebay(LEADS + 'dead_letter = "dead"\n' + LEADS_TO_SQLITE + PROGRAM, signed=True)
    post(process, 50)
    wait_until(lambda: rows(process.folder) == 50, told=process.output)
    under_serve = pathlib.Path(process.folder, "data/log/shared.log").read_text().splitlines()
    process.stop()
    file = process.run("generate", "supervisord")
    assert process.run("generate", "supervisord", "--out", "forebay.conf") == ""
    assert pathlib.Path(process.folder, "forebay.conf").read_text() == file
    key = pathlib.Path(process.folder, "data/secrets/worker").read_text().split()
    assert not any(part in file for part in key)

    daemon = supervised(process.folder)
    expected = {"forebay-node", "core:store_1", "apiworkers:api_1", "apiworkers:api_2"}
    before = wait_until(lambda: (found := daemon.pids()).keys() == expected and found, told=lambda: daemon.ctl("status"))
    wait_until(lambda: ready(process))
    post(process, 50)
    wait_until(lambda: rows(process.folder) == 100, told=lambda: daemon.ctl("tail", "core:store_1"))
    # A program finds the same around it as under serve, and gets the words of its command as they are.
    said = pathlib.Path(process.folder, "data/log/shared.log").read_text().splitlines()[len(under_serve):]
    assert sorted(said) == sorted(under_serve) and len(said) == 2 and said[0].endswith("/leads key=there"), (under_serve, said)

    os.kill(before["core:store_1"], signal.SIGKILL)
    after = wait_until(lambda: (found := daemon.pids()).keys() == expected and found["core:store_1"] != before["core:store_1"] and found)
    assert after["forebay-node"] == before["forebay-node"]
    assert "core:store_1: started" in daemon.ctl("restart", "core:*")
    post(process, 10)
    wait_until(lambda: rows(process.folder) == 110, told=lambda: daemon.ctl("tail", "core:store_1"))
    assert "10002" in open(f"/proc/{after['apiworkers:api_2']}/cmdline").read()

    status = process.run("status", expect=None)
    assert status.returncode == 4 and "no supervisor answers" in status.stderr and "supervisorctl status" in status.stderr, status
    assert process.json("audit")["verdict"] == "balanced"


def ready(process):
    try:
        return requests.get(process.intake + "/readyz", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def test_a_schedule_about_processes_is_told_as_supervisorctl_does_it(forebay):
    process = forebay(LEADS + LEADS_TO_SQLITE + PROGRAM)
    file = process.run("generate", "supervisord")
    assert "0 */4 * * * for p in apiworkers:api_1 apiworkers:api_2; do supervisorctl restart $p; done" in file
    assert f"command={BINARY}" in file or os.path.realpath(BINARY) in file
