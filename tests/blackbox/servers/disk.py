"""A small disk of its own for one folder, which can be filled to the last byte and emptied again. Only root may mount it."""
import contextlib
import os
import subprocess


class Disk:
    def __init__(self, folder, size):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", folder], capture_output=True, text=True)
        assert done.returncode == 0, f"no disk of {size} can be mounted for the test: {done.stderr.strip()}; run it as root, and where mount is permitted"

    @property
    def filler(self):
        return os.path.join(self.folder, "filler")

    def fill(self):
        """Something else takes all the space that is left, in pieces as small as a page."""
        with open(self.filler, "ab", buffering=0) as f:
            for piece in (1 << 24, 1 << 16, 1 << 12):
                with contextlib.suppress(OSError):
                    while f.write(b"x" * piece) == piece:
                        pass

    def free(self):
        os.unlink(self.filler)

    def close(self):
        subprocess.run(["umount", self.folder], capture_output=True)
