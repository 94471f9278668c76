"""Waiting for what comes true by itself."""
import time


def wait_until(condition, seconds=60, told=""):
    """The first true value of `condition`. Rests twice as long as a look takes: looking must not slow down what is looked for."""
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if found := condition():
            return found
        now = time.monotonic()
        assert now < deadline, (told() if callable(told) else told) or f"not within {seconds} s"
        time.sleep(max(0.02, 2 * (now - began)))
