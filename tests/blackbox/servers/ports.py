"""Ports that stay ours. A port below the kernel's ephemeral range is never taken by an outgoing connection while a server is down, and
a lock on a file keeps it from other test runs of this machine as long as this process lives."""
import contextlib
import fcntl
import os
import random
import socket
import tempfile

FIRST, LAST = 15000, 31999
held = []


def reserve(count):
    """`count` free TCP ports of 127.0.0.1."""
    folder = os.path.join(tempfile.gettempdir(), f"forebay-test-ports-{os.getuid()}")
    os.makedirs(folder, exist_ok=True)
    found = []
    for port in random.sample(range(FIRST, LAST + 1), LAST + 1 - FIRST):
        if len(found) == count:
            return found
        lock = open(os.path.join(folder, str(port)), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        held.append(lock)
        found.append(port)
    raise AssertionError(f"there are no {count} free ports between {FIRST} and {LAST}")


def answers(port, seconds=1, address="127.0.0.1"):
    """Whether something listens there."""
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=seconds):
        return True
    return False
