"""`forebay dead`: what workers gave up, run again or mended; queue and ledger agree afterwards."""
import glob
import json
import os
import signal
import sqlite3
import time

import pytest
from test_replay import post, wait_until

LEADS = """
[endpoint.lead]
path = "/v1/lead"
queue = "leads"
currency = "USD"
[endpoint.lead.fields]
email = { type = "email", required = true }
state = { type = "enum", values = ["CA", "TX"] }
zip = { pattern = "^[0-9]{5}$" }
price = { type = "decimal", as = "value" }
note = {}
[queue.leads]
dead_letter = "leads-dead"
"""
# Refuses records of TX, and those without a ZIP code, until the file `mended` is there.
CHECK = """
[worker.check]
queue = "leads"
handler = "exec"
[worker.check.exec]
protocol = "jsonl"
command = ["python3", "-u", "check.py"]
"""
PROGRAM = """
import json, os, sys
for line in sys.stdin:
    record = json.loads(line)
    fields, id = record["fields"], record["id"]
    why = "zip not served: %s" % id if "zip" not in fields else "TX is closed" if fields.get("state") == "TX" and not os.path.exists("mended") else None
    if why:
        answer = {"id": id, "result": "dead", "why": why}
    else:
        answer = {"id": id, "result": "done"}
        with open("ran", "a") as ran:
            ran.write(json.dumps({"id": id, "again": record.get("again", 0), "fields": fields}) + "\\n")
    print(json.dumps(answer), flush=True)
"""


def start(forebay, **more):
    return forebay(LEADS + CHECK, files={"check.py": PROGRAM}, **more)


def dead_in_queue(node):
    return next((q["ready"] + q["in_flight"] + q["delayed"] for q in node.json("queue", "ls")["queues"] if q["name"] == "leads-dead"), 0)


def effect_rows(path):
    """Nothing while a process that was killed has left a transaction to be taken back: only its successor may write."""
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            return (db.execute("SELECT record, effect, state, at, error FROM forebay_effects").fetchall(),)
    except sqlite3.OperationalError:
        return None


def states(node):
    """The newest state of each effect, from the files of all processes."""
    newest = {}
    for path in glob.glob(f"{node.folder}/data/effects/*.db"):
        (rows,) = wait_until(lambda: effect_rows(path), 20)
        for record, effect, state, at, error in rows:
            key = (record, effect)
            if key not in newest or at >= newest[key][1]:
                newest[key] = (state, at, error)
    return {key: (state, error) for key, (state, _, error) in newest.items()}


def ran(node):
    try:
        with open(f"{node.folder}/ran") as f:
            return [json.loads(line) for line in f]
    except FileNotFoundError:
        return []


def mend(node):
    open(f"{node.folder}/mended", "w").close()


def three_dead(node):
    ids = [post(node, state="TX", zip="75001", price="10.00"), post(node, state="TX", zip="75002", price="0.50"), post(node, state="CA", price="7.00")]
    wait_until(lambda: dead_in_queue(node) == 3)
    return ids


def test_dead_ls_groups_by_cause_with_money(forebay):
    node = start(forebay)
    assert "Nothing is dead." in node.run("dead", "ls", expect=None).stderr
    ids = three_dead(node)
    out = node.run("dead", "ls")
    first, second, third, total = [line.split() for line in out.splitlines()]
    assert second[:4] == ["2", "$10.50", "check", "lead"] and "TX is closed" in out
    assert third[:4] == ["1", "$7.00", "check", "lead"] and "zip not served: …" in out
    assert "3 dead letters ($17.50)" in out
    causes = node.json("dead", "ls", "--cause", "TX")["causes"]
    assert [(c["letters"], c["money"]) for c in causes] == [(2, {"USD": "10.50"})]
    letters = node.json("dead", "ls", "--by", "record", "--where", "price > 5")["letters"]
    assert sorted(l["id"] for l in letters) == sorted([ids[0], ids[2]])
    assert "Nothing that is dead is like that." in node.run("dead", "ls", "--where", "price > 500", expect=None).stderr
    shown = node.run("dead", "show", ids[2])
    assert shown.startswith(f"DEAD {ids[2]}  lead  check since") and "zip not served" in shown and "$7.00" in shown
    assert "j***@example.com" in shown and "jane@example.com" in node.run("dead", "show", ids[2], "--reveal")


def test_retry_runs_again_in_the_background_and_queue_and_ledger_agree(forebay):
    node = start(forebay)
    ids = three_dead(node)
    mend(node)
    assert node.run("dead", "retry", "--cause", "TX", "--dry-run") == "Would retry 2 dead letters ($10.50).\n"
    assert dead_in_queue(node) == 3
    node.run("dead", "retry", "--cause", "TX", "--reason", "TX is open")
    wait_until(lambda: sorted(r["id"] for r in ran(node)) == sorted(ids[:2]) and dead_in_queue(node) == 1)
    wait_until(lambda: [states(node)[(id, "check")][0] for id in ids] == ["done", "done", "dead"])
    node.run("dead", "retry", ids[2], "--reason", "perhaps")
    wait_until(lambda: [a["state"] for a in node.json("dead", "ls")["acts"]] == ["done", "done"] and dead_in_queue(node) == 1)
    assert states(node)[(ids[2], "check")][0] == "dead", "what dies once more is dead, and is not run for ever"
    assert "missing 0" in node.run("replay", "--from", "1h", "--effect", "check", "--dry-run")


def test_a_slow_retry_goes_on_after_the_console_and_the_node_are_gone(forebay):
    node = start(forebay)
    ids = [post(node, state="TX", zip="75001") for _ in range(12)]
    wait_until(lambda: dead_in_queue(node) == 12)
    mend(node)
    node.run("dead", "retry", "--all", "--rate", "2/s", "--reason", "TX is open")
    wait_until(lambda: 0 < dead_in_queue(node) < 11)
    assert "RUNNING retry" in node.run("dead", "ls")
    node.kill9()
    assert dead_in_queue(node) > 0
    wait_until(lambda: dead_in_queue(node) == 0 and len(ran(node)) == 12)
    assert sorted(r["id"] for r in ran(node)) == sorted(ids), "each once"
    wait_until(lambda: all(states(node)[(id, "check")][0] == "done" for id in ids))


def test_edit_is_checked_by_the_endpoints_rules_and_keeps_what_was(forebay):
    node = start(forebay)
    id = three_dead(node)[2]
    for change, what in [("zip=7500", "zip: pattern"), ("state=Texas", "state: enum"), ("email=", "email: required"), ("zip", "is no change")]:
        done = node.run("dead", "edit", id, change, "--reason", "x", expect=None)
        assert done.returncode in (64, 65) and what in done.stderr, (change, done.stderr)
    assert node.run("dead", "edit", id, "zip=90210", "--dry-run").endswith('  zip: null -> "90210"\n')
    assert dead_in_queue(node) == 3
    node.run("dead", "edit", id, "zip=90210", "note=", "--reason", "asked by phone")
    wait_until(lambda: dead_in_queue(node) == 2 and states(node)[(id, "check")][0] == "done")
    assert [r["fields"]["zip"] for r in ran(node)] == ["90210"]
    # Edited and dead once more: both are shown side by side.
    texan = node.json("dead", "ls", "--by", "record")["letters"][0]["id"]
    node.run("dead", "edit", texan, "zip=75009", "--reason", "typo")
    wait_until(lambda: "typo" in node.run("dead", "show", texan, expect=None).stdout)
    (line,) = [line.split() for line in node.run("dead", "show", texan).splitlines() if line.startswith("zip")]
    assert line[1] == "75009" and line[2] in ("75001", "75002")
    assert node.run("dead", "edit", texan, "zip=75009", "--reason", "x", expect=None).returncode == 65, "it is like that already"


def test_kills_between_the_steps_leave_queue_and_ledger_in_agreement(forebay):
    node = start(forebay)
    count = 60
    ids = [post(node, state="TX", zip="75001") for _ in range(count)]
    wait_until(lambda: dead_in_queue(node) == count, 60)
    mend(node)
    node.run("dead", "retry", "--all", "--rate", "40/s", "--reason", "TX is open")
    for name in ("check:1", "node", "check:1", "node"):
        time.sleep(0.25)  # anywhere in the act; what is asserted holds wherever it hits
        if name == "node":
            node.kill9()
        elif pid := node.pid(name):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: dead_in_queue(node) == 0 and {r["id"] for r in ran(node)} == set(ids), 90)
    wait_until(lambda: all(states(node)[(id, "check")][0] == "done" for id in ids))
    wait_until(lambda: all(q["ready"] + q["in_flight"] + q["delayed"] == 0 for q in node.json("queue", "ls")["queues"]), 60)
    assert f"check: done {count}, missing 0" in node.run("replay", "--from", "1h", "--effect", "check", "--dry-run")


def test_replay_again_runs_what_is_done_once_more_and_goes_on_where_it_broke_off(forebay):
    node = start(forebay)
    ids = [post(node, state="CA", zip="90210", price="1.00") for _ in range(3)]
    wait_until(lambda: len(ran(node)) == 3)
    words = ["replay", "--from", "1h", "--effect", "check", "--again"]
    said = node.run(*words, "--dry-run")
    assert "Would run check ONCE MORE for 3 records ($3.00), although it is done, as check again-1: what its command did is done a second time." in said
    node.run(*words, "--where", f'id == "{ids[0]}"', "--reason", "the mail was empty")
    wait_until(lambda: [r["again"] for r in ran(node) if r["id"] == ids[0]] == [0, 1])
    assert "ONCE MORE for 2 records" in node.run(*words, "--dry-run"), "the one that had it is left out"
    node.run(*words, "--reason", "the mail was empty")
    wait_until(lambda: sorted(r["id"] for r in ran(node)) == sorted(ids * 2))
    wait_until(lambda: [states(node)[(id, "check again-1")][0] for id in ids] == ["done"] * 3)
    assert "ONCE MORE for 3 records ($3.00), although it is done, as check again-2" in node.run(*words, "--dry-run")
    assert "settled" in node.run("find", ids[0])


def depths(node):
    return {q["name"]: q["ready"] + q["in_flight"] + q["delayed"] for q in node.json("queue", "ls")["queues"]}


def test_discard_gives_up_by_cause_keeps_the_record_and_the_balance(forebay):
    node = start(forebay)
    ids = three_dead(node)
    assert node.run("dead", "discard", "--cause", "TX", "--dry-run") == "Would discard 2 dead letters ($10.50).\n"
    done = node.run("dead", "discard", "--cause", "TX", "--yes", expect=None)
    assert done.returncode == 64 and "dead discard needs --reason" in done.stderr
    assert dead_in_queue(node) == 3
    said = node.run("dead", "discard", "--cause", "TX", "--reason", 'test posts "of ours"')
    assert said == "Discarding 2 dead letters ($10.50) in the background. See how far it is: forebay dead ls\n"
    wait_until(lambda: dead_in_queue(node) == 1 and [states(node)[(id, "check")][0] for id in ids] == ["discarded", "discarded", "dead"])
    assert states(node)[(ids[0], "check")][1] == 'test posts "of ours"' and ran(node) == []
    assert [(a["act"], a["state"], a["done"]) for a in node.json("dead", "ls")["acts"]] == [("discard", "done", 2)]
    shown = node.run("show", ids[0])
    assert "discarded" in shown and 'test posts "of ours"' in shown and "j***@example.com" in shown
    assert "settled" in node.run("find", ids[0])
    wait_until(lambda: depths(node)["leads"] == 0)
    total = node.json("audit")["total"]
    assert (total["accepted"], total["discarded"], total["dead"], total["settled"], total["missing"]) == (3, 2, 1, 0, 0)
    said = node.run("replay", "--from", "1h", "--effect", "check", "--dry-run")
    assert "check: done 0, discarded 2 ($10.50), dead 1 ($7.00), missing 0." in said
    # Taken back: the original is sent again. The order is a message of that queue too, and changes nothing of what is done.
    mend(node)
    node.run("replay", "--queue", "leads", "--from", "1h", "--reason", "they were none")
    wait_until(lambda: [states(node)[(id, "check")][0] for id in ids[:2]] == ["done", "done"] and depths(node)["leads"] == 0)
    assert sorted(r["id"] for r in ran(node)) == sorted(ids[:2])
    total = node.json("audit")["total"]
    assert (total["discarded"], total["dead"], total["settled"], total["missing"]) == (0, 1, 2, 0)


def test_a_discard_of_what_was_run_again_leaves_the_record_settled(forebay):
    node = start(forebay)
    mend(node)
    id = post(node, state="TX", zip="75001", price="1.00")
    wait_until(lambda: len(ran(node)) == 1)
    os.unlink(f"{node.folder}/mended")
    node.run("replay", "--from", "1h", "--effect", "check", "--again", "--reason", "the mail was empty")
    wait_until(lambda: dead_in_queue(node) == 1)
    assert node.json("audit")["total"]["dead"] == 1
    assert "check again-1" in node.run("dead", "ls")
    node.run("dead", "discard", id, "--reason", "it came after all")
    wait_until(lambda: states(node) == {(id, "check"): ("done", ""), (id, "check again-1"): ("discarded", "it came after all")})
    wait_until(lambda: depths(node)["leads"] == 0)
    total = node.json("audit")["total"]
    assert (total["settled"], total["discarded"], total["dead"]) == (1, 0, 0)


def test_a_discard_goes_on_after_kills_and_leaves_queue_and_ledger_in_agreement(forebay):
    node = start(forebay)
    count = 40
    ids = [post(node, state="TX", zip="75001") for _ in range(count)]
    wait_until(lambda: dead_in_queue(node) == count, 60)
    node.run("dead", "discard", "--all", "--rate", "40/s", "--reason", "test posts")
    for name in ("check:1", "node", "check:1"):
        time.sleep(0.25)  # anywhere in the act; what is asserted holds wherever it hits
        if name == "node":
            node.kill9()
        elif pid := node.pid(name):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: dead_in_queue(node) == 0 and all(states(node)[(id, "check")] == ("discarded", "test posts") for id in ids), 90)
    wait_until(lambda: not any(depths(node).values()), 60)
    assert ran(node) == []
    total = node.json("audit")["total"]
    assert (total["accepted"], total["discarded"], total["missing"]) == (count, count, 0)


def test_a_letter_that_is_no_record_and_one_of_a_program_are_only_deleted(forebay):
    import sqs_clients
    loop = """
[queue.jobs]
dead_letter = "leads-dead"
max_receive_count = 1
visibility_timeout = "1s"
[worker.loop]
queue = "jobs"
handler = "program"
command = ["sleep", "1000000"]
"""
    node = forebay(LEADS + CHECK + loop, files={"check.py": PROGRAM})
    sqs = sqs_clients.boto(node.sqs)
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="leads")["QueueUrl"], MessageBody="no record at all")
    jobs = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
    sqs.send_message(QueueUrl=jobs, MessageBody='{"email": "jane@example.com"}')
    assert sqs.receive_message(QueueUrl=jobs)["Messages"]
    wait_until(lambda: not sqs.receive_message(QueueUrl=jobs).get("Messages") and dead_in_queue(node) == 2)
    letters = {l["effect"]: l for l in node.json("dead", "ls", "--by", "record")["letters"]}
    assert sorted(letters) == ["check", "loop"] and not letters["check"]["is_record"]
    node.run("dead", "discard", letters["check"]["id"], letters["loop"]["id"], "--reason", "junk")
    wait_until(lambda: not any(depths(node).values()))
    assert states(node) == {} and '"event":"dead.discarded"' in node.output() or "event=dead.discarded" in node.output()


@pytest.mark.parametrize("words, code, what", [
    (["retry"], 64, "say which: an ID, --effect, --cause, --endpoint, --since, --where, or --all"),
    (["retry", "01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11", "--reason", "x"], 65, "no dead letter has the id 01926f3a"),
    (["retry", "--effect", "chek", "--reason", "x"], 64, 'there is no effect "chek"; did you mean "check"?'),
    (["retry", "--all", "--rate", "soon", "--reason", "x"], 64, "--rate must be a rate"),
    (["discard"], 64, "say which: an ID, --effect, --cause, --endpoint, --since, --where, or --all"),
    (["discard", "01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11", "--reason", "x"], 65, "no dead letter has the id 01926f3a"),
    (["discard", "no-id", "--reason", "x"], 65, "no dead letter has the id no-id"),
    (["discard", "--where", "state = 1", "--reason", "x"], 64, "--where:7: error:"),
    (["discard", "--all", "--dry-run"], 0, ""),
    (["ls", "--where", "state = 1"], 64, "--where:7: error:"),
    (["ls", "--by", "weather"], 64, "--by must be cause or record"),
    (["ls", "--since", "whenever"], 64, "--since must be a moment"),
    (["show", "nothing"], 65, "No dead letter has this id"),
    (["show", "x" * 5000], 65, "No dead letter has this id"),
    (["edit", "01926f3a-7c1e-7d20-9f51-2f0f6a3c9b11", "zip=1", "--reason", "x"], 65, "No dead letter has this id"),
    (["retry", "--all", "--dry-run"], 0, ""),
])
def test_wrong_words(shared, words, code, what):
    done = shared.run("dead", *words, expect=None)
    assert done.returncode == code and what in done.stderr, (done.returncode, done.stderr)


@pytest.fixture(scope="module")
def shared():
    from conftest import running
    with running(LEADS + CHECK.replace("check.py", "/dev/null")) as node:
        yield node
