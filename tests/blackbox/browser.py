"""A real Chromium through chromedriver's own HTTP protocol (W3C WebDriver): enough to fill in a form and look."""
import base64
import contextlib
import shutil
import socket
import subprocess
import tempfile
import time

import requests

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Stale(Exception):
    """The page went on while it was looked at."""


class Browser:
    def __init__(self, base):
        self._base = base

    def _call(self, method, path, body=None):
        answer = requests.request(method, self._base + path, json=body if method == "POST" else None, timeout=60).json()["value"]
        if isinstance(answer, dict) and answer.get("error") in ("stale element reference", "no such element"):
            raise Stale(f"{path}: {answer['message']}")
        if isinstance(answer, dict) and "error" in answer:
            raise AssertionError(f"{path}: {answer['error']}: {answer['message']}")
        return answer

    def open(self, url):
        self._call("POST", "/url", {"url": url})

    def url(self):
        return self._call("GET", "/url")

    def text(self):
        return self._call("GET", f"/element/{self.find('body')}/text")

    def wait_for_text(self, words, seconds=20):
        """A click returns before the next page is there: looks until it says these words."""
        deadline, text = time.monotonic() + seconds, ""
        while words not in text.lower():
            assert time.monotonic() < deadline, f"the page does not say \"{words}\":\n{text}"
            with contextlib.suppress(Stale):
                text = self.text()
            time.sleep(0.02)
        return text

    def find(self, css):
        return self._call("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def fill(self, css, text):
        element = self.find(css)
        self._call("POST", f"/element/{element}/clear", {})
        self._call("POST", f"/element/{element}/value", {"text": text})

    def value(self, css):
        return self._call("GET", f"/element/{self.find(css)}/property/value")

    def click(self, css):
        self._call("POST", f"/element/{self.find(css)}/click", {})

    def screenshot(self, path):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self._call("GET", "/screenshot")))


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def chromium(javascript=True):
    """A fresh browser with a profile of its own; with `javascript=False` pages run no script at all."""
    port, profile = _free_port(), tempfile.mkdtemp(prefix="forebay-chromium-")
    driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(base + "/status", timeout=5).json()["value"]["ready"]:
                    break
            assert time.monotonic() < deadline, "chromedriver did not become ready"
            time.sleep(0.05)
        options = {"args": FLAGS + [f"--user-data-dir={profile}"]}
        if not javascript:
            options["prefs"] = {"profile.managed_default_content_settings.javascript": 2}
        made = requests.post(base + "/session", timeout=60,
                             json={"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}}).json()["value"]
        session = base + "/session/" + made["sessionId"]
        try:
            yield Browser(session)
        finally:
            requests.delete(session, timeout=30)
    finally:
        driver.terminate()
        driver.wait(20)
        shutil.rmtree(profile, ignore_errors=True)
