"""Who may speak to the ports of the operator and of the queues, and what is told there."""
import json
import os
import socket
import subprocess
import time

import pytest
import requests
import sqs_clients
from conftest import BINARY, LEADS, free_ports


def purge(f, **headers):
    return requests.post(f.sqs, json={"QueueUrl": "x"}, timeout=10,
                         headers={"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.PurgeQueue", **headers})


def test_a_page_whose_name_was_pointed_here_reaches_neither_port(forebay):
    f = forebay(LEADS)
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
    f = forebay(LEADS)
    f.stop()
    text = f.text.replace("[admin]", '[admin]\nhosts = ["ops.example.com"]').replace("[sqs]", '[sqs]\nhosts = ["queue.example.com"]\nbase_url = "https://sqs.example.com:8443/x"')
    f.write(text)
    f.start()
    assert requests.get(f.admin + "/api/node", headers={"Host": "ops.example.com"}, timeout=10).status_code == 200
    assert requests.get(f.admin + "/api/node", headers={"Host": "queue.example.com"}, timeout=10).status_code == 421
    for name, status in (("queue.example.com:9324", 400), ("sqs.example.com", 400), ("ops.example.com", 403)):
        assert purge(f, Host=name).status_code == status, name


def test_a_page_of_another_local_port_purges_nothing(forebay):
    f = forebay(LEADS)
    for site in ("cross-site", "same-site"):
        answer = requests.get(f.sqs + "/?Action=PurgeQueue&QueueUrl=x", headers={"Sec-Fetch-Site": site}, timeout=10)
        assert answer.status_code == 403 and "AccessDenied" in answer.text, site


def test_the_metrics_listener_has_nothing_but_metrics(forebay):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    forebay(LEADS + f'[telemetry]\nprometheus = "127.0.0.1:{port}"\n')
    metrics = f"http://127.0.0.1:{port}"
    assert "forebay_build_info" in requests.get(metrics + "/metrics", timeout=10).text
    assert requests.get(metrics + "/api/queues", timeout=10).status_code == 404
    assert requests.post(metrics + "/api/queues/leads/purge", json={"reason": "x"}, timeout=10).status_code == 404


def test_a_header_that_decides_something_is_given_once(forebay):
    f = forebay(LEADS)

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


@pytest.mark.parametrize("client", [sqs_clients.boto, sqs_clients.Json])
def test_refused_posts_are_out_of_reach_for_clients_of_the_queues(forebay, client):
    f = forebay(LEADS)
    assert requests.post(f.intake + "/v1/lead", json={"email": "wrong"}, timeout=10).status_code == 422
    sqs = client(f.sqs)
    assert [url.rsplit("/", 1)[1] for url in sqs.list_queues()["QueueUrls"]] == ["leads"]
    for call, more in ((sqs.receive_message, {}), (sqs.purge_queue, {}), (sqs.delete_queue, {}), (sqs.send_message, {"MessageBody": "x"}),
                       (sqs.set_queue_attributes, {"Attributes": {"DelaySeconds": "1"}})):
        status, code, message = sqs_clients.refused(call, QueueUrl=f.sqs + "/123456789012/forebay-quarantine", **more)
        assert (status, code.removesuffix("Exception")) == (403, "AccessDenied") and "forebay rejects" in message
    assert len(f.json("rejects", "ls")["rejects"]) == 1


def test_nothing_but_refused_posts_gets_into_the_quarantine(forebay):
    f = forebay(LEADS)
    done = f.run("queue", "send", "forebay-quarantine", "junk", expect=None)
    assert done.returncode != 0 and "forebay rejects ls" in done.stderr
    assert f.json("rejects", "ls")["rejects"] == []
    assert [q["ready"] for q in f.json("queue", "ls")["queues"] if q["name"] == "forebay-quarantine"] == [0]
    f.run("queue", "send", "leads", "not junk")


def test_a_deleted_queue_leaves_no_metrics_behind(forebay):
    f = forebay(LEADS)
    sqs = sqs_clients.Json(f.sqs)

    def of_queue(name):
        return [line for line in requests.get(f.admin + "/metrics", timeout=10).text.splitlines() if f'queue="{name}"' in line]

    url = sqs.create_queue(QueueName="passing")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    assert 'forebay_queue_sends_total{queue="passing"} 1' in of_queue("passing")
    sqs.delete_queue(QueueUrl=url)
    assert of_queue("passing") == []
    url = sqs.create_queue(QueueName="passing")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    assert 'forebay_queue_sends_total{queue="passing"} 1' in of_queue("passing")


def test_how_long_posts_take_is_counted_for_each_endpoint(forebay):
    f = forebay(LEADS)
    for body, status in (({"email": "jane@example.com"}, 202), ({"email": "wrong"}, 422), ({}, 422)):
        assert requests.post(f.intake + "/v1/lead", json=body, timeout=10).status_code == status
    text = requests.get(f.admin + "/metrics", timeout=10).text
    assert "# TYPE forebay_request_duration_seconds histogram" in text
    assert 'forebay_request_duration_seconds_count{endpoint="lead"} 3' in text
    assert 'forebay_request_duration_seconds_bucket{endpoint="lead",le="10"} 3' in text
    assert float(text.split('forebay_request_duration_seconds_sum{endpoint="lead"} ')[1].split()[0]) > 0


def test_the_age_of_the_oldest_message_is_an_age(forebay):
    f = forebay(LEADS)
    assert requests.get(f.admin + "/api/queues", timeout=10).json()["queues"][1]["oldest_age_ms"] is None
    assert requests.post(f.intake + "/v1/lead", json={"email": "jane@example.com"}, timeout=10).status_code == 202
    (age,) = [q["oldest_age_ms"] for q in f.json("queue", "ls")["queues"] if q["name"] == "leads"]
    assert 0 <= age < 30_000


def test_a_number_that_is_none_is_refused_and_not_taken_for_everything(forebay):
    f = forebay(LEADS)
    for path in ("rejects?since=yesterday", "rejects?after=-1", "queues/leads/peek?after=x", "queues/leads/peek?max=1.5", "records?from=2026-01-01",
                 "records?to=99999999999999999999"):
        answer = requests.get(f.admin + "/api/" + path, timeout=10)
        assert answer.status_code == 400 and path.split("?")[1].split("=")[0] in answer.json()["detail"], path


def seize(port):
    """Listens on a port as soon as it is free."""
    deadline = time.monotonic() + 10
    while True:
        taken = socket.socket()
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", port))
            taken.listen()
            return taken
        except OSError:
            taken.close()
            assert time.monotonic() < deadline, f"port {port} stays taken"
            time.sleep(0.01)


@pytest.mark.parametrize("setting", ["telemetry.prometheus", "intake.listen"])
def test_a_node_whose_port_was_taken_names_its_setting_and_who_took_it(forebay, setting):
    f = forebay(LEADS)
    f.stop()
    (port,) = free_ports(1)
    if setting == "intake.listen":
        f.write(f.text.replace("]\ndrain_delay", f', "127.0.0.1:{port}"]\ndrain_delay'))
    else:
        f.write(f.text + f'[telemetry]\nprometheus = "127.0.0.1:{port}"\n')
    f.start()
    assert f.ask({"do": "stop", "names": ["node"]})["ok"]
    with seize(port):
        said = f.ask({"do": "start", "names": ["node"]})["error"]
        assert_names_who_took(said, setting, port)
    f.wait_ready()  # it was tried again and again
    f.stop()
    with seize(port):
        alone = subprocess.run([BINARY, "node", "-c", "forebay.toml"], cwd=f.folder, capture_output=True, text=True, timeout=30)
        assert alone.returncode == 75
        assert_names_who_took(next(line for line in alone.stderr.splitlines() if "listen.failed" in line), setting, port)


def assert_names_who_took(said, setting, port):
    assert setting in said and f"(pid {os.getpid()})" in said and f"127.0.0.1:{port}" in said, said
    for other in {"telemetry.prometheus", "intake.listen", "admin.listen", "sqs.listen"} - {setting}:
        assert other not in said, said
