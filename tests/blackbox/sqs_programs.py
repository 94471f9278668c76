"""Programs of other people beside a node that verifies signatures and is killed: started in a copy of their folder, with nothing but
their own settings."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess

import requests
import sqs_clients
from conftest import ROOT
from test_sqs_restart import again
from waiting import wait_until

HERE = pathlib.Path(__file__).parent
KEY, SECRET = "PROGRAM", "secret-of-a-program-of-others"
ACCESS = f"""
[access.program]
id = "{KEY}"
secret = "${{file:program.secret}}"
allow = ["*:*"]
"""
KEYS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": sqs_clients.REGION, "AWS_REGION": sqs_clients.REGION, "AWS_PAGER": "",
        "AWS_EC2_METADATA_DISABLED": "true"}


def start_node(forebay):
    """A node that lets in what is signed with KEYS, and nothing else."""
    return forebay(ACCESS, signed=True, files={"program.secret": SECRET})


class Program:
    """One running program; what it writes goes to a file."""

    def __init__(self, words, folder, name, **environment):
        self.path = os.path.join(folder, f"{name}.log")
        with open(self.path, "wb") as log:
            self.process = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                                            env={**os.environ, **KEYS, "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **environment})

    def lines(self):
        with open(self.path, errors="replace") as log:
            return log.read().splitlines()

    def wait(self, seconds=60):
        """Its output once it has ended well."""
        assert self.process.wait(seconds) == 0, "\n".join(self.lines()[-40:])
        return self.lines()

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


@contextlib.contextmanager
def programs(example, folder):
    """A function that starts programs in a copy of examples/EXAMPLE; all are stopped at the end."""
    home = os.path.join(folder, example)
    shutil.copytree(ROOT / "examples" / example, home)
    started = []

    def start(*words, name=None, **environment):
        started.append(Program(words, home, name or f"program-{len(started)}", **environment))
        return started[-1]

    start.folder = home
    try:
        yield start
    finally:
        for one in started:
            one.stop()


def messages_left(node, queue):
    """How many messages the queue has in any state."""
    for one in again(requests.get, url=node.admin + "/api/queues", timeout=10).json()["queues"]:
        if one["name"] == queue:
            return one["ready"] + one["in_flight"] + one["delayed"]
    return 0
