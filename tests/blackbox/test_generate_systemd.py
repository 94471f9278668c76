"""The units that `generate systemd` makes, before systemd's own eyes; none of it needs a running systemd."""
import os
import pathlib
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import conftest
import pytest
import requests
from conftest import BINARY, LEADS, LEADS_TO_SQLITE, LISTENERS
from waiting import wait_until

PROGRAM = """
[worker.api]
handler = "program"
command = ["/bin/sleep", "1000"]
group = "apiworkers"
log = "/var/lib/fb test/50%/log/{worker}-{n}.log"
[worker.api.process]
directory = "/"
[schedule.fresh]
every = "4h"
run = "restart apiworkers:*"
"""
EXPOSURE_MOST = 1.5


@pytest.fixture
def folder():
    """Outside /tmp, where a service would not be alone; with a name that must be quoted everywhere."""
    top = tempfile.mkdtemp(prefix="forebay-test-", dir="/var/lib" if os.access("/var/lib", os.W_OK) else None)
    home = pathlib.Path(top, "my 50% $HOME")
    home.mkdir()
    yield home
    shutil.rmtree(top)


def configuration(folder, **ports):
    text = LISTENERS.format(verify="", **{"intake": 8080, "admin": 8090, "sqs": 9324, **ports})
    text = text.replace('"data"', f'"{folder}/data"') + LEADS + 'dead_letter = "dead"\n' + LEADS_TO_SQLITE.replace('"leads.db"', f'"{folder}/data/leads.db"')
    return text + PROGRAM.replace("/var/lib/fb test/50%", str(folder))


def generate(folder, *words, binary=BINARY, **ports):
    folder.joinpath("forebay.toml").write_text(configuration(folder, **ports))
    out = folder / "units"
    out.mkdir(exist_ok=True)
    subprocess.run([binary, "generate", "systemd", *words, "--out", str(out), "-c", "forebay.toml"], cwd=folder, check=True, capture_output=True,
                   timeout=60)
    return {path.name: path for path in out.iterdir()}


def analyze(*words):
    return subprocess.run(["systemd-analyze", *map(str, words)], capture_output=True, text=True, timeout=60)


def verify(units):
    """An instance stands for its template."""
    names = []
    for name, path in units.items():
        if "@." in name:
            instance = path.with_name(name.replace("@.", "@1."))
            shutil.copy(path, instance)
            path = instance
        names.append(path)
    return analyze("verify", "--recursive-errors=no", *names)


@pytest.mark.parametrize("words", [[], ["--socket"], ["--split"]])
def test_systemd_takes_the_units_without_a_word(folder, words):
    # A binary whose path must be quoted too.
    binary = folder / "fore bay"
    os.symlink(os.path.realpath(BINARY), binary)
    units = generate(folder, *words)
    expected = {"": {"forebay.service"}, "--socket": {"forebay.service", "forebay.socket"},
                "--split": {"forebay.target", "forebay-node.service", "forebay-store@.service", "forebay-api@.service"}}
    assert units.keys() == expected[" ".join(words)]
    done = verify(units)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done


def test_a_path_is_what_it_was_whatever_stands_in_it(folder):
    binary = folder / "bin x 100%/forebay"
    binary.parent.mkdir()
    shutil.copy(os.path.realpath(BINARY), binary)
    units = generate(folder, binary=str(binary))
    assert verify(units).stderr == ""
    # Without it systemd names the path that it read.
    binary.unlink()
    done = verify(units)
    assert f"Command {binary} is not executable" in done.stderr, done


@pytest.mark.parametrize("words", [[], ["--socket"], ["--split"]])
def test_a_service_is_little_exposed(folder, words):
    for name, path in generate(folder, *words).items():
        if not name.endswith(".service"):
            continue
        done = analyze("security", "--offline=true", "--no-pager", path)
        level = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout).group(1))
        assert level <= EXPOSURE_MOST, done.stdout


def test_a_low_port_costs_one_capability_and_only_where_it_is_taken(folder):
    text = generate(folder, intake=80)["forebay.service"].read_text()
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE\n" in text
    assert "AmbientCapabilities" not in generate(folder, "--socket", intake=80)["forebay.service"].read_text()


def test_what_only_systemd_knows_cannot_be_generated(folder):
    text = configuration(folder).replace('"127.0.0.1:8080"', '"systemd:http"')
    folder.joinpath("forebay.toml").write_text(text)
    for words in (["systemd", "--socket"], ["supervisord"]):
        done = subprocess.run([BINARY, "generate", *words, "-c", "forebay.toml"], cwd=folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 78 and '"systemd:http"' in done.stderr and done.stdout == "", done


def test_one_unit_goes_to_standard_output_as_it_is(folder):
    file = generate(folder)["forebay.service"].read_text()
    done = subprocess.run([BINARY, "generate", "systemd", "-c", "forebay.toml"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.stdout == file and done.returncode == 0
    done = subprocess.run([BINARY, "generate", "systemd", "--split", "--socket", "-c", "forebay.toml"], cwd=folder, capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 64


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers of system calls are those of x86-64")
def test_everything_runs_within_the_calls_and_the_memory_that_the_service_allows(folder, forebay, monkeypatch):
    unit = generate(folder)["forebay.service"]
    within = folder / "within"
    program = [sys.executable, str(pathlib.Path(__file__).with_name("confined.py")), str(unit), os.path.realpath(BINARY)]
    within.write_text(f'#!/bin/sh\nexec {shlex.join(program)} "$@"\n')
    within.chmod(0o755)
    # A call that is refused, so that what follows is no empty proof.
    refused = subprocess.run([*program[:3], "/bin/nice", "-n", "5", "true"], capture_output=True, text=True, timeout=60)
    assert "cannot set niceness" in refused.stderr, refused
    monkeypatch.setattr(conftest, "BINARY", str(within))
    process = forebay(LEADS + 'dead_letter = "dead"\n' + LEADS_TO_SQLITE.replace('queue = "leads"', 'queue = "leads"\nthen = ["said"]') + """
[worker.said]
queue = "said"
handler = "exec"
[worker.said.exec]
protocol = "per-record"
command = ["/usr/bin/php", "-r", "exit(preg_match('/n[0-9]+@example/', stream_get_contents(STDIN)) === 1 ? 0 : 1);"]
[queue.said]
dead_letter = "dead"
[schedule.proof]
every = "1s"
run = "audit --since 24h --against main --table leads"
""")
    for i in range(20):
        assert requests.post(process.intake + "/v1/lead", json={"email": f"n{i}@example.com"}, timeout=30).status_code == 202

    wait_until(lambda: re.search(r'"audit.balanced","schedule":"proof","accepted":20,"settled":20,', process.output()), told=process.output)
    process.kill9()
    process.run("restart", "all")
    assert "EPERM" not in process.output() and "not permitted" not in process.output(), process.output()
