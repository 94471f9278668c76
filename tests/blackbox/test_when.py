"""`when` of a worker: records for which its condition does not hold are skipped, noted and settled, and go no further."""
import os
import sqlite3

import requests
from conftest import LEADS_TO_SQLITE
from test_replay import LEADS, effects, post, rows, wait_until

CALIFORNIA = LEADS_TO_SQLITE.replace('handler = "sql"', """handler = "sql"
when = 'state == "CA" and price >= 10'
then = ["mail"]""")
MAIL = """
[queue.mail]
[worker.mail]
queue = "mail"
handler = "exec"
when = 'note != "quiet"'
exec = { protocol = "per-record", command = ["sh", "-c", "cat >> seen; echo >> seen"] }
"""


def seen(node):
    path = f"{node.folder}/seen"
    if not os.path.exists(path):
        return 0
    with open(path) as lines:
        return sum(1 for line in lines if line.strip())


def waiting(node):
    queues = requests.get(node.admin + "/api/queues", timeout=30).json()["queues"]
    return sum(q["ready"] + q["in_flight"] + q["delayed"] for q in queues)


def mailed(node):
    with sqlite3.connect(f"file:{node.folder}/data/effects/mail-1.db?mode=ro", uri=True) as db:
        return {record: (state, error) for record, state, error in db.execute("SELECT record, state, error FROM forebay_effects")}


def test_other_records_are_skipped_settled_and_go_no_further(forebay):
    node = forebay(LEADS + CALIFORNIA + MAIL)
    taken = post(node, state="CA", price="10.00")
    quiet = post(node, state="CA", price="10.00", note="quiet")
    others = [post(node, state="CA", price="9.99"), post(node, state="TX", price="99"), post(node)]
    wait_until(lambda: rows(node) == sorted([taken, quiet]) and len(effects(node)) == 5 and waiting(node) == 0)
    assert {effects(node)[(id, "store")] for id in others} == {"skipped"} and effects(node)[(taken, "store")] == "done"
    assert mailed(node) == {taken: ("done", ""), quiet: ("skipped", 'when: note != "quiet"')} and seen(node) == 1
    for id in [taken, quiet, *others]:
        assert "settled" in node.run("find", id), "a skipped effect is settled, and what stands behind it is not awaited"
    shown = node.run("show", others[0])
    assert "skipped" in shown and 'when: state == "CA" and price >= 10' in shown and not any(line.startswith("mail") for line in shown.splitlines())
    total = node.json("audit", "--against", "main", "--table", "leads")
    assert total["verdict"] == "balanced", total
    assert (total["total"]["accepted"], total["total"]["settled"], total["total"]["rows"]) == (5, 5, 2)
    assert "store: done 2, skipped 3 ($108.99), missing 0." in node.run("replay", "--from", "1h", "--effect", "store", "--dry-run")
    assert "mail: done 1, skipped 4 ($118.99), missing 0." in node.run("replay", "--from", "1h", "--effect", "mail", "--dry-run")


def test_a_condition_that_was_changed_is_asked_of_what_is_sent_again(forebay):
    node = forebay(LEADS + CALIFORNIA + MAIL)
    ids = [post(node, state=state, price="20") for state in ("CA", "TX", "NY")]
    wait_until(lambda: waiting(node) == 0)
    assert len(effects(node)) == 3
    node.stop()
    node.write(node.text.replace('state == "CA" and', 'state in ["CA", "TX"] and'))
    node.start()
    node.run("replay", "--queue", "leads", "--from", "1h", "--reason", "Texas is open")
    wait_until(lambda: rows(node) == sorted(ids[:2]) and waiting(node) == 0)
    assert [effects(node)[(id, "store")] for id in ids] == ["done", "done", "skipped"]
    assert node.json("audit", "--against", "main", "--table", "leads")["verdict"] == "balanced"


def test_check_points_at_the_character(forebay):
    node = forebay(LEADS + LEADS_TO_SQLITE)
    good = node.text

    def checked(when):
        node.write(good.replace('handler = "sql"', 'handler = "sql"\nwhen = ' + when))
        done = node.run("check", expect=None)
        node.write(good)
        return done.returncode, done.stderr

    line = good.splitlines().index('handler = "sql"') + 2
    for when, row, column, what, hint in [
            ("""'state = "CA"'""", line, 15, 'there is no operator "="', "did you mean ==?"),
            ('''"state == \\"CA\\" & price > 1"''', line, 25, 'there is no operator "&"', "and"),
            ("""'''\nstate == "CA"\n  and (price > 1'''""", line + 2, 7, "(", ""),
            ("""'größe == "x'""", line, 18, "a text has no closing", ""),
            ("""''""", None, None, None, None)]:
        code, said = checked(when)
        if what is None:
            assert code == 0, said
            continue
        assert code == 78 and f"forebay.toml:{row}:{column}: error: worker.store.when: " in said, (when, said)
        assert what in said and hint in said, (when, said)
    code, said = checked("""'stat == "CA"'""")
    assert code == 0 and f"forebay.toml:{line}:9: warning: worker.store.when:" in said and 'did you mean "state"?' in said, said
    code, said = checked("'" + "(" * 5000 + "'")
    assert code == 78 and "4096 bytes" in said, said
    code, said = checked("7")
    assert code == 78 and f"forebay.toml:{line}:8: error:" in said, said
    done = node.run("check", expect=None, env={"FOREBAY__WORKER__STORE__WHEN": 'state = "CA"'})
    assert done.returncode == 78 and 'there is no operator "=", at character 7' in done.stderr, done.stderr
    node.write(good.replace('handler = "sql"', 'handler = "program"\ncommand = ["sleep", "1"]\nwhen = "x exists"').split("[worker.store.sql]")[0])
    done = node.run("check", expect=None)
    assert done.returncode == 78 and "a program takes its records itself" in done.stderr, done.stderr
    node.write(good)
