#!/usr/bin/python3
"""Checks a stopped store by the prose of its formats alone (src/journal/FORMAT.md, src/broker/FORMAT.md, src/record/FORMAT.md), and
compares it with what clients were told and with the rows in SQLite. It shares no line with the program it judges.

    tests/checker/check_store.py DATA_DIR/store [--acknowledged IDS] [--database FILE --table TABLE [--queue NAME]] [--list]

Exit 0: everything agrees. 1: it does not, one line a finding. Needs python3-crcmod, for compressed history python3-zstandard.
"""
import argparse
import json
import pathlib
import sqlite3
import sys
import uuid

from checkpoint_reader import Checkpoints
from journal_reader import Findings, read_journal
from queue_replay import Replay

QUARANTINE = "forebay-quarantine"


class Store:
    """What a store holds: `accepted` and `refused` ids, `queues`, `waiting`, and in `findings` what is not as it must be."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.findings = Findings()
        checkpoints = Checkpoints(folder, self.findings)
        newest = checkpoints.newest
        self.journal = read_journal(folder, newest.position if newest else 0)
        self.replay = Replay(self.journal)
        self.findings.damages += self.journal.findings.damages + self.replay.damages
        self.findings.notes += self.journal.findings.notes
        for checkpoint in checkpoints.whole:
            self.compare(checkpoints, checkpoint)
        self.queues = {queue.setting.name: queue for queue in self.replay.queues.values()}
        self.accepted, self.refused = {}, {}
        for id, places in self.replay.accepted.items():
            for name, place in places:
                (self.refused if name == QUARANTINE else self.accepted).setdefault(id, []).append((name, place))

    def compare(self, checkpoints, checkpoint):
        # With a hole in the log the checkpoint knows what the log does not any more.
        if self.journal.findings.damages:
            return
        checkpoints.compare(checkpoint, Replay(self.journal, below=checkpoint.position))

    def summary(self):
        return {"segments": len(self.journal.segments), "records": len(self.journal.records), "durable_upto": self.journal.durable_upto,
                "accepted": len(self.accepted), "refused": len(self.refused),
                "waiting": {name: len(queue.waiting) for name, queue in sorted(self.queues.items())},
                "damages": len(self.findings.damages), "notes": len(self.findings.notes)}

    def waiting_ids(self):
        """Record ids that still wait somewhere other than the quarantine."""
        return {id for name, queue in self.queues.items() if name != QUARANTINE for waiting in queue.waiting.values()
                if (id := self.replay.id_of(waiting.message))}


def rows_of(database, table):
    """Ids in the user's table, and those that the ledger beside it calls done."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        quoted = table.replace('"', '""')
        rows = [id for id, in connection.execute(f'SELECT id FROM "{quoted}"')]
        done = {id for id, in connection.execute("SELECT record FROM forebay_effects WHERE state = 'done'")}
        return rows, done
    finally:
        connection.close()


def compare(store, acknowledged, rows=None, done=None, queue=None):
    """What the promise says of the three sources, as sentences about those who break it. `queue` is the one whose worker writes the
    rows; without it, all records are meant to become rows."""
    wrong = []
    for_rows = {id for id, places in store.accepted.items() if queue is None or any(name == queue for name, _ in places)}

    def each(text, ids):
        wrong.extend(f"{id}: {text}" for id in sorted(ids))

    each("was acknowledged, and the log has never had it", set(acknowledged) - set(store.accepted))
    each("was accepted more than once", {id for id, places in store.accepted.items() if len(places) > 1})
    if rows is None:
        return wrong
    present, waiting = set(rows), store.waiting_ids()
    each("is a row more than once", {id for id in present if rows.count(id) > 1} if len(present) != len(rows) else ())
    each("was acknowledged, and is neither a row nor waiting", set(acknowledged) - present - waiting)
    each("was accepted, and is neither a row nor waiting", for_rows - set(acknowledged) - present - waiting)
    each("is a row, and the log has never had it", present - for_rows)
    each("is a row whose effect is not noted as done", present - done)
    each("is noted as done, and there is no row", done - present)
    return wrong


def show(store):
    for id, places in sorted(store.accepted.items()):
        for name, (segment, offset, length) in places:
            print(f"accepted {id} {name} segment {segment:#x} at {offset}, {length} bytes")
    for name, queue in sorted(store.queues.items()):
        for sequence, waiting in sorted(queue.waiting.items()):
            print(f"waiting {name} {sequence} message {uuid.UUID(bytes=waiting.message.id)} receives {waiting.state.receives} visible_at {waiting.state.visible_at}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("store")
    arguments.add_argument("--acknowledged", help="a file with one record id a line")
    arguments.add_argument("--database")
    arguments.add_argument("--table")
    arguments.add_argument("--queue", help="the queue whose records become rows; default: all")
    arguments.add_argument("--list", action="store_true", help="print what was accepted and what waits")
    given = arguments.parse_args()
    if bool(given.database) != bool(given.table):
        arguments.error("--database and --table go together")
    store = Store(given.store)
    acknowledged = pathlib.Path(given.acknowledged).read_text().split() if given.acknowledged else []
    rows, done = rows_of(given.database, given.table) if given.database else (None, None)
    wrong = store.findings.damages + compare(store, acknowledged, rows, done, given.queue)
    if given.list:
        show(store)
    for text in store.findings.notes:
        print("note:", text)
    for text in wrong:
        print("wrong:", text)
    print(json.dumps(store.summary() | {"acknowledged": len(acknowledged), "rows": len(rows) if rows is not None else None, "wrong": len(wrong)}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
