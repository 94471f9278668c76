"""The queue port with signatures verified, as `forebay serve` does unless it is told otherwise: who gets in, and what each may do."""
import datetime
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
import requests
from conftest import LEADS, LEADS_TO_SQLITE, descendants
from sqs_clients import REGION, boto, refused

SECRETS = {name: f"{name}-canary-secret-{'x' * 20}" for name in ("full", "sender", "reader", "admin")}
FILES = {f"{name}.secret": secret + "\n" for name, secret in SECRETS.items()}
KEYS = "".join(f"""
[access.{name}]
id = "{name.upper()}"
secret = "${{file:{name}.secret}}"
allow = {json.dumps(allow)}
""" for name, allow in {"full": ["*:*"], "sender": ["send:orders"], "reader": ["receive:orders", "delete:orders"], "admin": ["admin:orders"]}.items())


def client(node, name, **more):
    return boto(node.sqs, name.upper(), SECRETS[name], **more)


@pytest.fixture
def node(forebay):
    node = forebay(KEYS, signed=True, files=FILES)
    client(node, "full").create_queue(QueueName="orders")
    return node


def signed(url, body, key="FULL", secret=SECRETS["full"], action="ListQueues", at=None, token=None, **headers):
    """A JSON request with its signature, to be sent as it is or after it was changed."""
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{action}", **headers}
    request = botocore.awsrequest.AWSRequest(method="POST", url=url + "/", data=body, headers=headers)

    class AtAnotherTime(botocore.auth.SigV4Auth):
        def add_auth(self, request):
            request.context["timestamp"] = (at or datetime.datetime.utcnow()).strftime(botocore.auth.SIGV4_TIMESTAMP)
            self._modify_request_before_signing(request)
            canonical = self.canonical_request(request)
            self._inject_signature_to_request(request, self.signature(self.string_to_sign(request, canonical), request))

    AtAnotherTime(botocore.credentials.Credentials(key, secret, token), "sqs", REGION).add_auth(request)
    return requests.Request("POST", url + "/", data=body, headers=dict(request.headers)).prepare()


def said(prepared):
    answer = requests.Session().send(prepared, timeout=30)
    return answer.status_code, answer.headers.get("x-amzn-query-error", "").split(";")[0]


def test_a_signed_request_is_let_in_and_no_other(node):
    assert said(signed(node.sqs, b"{}")) == (200, "")
    assert said(signed(node.sqs, b"{}", token="of-no-meaning-here")) == (200, "")
    assert said(signed(node.sqs, b"{}", secret="x" * 30)) == (403, "SignatureDoesNotMatch")
    assert said(signed(node.sqs, b"{}", key="NOBODY")) == (403, "InvalidClientTokenId")
    now = datetime.datetime.utcnow()
    for minutes in (-20, 20):
        assert said(signed(node.sqs, b"{}", at=now + datetime.timedelta(minutes=minutes))) == (403, "SignatureDoesNotMatch")
        assert said(signed(node.sqs, b"{}", at=now + datetime.timedelta(minutes=minutes * 0.7))) == (200, "")
    answer = requests.post(node.sqs, data={"Action": "ListQueues"}, timeout=30)
    assert answer.status_code == 403 and "<Code>MissingAuthenticationToken</Code>" in answer.text


def test_what_was_changed_on_the_way_is_refused(node):
    def changed(**headers):
        request = signed(node.sqs, b"{}")
        request.headers.update(headers)
        return said(request)

    body = signed(node.sqs, b'{"QueueNamePrefix":"a"}')
    body.body = b'{"QueueNamePrefix":"b"}'
    assert said(body) == (403, "SignatureDoesNotMatch")
    assert changed(**{"X-Amz-Target": "AmazonSQS.PurgeQueue"}) == (403, "SignatureDoesNotMatch")
    assert changed(**{"X-Forebay-Release": "hold"}) == (403, "SignatureDoesNotMatch")
    assert changed(Host="localhost:1") == (403, "SignatureDoesNotMatch")
    assert changed(Authorization="AWS4-HMAC-SHA256 Credential=FULL") == (400, "IncompleteSignature")
    assert changed(Authorization="Bearer x") == (403, "MissingAuthenticationToken")
    request = signed(node.sqs, b"{}")
    for header in ("Authorization", "X-Amz-Date"):
        twice = subprocess.run(["curl", "-s", "-w", "%{http_code}", node.sqs + "/", "-d", "{}", "-H", f"{header}: AWS4-HMAC-SHA256 x",
                                *[word for pair in request.headers.items() if pair[0] != "Content-Length" for word in ("-H", ": ".join(pair))]],
                               capture_output=True, text=True, timeout=30).stdout
        assert twice.endswith("400") and header in twice, twice


def test_a_presigned_address_works_once_it_is_made_and_until_it_expires(node):
    full = client(node, "full")
    url = full.get_queue_url(QueueName="orders")["QueueUrl"]
    for method in ("GET", "POST"):
        address = full.generate_presigned_url("send_message", Params={"QueueUrl": url, "MessageBody": "a b&c=ü"}, ExpiresIn=60, HttpMethod=method)
        done = subprocess.run(["curl", "-s", "-X", method, address], capture_output=True, text=True, timeout=30)
        assert "<MessageId>" in done.stdout, done.stdout
        for other in (address.replace("SendMessage", "PurgeQueue"), address + "&DelaySeconds=1", address + "&X-Amz-Expires=600"):
            assert requests.request(method, other, timeout=30).status_code in (400, 403)
        assert requests.request(method, address, data=b"x=1", timeout=30).status_code == 403
    gone = re.sub("X-Amz-Date=[0-9]{8}", "X-Amz-Date=20200101", full.generate_presigned_url("list_queues"))
    answer = requests.post(gone, timeout=30)
    assert answer.status_code == 400 and "<Code>RequestExpired</Code>" in answer.text
    assert [m["Body"] for m in full.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]] == ["a b&c=ü"] * 2


def test_a_long_body_that_no_known_key_signed_is_not_waited_for(node):
    def answer(request):
        head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items() if name != "Content-Length")
        with socket.create_connection(("127.0.0.1", int(node.sqs.rsplit(":", 1)[1])), timeout=20) as s:
            s.sendall(f"POST / HTTP/1.1\r\nHost: {node.sqs[7:]}\r\nContent-Length: 8000000\r\n{head}\r\n".encode())
            return s.recv(4096)

    assert answer(requests.Request("POST", node.sqs).prepare()).startswith(b"HTTP/1.1 403 ")
    assert b"UnrecognizedClientException" in answer(signed(node.sqs, b"{}", key="NOBODY"))
    assert client(node, "full").send_message(QueueUrl="orders", MessageBody="x" * 900_000)["MessageId"]


def test_each_key_may_do_what_it_is_granted(node):
    url = client(node, "full").get_queue_url(QueueName="orders")["QueueUrl"]
    client(node, "full").create_queue(QueueName="others")
    calls = {
        "send": lambda sqs: sqs.send_message(QueueUrl=url, MessageBody="x"),
        "receive": lambda sqs: sqs.receive_message(QueueUrl=url),
        "delete": lambda sqs: sqs.delete_message(QueueUrl=url, ReceiptHandle="x"),
        "admin": lambda sqs: sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"}),
        "look": lambda sqs: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]),
    }
    granted = {"full": set(calls), "sender": {"send", "look"}, "reader": {"receive", "delete", "look"}, "admin": {"admin", "look"}}
    for name, verbs in granted.items():
        sqs = client(node, name)
        for verb, call in calls.items():
            try:
                call(sqs)
                code = ""
            except sqs.exceptions.ClientError as e:
                code = e.response["Error"]["Code"]
            assert (code == "AccessDenied") == (verb not in verbs), (name, verb, code)
        assert len(sqs.list_queues()["QueueUrls"]) == (2 if name == "full" else 1)
        if name != "full":
            assert refused(sqs.get_queue_url, QueueName="others")[1] == "AccessDenied"
    status, code, message = refused(client(node, "sender").purge_queue, QueueUrl=url)
    assert (status, code) == (403, "AccessDenied")
    assert message == ("User: arn:aws:iam::123456789012:user/sender is not authorized to perform: sqs:purgequeue on resource: "
                       "arn:aws:sqs:us-east-1:123456789012:orders because no identity-based policy allows the sqs:purgequeue action")


def test_the_aws_sdk_for_javascript_signs_as_it_must(node):
    done = subprocess.run(["node", "main.mjs", node.sqs], cwd=pathlib.Path(__file__).parent / "sqs_js", capture_output=True, text=True, timeout=120,
                          env={**os.environ, "AWS_ACCESS_KEY_ID": "FULL", "AWS_SECRET_ACCESS_KEY": SECRETS["full"]})
    assert done.returncode == 0 and done.stdout == "ok\n", done.stdout + done.stderr


PROGRAM = """
import boto3, json, os, sys, time
sqs = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL_SQS"], region_name=os.environ["AWS_REGION"])
url = os.environ["FOREBAY_QUEUE_URL"]
while True:
    for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", []):
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        open("program.done", "w").write(message["Body"])
"""


def test_the_nodes_own_workers_and_programs_sign_by_themselves(forebay):
    node = forebay(KEYS + LEADS + LEADS_TO_SQLITE.replace('handler = "sql"', 'handler = "sql"\nthen = ["after"]') + """
[queue.after]
[worker.program]
handler = "program"
queue = "after"
command = ["/usr/bin/python3", "program.py"]
""", signed=True, files={**FILES, "program.py": PROGRAM})
    assert requests.post(node.intake + "/v1/lead", json={"email": "jane@example.com"}, timeout=30).status_code == 202
    deadline = time.monotonic() + 60
    done = pathlib.Path(node.folder, "program.done")
    while not (done.exists() and "jane@example.com" in done.read_text()):
        assert time.monotonic() < deadline, node.output()
        time.sleep(0.1)
    key = pathlib.Path(node.folder, "data/secrets/worker")
    assert key.stat().st_mode & 0o777 == 0o600
    worker_id, worker_secret = key.read_text().split()
    sqs = boto(node.sqs, worker_id, worker_secret)
    assert refused(sqs.create_queue, QueueName="x")[1] == "AccessDenied"
    no_secret_in(node, [*SECRETS.values(), worker_secret])


def no_secret_in(node, secrets):
    """Neither in a log, nor on a command line, nor in what the node says of itself."""
    texts = [path.read_bytes() for path in pathlib.Path(node.folder).rglob("*")
             if path.is_file() and not path.name.endswith(".secret") and path.parent.name != "secrets"]
    for pid in [node.parent.pid, *descendants(node.parent.pid)]:
        texts.append(pathlib.Path(f"/proc/{pid}/cmdline").read_bytes())
    for words in (("config", "show"), ("config", "show", "--json"), ("status", "--json"), ("check",)):
        texts.append(node.run(*words, expect=None).stdout.encode())
    texts.append(requests.get(node.admin + "/metrics", timeout=30).content)
    for secret in secrets:
        bad = requests.post(node.sqs, data={"Action": "ListQueues"}, timeout=30,
                            headers={"Authorization": f"AWS4-HMAC-SHA256 Credential={secret}/20200101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=00",
                                     "X-Amz-Date": datetime.datetime.utcnow().strftime("%Y%m%dT%H%M%SZ")})
        assert bad.status_code == 403
    for text in texts:
        for secret in secrets:
            assert secret.encode() not in text, text[:2000]


def test_without_keys_the_start_says_what_to_do_and_dev_lets_everybody_in(forebay):
    node = forebay(signed=True)
    assert "sqs.no_access_keys" in node.output() and "forebay access new" in node.output()
    assert refused(boto(node.sqs).list_queues)[1] == "InvalidClientTokenId"
    boto(forebay(signed=True, verb="dev").sqs).list_queues()


def test_a_key_is_made_taken_up_and_taken_away_without_a_restart(node):
    made = node.json("access", "new", "web")
    pathlib.Path(node.folder, "web.secret").write_text(made["secret"])
    text = node.text
    sqs = boto(node.sqs, made["id"], made["secret"])
    assert refused(sqs.list_queues)[1] == "InvalidClientTokenId"

    def reload(text, is_done):
        node.write(text)
        node.parent.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 30
        while not is_done():
            assert time.monotonic() < deadline, node.output()
            time.sleep(0.05)

    def is_in():
        try:
            return bool(sqs.list_queues())
        except sqs.exceptions.ClientError:
            return False

    reload(text + f'\n[access.web]\nid = "{made["id"]}"\nsecret = "${{file:web.secret}}"\nallow = ["send:orders"]\n', is_in)
    assert sqs.send_message(QueueUrl="orders", MessageBody="x")["MessageId"]
    reload(text, lambda: not is_in())


def test_refusals_are_counted(node):
    requests.post(node.sqs, data={"Action": "ListQueues"}, timeout=30)
    refused(client(node, "sender").purge_queue, QueueUrl="orders")
    metrics = requests.get(node.admin + "/metrics", timeout=30).text
    assert 'forebay_sqs_denied_total{code="MissingAuthenticationToken"} 1' in metrics
    assert 'forebay_sqs_denied_total{code="AccessDenied"} 1' in metrics
