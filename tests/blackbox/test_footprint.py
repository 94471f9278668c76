"""What the processes cost that mostly wait: the parent and workers without work."""
import re

from conftest import LEADS, LEADS_TO_SQLITE
from waiting import wait_until

MAIL = """
[worker.mail]
queue = "mails"
handler = "exec"
[worker.mail.exec]
command = ["/bin/cat"]
[queue.mails]
"""
MIB = 1024


def rss_kib(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1))


def test_the_parent_takes_10_mib_and_an_idle_worker_15(forebay):
    f = forebay(LEADS + LEADS_TO_SQLITE + MAIL)
    bounds = {f.parent.pid: 10 * MIB, f.pid("store:1"): 15 * MIB, f.pid("mail:1"): 15 * MIB}
    wait_until(lambda: all(rss_kib(pid) <= most for pid, most in bounds.items()), 20, lambda: str([rss_kib(pid) for pid in bounds]))
