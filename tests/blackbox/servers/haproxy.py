"""A real HAProxy with a given file. Its runtime socket is in a second file, so that the one that is tested stays as it is."""
import csv
import io
import os
import re
import shutil
import signal
import socket
import subprocess

from servers import ports, process

PROGRAM = shutil.which("haproxy") or "/usr/sbin/haproxy"


def complaints(path):
    """What `haproxy -c` says about a file, warnings too; empty when it is clean."""
    done = subprocess.run([PROGRAM, "-c", "-f", path], capture_output=True, text=True)
    text = (done.stdout + done.stderr).replace("Configuration file is valid", "").strip()
    assert done.returncode == 0 or text, f"haproxy -c: exit {done.returncode}"
    return text


class HAProxy(process.Server):
    """`text` is the whole file, with the addresses it shall listen on."""

    name = "haproxy"
    stop_signal = signal.SIGTERM

    def __init__(self, text):
        super().__init__()
        self.file = self.write("haproxy.cfg", text)
        self.runtime_file = self.write("runtime.cfg", f"global\n    stats socket {self.path('admin.sock')} mode 600 level admin\n")

    def command(self):
        return [PROGRAM, "-db", "-f", self.file, "-f", self.runtime_file]

    def listens(self):
        with open(self.file) as f:
            return [int(port) for port in re.findall(r"^\s*bind\s+\S*:(\d+)", f.read(), re.M)]

    def is_ready(self):
        return os.path.exists(self.path("admin.sock")) and all(ports.answers(port) for port in self.listens())

    def ask(self, command):
        """One command of the runtime socket."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(self.path("admin.sock"))
            s.sendall(command.encode() + b"\n")
            answer = b""
            while part := s.recv(65536):
                answer += part
        return answer.decode()

    def servers(self, proxy):
        """The status column of each server of a proxy: {name: "UP"}."""
        rows = csv.DictReader(io.StringIO(self.ask("show stat").lstrip("# ")))
        return {row["svname"]: row["status"] for row in rows if row["pxname"] == proxy and row["svname"] not in ("FRONTEND", "BACKEND")}

    def wait_server(self, proxy, server, status="UP", seconds=30):
        process.wait_for(f"{proxy}/{server} is {status}", lambda: self.servers(proxy)[server].split()[0] == status, seconds,
                         lambda: self.ask("show stat"))
