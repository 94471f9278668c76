"""Commands under `exec`, as those who write them see them."""
import contextlib
import os
import sqlite3
import time

import requests
from conftest import LEADS

LATER = LEADS + r"""
max_receive_count = 20
dead_letter = "leads-dead"
[worker.score]
queue = "leads"
handler = "exec"
[worker.score.exec]
protocol = "jsonl"
command = ["/bin/sh", "-c", '''
while IFS= read -r line; do
    id=${line#*\"id\":\"}
    printf '{"id":"%s","result":"retry","delay":"10d"}\n' "${id%%\"*}"
done
''']
"""
HOUR_MS = 3600 * 1000


def effects(path):
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return database.execute("select state, next_at - at, error from forebay_effects").fetchall()
    return []


def test_a_delay_of_ten_days_is_cut_to_what_the_queues_receive_count_leaves(forebay):
    one = forebay(LATER)
    assert requests.post(one.intake + "/v1/lead", json={"email": "a@example.com"}, timeout=30).status_code == 202
    deadline = time.monotonic() + 30
    while not (rows := effects(os.path.join(one.folder, "data", "effects", "score-1.db"))):
        assert time.monotonic() < deadline, one.output()
        time.sleep(0.05)
    state, wait, error = rows[0]
    # One of 20 deliveries is spent, and the attempts after the next one need 13: that leaves six parts of 11 h.
    assert (state, error) == ("retrying", "the command said so"), rows
    assert 65 * HOUR_MS < wait <= 66 * HOUR_MS, rows
