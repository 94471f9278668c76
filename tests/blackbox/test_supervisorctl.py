"""docs/supervisorctl.md is a table of commands; each row of it is run, so that the page cannot lie."""
import json
import os
import pathlib
import re
import signal
import subprocess

from conftest import BINARY, LEADS, ROOT, running
from waiting import wait_until

PAGE = ROOT / "docs/supervisorctl.md"
COMMANDS = {"add", "avail", "clear", "exit", "fg", "help", "maintail", "open", "pid", "quit", "reload", "remove", "reread", "restart", "shutdown",
            "signal", "start", "status", "stop", "tail", "update", "version"}
CONFIGURATION = LEADS + """
[worker.store]
queue = "leads"
handler = "exec"
count = { min = 2 }
[worker.store.process]
startsecs = "200ms"
[worker.store.exec]
protocol = "per-record"
command = ["/bin/cat"]
"""


def rows():
    """(command, where it is, works or refused, what it says) of the page."""
    found = []
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[2] in ("works", "refused"):
            found.append((cells[0].strip("`"), cells[1], cells[2], cells[3].strip("`")))
    return found


def test_the_page_has_every_command_of_supervisorctl():
    assert {command.split()[0] for command, *_ in rows()} == COMMANDS


def ctl(one, *words, stdin=None):
    return subprocess.run([BINARY, "-c", "forebay.toml", "ctl", *words], cwd=one.folder, capture_output=True, text=True, timeout=120, input=stdin)


def follow(one, words, told):
    """What `-f` prints is waited for; Ctrl-C then ends it as if nothing were."""
    out = pathlib.Path(one.folder, "followed.txt")
    with out.open("w") as f:
        process = subprocess.Popen([BINARY, "-c", "forebay.toml", "ctl", *words], cwd=one.folder, stdout=f, stderr=f, stdin=subprocess.DEVNULL)
        wait_until(lambda: told in out.read_text(), told=lambda: out.read_text())
        process.send_signal(signal.SIGINT)
        code = process.wait(20)
    return code, out.read_text()


def test_each_row_of_the_page_is_true():
    with running(CONFIGURATION) as one:
        wait_until(lambda: all(p["state"] == "RUNNING" for p in one.processes()), told=one.output)
        for command, _, how, says in rows():
            command = command.replace("http://127.0.0.1:8090", one.admin)
            words = command.split()
            if "-f" in words:
                code, told = follow(one, words, says)
                assert code == 0, (command, told)
                continue
            done = ctl(one, *words)
            told = done.stdout + done.stderr
            assert done.returncode == (64 if how == "refused" else 0), (command, done)
            assert says in told, (command, done)
            if words[0] == "clear":
                ctl(one, "restart", "store")  # so that there is something to see again
        one.parent.wait(30)  # the last row was shutdown


def test_the_other_column_names_verbs_that_are_there():
    done = subprocess.run([BINARY, "list", "--json"], capture_output=True, text=True, timeout=30)
    listed = {verb["name"].split()[0] for verb in json.loads(done.stdout)["commands"]}
    for command, here, *_ in rows():
        for verb in re.findall(r"`forebay ([a-z]+)", here):
            assert verb in listed, (command, here)


def test_lines_of_standard_input_run_one_after_the_other_and_the_worst_code_is_the_last_word():
    with running(CONFIGURATION) as one:
        wait_until(lambda: all(p["state"] == "RUNNING" for p in one.processes()), told=one.output)
        done = ctl(one, stdin="# evening\nstatus store\n\nstor store\nforebay stop 'store:1' --reason \"disk swap\"\nstart store:1\nfg store\n\"open\nversion\nquit\nnever\n")
        assert done.returncode == 64, done
        assert 'there is no command "stor"; did you mean' in done.stderr and "tail -f NAME" in done.stderr and "not closed" in done.stderr
        assert "store:1: STOPPED" in done.stdout and "store:1: RUNNING" in done.stdout and "forebay 0." in done.stdout
        assert "never" not in done.stderr and "help lists" not in done.stderr
        assert "disk swap" in one.output()
        assert ctl(one, stdin="status all\npid\n").returncode == 0
        assert int(ctl(one, "pid").stdout) == one.parent.pid
        assert ctl(one, "tail", "-h").stdout.startswith("the last lines")
        assert ctl(one, "serve").returncode == 64
        assert os.path.exists(os.path.join(one.folder, "data/control.sock"))


def test_a_process_that_fails_says_why_and_when_it_is_started_again():
    fails = '[worker.fails]\nhandler = "program"\ncommand = ["/bin/sh", "-c", "exit 7"]\n[worker.fails.process]\nfatal_retry = "{}"\nstartretries = {}\n'
    with running(LEADS + fails.format("1m", 1) + fails.format("0s", 0).replace("fails", "gone")) as one:
        def lines():
            return one.run("status", "core:*", expect=None).stdout.splitlines()

        wait_until(lambda: all(" FATAL " in line for line in lines()), told=lambda: str(lines()))
        fails, gone = sorted(lines())
        assert re.fullmatch(r"core:fails:1 {20}FATAL      exit 7, again in \d+s", fails), fails
        assert re.fullmatch(r"core:gone:1 {21}FATAL      exit 7, not started again by itself", gone), gone
