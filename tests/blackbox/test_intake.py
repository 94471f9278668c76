"""Posting as clients do: the table of situations and answers, and refused input found again and let in."""
import hashlib
import json
import sqlite3
import time
import uuid

import pytest
import requests

SECRET = "ik_live_4f1c2b7a9d"
CONFIGURATION = f"""
[key.website]
hash = "sha256:{hashlib.sha256(SECRET.encode()).hexdigest()}"
[site.quotes]
origins = ["https://quotes.example.com", "https://*.quotes.example.com"]
[endpoint.lead]
path = "/v1/lead"
queue = "leads"
[endpoint.lead.form]
honeypot = "_gotcha"
next = {{ field = "_next", hosts = ["quotes.example.com"] }}
[endpoint.lead.fields]
email      = {{ type = "email", required = true, clean = ["trim", "lower"] }}
first_name = {{ type = "string", required = true, max = 80, aliases = ["fname"] }}
state      = {{ type = "enum", values = "@us_states", clean = ["upper"] }}
zip        = {{ type = "string", pattern = '^\\d{{5}}$' }}
amount     = {{ type = "integer", min = 1000, max = 1000000 }}
consent    = {{ type = "bool" }}
[endpoint.closed]
path = "/v1/closed"
queue = "leads"
auth = ["key:website", "site:quotes"]
[endpoint.closed.fields]
email = {{ type = "email", required = true }}
[endpoint.old]
path = "/v1/old"
queue = "leads"
ok_status = 200
dialect = "leadconduit"
[endpoint.old.fields]
email = {{ type = "email", required = true }}
[queue.leads]
visibility_timeout = "30s"
"""
GOOD = {"email": "Jane@Example.com ", "first_name": "Jane"}


@pytest.fixture(scope="module")
def shared():
    """One process for the whole table; nothing in it depends on what came before."""
    from conftest import Forebay
    import shutil
    import tempfile
    folder = tempfile.mkdtemp(prefix="forebay-test-")
    process = Forebay(folder, CONFIGURATION, "serve")
    yield process
    process.stop()
    shutil.rmtree(folder, ignore_errors=True)


def codes(answer):
    return {error["code"] for error in answer.json()["errors"]}


def test_a_json_post_is_accepted_and_names_its_record(shared):
    answer = requests.post(shared.intake + "/v1/lead", json=GOOD)
    assert answer.status_code == 202
    body = answer.json()
    assert body["outcome"] == "accepted" and body["durable"] == ["journal"]
    assert answer.headers["Record-Id"] == body["id"] == str(uuid.UUID(body["id"]))
    assert answer.headers["Location"] == f"/v1/records/{body['id']}/receipt"
    assert body["receipt"].startswith("v1,")


@pytest.mark.parametrize("send", [
    {"json": GOOD},
    {"data": GOOD},
    {"files": {name: (None, value) for name, value in GOOD.items()}},
], ids=["json", "urlencoded", "multipart"])
def test_three_media_types_share_one_url(shared, send):
    assert requests.post(shared.intake + "/v1/lead", **send).status_code == 202


@pytest.mark.parametrize("fields, code", [
    ({"email": "jane@@example", "first_name": "Jane"}, "email_invalid"),
    ({"email": "jane@example.com"}, "required"),
    ({**GOOD, "state": "Calif"}, "enum"),
    ({**GOOD, "zip": "941"}, "pattern"),
    ({**GOOD, "amount": 5}, "too_small"),
    ({**GOOD, "amount": 5000000}, "too_large"),
    ({**GOOD, "first_name": "x" * 81}, "too_long"),
])
def test_wrong_fields_are_named_and_kept(shared, fields, code):
    answer = requests.post(shared.intake + "/v1/lead", json=fields)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json()["kept"] is True
    assert code in codes(answer), answer.text


def test_malformed_json_is_400_with_the_place(shared):
    answer = requests.post(shared.intake + "/v1/lead", data='{"email": ', headers={"Content-Type": "application/json"})
    assert answer.status_code == 400 and answer.json()["kept"] is True


def test_wrong_path_method_and_media_type(shared):
    assert requests.post(shared.intake + "/v1/nowhere", json=GOOD).status_code == 404
    wrong_method = requests.get(shared.intake + "/v1/lead")
    assert wrong_method.status_code == 405 and "POST" in wrong_method.headers["Allow"]
    assert requests.post(shared.intake + "/v1/lead", data="x", headers={"Content-Type": "text/csv"}).status_code == 415


def test_a_body_that_is_too_big_is_413(shared):
    answer = requests.post(shared.intake + "/v1/lead", json={**GOOD, "note": "x" * 70000})
    assert answer.status_code == 413


def test_the_same_key_again_gives_the_first_answer(shared):
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    first = requests.post(shared.intake + "/v1/lead", json=GOOD, headers=headers)
    again = requests.post(shared.intake + "/v1/lead", json=GOOD, headers=headers)
    assert again.status_code == 202 and again.json()["id"] == first.json()["id"]
    assert again.headers["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first.headers


def test_the_same_key_with_another_body_is_a_new_record_with_a_flag(shared):
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    first = requests.post(shared.intake + "/v1/lead", json=GOOD, headers=headers)
    other = requests.post(shared.intake + "/v1/lead", json={**GOOD, "first_name": "Joan"}, headers=headers)
    assert other.status_code == 202 and other.json()["id"] != first.json()["id"]
    assert "key_reused" in other.json()["flags"]


def test_the_form_field_works_as_a_key(shared):
    form = {**GOOD, "_id": str(uuid.uuid4())}
    ids = {requests.post(shared.intake + "/v1/lead", data=form).json()["id"] for _ in range(3)}
    assert len(ids) == 1


def test_the_same_key_survives_kill_9(forebay):
    process = forebay(CONFIGURATION)
    headers = {"Idempotency-Key": "order-17"}
    first = requests.post(process.intake + "/v1/lead", json=GOOD, headers=headers)
    process.kill9("node")
    again = requests.post(process.intake + "/v1/lead", json=GOOD, headers=headers)
    assert again.json()["id"] == first.json()["id"] and again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("send, status", [
    ({}, 401),
    ({"headers": {"Authorization": "Bearer wrong"}}, 401),
    ({"headers": {"Authorization": f"Bearer {SECRET}"}}, 202),
    ({"headers": {"X-Api-Id": "website", "X-Api-Key": SECRET}}, 202),
    ({"headers": {"X-Api-Id": "other", "X-Api-Key": SECRET}}, 401),
    ({"headers": {"Origin": "https://quotes.example.com"}}, 202),
    ({"headers": {"Origin": "https://a.quotes.example.com"}}, 202),
    ({"headers": {"Origin": "https://quotes.example.com.evil.example"}}, 403),
])
def test_who_may_post(shared, send, status):
    answer = requests.post(shared.intake + "/v1/closed", json={"email": "a@b.example"}, **send)
    assert answer.status_code == status, answer.text
    assert SECRET not in answer.text


def test_an_html_form_is_redirected_or_gets_a_page(shared):
    html = {"Accept": "text/html,application/xhtml+xml"}
    good = requests.post(shared.intake + "/v1/lead", data=GOOD, headers=html, allow_redirects=False)
    assert good.status_code == 303
    thanks = requests.get(shared.intake + good.headers["Location"]) if good.headers["Location"].startswith("/") else None
    assert thanks is not None and thanks.status_code == 200 and "text/html" in thanks.headers["Content-Type"]
    bad = requests.post(shared.intake + "/v1/lead", data={"email": '"><script>x</script>', "first_name": "Jane"}, headers=html)
    assert bad.status_code == 422 and "<script>x" not in bad.text and "Jane" in bad.text


def test_next_leads_only_to_listed_hosts(shared):
    html = {"Accept": "text/html"}
    to = "https://quotes.example.com/done"
    assert requests.post(shared.intake + "/v1/lead", data={**GOOD, "_next": to}, headers=html, allow_redirects=False).headers["Location"] == to
    evil = requests.post(shared.intake + "/v1/lead", data={**GOOD, "_next": "https://evil.example/"}, headers=html, allow_redirects=False)
    assert "evil.example" not in evil.headers["Location"]


def test_the_other_dialect(shared):
    good = requests.post(shared.intake + "/v1/old", json={"email": "a@b.example"})
    assert good.status_code == 200 and good.json()["outcome"] == "success" and good.json()["lead"]["id"]
    bad = requests.post(shared.intake + "/v1/old", json={"email": "a"})
    assert bad.json()["outcome"] == "failure" and bad.json()["reason"]


def test_the_receipt_of_a_record_can_be_asked_for(shared):
    record = requests.post(shared.intake + "/v1/lead", json=GOOD).json()["id"]
    answer = requests.get(f"{shared.intake}/v1/records/{record}/receipt")
    assert answer.status_code == 200 and answer.json()["id"] == record
    assert requests.get(f"{shared.intake}/v1/records/{uuid.uuid4()}/receipt").status_code == 404


def test_refusals_are_counted_per_code(shared):
    requests.post(shared.intake + "/v1/lead", json={"email": "x", "first_name": "J"})
    text = requests.get(shared.intake + "/metrics").text
    assert 'forebay_records_refused_total{' in text and 'code="email_invalid"' in text and 'forebay_records_accepted_total{' in text


def test_refused_input_is_found_again_and_readmitted_after_the_rule_is_mended(forebay):
    process = forebay(CONFIGURATION)
    refused = requests.post(process.intake + "/v1/lead", json={**GOOD, "zip": "94103-1234"})
    assert refused.status_code == 422
    record = refused.json()["instance"].split("/")[3]
    listed = process.json("rejects", "ls", "--code", "pattern")
    assert [r["id"] for r in listed["rejects"]] == [record]
    assert "94103-1234" in process.run("rejects", "show", record)
    still = process.json("rejects", "readmit", "--code", "pattern", "--dry-run")
    assert still["readmitted"] == 0 and still["still_refused"] == 1

    process.write(process.text.replace(r"'^\d{5}$'", r"'^\d{5}(-\d{4})?$'"))
    import os
    import signal
    os.kill(process.parent.pid, signal.SIGHUP)
    deadline = time.monotonic() + 20
    while process.json("rejects", "readmit", "--code", "pattern", "--dry-run")["readmitted"] == 0:
        assert time.monotonic() < deadline, process.output()
        time.sleep(0.1)
    done = process.json("rejects", "readmit", "--code", "pattern", "--reason", "zip+4 is fine", "--yes")
    assert done["readmitted"] == 1
    assert process.json("rejects", "ls")["rejects"] == []
    queued = requests.get(process.admin + "/api/queues/leads/peek").json()["messages"]
    envelope = json.loads(queued[0]["body"])
    assert envelope["id"] == record and "readmitted" in envelope["flags"]


def test_everything_refused_is_kept_with_its_reason(forebay):
    process = forebay(CONFIGURATION)
    requests.post(process.intake + "/v1/lead", data="{", headers={"Content-Type": "application/json"})
    requests.post(process.intake + "/v1/lead", json={"email": "x"})
    requests.post(process.intake + "/v1/closed", json={"email": "a@b.example"})
    requests.post(process.intake + "/v1/closed", json={"email": "a@b.example"}, headers={"Origin": "https://mistyped.example"})
    process.kill9("node")
    kept = process.json("rejects", "ls")["rejects"]
    assert sorted(r["status"] for r in kept) == [400, 401, 403, 422]
