"""`forebay top` on a real terminal, which it leaves as it was."""
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest
from conftest import BINARY, LEADS, running
from waiting import wait_until

CONFIGURATION = LEADS + '[worker.nap]\nhandler = "program"\ncommand = ["/bin/sleep", "1000"]\ncount = { min = 2 }\n[worker.nap.process]\nstartsecs = "100ms"\n'


@pytest.fixture(scope="module")
def forebay():
    with running(CONFIGURATION) as one:
        wait_until(lambda: all(p["state"] == "RUNNING" for p in one.processes()), told=one.output)
        yield one


class Terminal:
    """A pseudo-terminal of so many columns with a program in it."""

    def __init__(self, folder, *words, columns=200, rows=30):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen([BINARY, *words, "-c", "forebay.toml"], cwd=folder, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        env={**os.environ, "TERM": "xterm"})
        self.slave = slave
        self.text = ""

    def read(self, seconds=0.1):
        while select.select([self.master], [], [], seconds)[0]:
            with contextlib.suppress(OSError):
                self.text += os.read(self.master, 65536).decode(errors="replace")
        return self.text

    def wait_for(self, what):
        wait_until(lambda: what in self.read(), seconds=20, told=lambda: self.text)

    def end(self):
        code = self.process.wait(20)
        self.read()
        after = termios.tcgetattr(self.slave)
        os.close(self.slave)
        os.close(self.master)
        assert after == self.before, "keys are shown again, and lines are lines"
        assert self.text.rstrip().endswith("\033[?25h\033[?1049l"), repr(self.text[-100:])
        return code


def lines_of(text):
    """What is on the screen after the last look, without colours."""
    last = text.split("\033[H")[-1]
    return re.sub(r"\033\[[0-9;?]*[A-Za-z]", "", last).split("\r\n")


@pytest.mark.parametrize("how", ["q", signal.SIGINT, signal.SIGTERM])
def test_top_refreshes_in_place_and_leaves_the_terminal_as_it_was(forebay, how):
    terminal = Terminal(forebay.folder, "top", "all", "--every", "200ms")
    terminal.wait_for("core:nap:2")
    wait_until(lambda: terminal.read().count("\033[H") >= 3, told=lambda: terminal.text)
    screen = lines_of(terminal.text)
    assert screen[0].split() == ["PROCESS", "PID", "STATE", "CPU%", "RSS", "UPTIME", "RESTARTS", "RATE", "P95", "WHY"], screen
    assert [line.split()[0] for line in screen[1:4]] == ["core:nap:1", "core:nap:2", "node"], "sorted by name"
    assert re.search(r"node +\d+ +RUNNING +\d+\.\d +[\d.]+MiB +0:00:", "\n".join(screen)), screen
    if how == "q":
        os.write(terminal.master, b"q")
    else:
        terminal.process.send_signal(how)
    assert terminal.end() == 0


def test_a_narrow_terminal_cuts_lines_and_never_wraps_them(forebay):
    terminal = Terminal(forebay.folder, "top", columns=30, rows=5)
    terminal.wait_for("GROUP:WORKER")
    screen = lines_of(terminal.text)
    os.write(terminal.master, b"q")
    assert terminal.end() == 0
    assert len(screen) <= 5 and all(len(line) <= 30 for line in screen), screen
    assert any(len(line) == 30 for line in screen)


def test_without_a_terminal_it_is_printed_once_or_so_many_times(forebay):
    once = forebay.run("top")
    assert "\033" not in once and once.startswith("NODE") and "core:nap" in once
    began = time.monotonic()
    twice = forebay.run("top", "nap", "--count", "2", "--every", "300ms")
    assert time.monotonic() - began >= 0.3 and twice.count("PROCESS") == 2
    cpu = [line.split()[3] for line in twice.splitlines() if line.startswith("core:nap:1")]
    assert cpu == ["0.0", "0.0"], twice
