"""Posts that say the same under different keys, recognised by the fields that count."""
import pytest
import requests

ENDPOINT = """
[endpoint.lead]
path = "/v1/lead"
queue = "leads"
[endpoint.lead.idempotency]
content = { fields = ["email", "campaign"], window = "24h", action = "%s" }
[endpoint.lead.fields]
email = { type = "email", required = true, clean = ["trim", "lower"] }
campaign = { type = "string" }
[queue.leads]
"""


def post(f, email, **more):
    return requests.post(f.intake + "/v1/lead", data={"email": email, **more}, timeout=10)


@pytest.mark.parametrize("action, status", [("flag", 202), ("merge", 202), ("refuse", 422)])
def test_the_same_lead_is_recognised_after_a_crash(forebay, action, status):
    f = forebay(ENDPOINT % action)
    first = post(f, "jane@example.com", _id="a", campaign="auto").json()
    assert first["flags"] == []
    f.kill9()
    second = post(f, "Jane@Example.com", _id="b", campaign="auto", comment="again")
    assert second.status_code == status
    messages = [m["body"] for m in f.json("queue", "peek", "leads")["messages"]]
    assert len(messages) == (2 if action == "flag" else 1)
    if action == "flag":
        assert second.json()["flags"] == ["same_content"] and second.json()["id"] != first["id"] and '"flags":["same_content"]' in messages[1]
    if action == "merge":
        assert second.json()["id"] == first["id"] and second.headers["Idempotent-Replayed"] == "true"
    if action == "refuse":
        assert second.json()["code"] == "same_content" and [r["code"] for r in f.json("rejects", "ls")["rejects"]] == ["same_content"]
    # What differs in a field that counts is another lead.
    assert post(f, "jane@example.com", _id="c", campaign="home").json()["flags"] == []
    counted = 'refused_total{endpoint="lead",code="same_content"} 1' if action == "refuse" else 'duplicate_total{endpoint="lead",kind="content"} 1'
    assert "forebay_records_" + counted in requests.get(f.admin + "/metrics", timeout=10).text


def test_fields_that_are_not_there_are_named(forebay):
    f = forebay(ENDPOINT % "flag")
    f.write(f.text.replace('fields = ["email"', 'fields = ["emial"'))
    done = f.run("check", expect=None)
    assert done.returncode == 78 and 'there is no field "emial"' in done.stdout + done.stderr
