"""A thousand random events against one supervising parent: crashes, ends, children that are deaf, have children of their own or leave
their session, logs on a full disk, no descriptors left, and everything that can be asked for. A model that knows the table of states
watches: the states told are those the table allows, the pids told are alive, those that are not told any more are gone."""
import contextlib
import json
import os
import random
import resource
import signal
import socket
import time

import conftest
from waiting import wait_until

SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
EVENTS = int(os.environ.get("EVENTS", 1000))

# USR1 ends it well, USR2 badly, HUP makes it deaf to its stop signal.
ACTOR = """
trap 'exit 0' TERM USR1
trap 'exit 3' USR2
trap 'trap "" TERM' HUP
"""
REST = "while :; do sleep 1000 & wait $!; done\n"
SCRIPTS = {
    "good.sh": ACTOR + REST,
    "deaf.sh": "trap '' TERM HUP\ntrap 'exit 0' USR1\ntrap 'exit 3' USR2\n" + REST,
    # Children: in its group, deaf ones, in a session of their own, and a daemon that nobody's child is any more.
    "family.sh": ACTOR + "sleep 1000 &\nsh -c 'trap \"\" TERM HUP USR1 USR2; while :; do sleep 1000; done' &\nsetsid -f sleep 1000\n"
                         "(setsid sh -c 'trap \"\" TERM; sleep 1000' &)\n" + REST,
    "doomed.sh": "echo hopeless\nexit 5\n",
    "loud.sh": ACTOR + "i=0; while [ $i -lt 200 ]; do echo a line that is long enough to fill a log $i; i=$((i+1)); done\n" + REST,
}
CARE = """
[worker.{name}.process]
startsecs = "30ms"
stopwaitsecs = "150ms"
startretries = 2
fatal_retry = "700ms"
"""


def worker(name, script, count, more="", log=None):
    return (f'[worker.{name}]\nhandler = "program"\ncommand = ["/bin/sh", "{script}.sh", "{{n}}"]\ncount = {{ min = {count} }}\n'
            + (f'log = "{log}"\n' if log else "") + CARE.format(name=name) + more)


CONFIGURATION = "".join([
    worker("good", "good", 3),
    worker("deaf", "deaf", 1),
    worker("family", "family", 2),
    worker("once", "good", 1, 'autorestart = "unexpected"\n'),
    worker("never", "good", 1, "autorestart = false\n"),
    worker("doomed", "doomed", 1),
    worker("loud", "loud", 1, 'stdout_logfile_maxbytes = "4KiB"\nstdout_logfile_backups = 2\n'),
    worker("full", "loud", 1, log="/dev/full"),
])

ENDS = {"once": {"STARTING", "EXITED"}, "never": {"EXITED"}}


def after(state, event, name):
    """Where the table leads to."""
    if event == "start":
        return {"STARTING"} if state in ("STOPPED", "EXITED", "BACKOFF", "FATAL") else {state}
    if event == "stop":
        if state in ("STARTING", "RUNNING"):
            return {"STOPPING"}
        return {"STOPPED"} if state in ("EXITED", "BACKOFF", "FATAL") else {state}
    if event == "end":  # of its process, or of what was to become one
        return {"STARTING": {"BACKOFF", "FATAL"}, "RUNNING": ENDS.get(name, {"STARTING"}), "STOPPING": {"STOPPED"}}.get(state, {state})
    if event == "time":
        return {"STARTING": {"RUNNING"}, "BACKOFF": {"STARTING"}, "FATAL": {"STARTING"}}.get(state, {state})
    raise AssertionError(event)


def reachable(state, events, name):
    found, new = {state}, {state}
    while new:
        new = {to for one in new for event in events for to in after(one, event, name)} - found
        found |= new
    return found


class Control:
    """One connection that stays open: it needs no descriptor when there are none."""

    def __init__(self, folder):
        here = os.open(os.path.join(folder, "data"), os.O_PATH)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(f"/proc/self/fd/{here}/control.sock")
        os.close(here)
        self.lines = self.socket.makefile("rb")

    def ask(self, **request):
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(self.lines.readline())

    def processes(self):
        return {p["name"]: p for p in self.ask(do="status")["processes"]}


def variable(pid, name):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as f:
        for entry in f.read().split(b"\0"):
            if entry.startswith(name.encode() + b"="):
                return entry.split(b"=", 1)[1].decode()
    return None


def tree(run):
    """Everything that runs with this run's id: zombies have no environment."""
    return {int(pid): variable(pid, "FOREBAY_PROCESS") for pid in os.listdir("/proc") if pid.isdigit() and variable(pid, "FOREBAY_RUN") == run}


class Model:
    """What is known of every process, and what somebody asked that may not have happened yet."""

    PENDING = 3  # seconds

    def __init__(self, processes):
        self.told = processes
        self.asked = {}  # name -> [(event, until)]
        self.story = []

    def ask(self, name, *events):
        until = time.monotonic() + self.PENDING
        self.asked.setdefault(name, []).extend((event, until) for event in events)

    def see(self, now):
        for name, process in now.items():
            before = self.told.get(name, {"state": "STOPPED", "restarts": 0, "pid": 0})
            events = {"end", "time"} | {event for event, until in self.asked.get(name, ()) if until > time.monotonic()}
            state = process["state"]
            kind = name.split(":")[0]
            assert state in reachable(before["state"], events, kind), f"{name}: {before['state']} -> {state} by {events}\n{self.end_of_story()}"
            assert (process["pid"] > 0) == (state in ("STARTING", "RUNNING", "STOPPING")), process
            assert process["restarts"] >= before["restarts"] or name not in self.told, process
            assert process["restarts"] == sum(process["restarts_by"].values()), process
            if state in ("BACKOFF", "FATAL"):
                assert process["why"] and process["next_ms"] > 0, process
            if before["pid"] not in (0, process["pid"]):
                # Its group went with it: what is left of its name and was its child has left the group.
                assert variable(before["pid"], "FOREBAY_PROCESS") != name or not conftest.alive(before["pid"]), f"{name}: {before['pid']} lives on"
        self.told = now

    def end_of_story(self):
        return "\n".join(self.story[-30:])


def only_lately_dead(control, name, pid):
    """A pid that is told and not alive is collected at once."""
    wait_until(lambda: control.processes().get(name, {"pid": 0})["pid"] != pid or conftest.alive(pid), 5, f"{name}: {pid} is told and dead")


class Events:
    def __init__(self, forebay, seed):
        self.forebay = forebay
        self.random = random.Random(seed)
        self.control = Control(forebay.folder)
        self.model = Model(self.control.processes())
        self.is_tight = False

    def names(self):
        return [name for name in self.model.told if name != "node"]

    def one(self):
        kinds = [(self.kill, 20), (self.signal, 30), (self.start, 12), (self.stop, 10), (self.restart, 8), (self.restart_group, 1), (self.scale, 3),
                 (self.look, 10), (self.stop_and_wait, 2), (self.tighten, 2), (self.reopen, 1), (self.kill_node, 0.3), (self.by_verb, 0.7)]
        event = self.random.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]
        event()
        self.see()

    def see(self):
        now = self.control.processes()
        for name, process in now.items():
            if process["pid"] and not conftest.alive(process["pid"]):
                only_lately_dead(self.control, name, process["pid"])
                now = self.control.processes()
        self.model.see(now)

    def say(self, *words):
        self.model.story.append(" ".join(map(str, words)))

    def some_name(self):
        return self.random.choice(self.names())

    def kill(self):
        name = self.some_name()
        pid = self.model.told[name]["pid"]
        self.say("kill", name, pid)
        if pid and variable(pid, "FOREBAY_PROCESS") == name:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def signal(self):
        name, which = self.some_name(), self.random.choice(["USR1", "USR2", "HUP"])
        self.say("signal", name, which)
        self.ask(name, do="signal", signal=which)

    def asks(self, what, name, *events, **more):
        self.say(what, name)
        self.model.ask(name, *events)
        self.ask(name, do=what, wait=False, **more)

    def ask(self, name, **request):
        """Its answer. One that was scaled away meanwhile is refused."""
        answer = self.control.ask(names=[name], **request)
        is_gone = answer.get("error") == f"no process is called {name}" and name not in self.control.processes()
        assert answer["ok"] or is_gone, f"{answer}\n{self.model.end_of_story()}"
        return answer

    def start(self):
        self.asks("start", self.some_name(), "start")

    def stop(self):
        self.asks("stop", self.some_name(), "stop")

    def restart(self):
        self.asks("restart", self.some_name(), "stop", "start", all_at_once=self.random.random() < 0.5)

    def restart_group(self):
        self.say("restart core:*")
        for name in self.names():
            self.model.ask(name, "stop", "start")
        assert self.control.ask(do="restart", names=["core:*"], wait=False, all_at_once=True)["ok"]

    def scale(self):
        count = self.random.randrange(1, 6)
        self.say("scale good", count)
        for n in range(1, 7):
            self.model.ask(f"good:{n}", "start", "stop")
        answer = self.control.ask(do="scale", names=["good"], count=count, wait=False)
        assert answer["ok"], answer

    def look(self):
        self.say("look")
        time.sleep(self.random.random() * 0.02)

    def stop_and_wait(self):
        """When the answer is there it is stopped, and stays so until somebody asks."""
        name = self.some_name()
        self.say("stop and wait", name)
        self.model.ask(name, "stop")
        answer = self.ask(name, do="stop")
        stopped = {p["name"]: p for p in answer["processes"]}
        if name in stopped:
            assert stopped[name]["state"] == "STOPPED" and stopped[name]["pid"] == 0, f"{stopped[name]}\n{self.model.end_of_story()}"

    def tighten(self):
        """No descriptor is left to the parent for a while; then there are again."""
        parent = self.forebay.parent.pid
        _, most = resource.prlimit(parent, resource.RLIMIT_NOFILE)
        self.is_tight = not self.is_tight
        enough = max(int(fd) for fd in os.listdir(f"/proc/{parent}/fd")) + 1 if self.is_tight else most
        self.say("descriptors", enough)
        resource.prlimit(parent, resource.RLIMIT_NOFILE, (enough, most))

    def reopen(self):
        self.say("logs are opened anew")
        self.forebay.parent.send_signal(signal.SIGUSR1)

    def kill_node(self):
        self.say("kill the node")
        with contextlib.suppress(ProcessLookupError):
            if self.model.told["node"]["pid"]:
                os.kill(self.model.told["node"]["pid"], signal.SIGKILL)

    def by_verb(self):
        """As an operator asks and is told."""
        if self.is_tight:
            return
        name = self.some_name()
        self.say("status", name)
        told = json.loads(self.forebay.run("status", "--json", expect=None).stdout)["processes"]
        # One that was scaled away may go between being seen and being asked for.
        assert name in {process["name"] for process in told} or name.startswith("good:")

    def come_to_rest(self):
        if self.is_tight:
            self.tighten()
        good = max(sum(name.startswith("good:") for name in self.names()), 1)
        assert self.control.ask(do="scale", names=["good"], count=good)["ok"]
        everything = [name for name in self.control.processes() if not name.startswith("doomed")]
        wait_until(lambda: self.control.ask(do="start", names=everything)["ok"], 30, lambda: f"{self.control.processes()}\n{self.model.end_of_story()}")
        self.control.ask(do="start", names=["doomed"])
        wait_until(lambda: self.control.processes()["doomed:1"]["state"] in ("FATAL", "STARTING", "BACKOFF"), 30)
        for name in everything:
            assert self.control.processes()[name]["state"] == "RUNNING", name


def test_a_thousand_events_leave_every_state_as_the_table_has_it_and_nothing_alive(forebay):
    print(f"SEED={SEED} EVENTS={EVENTS}")
    one = forebay(CONFIGURATION, files=SCRIPTS)
    run = json.load(open(os.path.join(one.folder, "data/run.json")))["runs"][-1]
    events = Events(one, SEED)
    try:
        for _ in range(EVENTS):
            events.one()
        events.come_to_rest()
        family = tree(run)
        assert len(family) > len(events.names()), family
        assert variable(one.pid("good:1"), "FOREBAY_RUN") == run
    except BaseException:
        print(events.model.end_of_story())
        raise
    loud = [os.path.getsize(os.path.join(one.folder, "data/log", name)) for name in os.listdir(os.path.join(one.folder, "data/log"))
            if name.startswith("loud-1.log")]
    assert 1 < len(loud) <= 3 and max(loud) <= 4096, loud
    assert one.stop() == 0
    assert tree(run) == {}


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def turned_away(control):
    try:
        control.socket.sendall(b'{"do":"status"}\n')
        return control.socket.recv(1) == b""
    except (BrokenPipeError, ConnectionResetError):
        return True


def test_a_parent_without_descriptors_refuses_politely_and_does_not_spin(forebay):
    one = forebay(worker("good", "good", 2), files=SCRIPTS)
    control = Control(one.folder)
    parent = one.parent.pid
    soft, most = resource.prlimit(parent, resource.RLIMIT_NOFILE)
    resource.prlimit(parent, resource.RLIMIT_NOFILE, (max(int(fd) for fd in os.listdir(f"/proc/{parent}/fd")) + 1, most))
    began = processor_seconds(parent)
    late = [Control(one.folder) for _ in range(3)]
    assert all(turned_away(each) for each in late)
    time.sleep(1)  # what is measured is that nothing is done in it
    assert processor_seconds(parent) - began < 0.3
    os.kill(control.processes()["good:1"]["pid"], signal.SIGKILL)
    wait_until(lambda: control.processes()["good:1"]["state"] == "BACKOFF", 10, lambda: control.processes()["good:1"])
    assert "Too many open files" in control.processes()["good:1"]["why"]
    resource.prlimit(parent, resource.RLIMIT_NOFILE, (soft, most))
    wait_until(lambda: control.processes()["good:1"]["state"] == "RUNNING", 20)
