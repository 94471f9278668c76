"""`forebay replay` on the real binary: what it counts, what it runs, what it refuses."""
import contextlib
import json
import pathlib
import signal
import sqlite3

import requests
from conftest import LEADS_TO_SQLITE
from waiting import wait_until

LEADS = """
[endpoint.lead]
path = "/v1/lead"
queue = "leads"
currency = "USD"
[endpoint.lead.fields]
email = { type = "email", required = true }
state = {}
price = { type = "decimal", as = "value" }
[queue.leads]
"""


def post(node, **fields):
    answer = requests.post(node.intake + "/v1/lead", json={"email": "jane@example.com", **fields}, timeout=30)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def rows(node):
    with contextlib.suppress(sqlite3.OperationalError):  # not made yet
        with sqlite3.connect(f"file:{node.folder}/leads.db?mode=ro", uri=True) as db:
            return sorted(id for (id,) in db.execute("SELECT id FROM leads"))
    return []


def forget(node, ids):
    """As if the database had been restored from before these records."""
    node.run("stop", "store", "--reason", "restore")
    with sqlite3.connect(f"{node.folder}/leads.db") as db:
        for id in ids:
            db.execute("DELETE FROM leads WHERE id = ?", (id,))
            db.execute("DELETE FROM forebay_effects WHERE record = ?", (id,))
    db.close()
    node.run("start", "store", "--reason", "restored")


def test_only_what_is_missing_and_meant_is_run_again(forebay):
    node = forebay(LEADS + LEADS_TO_SQLITE)
    ids = [post(node, state=state, price=price) for state, price in [("CA", "10.10"), ("CA", "0.20"), ("TX", "5.00"), ("CA", "7.00")]]
    wait_until(lambda: len(rows(node)) == 4)
    forget(node, ids[:3])
    assert rows(node) == [ids[3]]
    where = ["--where", 'state == "CA" and _value < 10.2', "--from", "1h", "--effect", "store"]
    said = node.run("replay", *where, "--dry-run")
    assert said.startswith("3 records in range ($17.30).  store: done 1, missing 2 ($10.30).\nWould run store for 2 records ($10.30).")
    assert """--where 'state == "CA" and _value < 10.2'""" in said
    told = node.json("replay", *where, "--dry-run")
    assert sorted(told["ids"]) == sorted(ids[:2]) and told["money"]["missing"] == {"USD": "10.30"}
    assert node.run("replay", *where, "--reason", "restored") == "Sent 2 records to leads for store.\n"
    wait_until(lambda: len(rows(node)) == 3)
    assert ids[2] not in rows(node)
    assert node.run("replay", *where, "--reason", "once more").startswith("3 records in range ($17.30).  store: done 3, missing 0.\n")


def reloads(node):
    return pathlib.Path(node.folder, "stderr.log").read_text().count("configuration.reloaded")


def test_what_the_queue_does_not_take_is_not_called_lost(forebay):
    node = forebay(LEADS.replace("state = {}", "state = { max = 4000 }") + LEADS_TO_SQLITE)
    ids = [post(node, state=state) for state in ("CA", "x" * 2000)]
    wait_until(lambda: len(rows(node)) == 2)
    forget(node, ids)
    node.write(node.text.replace("[queue.leads]", '[queue.leads]\nmax_message_size = "1KiB"'))
    node.parent.send_signal(signal.SIGHUP)
    wait_until(lambda: reloads(node) == 1)
    said = node.run("replay", "--from", "1h", "--effect", "store", "--reason", "restored", expect=75)
    assert said == "", said
    wait_until(lambda: rows(node) == ids[:1])
    node.write(node.text.replace('max_message_size = "1KiB"', ""))
    node.parent.send_signal(signal.SIGHUP)
    wait_until(lambda: reloads(node) == 2)
    assert node.run("replay", "--from", "1h", "--effect", "store", "--reason", "restored") == "Sent 1 record to leads for store.\n"
    wait_until(lambda: sorted(rows(node)) == sorted(ids))


def effects(node):
    with sqlite3.connect(f"file:{node.folder}/leads.db?mode=ro", uri=True) as db:
        return {(record, effect): state for record, effect, state in db.execute("SELECT record, effect, state FROM forebay_effects")}


def test_again_runs_what_is_done_once_more_and_a_row_that_is_there_stays(forebay):
    node = forebay(LEADS + 'dead_letter = "leads-dead"\n' + LEADS_TO_SQLITE)
    words = ["replay", "--from", "1h", "--effect", "store", "--again"]
    assert "None of them has store done: nothing to run once more." in node.run(*words, "--dry-run")
    ids = [post(node, state="CA", price="10.10") for _ in range(3)]
    wait_until(lambda: len(rows(node)) == 3)
    with sqlite3.connect(f"{node.folder}/leads.db") as db:
        db.execute("UPDATE leads SET state = 'TX' WHERE id = ?", (ids[0],))
        db.execute("DELETE FROM leads WHERE id = ?", (ids[1],))
    db.close()
    said = node.run(*words, "--dry-run")
    assert "Would run store ONCE MORE for 3 records ($30.30), although it is done, as store again-1: a row that is in leads stays as it is, " in said
    assert "Run it:  forebay replay --from 1h --effect store --again --reason" in said
    assert node.json(*words, "--dry-run")["again"] == 1 and not any("again" in effect for _, effect in effects(node))
    unreasoned = node.run(*words, "--yes", expect=None)
    assert unreasoned.returncode == 64 and "replay needs --reason" in unreasoned.stderr
    assert node.run(*words, "--reason", "a row is gone") == "Sent 3 records to leads for store again-1.\n"
    wait_until(lambda: len(rows(node)) == 3 and all(effects(node).get((id, "store again-1")) == "done" for id in ids))
    with sqlite3.connect(f"file:{node.folder}/leads.db?mode=ro", uri=True) as db:
        assert dict(db.execute("SELECT id, state FROM leads")) == {ids[0]: "TX", ids[1]: "CA", ids[2]: "CA"}
    assert all(effects(node)[(id, "store")] == "done" for id in ids)
    assert "store again-1" in node.run("show", ids[1])

    def audited():
        return node.json("audit", "--against", "main", "--table", "leads")
    assert (audited()["verdict"], audited()["total"]["settled"], audited()["total"]["rows"]) == ("balanced", 3, 3)
    # Another record has taken a value that must be unique: nothing is written, and somebody must decide.
    with sqlite3.connect(f"{node.folder}/leads.db") as db:
        db.execute("UPDATE leads SET email = id WHERE id <> ?", (ids[2],))
        db.execute("CREATE UNIQUE INDEX one_email ON leads (email)")
        db.execute("UPDATE leads SET id = 'taken' WHERE id = ?", (ids[2],))
    db.close()
    node.run(*words, "--where", f'id == "{ids[2]}"', "--reason", "its row is gone")
    wait_until(lambda: effects(node).get((ids[2], "store again-2")) == "dead")
    total = node.json("audit")["total"]
    assert (total["accepted"], total["settled"], total["dead"], total["missing"]) == (3, 2, 1, 0)
    assert "2 records had store again-2" not in node.run(*words, "--dry-run"), "those get it first"
    with sqlite3.connect(f"{node.folder}/leads.db") as db:
        db.execute("DELETE FROM leads WHERE id = 'taken'")
    db.close()
    node.run("dead", "retry", "--all", "--reason", "the address is free")
    wait_until(lambda: effects(node)[(ids[2], "store again-2")] == "done" and sorted(ids) == rows(node))
    assert audited()["verdict"] == "balanced"


def test_a_plain_replay_asks_for_the_effect_itself_whatever_the_log_has(forebay):
    import sqs_clients
    node = forebay(LEADS + LEADS_TO_SQLITE)
    id = "01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11"
    body = {"v": 1, "id": id, "endpoint": "lead", "received_at": "2026-09-20T14:03:11.482Z", "fields": {"email": "jane@example.com"}, "again": 1}
    sqs = sqs_clients.boto(node.sqs)
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="leads")["QueueUrl"], MessageBody=json.dumps(body))
    wait_until(lambda: rows(node) == [id])
    words = ["replay", "--from", "2026-09-20", "--effect", "store"]
    assert "store: done 0, missing 1." in node.run(*words, "--dry-run")
    node.run(*words, "--reason", "it was only run again")
    wait_until(lambda: effects(node) == {(id, "store again-1"): "done", (id, "store"): "done"})
    assert "done 1, missing 0" in node.run(*words, "--dry-run")


def test_a_range_whose_end_the_worker_has_not_reached_is_refused(forebay):
    node = forebay(LEADS + LEADS_TO_SQLITE)
    done = post(node)
    wait_until(lambda: rows(node) == [done])
    node.run("stop", "store", "--reason", "x")
    waiting = post(node)
    range_ = ["--from", "1h", "--to", "2099-01-01", "--effect", "store"]
    refused = node.run("replay", *range_, "--reason", "x", expect=None)
    assert refused.returncode == 75 and "store has yet to take a record of" in refused.stderr, refused.stderr
    said = node.run("replay", *range_, "--dry-run")
    assert "done 1, waiting 1, missing 0" in said and "Not yet: " in said
    assert "done 1, missing 0" in node.run("replay", "--from", "1h", "--effect", "store", "--reason", "x"), "the range ends before what waits"
    node.run("start", "store", "--reason", "x")
    wait_until(lambda: rows(node) == sorted([done, waiting]))
    assert "done 2, missing 0" in node.run("replay", *range_, "--reason", "x")


def test_what_was_sent_straight_to_a_queue_keeps_its_id(forebay):
    import sqs_clients
    node = forebay(LEADS + LEADS_TO_SQLITE)
    sqs = sqs_clients.boto(node.sqs)
    url = sqs.get_queue_url(QueueName="leads")["QueueUrl"]
    id = sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"email": "straight@example.com"}))["MessageId"]
    wait_until(lambda: rows(node) == [id])
    forget(node, [id])
    node.run("replay", "--from", "1h", "--effect", "store", "--reason", "x")
    wait_until(lambda: rows(node) == [id])
    assert "done 1, missing 0" in node.run("replay", "--from", "1h", "--effect", "store", "--dry-run")


def test_wrong_words_are_refused_before_anything_is_asked(forebay):
    node = forebay(LEADS + LEADS_TO_SQLITE)
    for words, what in [([], "replay needs --from and --effect and --reason"),
                        (["--from", "1h", "--effect", "stor", "--dry-run"], 'did you mean "store"?'),
                        (["--from", "1h", "--effect", "store", "--endpoint", "leed", "--dry-run"], 'did you mean "lead"?'),
                        (["--from", "1h", "--effect", "store", "--where", "state = 'CA'", "--dry-run"], "--where:7: error:"),
                        (["--from", "1h", "--effect", "store", "--where", "(" * 5000, "--dry-run"], "at most 4096 bytes"),
                        (["--from", "never", "--effect", "store", "--dry-run"], "--from never is no moment")]:
        done = node.run("replay", *words, expect=None)
        assert done.returncode == 64 and what in done.stderr, (words, done.stderr)
    said = node.run("replay", "--from", "1h", "--effect", "store", "--where", 'stat == "CA"', "--dry-run", expect=None)
    assert said.returncode == 0 and 'did you mean "state"?' in said.stderr


def test_every_message_of_a_queue_is_sent_again_records_or_not(forebay):
    import sqs_clients
    node = forebay(LEADS)
    sqs = sqs_clients.boto(node.sqs)
    plain = sqs.create_queue(QueueName="plain")["QueueUrl"]
    fifo = sqs.create_queue(QueueName="orders.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    for n in range(3):
        sqs.send_message(QueueUrl=plain, MessageBody=f"message {n}", MessageAttributes={"n": {"DataType": "Number", "StringValue": str(n)}})
        sqs.send_message(QueueUrl=fifo, MessageBody=f"order {n}", MessageGroupId=f"group-{n % 2}", MessageDeduplicationId=str(n))
    post(node)

    def take(url):
        taken = []
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]).get("Messages"):
            for m in found:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
            taken += found
        return taken

    first = {url: take(url) for url in (plain, fifo)}
    assert [len(taken) for taken in first.values()] == [3, 3]
    words = ["replay", "--from", "1h", "--queue"]
    assert node.run(*words, "plain", "--dry-run").startswith("Would send 3 messages (")
    assert node.run(*words, "plain", "--reason", "lost by the consumer") == "Sent 3 messages to plain again.\n"
    assert node.run(*words, "orders.fifo", "--reason", "x") == "Sent 3 messages to orders.fifo again.\n"
    assert node.run(*words, "leads", "--reason", "x") == "Sent 1 message to leads again.\n"
    second = take(plain)
    assert sorted(m["Body"] for m in second) == [f"message {n}" for n in range(3)]
    assert {m["Body"][-1]: m["MessageAttributes"]["n"]["StringValue"] for m in second} == {str(n): str(n) for n in range(3)}
    assert not {m["MessageId"] for m in second} & {m["MessageId"] for m in first[plain]}
    orders = take(fifo)
    assert [m["Body"] for m in orders if m["Attributes"]["MessageGroupId"] == "group-0"] == ["order 0", "order 2"]
    assert len(take(sqs.get_queue_url(QueueName="leads")["QueueUrl"])) == 2
    for more, code, what in [(["plan"], 65, 'did you mean "plain"?'), (["plain", "--effect", "store"], 64, "does not go with --queue"),
                             (["forebay-quarantine"], 65, "readmit")]:
        done = node.run(*words, *more, "--reason", "x", expect=None)
        assert done.returncode == code and what in done.stderr, done.stderr
