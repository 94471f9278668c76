"""Data folders that are slow to make and always the same: made once on a machine for each version of the server, then copied."""
import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile


def template(name, make):
    """The folder of this name; `make(folder)` fills it when there is none. Never change what is in it."""
    base = os.path.join(tempfile.gettempdir(), f"forebay-templates-{os.getuid()}")
    os.makedirs(base, exist_ok=True)
    os.chmod(base, 0o755)
    final = os.path.join(base, name)
    with open(final + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(final):
            making = final + ".making"
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(making)
            os.mkdir(making)
            make(making)
            os.rename(making, final)
    return final


def copy(source, target, holes=True):
    """Copies a template with owners and times kept; without holes all of it has its place on the disk."""
    subprocess.run(["cp", "-a", f"--sparse={'always' if holes else 'never'}", source + "/.", target], check=True)


def version(*command):
    """A word for the version of a program, good for a file's name."""
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return "".join(c if c.isalnum() or c in ".-" else "_" for c in text.strip())[:80]
