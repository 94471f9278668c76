"""What [schedule.NAME] does at its times, and what is said of the times it cannot."""
import json
import os
import re
import signal
import time

from conftest import LEADS
from waiting import wait_until

API = """
[worker.api]
handler = "program"
command = ["/bin/sleep", "1000{n}"]
group = "apiworkers"
count = { min = 2 }
[worker.api.process]
startsecs = "100ms"
"""


def lines(process, event, schedule):
    """The log's lines of that event, as objects."""
    with open(os.path.join(process.folder, "stderr.log")) as f:
        found = [json.loads(line) for line in f if f'"event":"{event}"' in line]
    return [line for line in found if line.get("schedule") == schedule]


def hangs(process, name):
    """`export --out NAME` waits there for a reader that never comes."""
    os.mkfifo(os.path.join(process.folder, name + ".part"))


def take_up(process, text):
    process.write(process.text + text)
    process.parent.send_signal(signal.SIGHUP)


def listed(process, name):
    return next(one for one in process.json("schedule", "ls")["schedules"] if one["name"] == name)


def note(process, name):
    return os.path.join(process.folder, "data", "schedules", name + ".json")


def test_a_group_is_restarted_one_after_the_other_in_one_line(forebay):
    process = forebay(API)
    wait_until(lambda: all(p["state"] == "RUNNING" for p in process.processes()))
    before = {p["name"]: p["pid"] for p in process.processes() if p["worker"] == "api"}
    take_up(process, '[schedule.fresh]\nevery = "2s"\nrun = "restart apiworkers:*"\n')
    wait_until(lambda: lines(process, "schedule.done", "fresh"), told=process.output)
    after = {p["name"]: (p["pid"], p["state"], p["restarts"]) for p in process.processes() if p["worker"] == "api"}
    assert list(after) == ["api:1", "api:2"]
    assert all(pid != before[name] and restarts >= 1 for name, (pid, state, restarts) in after.items()), after
    log = process.output()
    order = re.findall(r'"event":"process.ended","process":"(api:\d)"', log)
    assert order[:2] == ["api:1", "api:2"], log
    assert '"to":"restart","processes":"api:1, api:2","reason":"schedule fresh"' in log, log
    last = listed(process, "fresh")["last"]
    assert (last["outcome"], last["code"]) == ("done", 0) or last["outcome"] == "running", last


def test_schedules_run_side_by_side_and_none_runs_twice_at_once(forebay):
    process = forebay(API)
    hangs(process, "slow")
    take_up(process, '[schedule.slow]\nevery = "1s"\nrun = "export --out slow"\n[schedule.quick]\nevery = "1s"\nrun = "start api:1"\n')
    first = wait_until(lambda: lines(process, "schedule.missed", "slow"), told=process.output)[0]
    assert first["count"] >= 1 and "still goes on" in first["why"] and first["since"].endswith(" UTC"), first
    wait_until(lambda: len(lines(process, "schedule.done", "quick")) >= 3, told=process.output)
    slow = listed(process, "slow")
    assert slow["running"] and slow["last"]["outcome"] == "running", slow
    # Whoever asks for it by hand is told so.
    assert "is running already" in process.run("schedule", "run", "slow", expect=None).stderr
    with open(os.path.join(process.folder, "slow.part")) as reader:  # lets it end, though a pipe cannot be synced
        reader.read()
    wait_until(lambda: lines(process, "schedule.failed", "slow"), told=process.output)
    total = wait_until(lambda: [line for line in lines(process, "schedule.missed", "slow") if "went on for" in line["why"]])[0]
    assert total["count"] >= 2, total
    assert listed(process, "slow")["missed"] >= total["count"]


def test_eight_run_at_once_and_a_ninth_waits_for_its_turn(forebay):
    process = forebay(API)
    names = [f"h{i}" for i in range(10)]
    for name in names:
        hangs(process, name)
    take_up(process, "".join(f'[schedule.{name}]\nevery = "1s"\nrun = "export --out {name}"\n' for name in names))

    def running():
        return {one["name"] for one in process.json("schedule", "ls")["schedules"] if one["running"]}

    first = wait_until(lambda: (found := running()) and len(found) == 8 and found, told=process.output)
    waiting = set(names) - first
    wait_until(lambda: all(lines(process, "schedule.missed", name) for name in waiting), told=process.output)
    assert all("waits for one of 8 places" in lines(process, "schedule.missed", name)[0]["why"] for name in waiting)
    with open(os.path.join(process.folder, min(first) + ".part")) as reader:
        reader.read()
    wait_until(lambda: running() & waiting, told=process.output)
    assert len(running()) <= 8


def test_what_runs_when_the_parent_ends_is_ended_and_said(forebay):
    process = forebay(LEADS + 'dead_letter = "dead"\n')
    hangs(process, "slow")
    take_up(process, '[schedule.slow]\nevery = "1s"\nrun = "export --out slow"\n')
    wait_until(lambda: listed(process, "slow")["running"], told=process.output)
    process.stop()
    early = lines(process, "schedule.ended_early", "slow")
    assert len(early) == 1 and early[0]["run"] == "export --out slow", process.output()
    with open(note(process, "slow")) as f:
        assert json.load(f)["last"]["outcome"].startswith("ended early")
    listing = process.run("schedule", "ls", expect=None)
    assert listing.returncode == 0 and "ended early" in listing.stdout and "Nothing runs by itself now" in listing.stderr, listing


def test_times_that_passed_while_nothing_ran_are_said_once_and_made_up_for_where_that_is_wanted(forebay):
    # No time of it may come while this runs, nor have come in the last minute.
    every = next(s for s in range(3600, 7200, 60) if 120 < time.time() % s < s - 300)
    process = forebay(API + f'[schedule.plain]\nevery = "{every}s"\nrun = "start api:1"\n'
                      f'[schedule.eager]\nevery = "{every}s"\ncatch_up = true\nrun = "start api:1"\n')
    wait_until(lambda: os.path.exists(note(process, "eager")))
    process.stop()
    for name in ("plain", "eager"):
        with open(note(process, name)) as f:
            kept = json.load(f)
        kept["seen"] = int((time.time() // every - 3.5) * every) * 1000
        with open(note(process, name), "w") as f:
            json.dump(kept, f)
    process.start()
    wait_until(lambda: lines(process, "schedule.done", "eager"), told=process.output)
    for name in ("plain", "eager"):
        missed = lines(process, "schedule.missed", name)
        assert [line["count"] for line in missed] == [4], process.output()
        assert "not running" in missed[0]["why"] and ("once now" in missed[0]["next"]) == (name == "eager"), missed
    assert not lines(process, "schedule.done", "plain")
    assert (listed(process, "plain")["missed"], listed(process, "plain")["last"]) == (4, None)
    process.stop()
    process.start()
    time.sleep(1)
    assert len(lines(process, "schedule.missed", "plain")) == 1 and len(lines(process, "schedule.done", "eager")) == 1


def test_a_schedule_is_run_by_hand_with_its_exit_code(forebay):
    process = forebay(API + '[schedule.well]\ncron = "0 6 * * MON"\ntimezone = "America/Chicago"\nrun = "start api:1"\n'
                      '[schedule.badly]\ncron = "@yearly"\nrun = "queue redrive nowhere"\n')
    wait_until(lambda: all(p["state"] == "RUNNING" for p in process.processes()))
    assert "api:1: RUNNING" in process.run("schedule", "run", "well")
    code = process.run("schedule", "run", "badly", expect=None).returncode
    assert code not in (0, 75), code
    assert process.run("schedule", "run", "wel", expect=None).returncode == 64
    assert listed(process, "well")["last"]["code"] == 0
    assert listed(process, "badly")["last"]["outcome"] == f"exit {code}"
    listing = process.run("schedule", "ls")
    row = next(line for line in listing.splitlines() if line.startswith("well"))
    assert re.search(r"^well +20\d\d-\d\d-\d\d 06:00 C[SD]T +\S+ +20\d\d-\d\d-\d\d \d\d:\d\d:?\d* C[SD]T +\S+ +done +0 +start api:1$", row), listing
    assert re.search(r"^badly +20\d\d-01-01 00:00 UTC ", listing, re.M), listing
