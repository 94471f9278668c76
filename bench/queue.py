"""Send + receive + delete of 1 KiB messages: through the broker without HTTP (bench/queue_bench.cpp), and through the SQS API
in batches of 10 from a lean client on raw sockets. No peer: the figures are bytes written, syncs and times."""
import json
import os
import socket
import statistics
import subprocess
import threading
import time

from measure import ROOT, ROUNDS, SECONDS_EACH, cpu_seconds, forebay, temporary_folder

QUEUE = """
[queue.bench]
visibility_timeout = "30s"
"""
CLIENTS = 8
BATCH = 10
BODY = "x" * 1024


class Connection:
    """One keep-alive connection that speaks just enough HTTP to the queue port."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def call(self, action, body):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.socket.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS." + action.encode()
                            + b"\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body)
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.receive()
        head, rest = self.buffer.split(b"\r\n\r\n", 1)
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(rest) < length:
            rest += self.receive()
        self.buffer = rest[length:]
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{action}: {head.splitlines()[0]} {rest[:300]}")
        return rest[:length]

    def receive(self):
        part = self.socket.recv(262144)
        if not part:
            raise RuntimeError("the server closed the connection")
        return part


def one_client(port, until, url, figures, failures):
    try:
        cycle_until(port, until, url, figures)
    except RuntimeError as error:
        failures.append(str(error))


def cycle_until(port, until, url, figures):
    connection = Connection(port)
    send = json.dumps({"QueueUrl": url, "Entries": [{"Id": str(i), "MessageBody": BODY} for i in range(BATCH)]}).encode()
    receive = json.dumps({"QueueUrl": url, "MaxNumberOfMessages": BATCH}).encode()
    while time.monotonic() < until:
        begun = time.monotonic()
        connection.call("SendMessageBatch", send)
        got = json.loads(connection.call("ReceiveMessage", receive)).get("Messages", [])
        if got:
            entries = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(got)]
            connection.call("DeleteMessageBatch", {"QueueUrl": url, "Entries": entries})
        figures.append((time.monotonic() - begun, len(got)))


def through_the_api(folder):
    with forebay(folder, QUEUE) as (ports, pid):
        url = f"http://127.0.0.1:{ports['sqs']}/123456789012/bench"
        cpu, begun, figures, failures = cpu_seconds(pid), time.monotonic(), [], []
        clients = [threading.Thread(target=one_client, args=(ports["sqs"], begun + SECONDS_EACH, url, figures, failures))
                   for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        took, messages = time.monotonic() - begun, sum(n for _, n in figures)
        if failures or messages == 0:
            raise SystemExit(failures[0] if failures else "no message went through the queue")
        times = sorted(t for t, _ in figures)
        return {"per_s": messages / took, "cpu_us": (cpu_seconds(pid) - cpu) / messages * 1e6,
                "p50_us": times[len(times) // 2] * 1e6, "p99_us": times[int(len(times) * 0.99)] * 1e6}


def main():
    rounds = {}
    for _ in range(ROUNDS):
        with temporary_folder() as folder:
            out = subprocess.run([os.path.join(ROOT, "build/release/bench/queue_bench"), f"{folder}/queue", str(SECONDS_EACH)],
                                 capture_output=True, text=True, check=True).stdout
            for line in map(json.loads, out.splitlines()):
                name = next(kind for kind in ("batch", "clients", "batch_in_groups") if kind in line)
                rounds.setdefault(f"{name} {line[name]}", []).append(line)
            rounds.setdefault("sqs api batch 10", []).append(through_the_api(folder))
    for name, values in rounds.items():
        middle = statistics.median(v["per_s"] for v in values)
        extra = ""
        if "send_us" in values[0]:
            last = sorted(values, key=lambda v: v["per_s"])[len(values) // 2]
            extra = (f"   send p50 {last['send_us']['p50']} p99 {last['send_us']['p99']} us   receive p50 {last['receive_us']['p50']} us"
                     f"   delete p50 {last['delete_us']['p50']} us   fsyncs {last['fsyncs_per_message']}/message"
                     f"   device {last['device_bytes_per_message']} B/message")
        else:
            extra = f"   whole cycle of 10: p50 {values[0]['p50_us']:.0f} p99 {values[0]['p99_us']:.0f} us"
        print(f"{name:18} {middle:9,.0f} messages/s   cpu {statistics.median(v['cpu_us'] for v in values):6.2f} us{extra}", flush=True)

    def middle(name, get):
        return round(statistics.median(get(v) for v in rounds[name]), 1)

    print(json.dumps({
        "bench": "queue",
        "device_bytes_per_message": middle("batch 64", lambda v: v["device_bytes_per_message"]),
        "fsyncs_per_message": round(statistics.median(v["fsyncs_per_message"] for v in rounds["batch 64"]), 4),
        "p50_us": middle("batch 64", lambda v: v["send_us"]["p50"]),
        "p99_us": middle("batch 64", lambda v: v["send_us"]["p99"]),
        "per_second": {name.replace(" ", "_"): middle(name, lambda v: v["per_s"]) for name in rounds},
        "cpu_us": {name.replace(" ", "_"): middle(name, lambda v: v["cpu_us"]) for name in rounds},
        "sqs_api_batch_10": {"p50_us": middle("sqs api batch 10", lambda v: v["p50_us"]), "p99_us": middle("sqs api batch 10", lambda v: v["p99_us"])},
        "rounds": ROUNDS,
    }))


main()
