"""Who may speak to the ports of the operator and of the queues, and what is told there."""
import json
import socket

import pytest
import requests
import sqs_clients

ENDPOINT = """
[endpoint.lead]
path = "/v1/lead"
queue = "leads"
[endpoint.lead.fields]
email = { type = "email", required = true }
[queue.leads]
"""


def purge(f, **headers):
    return requests.post(f.sqs, json={"QueueUrl": "x"}, timeout=10,
                         headers={"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.PurgeQueue", **headers})


def test_a_page_whose_name_was_pointed_here_reaches_neither_port(forebay):
    f = forebay(ENDPOINT)
    evil = {"Host": "evil.example:9324", "Origin": "http://evil.example:9324", "Sec-Fetch-Site": "same-origin"}
    answer = purge(f, **evil)
    assert answer.status_code == 403 and answer.json()["__type"].endswith("#AccessDeniedException") and "[sqs] hosts" in answer.json()["message"]
    answer = requests.get(f.sqs + "/?Action=ListQueues", headers=evil, timeout=10)
    assert answer.status_code == 403 and "<Code>AccessDenied</Code>" in answer.text
    for path in ("/", "/api/queues", "/api/queues/leads/peek", "/metrics"):
        answer = requests.get(f.admin + path, headers=evil, timeout=10)
        assert answer.status_code == 421 and "[admin] hosts" in answer.json()["detail"], path
    # Health is asked by balancers under any name, and tells nothing.
    assert requests.get(f.admin + "/readyz", headers=evil, timeout=10).status_code == 200
    for good in ("localhost", "LOCALHOST:1", "leads.localhost:80", "[::1]", "10.0.0.1:80"):
        assert requests.get(f.admin + "/api/node", headers={"Host": good}, timeout=10).status_code == 200, good
        assert purge(f, Host=good).json()["__type"].endswith("#QueueDoesNotExist"), good


def test_names_that_are_configured_are_answered_to(forebay):
    f = forebay(ENDPOINT)
    f.stop()
    text = f.text.replace("[admin]", '[admin]\nhosts = ["ops.example.com"]').replace("[sqs]", '[sqs]\nhosts = ["queue.example.com"]\nbase_url = "https://sqs.example.com:8443/x"')
    f.write(text)
    f.start()
    assert requests.get(f.admin + "/api/node", headers={"Host": "ops.example.com"}, timeout=10).status_code == 200
    assert requests.get(f.admin + "/api/node", headers={"Host": "queue.example.com"}, timeout=10).status_code == 421
    for name, status in (("queue.example.com:9324", 400), ("sqs.example.com", 400), ("ops.example.com", 403)):
        assert purge(f, Host=name).status_code == status, name


def test_a_page_of_another_local_port_purges_nothing(forebay):
    f = forebay(ENDPOINT)
    for site in ("cross-site", "same-site"):
        answer = requests.get(f.sqs + "/?Action=PurgeQueue&QueueUrl=x", headers={"Sec-Fetch-Site": site}, timeout=10)
        assert answer.status_code == 403 and "AccessDenied" in answer.text, site


def test_the_metrics_listener_has_nothing_but_metrics(forebay):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    forebay(ENDPOINT + f'[telemetry]\nprometheus = "127.0.0.1:{port}"\n')
    metrics = f"http://127.0.0.1:{port}"
    assert "forebay_build_info" in requests.get(metrics + "/metrics", timeout=10).text
    assert requests.get(metrics + "/api/queues", timeout=10).status_code == 404
    assert requests.post(metrics + "/api/queues/leads/purge", json={"reason": "x"}, timeout=10).status_code == 404


def test_a_header_that_decides_something_is_given_once(forebay):
    f = forebay(ENDPOINT)

    def status(url, head, body):
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as s:
            s.sendall(head.encode() + b"Host: x.localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            answer = b"".join(iter(lambda: s.recv(65536), b""))
        return int(answer.split()[1]), answer.decode()

    json_type = "Content-Type: application/json\r\n"
    code, text = status(f.intake, f"POST /v1/lead HTTP/1.1\r\n{json_type}Idempotency-Key: a\r\nidempotency-key: b\r\n", b'{"email":"jane@example.com"}')
    assert code == 400 and "Idempotency-Key" in text and '"kept":true' in text
    code, text = status(f.sqs, "POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.ListQueues\r\nX-Amz-Target: AmazonSQS.PurgeQueue\r\n", b"{}")
    assert code == 400 and "X-Amz-Target" in text
    origin = f"Origin: {f.admin}\r\n"
    code, text = status(f.admin, f"POST /api/queues/leads/purge HTTP/1.1\r\n{origin}{origin}", b'{"reason":"x"}')
    assert code == 400 and "Origin" in text
