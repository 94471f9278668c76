"""The SQS API beside fauxqs (in memory), RabbitMQ quorum queues with confirms, Redis `appendfsync always` and beanstalkd `-f 0`, in rounds in
which all take turns; then the same with a million messages waiting, a FIFO queue beside a standard one, and requests that are signed beside those
that are not. Ours is durable before each answer. 270-byte bodies everywhere."""
import base64
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import urllib.request

import peers
from measure import ROOT, ROUNDS, SECONDS_EACH, cpu_seconds, forebay, median, ratio, run_counted, temporary_folder

BODY_BYTES = 270
WAITING = int(os.environ.get("WAITING", "1000000"))
FIFO_WAITING, FIFO_GROUPS = 216_000, 1000
SQS_LOAD = os.path.join(ROOT, "build/release/bench/sqs_load")
AMQP_LOAD = os.path.join(ROOT, "build/release/bench/amqp_load")


def call(port, action, **members):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/", json.dumps(members).encode(),
        {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS." + action})
    text = urllib.request.urlopen(request, timeout=60).read()
    return json.loads(text) if text else {}


def loaded(argv, pid):
    """One run of a load generator beside what it cost the server."""
    before = cpu_seconds(pid)
    done = json.loads(run_counted(argv)[0])
    done["cpu_us"] = (cpu_seconds(pid) - before) / max(done["messages"], 1) * 1e6
    return done


class Sqs:
    """A server of the SQS API."""

    def __init__(self, name, port, pid):
        self.name, self.port, self.pid = name, port, pid

    def load(self, what, url, *flags):
        return loaded([SQS_LOAD, what, *map(str, flags), "--port", str(self.port), "--queue", url, "--bytes", str(BODY_BYTES), "--seconds",
                       str(SECONDS_EACH)], self.pid)

    @contextlib.contextmanager
    def queue(self, name, **attributes):
        url = call(self.port, "CreateQueue", QueueName=name, Attributes=attributes)["QueueUrl"]
        yield url
        call(self.port, "DeleteQueue", QueueUrl=url)

    def round(self, number):
        """Each kind of load on a fresh queue; what is drained is what the batches left."""
        out = {}
        with self.queue(f"single-{number}") as url:
            out["single"] = self.load("send", url)
        with self.queue(f"batch-{number}") as url:
            out["batch"] = self.load("send-batch", url)
            out["drain"] = self.load("drain", url)
        with self.queue(f"trip-{number}") as url:
            out["round_trip"] = self.load("round-trip", url)
        with self.queue(f"trip1-{number}") as url:
            out["round_trip_1"] = self.load("round-trip-1", url)
        return {f"{self.name} {kind}": figures for kind, figures in out.items()}


def rabbit_round(port, pid):
    def load(what, unconfirmed):
        return loaded([AMQP_LOAD, what, "--port", str(port), "--queue", "bench", "--unconfirmed", str(unconfirmed), "--seconds", str(SECONDS_EACH),
                       "--bytes", str(BODY_BYTES)], pid)
    return {"rabbitmq single": load("publish", 64), "rabbitmq batch": load("publish", 640), "rabbitmq round_trip": load("round-trip", 640),
            "rabbitmq round_trip_1": load("round-trip", 64)}


def redis_round(port, pid):
    def load(pipelined, count):
        before = cpu_seconds(pid)
        out, load_cpu = run_counted(["redis-benchmark", "-p", str(port), "-c", "64", "-n", str(count), "-P", str(pipelined), "--csv", "XADD", "s", "*",
                                     "b", "x" * BODY_BYTES])
        fields = re.findall(r'"([^"]*)"', out.splitlines()[-1])  # test, rps, then latency in ms: avg, min, p50, p95, p99, max
        cpu = cpu_seconds(pid) - before
        subprocess.run(["redis-cli", "-p", str(port), "UNLINK", "s"], check=True, stdout=subprocess.DEVNULL)
        return {"rate": float(fields[1]), "p50_us": float(fields[4]) * 1000, "p99_us": float(fields[6]) * 1000, "cpu_us": cpu / count * 1e6,
                "load_cpu_us": load_cpu / count * 1e6}
    return {"redis single": load(1, 60000 * SECONDS_EACH), "redis batch": load(10, 250000 * SECONDS_EACH)}


def beanstalkd_round(port, pid):
    return {"beanstalkd single": loaded([SQS_LOAD, "put", "--port", str(port), "--bytes", str(BODY_BYTES), "--seconds", str(SECONDS_EACH)], pid)}


def beside_the_peers(folder):
    rounds = {}
    with forebay(f"{folder}/forebay") as ours, peers.fauxqs() as fauxqs, peers.rabbitmq(f"{folder}/rabbitmq") as rabbitmq, \
         peers.redis(f"{folder}/redis") as redis, peers.beanstalkd(f"{folder}/beanstalkd") as beanstalkd:
        us, them = Sqs("forebay", ours[0]["sqs"], ours[1]), Sqs("fauxqs", *fauxqs)
        us.round("warm")  # not counted: spare segments are made meanwhile
        for number in range(ROUNDS):
            for figures in (us.round(number), rabbit_round(*rabbitmq), them.round(number), redis_round(*redis), beanstalkd_round(*beanstalkd)):
                for name, one in figures.items():
                    rounds.setdefault(name, []).append(one)
    return rounds


def with_a_million_waiting(folder):
    """Ours alone, in turns: a queue that is empty at first, and one in which a million messages wait."""
    rounds = {}
    with forebay(folder) as (ports, pid):
        port = ports["sqs"]
        us = Sqs("forebay", port, pid)
        with us.queue("waiting") as full:
            subprocess.run([SQS_LOAD, "send-batch", "--port", str(port), "--queue", full, "--bytes", str(BODY_BYTES), "--count", str(WAITING),
                            "--seconds", "600"], check=True, stdout=subprocess.DEVNULL)
            for number in range(ROUNDS):
                with us.queue(f"empty-{number}") as empty:
                    for kind, what in (("single", "send"), ("batch", "send-batch"), ("drain", "drain"), ("round_trip", "round-trip")):
                        for name, url in (("none waiting", empty), ("million waiting", full)):
                            rounds.setdefault(f"{name} {kind}", []).append(us.load(what, url))
    return rounds


def fifo_beside_standard(folder):
    """Ours alone, in turns: receive and delete of what waits in a FIFO queue of 1,000 groups, and in a standard queue."""
    rounds = {}
    with forebay(folder) as (ports, pid):
        us = Sqs("forebay", ports["sqs"], pid)
        for number in range(ROUNDS):
            for kind, name, attributes, groups in (("standard", f"waiting-{number}", {}, 0),
                                                   ("fifo", f"waiting-{number}.fifo", {"FifoQueue": "true"}, FIFO_GROUPS)):
                with us.queue(name, **attributes) as url:
                    sent = us.load("send-batch", url, "--groups", groups, "--count", FIFO_WAITING, "--seconds", 120)
                    rounds.setdefault(f"{kind} batch", []).append(sent)
                    rounds.setdefault(f"{kind} receive", []).append(us.load("drain", url))
    return rounds


ACCESS_KEY = """
[access.bench]
id = "BENCH"
secret = "${env:AWS_SECRET_ACCESS_KEY}"
allow = ["*:*"]
"""


@contextlib.contextmanager
def environment(**variables):
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]


def signed_beside_unsigned(folder):
    """Ours alone, in turns: a node that verifies every request and one that verifies none, both with the queues they need."""
    rounds = {}
    kinds = (("single", "send"), ("batch", "send-batch"), ("drain", "drain"))
    for name in ("unsigned", "signed"):
        with forebay(f"{folder}/{name}") as (ports, _):
            for kind in ("single", "batch"):
                call(ports["sqs"], "CreateQueue", QueueName=kind)
    secret = base64.b64encode(os.urandom(30)).decode()
    with forebay(f"{folder}/unsigned") as plain, environment(AWS_ACCESS_KEY_ID="BENCH", AWS_SECRET_ACCESS_KEY=secret):
        with forebay(f"{folder}/signed", ACCESS_KEY, verify="true") as checked:
            for _ in range(ROUNDS):
                for kind, what in kinds:
                    queue = "batch" if kind == "drain" else kind
                    for name, (ports, pid) in (("unsigned", plain), ("signed", checked)):
                        rounds.setdefault(f"{name} {kind}", []).append(Sqs("forebay", ports["sqs"], pid).load(what, queue))
    return rounds


def show(name, values):
    rates = [v["rate"] for v in values]
    print(f"{name:28} {statistics.median(rates):9,.0f}/s  ({min(rates):,.0f} - {max(rates):,.0f})   cpu {median(values, 'cpu_us'):6.2f} us"
          f"   p50 {median(values, 'p50_us'):7,.0f}   p99 {median(values, 'p99_us'):7,.0f} us   load generator {median(values, 'load_cpu_us'):5.2f} us",
          flush=True)


def spread(ours, theirs):
    ratios = sorted(a["rate"] / b["rate"] for a, b in zip(ours, theirs))
    return [round(ratios[0], 2), round(ratios[-1], 2)]


PAIRS = {"fauxqs_single": ("single", "fauxqs single"), "rabbitmq_single": ("single", "rabbitmq single"), "redis_single": ("single", "redis single"),
         "beanstalkd_single": ("single", "beanstalkd single"), "fauxqs_batch": ("batch", "fauxqs batch"), "rabbitmq_batch": ("batch", "rabbitmq batch"),
         "redis_batch": ("batch", "redis batch"), "fauxqs_drain": ("drain", "fauxqs drain"), "fauxqs_round_trip": ("round_trip", "fauxqs round_trip"),
         "rabbitmq_round_trip": ("round_trip", "rabbitmq round_trip"), "rabbitmq_round_trip_1": ("round_trip_1", "rabbitmq round_trip_1")}


def main():
    wanted = sys.argv[1:] or ["peers", "million", "fifo", "signed"]
    rounds, out = {}, {"bench": "sqs"}
    with temporary_folder() as folder:
        if "peers" in wanted:
            rounds |= beside_the_peers(folder)
            out["ratio"] = {name: ratio(rounds[f"forebay {kind}"], rounds[peer]) for name, (kind, peer) in PAIRS.items()}
            out["ratio_spread"] = {name: spread(rounds[f"forebay {kind}"], rounds[peer]) for name, (kind, peer) in PAIRS.items()}
        if "million" in wanted:
            waiting = with_a_million_waiting(f"{folder}/million")
            kinds = ("single", "batch", "drain", "round_trip")
            out["million_waiting"] = {kind: ratio(waiting[f"million waiting {kind}"], waiting[f"none waiting {kind}"]) for kind in kinds}
            rounds |= waiting
        if "fifo" in wanted:
            fifo = fifo_beside_standard(f"{folder}/fifo")
            more = {f"fifo_{kind}": ratio(fifo[f"fifo {kind}"], fifo[f"standard {kind}"]) for kind in ("receive", "batch")}
            out["ratio"] = out.get("ratio", {}) | more
            rounds |= fifo
        if "signed" in wanted:
            signed = signed_beside_unsigned(f"{folder}/signed")
            more = {f"signed_{kind}": ratio(signed[f"signed {kind}"], signed[f"unsigned {kind}"]) for kind in ("single", "batch", "drain")}
            out["ratio"] = out.get("ratio", {}) | more
            rounds |= signed
    for name, values in rounds.items():
        show(name, values)
    for key, digits in (("cpu_us", 2), ("rate", 0), ("p50_us", 0), ("p99_us", 0)):
        out["per_second" if key == "rate" else key] = {name.replace(" ", "_"): round(median(values, key), digits) for name, values in rounds.items()}
    print(json.dumps(out | {"rounds": ROUNDS, "seconds_each": SECONDS_EACH}))


main()
