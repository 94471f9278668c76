"""Machines on one switch, so that a cable can be pulled and two machines can lose each other: network namespaces, as root.

The test itself must run where nobody else's network is: `enter()` at its begin."""
import os
import subprocess
import sys

from servers import process

SWITCH = "10.77.0.1"
NOWHERE = "02:00:00:00:00:00"
INSIDE = "FOREBAY_TEST_NETWORK"
# What is mounted and whatever runs ends with the program.
APART = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]


def may_be_made():
    return os.geteuid() == 0 and subprocess.run([*APART, "true"], capture_output=True).returncode == 0


def enter():
    """Starts this program again apart from everything else of the machine."""
    if INSIDE not in os.environ:
        os.execvpe("unshare", [*APART, sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})
    ip("link", "set", "lo", "up")


def ip(*words, enter=()):
    done = subprocess.run([*enter, "ip", *words], capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


class Host:
    """One machine. `enter` are the words before a command that make it run there."""

    def __init__(self, number):
        self.address, self.cable = f"10.77.0.{10 + number}", f"v{number}"
        self.holder = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"], stdin=subprocess.DEVNULL)
        net = f"/proc/{self.holder.pid}/ns/net"
        process.wait_for(f"{net} is a network of its own", lambda: os.readlink(net) != os.readlink("/proc/self/ns/net"), 10)
        self.enter = ["nsenter", f"--net={net}", "--"]
        ip("link", "add", self.cable, "type", "veth", "peer", "name", "e0", "netns", str(self.holder.pid))
        ip("link", "set", "lo", "up", enter=self.enter)
        ip("addr", "add", f"{self.address}/24", "dev", "e0", enter=self.enter)
        ip("link", "set", "e0", "up", enter=self.enter)
        ip("link", "set", self.cable, "master", "switch", "up")

    def pull_cable(self):
        """At the switch: nothing arrives any more, and nobody is told."""
        ip("link", "set", self.cable, "nomaster")

    def plug_in(self):
        ip("link", "set", self.cable, "master", "switch")

    def lose(self, other):
        """What the two send each other goes nowhere; both still reach everybody else."""
        for one, two in ((self, other), (other, self)):
            ip("neigh", "replace", two.address, "lladdr", NOWHERE, "dev", "e0", "nud", "permanent", enter=one.enter)

    def find(self, other):
        for one, two in ((self, other), (other, self)):
            ip("neigh", "del", two.address, "dev", "e0", enter=one.enter)

    def close(self):
        self.holder.kill()
        self.holder.wait()


class Hosts(process.Started):
    """As a list: so many machines, which the test reaches at their addresses."""

    def __init__(self, count):
        self.count, self.hosts = count, []

    def start(self):
        ip("link", "add", "switch", "type", "bridge")
        ip("addr", "add", f"{SWITCH}/24", "dev", "switch")
        ip("link", "set", "switch", "up")
        for number in range(1, self.count + 1):
            self.hosts.append(Host(number))

    def close(self):
        for host in self.hosts:
            host.close()
