"""What a noisy tenant costs the others: 10,000 messages of one wait, 20 others send one each a second, 24 consumers take 50 ms for each
message. How long the others' messages wait until they are received, with MessageGroupId and without; 270-byte bodies."""
import http.client
import json
import os
import statistics
import threading
import time

from measure import forebay, temporary_folder

BACKLOG = int(os.environ.get("BACKLOG", "10000"))
QUIET_TENANTS = 20
QUIET_SECONDS = int(os.environ.get("QUIET_SECONDS", "10"))
CONSUMERS = 24
PROCESSING = 0.05


class Client:
    """One keep-alive connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def call(self, action, **members):
        self.connection.request("POST", "/", json.dumps(members),
                                {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS." + action})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{action}: {answer.status} {text[:300]}")
        return json.loads(text) if text else {}


def body(tenant):
    return json.dumps({"tenant": tenant, "sent": time.monotonic()}).ljust(270)


def message(tenant, grouped):
    return {"MessageBody": body(tenant)} | ({"MessageGroupId": tenant} if grouped else {})


def fill(port, url, grouped):
    client = Client(port)
    for first in range(0, BACKLOG, 10):
        client.call("SendMessageBatch", QueueUrl=url, Entries=[{"Id": str(i)} | message("noisy", grouped) for i in range(min(10, BACKLOG - first))])


def consume(port, url, dwell):
    """Until there is nothing more for two seconds."""
    client = Client(port)
    while True:
        got = client.call("ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=1, WaitTimeSeconds=2).get("Messages", [])
        if not got:
            return
        content = json.loads(got[0]["Body"])
        dwell[content["tenant"] == "noisy"].append((time.monotonic() - content["sent"]) * 1000)
        time.sleep(PROCESSING)
        client.call("DeleteMessage", QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])


def send_quietly(port, url, grouped):
    client = Client(port)
    for i in range(QUIET_SECONDS * QUIET_TENANTS):
        client.call("SendMessage", QueueUrl=url, **message(f"tenant-{i % QUIET_TENANTS}", grouped))
        time.sleep(1 / QUIET_TENANTS)


def run(port, grouped):
    url = Client(port).call("CreateQueue", QueueName="grouped" if grouped else "plain")["QueueUrl"]
    fill(port, url, grouped)
    dwell = {True: [], False: []}
    threads = [threading.Thread(target=consume, args=(port, url, dwell)) for _ in range(CONSUMERS)]
    threads.append(threading.Thread(target=send_quietly, args=(port, url, grouped)))
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    quiet = dwell[False]
    if len(quiet) != QUIET_SECONDS * QUIET_TENANTS or len(dwell[True]) != BACKLOG:
        raise SystemExit(f"{len(quiet)} messages of the others and {len(dwell[True])} of the noisy tenant came")
    cuts = statistics.quantiles(quiet, n=100)
    return {"quiet_p50_ms": round(cuts[49], 1), "quiet_p99_ms": round(cuts[98], 1),
            "per_second": round((len(quiet) + BACKLOG) / (time.monotonic() - begun - 2))}


def main():
    out = {"bench": "fair", "backlog": BACKLOG, "quiet_tenants": QUIET_TENANTS, "consumers": CONSUMERS, "processing_ms": PROCESSING * 1000}
    with temporary_folder() as folder, forebay(folder) as (ports, _):
        for name, grouped in (("without_groups", False), ("with_groups", True)):
            out[name] = run(ports["sqs"], grouped)
            print(f"{name:16} quiet tenants wait p50 {out[name]['quiet_p50_ms']:,.1f} ms, p99 {out[name]['quiet_p99_ms']:,.1f} ms;"
                  f" {out[name]['per_second']} messages/s in all", flush=True)
    print(json.dumps(out))


main()
