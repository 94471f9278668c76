"""One server process in a temporary folder, as an operator and an accident treat it: start, stop, kill -9, freeze."""
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time


def descendants(pid):
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, IndexError):
                with open(f"/proc/{entry}/stat") as f:
                    if int(f.read().rsplit(")", 1)[1].split()[1]) == pid:
                        found += [int(entry), *descendants(int(entry))]
    return found


def as_user(user):
    """The words before a command that make it run as `user`, when the tests run as root; it dies with the thread that started it."""
    words = ["setpriv", "--pdeathsig", "KILL"]
    if os.geteuid() == 0 and user:
        words += [f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--init-groups"]
    return words


def wait_for(what, question, seconds, details=lambda: ""):
    """Asks until it is so; what the question returned."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s\n{details()}"
        time.sleep(0.02)


class Started:
    """What `with` starts and closes, also when starting fails half way. Subclasses give `start()` and `close()`."""

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()


class Server(Started):
    """Start it from the thread that lives as long as the test: it dies with that thread. Subclasses give `command()` and `is_ready()`."""

    name = "server"
    user = None  # whom it runs as when the tests run as root
    enter = ()  # words before its command that make it run on another host of servers.hosts
    stop_signal = signal.SIGTERM
    ready_within = 30

    def __init__(self):
        self.process = None
        self.is_frozen = False
        self.folder = tempfile.mkdtemp(prefix=f"forebay-{self.name}-")
        self.own(self.folder)

    def own(self, path):
        if os.geteuid() == 0 and self.user:
            shutil.chown(path, self.user)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text, mode=0o600):
        """A file in its folder, its own."""
        with open(self.path(name), "w") as f:
            f.write(text)
        os.chmod(self.path(name), mode)
        self.own(self.path(name))
        return self.path(name)

    def command(self):
        raise NotImplementedError

    def is_ready(self):
        raise NotImplementedError

    def output(self):
        with contextlib.suppress(OSError), open(self.path("log"), errors="replace") as f:
            return f.read()[-6000:]
        return ""

    def start(self, wait=True):
        assert self.process is None, f"{self.name} runs already"
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen([*self.enter, *as_user(self.user), *self.command()], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        if wait:
            self.wait_ready()

    def wait_ready(self, seconds=None):
        def ready():
            assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}:\n{self.output()}"
            return self.is_ready()

        wait_for(f"{self.name} is ready", ready, seconds or self.ready_within, self.output)

    def running(self):
        process = self.process  # another thread may end it
        return process is not None and process.poll() is None

    def family(self):
        return [self.process.pid, *descendants(self.process.pid)]

    def send(self, number):
        for pid in self.family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self, seconds=30):
        """As an operator stops it."""
        if self.running():
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill9()
                raise AssertionError(f"{self.name} did not stop within {seconds} s:\n{self.output()}")
        self.process = None

    def kill9(self):
        """As a power cut ends it: it and all it started, at once."""
        if self.process is None:
            return
        self.send(signal.SIGSTOP)  # so that nothing is started meanwhile
        self.send(signal.SIGKILL)
        self.process.wait()
        self.process = None
        self.is_frozen = False

    def freeze(self):
        """It keeps its connections and answers nothing, as a machine that hangs."""
        self.is_frozen = True
        self.send(signal.SIGSTOP)

    def thaw(self):
        self.send(signal.SIGCONT)
        self.is_frozen = False

    def close(self):
        """Ends it in whatever state it is, and its folder."""
        self.kill9()
        shutil.rmtree(self.folder, ignore_errors=True)
