"""What `forebay status` says while things go wrong, and what is told to whoever mends them."""
import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import time

import requests

import conftest
import test_kill9

CONFIGURATION = test_kill9.CONFIGURATION.replace('path = "leads.db"', 'path = "leads.db"\nprobe = "200ms"\ntimeout = { busy = "100ms" }')


def post(forebay, n):
    answer = requests.post(forebay.intake + "/v1/lead", json={"email": f"p{n}@example.com", "n": n}, timeout=30)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def ids(path):
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return sorted(row[0] for row in database.execute("select id from leads"))


def wait_for(what, is_true, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(sqlite3.Error):
            if is_true():
                return
        assert time.monotonic() < deadline, f"not within {seconds} s: {what()}" if callable(what) else what
        time.sleep(0.2)


def worker_row(forebay):
    return next(line for line in forebay.run("status", expect=None).stdout.splitlines() if line.startswith("core:store"))


def test_a_worker_whose_database_is_locked_is_held_with_reason_and_since_when(forebay):
    one = forebay(CONFIGURATION)
    first = post(one, 1)
    database = os.path.join(one.folder, "leads.db")
    wait_for(one.output, lambda: ids(database) == [first])
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as holder:
        holder.execute("begin exclusive")
        second = post(one, 2)
        wait_for(lambda: worker_row(one), lambda: " HELD " in worker_row(one))
        row = worker_row(one)
        assert "database is locked" in row and " for " in row and "prob" in row, row
        assert one.run("status", expect=None).returncode == 3
        held = one.run("status", "store", expect=3)
        assert "HELD" in held and "database is locked" in held
        holder.execute("rollback")
    wait_for(lambda: worker_row(one), lambda: " RUNNING " in worker_row(one))
    assert ids(database) == sorted([first, second])
    one.run("status", expect=0)


def test_status_counts_what_the_workers_settled(forebay):
    one = forebay(CONFIGURATION)
    for n in range(30):
        post(one, n)
    wait_for(lambda: worker_row(one), lambda: "0.5/s" in worker_row(one))
    process = next(p for p in one.json("status")["processes"] if p["name"] == "store:1")
    assert process["settled_1m"] == 30 and process["failed_1h"] == 0 and process["p95_ms"] >= 1
    one.kill9("store:1")
    wait_for(lambda: worker_row(one), lambda: "ago (1)" in worker_row(one))
    assert "0.5/s" in worker_row(one), "what the process before it settled still counts"


def test_a_deleted_database_holds_its_worker_and_what_was_in_it_can_be_replayed(forebay):
    one = forebay(CONFIGURATION)
    database = os.path.join(one.folder, "leads.db")
    first = [post(one, n) for n in range(3)]
    wait_for(one.output, lambda: ids(database) == sorted(first))
    os.remove(database)
    second = [post(one, n) for n in range(3, 5)]
    wait_for(lambda: worker_row(one), lambda: " HELD " in worker_row(one))
    assert "leads.db is gone" in worker_row(one), worker_row(one)
    # A restart does not make an empty one silently.
    one.run("restart", "store")
    wait_for(lambda: worker_row(one), lambda: " HELD " in worker_row(one))
    assert not os.path.exists(database)
    assert "DB main  leads.db  DOWN: leads.db is gone" in one.run("status", expect=3)
    # The message says what to do.
    assert "touch leads.db" in worker_row(one)
    open(database, "a").close()
    wait_for(one.output, lambda: ids(database) == sorted(second))
    log = one.run("tail", "store")
    assert "database.begins_anew" in log and "forebay replay --from" in log
    assert "missing 3" in one.run("replay", "--from", "1h", "--effect", "store", "--dry-run")
    one.run("replay", "--from", "1h", "--effect", "store", "--reason", "leads.db was deleted")
    wait_for(one.output, lambda: ids(database) == sorted(first + second))
    one.run("status", expect=0)


def test_a_database_that_was_moved_away_is_taken_up_again_when_it_is_back(forebay):
    one = forebay(CONFIGURATION)
    database = os.path.join(one.folder, "leads.db")
    first = post(one, 1)
    wait_for(one.output, lambda: ids(database) == [first])
    shutil.move(database, database + ".away")
    second = post(one, 2)
    wait_for(lambda: worker_row(one), lambda: " HELD " in worker_row(one))
    shutil.move(database + ".away", database)
    wait_for(one.output, lambda: ids(database) == sorted([first, second]))
    assert "database.begins_anew" not in one.run("tail", "store")


def test_the_reason_of_a_stop_is_in_the_log(forebay):
    one = forebay(CONFIGURATION)
    one.run("stop", "store", "--reason", "disk swap")
    one.run("start", "store", "--reason", "disk is in")
    orders = [line for line in one.output().splitlines() if "processes.asked" in line]
    assert '"to":"stop","processes":"store:1","reason":"disk swap"' in orders[0], orders
    assert "disk is in" in orders[1]


def test_an_occupied_port_ends_the_start_with_who_holds_it_and_which_setting_it_is(tmp_path):
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as holder:
        taken = holder.getsockname()[1]
        free = conftest.free_ports(2)
        text = conftest.LISTENERS.format(verify="", intake=taken, admin=free[0], sqs=free[1]) + CONFIGURATION
        (tmp_path / "forebay.toml").write_text(text)
        done = subprocess.run([conftest.BINARY, "serve", "-c", "forebay.toml"], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.returncode == 75
    last = done.stderr.splitlines()[-1]
    assert f'"address":"127.0.0.1:{taken}"' in last and '"setting":"intake.listen"' in last, done.stderr
    assert f"(pid {os.getpid()})" in last
    assert not descendants_of_folder(tmp_path)


def descendants_of_folder(folder):
    """Processes that still run in it."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/cwd") == str(folder):
                found.append(int(pid))
    return found


def test_a_queue_that_left_the_configuration_is_told_of_with_what_it_holds(forebay):
    one = forebay(CONFIGURATION + '[queue.later]\n')
    one.run("queue", "send", "later", '{"n":1}')
    one.stop()
    one.write(one.text.replace("[queue.later]\n", ""))
    one.start()
    assert '"event":"queue.unconfigured","queue":"later","messages":1' in one.output()


def test_dev_says_what_a_saved_change_changed(forebay):
    one = forebay(CONFIGURATION, verb="dev")
    wait_for(one.output, lambda: "ready in" in one.output())
    one.write(one.text.replace('n     = { type = "integer" }', 'n     = { type = "integer" }\nzip   = { type = "string" }'))
    wait_for(one.output, lambda: "reloaded: endpoint.lead.fields.zip added\n" in one.output())
    one.write(one.text.replace('zip   = { type = "string" }', 'zip   = { type = "strnig" }'))
    wait_for(one.output, lambda: 'type must be' in one.output() or "strnig" in one.output())
    assert one.output().count("reloaded:") == 1
