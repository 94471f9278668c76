"""The care of processes as an operator meets it: what becomes of them when their parent is killed, what systemd is told, what /metrics
says, and what a process is started with."""
import contextlib
import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import time

import requests

import conftest
from test_supervisor_events import tree, variable
from waiting import wait_until

SLOW_JOB = """#!/bin/sh
read -r record
echo "$FOREBAY_WORKER begins" >&2
echo begun >> begun
while [ ! -e go ]; do sleep 0.02; done
echo done >> done
"""
EXEC = conftest.LEADS + """visibility_timeout = "2s"
[worker.slow]
queue = "leads"
handler = "exec"
[worker.slow.exec]
command = ["/bin/sh", "slow.sh"]
protocol = "per-record"
"""


def text(one, *path):
    with contextlib.suppress(FileNotFoundError), open(os.path.join(one.folder, *path)) as f:
        return f.read()
    return ""


def post(one, n=1):
    answer = requests.post(one.intake + "/v1/lead", json={"email": f"p{n}@example.com"}, timeout=30)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def kill_parent(one):
    one.parent.kill()
    one.parent.wait()


def run_of(one):
    return json.loads(text(one, "data", "run.json"))["runs"][-1]


def test_when_the_parent_is_killed_a_job_in_hand_is_finished_and_is_not_run_again(forebay):
    one = forebay(EXEC, files={"slow.sh": SLOW_JOB})
    run = run_of(one)
    worker, node = one.pid("slow:1"), one.pid("node")
    post(one)
    wait_until(lambda: text(one, "begun"))
    kill_parent(one)
    wait_until(lambda: not conftest.alive(node), 5)
    assert conftest.alive(worker), text(one, "data", "log", "slow-1.log") + text(one, "done")
    one.start()
    # The new one does not start its worker while the old one is at work.
    assert one.pid("slow:1") == 0
    open(os.path.join(one.folder, "go"), "w").close()
    wait_until(lambda: one.pid("slow:1") not in (0, worker), 20)
    assert not conftest.alive(worker) and tree(run) == {}
    wait_until(lambda: '"ready":0' in one.run("queue", "ls", "--json").replace(" ", "") and '"in_flight":0' in one.run("queue", "ls", "--json").replace(" ", ""), 20)
    assert text(one, "done") == "done\n", "run once"
    assert "leftover.ends" in one.output() and "leftover.killed" not in one.output()


def test_what_does_not_end_after_its_parent_was_killed_is_killed_by_the_next_one(forebay):
    stubborn = "trap '' TERM\nsetsid -f sleep 1000\nwhile :; do sleep 1000; done\n"
    one = forebay('[worker.deaf]\nhandler = "program"\ncommand = ["/bin/sh", "deaf.sh"]\n[worker.deaf.process]\nstopwaitsecs = "500ms"\n',
                  files={"deaf.sh": stubborn})
    run = run_of(one)
    wait_until(lambda: len(tree(run)) >= 4)
    left = tree(run)
    kill_parent(one)
    time.sleep(0.2)  # nothing but the node ends by itself, however long it is waited
    assert [pid for pid in left if conftest.alive(pid)]
    one.start()
    wait_until(lambda: one.pid("deaf:1") > 0, 20)
    assert tree(run) == {} and run_of(one) != run
    assert "leftover.killed" in one.output()


def test_an_sql_worker_waits_for_the_file_that_another_process_still_writes(forebay):
    """Here a worker that somebody runs by hand: what the run before left is waited for anyway."""
    one = forebay(conftest.LEADS + conftest.LEADS_TO_SQLITE.replace('path = "leads.db"', 'path = "leads.db"\nprobe = "200ms"'))
    post(one)
    wait_until(lambda: count_rows(one) == 1)
    one.run("stop", "store")
    other = subprocess.Popen([conftest.BINARY, "work", "store", "7", "-c", "forebay.toml"], cwd=one.folder, stderr=subprocess.DEVNULL)
    try:
        post(one, 2)
        wait_until(lambda: count_rows(one) == 2)
        one.run("start", "store")
        for n in range(3, 20):
            post(one, n)
        wait_until(lambda: "another process writes" in one.run("status", expect=None).stdout)
    finally:
        other.terminate()
        other.wait(20)
    wait_until(lambda: count_rows(one) == 19, 20, lambda: one.run("status", expect=None).stdout)
    wait_until(lambda: "HELD" not in one.run("status", expect=None).stdout, 20)
    post(one, 20)
    wait_until(lambda: count_rows(one) == 20)
    assert next(p for p in one.processes() if p["name"] == "store:1")["restarts_by"] == {"recycle": 0, "crash": 0, "deploy": 1}
    assert "DEAD" not in one.run("status")


def count_rows(one):
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(f"file:{one.folder}/leads.db?mode=ro", uri=True)) as database:
        return database.execute("select count(*) from leads").fetchone()[0]
    return None


class Systemd:
    """What `Type=notify` with a watchdog listens to."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name.startswith("@") else name)
        self.socket.settimeout(30)
        self.heard = []

    def hear(self, wanted, seconds=30):
        """The first datagram from now on that begins with it; when it came."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            said = self.socket.recv(4096).decode()
            self.heard.append(said)
            if said.startswith(wanted):
                return time.monotonic()
        raise AssertionError(f"{wanted} was not said: {self.heard}")


def serve(tmp_path, environment):
    ports = conftest.free_ports(3)
    script = 'command = ["/bin/sh", "-c", "env > env-$FOREBAY_N; exec sleep 1000"]'
    (tmp_path / "forebay.toml").write_text(conftest.LISTENERS.format(verify="", intake=ports[0], admin=ports[1], sqs=ports[2])
                                           + f'[worker.quick]\nhandler = "program"\n{script}\n[worker.slow]\nhandler = "program"\n{script}\n'
                                           + '[worker.slow.process]\nstartsecs = "1500ms"\n')
    return subprocess.Popen([conftest.BINARY, "serve", "-c", "forebay.toml"], cwd=tmp_path, stderr=subprocess.DEVNULL, env={**os.environ, **environment})


def test_systemd_is_told_of_start_state_reload_life_and_stop(tmp_path):
    systemd = Systemd(str(tmp_path / "notify"))
    began = time.monotonic()
    parent = serve(tmp_path, {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000", "LISTEN_FDNAMES": "mine"})
    try:
        assert systemd.hear("READY=1") - began >= 1.4, "the slow one was waited for"
        systemd.hear("STATUS=3 of 3 processes run")
        first, second = systemd.hear("WATCHDOG=1"), systemd.hear("WATCHDOG=1")
        assert 0.2 < second - first < 0.5
        environment = (tmp_path / "env-1").read_text()
        assert "FOREBAY_RUN=" in environment
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDNAMES"):
            assert name not in environment
        os.kill(parent.pid, signal.SIGHUP)
        systemd.hear("RELOADING=1\nMONOTONIC_USEC=")
        systemd.hear("READY=1")
        os.kill(parent.pid, signal.SIGTERM)
        systemd.hear("STOPPING=1")
        assert parent.wait(20) == 0
    finally:
        parent.kill()
        parent.wait()


def test_systemds_socket_may_be_abstract_and_a_watchdog_for_another_is_let_be(tmp_path):
    name = f"@forebay-test-{os.getpid()}"
    systemd = Systemd(name)
    parent = serve(tmp_path, {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"})
    try:
        systemd.hear("READY=1")
        os.kill(parent.pid, signal.SIGTERM)
        systemd.hear("STOPPING=1")
        assert parent.wait(20) == 0
        assert "WATCHDOG=1" not in systemd.heard
    finally:
        parent.kill()
        parent.wait()


def metric(one, line):
    return f"\n{line}\n" in requests.get(one.admin + "/metrics", timeout=10).text


def test_metrics_count_processes_by_state_and_restarts_by_reason(forebay):
    one = forebay('[worker.api]\nhandler = "program"\ncommand = ["/bin/sleep", "1000"]\ncount = { min = 2 }\n'
                  '[worker.api.process]\nstartsecs = "10ms"\n[worker.hopeless]\nhandler = "program"\ncommand = ["/bin/false"]\n'
                  '[worker.hopeless.process]\nstartretries = 0\n')
    wait_until(lambda: metric(one, 'forebay_worker_processes{worker="api",state="running"} 2'), 20)
    wait_until(lambda: metric(one, 'forebay_worker_processes{worker="hopeless",state="fatal"} 1'), 20)
    wait_until(lambda: metric(one, 'forebay_worker_processes{worker="node",state="running"} 1'), 20)
    os.kill(one.pid("api:1"), signal.SIGKILL)
    one.run("restart", "api:2", "--yes")
    wait_until(lambda: metric(one, 'forebay_worker_restarts_total{worker="api",reason="crash"} 1'), 20)
    wait_until(lambda: metric(one, 'forebay_worker_restarts_total{worker="api",reason="deploy"} 1'), 20)
    assert "process.fatal" in one.output()
    assert "exit 1" in one.run("status", "hopeless", expect=3)


def test_a_program_has_its_umask_its_environment_and_a_log_for_its_errors(forebay):
    script = 'touch made; echo "$GREETING $MODE"; echo wrong >&2; exec sleep 1000'
    one = forebay(f"""[worker.api]
handler = "program"
command = ["/bin/sh", "-c", '{script}']
[worker.api.process]
umask = "077"
redirect_stderr = false
environment = {{ GREETING = "hello {{n}}", MODE = "${{file:mode}}" }}
""", files={"mode": "secret-mode"})
    wait_until(lambda: text(one, "data", "log", "api-1.log") == "hello 1 secret-mode\n")
    wait_until(lambda: text(one, "data", "log", "api-1.err.log") == "wrong\n")
    assert stat.S_IMODE(os.stat(os.path.join(one.folder, "made")).st_mode) == 0o600
    shown = one.run("config", "show")
    assert 'MODE = "***"' in shown and "secret-mode" not in shown + one.output() + text(one, "data", "running.json")


def test_an_exec_worker_gives_its_child_an_environment_too(forebay):
    one = forebay(conftest.LEADS + """
[worker.mail]
queue = "leads"
handler = "exec"
[worker.mail.exec]
command = ["/bin/sh", "-c", 'read -r record; echo "$FOREBAY_N $MODE" > seen']
protocol = "per-record"
[worker.mail.process]
environment = { MODE = "of {n}" }
""")
    post(one)
    wait_until(lambda: text(one, "seen") == "1 of 1\n")


def test_what_a_worker_starts_outside_its_session_goes_when_forebay_is_stopped(forebay):
    one = forebay('[worker.api]\nhandler = "program"\ncommand = ["/bin/sh", "-c", "setsid -f sleep 1000; exec sleep 1000"]\n')
    run = run_of(one)
    wait_until(lambda: len(tree(run)) == 3)
    assert one.stop() == 0
    assert tree(run) == {}
    assert not os.path.exists(os.path.join(one.folder, "data", "run.json"))


def test_runs_of_schedules_are_none_of_the_reapers_business(forebay):
    one = forebay(conftest.LEADS + '[schedule.often]\nevery = "1s"\nrun = "queue ls"\n'.replace("queue ls", "audit --since 1h"))
    wait_until(lambda: one.output().count("audit.") >= 3, 30)
    assert "schedule.failed" not in one.output()
