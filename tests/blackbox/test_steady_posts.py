"""The load of proofs (tests/load/steady_posts): it tells when nothing was to be noticed, and it tells what was."""
import contextlib
import json
import os
import pathlib
import subprocess

import requests

from conftest import BINARY, LEADS
from waiting import wait_until

STEADY_POSTS = pathlib.Path(BINARY).resolve().parents[2] / "tests/load/steady_posts"


@contextlib.contextmanager
def posting(forebay, url, rate, seconds):
    """A load under way; its result is there with report()."""
    load = subprocess.Popen([STEADY_POSTS, "--url", url, "--rate", str(rate), "--seconds", str(seconds), "--out", "ids"], cwd=forebay.folder,
                            stdout=subprocess.PIPE, text=True)
    try:
        yield load
    finally:
        load.kill()
        load.wait()


def report(load):
    printed, _ = load.communicate(timeout=60)
    return json.loads(printed)


def acknowledged(forebay):
    return pathlib.Path(forebay.folder, "ids").read_text().split()


def waiting_in_leads(forebay):
    queues = {queue["name"]: queue for queue in requests.get(forebay.admin + "/api/queues", timeout=10).json()["queues"]}
    return queues["leads"]["ready"]


def test_all_is_accepted(forebay):
    node = forebay(LEADS)
    with posting(node, node.intake + "/v1/lead", 500, 2) as load:
        told = report(load)
    assert load.returncode == 0, told
    assert told["posts"] == told["accepted"] == len(set(acknowledged(node))) == waiting_in_leads(node) > 500
    assert told["not_accepted"] == {} and told["connections_opened"] > told["posts"] / 50
    assert 0 < told["p50_ms"] <= told["p99_ms"] <= told["max_ms"]


def test_a_node_that_is_killed_is_noticed(forebay):
    node = forebay(LEADS)
    with posting(node, node.intake + "/v1/lead", 500, 60) as load:
        wait_until(lambda: waiting_in_leads(node) > 100)
        node.kill9()
        load.terminate()
        told = report(load)
    assert load.returncode == 1
    assert told["cut"] + told["refused"] > 0
    assert told["accepted"] == len(set(acknowledged(node))) < told["posts"]


def test_what_is_refused_is_told_by_its_status(forebay):
    node = forebay(LEADS)
    with posting(node, node.intake + "/v1/nothing", 100, 1) as load:
        told = report(load)
    assert load.returncode == 1
    assert told["not_accepted"] == {"404": told["posts"]} and told["accepted"] == 0
