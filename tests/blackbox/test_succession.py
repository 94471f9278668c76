"""A node that hands over to its successor, a parent that becomes a new binary, a reload: nobody who is connected notices."""
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import requests

from conftest import BINARY, LEADS, LEADS_TO_SQLITE, Forebay, free_ports
from servers.process import descendants
from waiting import wait_until

PIPELINE = LEADS + LEADS_TO_SQLITE
PROGRAM = """
[worker.sleeper]
handler = "program"
command = ["/bin/sleep", "1000"]
"""


class Posters:
    """Threads that post over kept connections until they are stopped. `failures` must stay empty."""

    def __init__(self, url, threads=4):
        self.url, self.failures, self.ids = url, [], []
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.post, args=(n,)) for n in range(threads)]
        for thread in self.threads:
            thread.start()

    def post(self, n):
        session, i = requests.Session(), 0
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=0))
        while not self.ending.is_set():
            i += 1
            try:
                answer = session.post(self.url, json={"email": f"p{n}x{i}@example.com"}, timeout=30)
                if answer.status_code == 202:
                    self.ids.append(answer.json()["id"])
                else:
                    self.failures.append(f"{answer.status_code} {answer.text}")
            except requests.RequestException as problem:
                self.failures.append(repr(problem))

    def stop(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()
        assert not self.failures, self.failures[:5]
        return self.ids


def rows(f):
    import sqlite3
    with sqlite3.connect(os.path.join(f.folder, "leads.db")) as db:
        return [row[0] for row in db.execute("select id from leads")]


def all_arrive(f, ids):
    wait_until(lambda: set(ids) <= set(rows(f)), 60, lambda: f"{len(set(ids) - set(rows(f)))} of {len(ids)} are missing")
    assert len(rows(f)) == len(set(rows(f))), "a record is twice in the table"


def reload(f, **more):
    return f.ask({"do": "reload", **more})


def test_a_restarted_node_hands_over_what_is_connected(forebay):
    f = forebay(PIPELINE)
    posters = Posters(f.intake + "/v1/lead")
    before = f.pid()
    for _ in range(5):
        answer = f.ask({"do": "restart", "names": ["node"]})
        assert answer["ok"], answer
    assert f.pid() != before
    all_arrive(f, posters.stop())


def test_a_request_that_has_come_in_half_is_answered_by_the_successor(forebay):
    f = forebay(PIPELINE)
    host, port = f.intake.removeprefix("http://").split(":")
    body = b'{"email":"half@example.com"}'
    request = b"POST /v1/lead HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    halves = [socket.create_connection((host, int(port))) for _ in range(0, len(request), 20)]
    for i, one in enumerate(halves):
        one.sendall(request[:20 * i])
    assert f.ask({"do": "restart", "names": ["node"]})["ok"]
    for i, one in enumerate(halves):
        one.settimeout(20)
        one.sendall(request[20 * i:])
        assert one.recv(65536).startswith(b"HTTP/1.1 202"), i
        one.close()


def test_who_connects_while_the_node_is_away_waits(forebay):
    f = forebay(PIPELINE)
    posters = []
    os.kill(f.pid(), signal.SIGKILL)
    answer = requests.post(f.intake + "/v1/lead", json={"email": "waits@example.com"}, timeout=30)
    assert answer.status_code == 202 and not posters


def test_a_stopped_node_refuses_at_once_and_listens_again_when_started(forebay):
    f = forebay(PIPELINE)
    assert f.ask({"do": "stop", "names": ["node"]})["ok"]
    with pytest.raises(requests.ConnectionError):
        requests.get(f.intake + "/readyz", timeout=5)
    assert f.ask({"do": "start", "names": ["node"]})["ok"]
    f.wait_ready()


class Upgradable(Forebay):
    """Runs a copy of the binary that can be replaced."""

    def start(self):
        self.binary = os.path.join(self.folder, "forebay")
        if not os.path.exists(self.binary):
            shutil.copy(BINARY, self.binary)
        self.log = open(os.path.join(self.folder, "stderr.log"), "ab")
        self.parent = subprocess.Popen([self.binary, self.verb, "-c", "forebay.toml"], cwd=self.folder, stdin=subprocess.DEVNULL,
                                       stdout=self.log, stderr=self.log)
        self.wait_ready()

    def replace_binary(self, content=None):
        fresh = self.binary + ".new"
        if content is None:
            shutil.copy(BINARY, fresh)
        else:
            with open(fresh, "w") as file:
                file.write(content)
            os.chmod(fresh, 0o755)
        os.rename(fresh, self.binary)

    def runs_new_binary(self, pid):
        return os.stat(f"/proc/{pid}/exe").st_ino == os.stat(self.binary).st_ino


@pytest.fixture
def upgradable(tmp_path):
    started = []

    def start(text):
        started.append(Upgradable(str(tmp_path), text, "serve"))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def pids(f):
    return {p["name"]: p["pid"] for p in f.processes()}


def upgraded(f):
    """Everything of ours runs the new binary and is up."""
    processes = [p for p in f.processes() if p["worker"] != "sleeper"]
    return all(p["state"] == "RUNNING" and f.runs_new_binary(p["pid"]) for p in processes)


def test_usr2_makes_the_parent_the_new_binary_without_a_failed_request(upgradable):
    f = upgradable(PIPELINE + PROGRAM)
    posters = Posters(f.intake + "/v1/lead")
    sleeper = f.pid("sleeper:1")
    for _ in range(5):
        before = pids(f)
        f.replace_binary()
        os.kill(f.parent.pid, signal.SIGUSR2)
        wait_until(lambda: f.runs_new_binary(f.parent.pid) and upgraded(f), 30, lambda: f"{f.processes()}\n{f.output()}")
        after = pids(f)
        assert after["node"] != before["node"] and after["store:1"] != before["store:1"]
        assert after["sleeper:1"] == sleeper, "a program of others is not started again for our sake"
    assert f.parent.poll() is None
    all_arrive(f, posters.stop())


@pytest.mark.parametrize("content", ["#!/bin/sh\necho it is broken\nexit 1\n", "no program at all"])
def test_a_binary_that_would_not_run_is_refused_and_what_runs_goes_on(upgradable, content):
    f = upgradable(PIPELINE)
    before = pids(f)
    f.replace_binary(content)
    answer = f.ask({"do": "upgrade"})
    assert not answer["ok"] and f.binary in answer["error"], answer
    assert pids(f) == before
    assert requests.post(f.intake + "/v1/lead", json={"email": "on@example.com"}, timeout=10).status_code == 202


def test_what_somebody_stopped_and_scaled_stays_so_over_an_upgrade(upgradable):
    f = upgradable(PIPELINE + PROGRAM)
    assert f.ask({"do": "scale", "names": ["sleeper"], "count": 3})["ok"]
    assert f.ask({"do": "stop", "names": ["sleeper:2"]})["ok"]
    before = pids(f)
    f.replace_binary()
    assert f.ask({"do": "upgrade"})["ok"]
    wait_until(lambda: f.runs_new_binary(f.parent.pid) and upgraded(f), 30, lambda: f"{f.processes()}\n{f.output()}")
    states = {p["name"]: p["state"] for p in f.processes()}
    assert states["sleeper:2"] == "STOPPED" and states["sleeper:3"] == "RUNNING"
    assert pids(f)["sleeper:3"] == before["sleeper:3"]


def test_scaling_down_stops_the_highest_numbers(forebay):
    f = forebay(PIPELINE + PROGRAM)
    answer = f.ask({"do": "scale", "names": ["sleeper"], "count": 3})
    assert answer["ok"] and {p["name"] for p in f.processes()} >= {"sleeper:1", "sleeper:2", "sleeper:3"}
    first = f.pid("sleeper:1")
    assert f.ask({"do": "scale", "names": ["sleeper"], "auto": True})["ok"]
    wait_until(lambda: [p["name"] for p in f.processes() if p["worker"] == "sleeper"] == ["sleeper:1"], 10)
    assert f.pid("sleeper:1") == first
    assert not f.ask({"do": "scale", "names": ["nobody"], "count": 3})["ok"]


def test_a_reload_renews_what_the_change_concerns_and_nothing_else(forebay):
    f = forebay(PIPELINE + PROGRAM)
    before = pids(f)
    f.write(f.text.replace('create = true\n', 'create = true\n[worker.store.batch]\nsize = 7\n'))
    answer = reload(f, dry_run=True)
    assert answer["ok"] and "worker.store.batch.size" in answer["text"] and pids(f) == before, answer
    answer = reload(f)
    assert answer["ok"] and "worker.store.batch.size" in answer["text"], answer
    after = pids(f)
    assert after["store:1"] != before["store:1"]
    assert after["node"] == before["node"] and after["sleeper:1"] == before["sleeper:1"]


def test_a_reload_adds_and_removes_programs(forebay):
    f = forebay(PIPELINE + PROGRAM)
    text = f.text
    f.write(text.replace("sleeper", "napper"))
    assert reload(f)["ok"]
    assert "napper:1" in pids(f)
    wait_until(lambda: "sleeper:1" not in pids(f), 10)
    f.write(text.replace(PROGRAM, ""))
    assert reload(f)["ok"]
    wait_until(lambda: set(pids(f)) == {"node", "store:1"}, 10)


def test_a_reload_of_what_the_node_listens_on_hands_over(forebay):
    f = forebay(PIPELINE)
    posters = Posters(f.intake + "/v1/lead")
    before = f.pid()
    port, = free_ports(1)
    old = f.intake.removeprefix("http://")
    f.write(f.text.replace(f'"{old}"', f'"{old}", "127.0.0.1:{port}"'))
    assert reload(f)["ok"]
    assert f.pid() != before
    assert requests.get(f"http://127.0.0.1:{port}/readyz", timeout=10).status_code == 200
    all_arrive(f, posters.stop())


def test_a_reload_that_cannot_be_is_refused_with_its_reason(forebay):
    f = forebay(PIPELINE)
    before, text = pids(f), f.text
    f.write(text + "\n[worker.store.batsh]\nsize = 1\n")
    answer = reload(f)
    assert not answer["ok"] and "batsh" in answer["error"] and "unchanged" in answer["error"]
    f.write(text.replace('data_dir = "data"', 'data_dir = "elsewhere"'))
    answer = reload(f)
    assert not answer["ok"] and "data_dir" in answer["error"]
    assert pids(f) == before


def test_hup_reloads(forebay):
    f = forebay(PIPELINE)
    before = pids(f)
    f.write(f.text.replace('create = true\n', 'create = true\n[worker.store.batch]\nsize = 7\n'))
    f.parent.send_signal(signal.SIGHUP)
    wait_until(lambda: pids(f)["store:1"] not in (0, before["store:1"]), 30)
    assert pids(f)["node"] == before["node"]


def test_sockets_of_systemd_are_taken(tmp_path):
    """Socket activation: the sockets listen before forebay runs, under the numbers from 3 on."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    class Activated(Forebay):
        def start(self):
            self.log = open(os.path.join(self.folder, "stderr.log"), "ab")
            number = listener.fileno()
            code = ("import os, sys\n"
                    f"os.dup2({number}, 3)\nos.set_inheritable(3, True)\n"
                    "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='http')\n"
                    f"os.execv({BINARY!r}, [{BINARY!r}, 'serve', '-c', 'forebay.toml'])\n")
            self.parent = subprocess.Popen([sys.executable, "-c", code], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self.log,
                                           stderr=self.log, pass_fds=(number,))
            self.wait_ready()

        def write(self, text):
            own = text.split("[intake]\nlisten = [\"")[1].split("\"")[0]
            self.intake = f"http://127.0.0.1:{port}"
            super().write(text.replace(own, f"127.0.0.1:{port}"))

    f = Activated(str(tmp_path), PIPELINE, "serve")
    try:
        assert requests.post(f.intake + "/v1/lead", json={"email": "a@example.com"}, timeout=10).status_code == 202
        assert f.ask({"do": "restart", "names": ["node"]})["ok"]
        assert requests.post(f.intake + "/v1/lead", json={"email": "b@example.com"}, timeout=10).status_code == 202
        family = descendants(f.parent.pid)
        assert family
    finally:
        f.stop()
        listener.close()


def test_what_is_started_later_has_what_was_taken_up_whatever_the_file_says_now(forebay):
    f = forebay(PIPELINE)
    f.write("this is no configuration")
    f.kill9("node")
    before = f.pid("store:1")
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: any(p["name"] == "store:1" and p["state"] == "RUNNING" and p["pid"] != before for p in f.processes()), 30)
    assert requests.post(f.intake + "/v1/lead", json={"email": "a@example.com"}, timeout=10).status_code == 202
    assert os.stat(os.path.join(f.folder, "data/taken-up.json")).st_mode & 0o777 == 0o600


def test_whoever_dies_in_the_middle_of_a_succession_it_is_served_again(forebay):
    f = forebay(PIPELINE)
    posters = Posters(f.intake + "/v1/lead", threads=2)
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    draw = random.Random(seed)
    for _ in range(15):
        f.ask({"do": "restart", "names": ["node"], "wait": False})
        time.sleep(draw.uniform(0, 0.15))
        nodes = [pid for pid in descendants(f.parent.pid) if "node" in command_of(pid)]
        if nodes:
            kill(draw.choice(nodes))
        wait_until(lambda: len([pid for pid in descendants(f.parent.pid) if "node" in command_of(pid)]) == 1, 20, f.output)
        f.wait_ready()
    posters.failures.clear()  # what was in hand of a process that is killed is cut
    ids = posters.stop()
    all_arrive(f, ids)


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read().split("\0")[1:2]
    except OSError:
        return []


def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def test_a_parent_that_is_told_to_stop_in_the_middle_of_a_succession_stops(forebay):
    f = forebay(PIPELINE)
    for delay in (0, 0.02, 0.05, 0.1, 0.2):
        f.ask({"do": "restart", "names": ["node"], "wait": False})
        time.sleep(delay)
        began = time.monotonic()
        assert f.stop() == 0
        assert time.monotonic() - began < 15
        f.start()


def test_a_later_order_for_a_process_counts_and_none_waits_for_ever(forebay):
    slow = "trap 'sleep 0.4; exit 0' TERM; while :; do sleep 0.05; done"
    f = forebay(PIPELINE + f"""
[worker.slow]
handler = "program"
command = ["/bin/sh", "-c", "{slow}"]
count = {{ min = 4, max = 4 }}
[worker.slow.process]
startsecs = "100ms"
""")
    names = [f"slow:{n}" for n in range(1, 5)]
    f.ask({"do": "restart", "names": ["slow"], "wait": False})
    assert f.ask({"do": "stop", "names": ["slow:1"]})["ok"]
    f.ask({"do": "restart", "names": ["slow:2", "slow:3"], "wait": False})
    assert reload(f)["ok"]
    states = lambda: [p["state"] for p in f.processes() if p["worker"] == "slow"]  # noqa: E731
    wait_until(lambda: states() == ["STOPPED"] + ["RUNNING"] * 3, 20, lambda: str(f.processes()))
    assert f.ask({"do": "scale", "names": ["slow"], "count": 3})["ok"]
    wait_until(lambda: [p["name"] for p in f.processes() if p["worker"] == "slow"] == names[:3] and states() == ["RUNNING"] * 3, 20)
    text = f.text
    f.write(text.split("[worker.slow]")[0])
    assert reload(f)["ok"]
    f.write(text)
    assert reload(f)["ok"]
    wait_until(lambda: states() == ["RUNNING"] * 4, 20, lambda: str(f.processes()))


def test_a_reload_to_an_address_that_cannot_be_had_changes_nothing(forebay):
    f = forebay(PIPELINE)
    before = pids(f)
    taken = socket.create_server(("127.0.0.1", 0))
    text, own = f.text, f.intake.removeprefix("http://")
    for address in (f"127.0.0.1:{taken.getsockname()[1]}", "0.0.0.0:" + own.split(":")[1], "203.0.113.7:1"):
        f.write(text.replace(f'"{own}"', f'"{address}"'))
        answer = reload(f)
        assert not answer["ok"] and "intake.listen" in answer["error"] and address in answer["error"], answer
    f.write(text.replace("[admin]", 'trusted_proxies = ["10.0.0.0/33"]\n[admin]'))
    answer = reload(f)
    assert not answer["ok"] and "trusted_proxies" in answer["error"], answer
    f.write(text)
    assert reload(f) == {**reload(f), "ok": True} and pids(f) == before
    taken.close()
