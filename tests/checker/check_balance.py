#!/usr/bin/python3
"""Counts the balance of a stopped store by itself: what was accepted, from the log alone (check_store.py reads it by the prose of its
formats), against the ledger's tables (src/ledger/TABLES.md) and the rows of the user's table, value by value. It shares no line with
`forebay audit`.

    tests/checker/check_balance.py DATA_DIR/store --database DB --table TABLE --queue leads --effect store [--id-column id] [--effects FILE]...

DB is a SQLite file, mysql://user:password@host:port/name or postgresql://… . Exit 0: balanced. 1: not, one line a finding.
"""
import argparse
import base64
import collections
import datetime
import decimal
import hashlib
import json
import pathlib
import sqlite3
import sys
import urllib.parse
import uuid

import broker_records as format
from check_store import QUARANTINE
from envelope import object_of, NoRecord, record_id
from journal_reader import read_journal
from queue_replay import Replay

FINISHED = {"done", "skipped", "discarded"}


class Bodies(Replay):
    """Keeps what each record holds as it was accepted first."""

    def __init__(self, journal):
        self.members, self.message_of = {}, {}
        super().__init__(journal)

    def note_accepted(self, record, queue, message, keys):
        super().note_accepted(record, queue, message, keys)
        try:
            self.members.setdefault(record_id(message), object_of(message.body))
        except NoRecord:
            pass  # the replay has told it


class Log:
    """`accepted`, `waiting` and `dead`: ids of one queue; `members`: what each record holds."""

    def __init__(self, folder, queue):
        journal = read_journal(pathlib.Path(folder), 0)
        replay = Bodies(journal)
        self.damages = journal.findings.damages + replay.damages
        named = {q.setting.name: q for q in replay.queues.values()}
        self.accepted = {id for id, places in replay.accepted.items() if any(name == queue for name, _ in places)}
        dead_letters = {q.setting.redrive[0] for q in named.values() if q.setting.redrive}
        self.waiting, self.dead = set(), set()
        for name, q in named.items():
            if name != QUARANTINE:
                ids = {replay.id_of(waiting.message) for waiting in q.waiting.values()}
                (self.dead if name in dead_letters else self.waiting).update(ids - {None})
        self.members = replay.members


class Database:
    def __init__(self, where):
        if "://" not in where:
            self.connection, self.quote, self.parameter = sqlite3.connect(f"file:{where}?mode=ro", uri=True), '"', "?"
            return
        url = urllib.parse.urlsplit(where)
        to = {"host": url.hostname, "port": url.port, "user": url.username, "password": url.password or ""}
        self.parameter = "%s"
        if url.scheme == "mysql":
            import pymysql
            self.connection, self.quote = pymysql.connect(database=url.path[1:], charset="utf8mb4", **to), "`"
        else:
            import psycopg2
            self.connection, self.quote = psycopg2.connect(dbname=url.path[1:], **to), '"'

    def rows(self, sql, *values):
        """Names of the columns, and the rows."""
        cursor = self.connection.cursor()
        cursor.execute(sql, values)
        return [column[0] for column in cursor.description], cursor.fetchall()

    def name(self, name):
        return self.quote + name.replace(self.quote, 2 * self.quote) + self.quote

    def states(self, effect):
        """Record id to the state of the effect."""
        return dict(self.rows(f"SELECT record, state FROM forebay_effects WHERE effect = {self.parameter}", effect)[1])

    def records(self):
        """Record id to (body_sha, erased_at)."""
        return {id: (sha, erased) for id, sha, erased in self.rows("SELECT id, body_sha, erased_at FROM forebay_records")[1]}


def id_text(value):
    if isinstance(value, (bytes, bytearray, memoryview)) and len(bytes(value)) == 16:
        return str(uuid.UUID(bytes=bytes(value)))
    return str(value)


def is_same(field, stored):
    """Whether a column holds what the field says, in whatever type the database gives it back."""
    if field is None or stored is None:
        return field is None and stored is None
    if isinstance(field, bool):
        return stored in (field, int(field), str(int(field)), str(field).lower())
    if isinstance(field, (int, float, decimal.Decimal)):
        try:
            return decimal.Decimal(str(stored)) == decimal.Decimal(str(field))
        except decimal.InvalidOperation:
            return False
    if isinstance(field, (list, dict)):
        return (json.loads(stored) if isinstance(stored, str) else stored) == field
    if isinstance(stored, (datetime.date, datetime.datetime)):
        return stored.isoformat() == field
    return str(stored) == field


def raw_of(members):
    if "raw_base64" in members:
        return base64.b64decode(members["raw_base64"])
    return members["raw"].encode() if "raw" in members else None


def compare_values(columns, row, members, known_fields):
    """Columns whose value is not the field's. One that is no field of any record is the user's own."""
    fields = members.get("fields") if "v" in members else members  # of the PHP form only the id is read
    if not isinstance(fields, dict):
        return []
    return [column for column, stored in zip(columns, row) if column in known_fields and not is_same(fields.get(column), stored)]


def check(log, database, others, table, id_column, effect):
    """The balance as a dictionary, and what is wrong as sentences."""
    wrong, states = [f"the log is damaged: {damage}" for damage in log.damages], database.states(effect)
    for other in others:
        for id, state in other.states(effect).items():
            if states.get(id) not in FINISHED:
                states[id] = state
    records = database.records()
    dead = (log.dead | {id for id, state in states.items() if state == "dead"}) & log.accepted
    waiting = (log.waiting & log.accepted) - dead
    erased = {id for id, (_, at) in records.items() if at is not None} & log.accepted - dead - waiting
    settled = {id for id, state in states.items() if state in FINISHED} & log.accepted - dead - waiting - erased
    discarded = {id for id in settled if states[id] == "discarded"}
    missing = log.accepted - dead - waiting - erased - settled
    wrong += [f"{id}: missing: accepted, and neither finished nor waiting" for id in sorted(missing)]

    columns, rows = database.rows(f"SELECT * FROM {database.name(table)}")
    at = columns.index(id_column)
    times = collections.Counter(id_text(row[at]) for row in rows)
    done = {id for id, state in states.items() if state == "done"}
    wrong += [f"{id}: removed: noted as done, and there is no row" for id in sorted(done & log.accepted - erased - set(times))]
    wrong += [f"{id}: doubled: {n} rows" for id, n in sorted(times.items()) if n > 1]
    wrong += [f"{id}: surplus: a row that no effect explains" for id in sorted(set(times) - done)]
    known_fields = {name for members in log.members.values() if isinstance(members.get("fields"), dict) for name in members["fields"]}
    for row in rows:
        id = id_text(row[at])
        if id in log.members and id not in erased:
            changed = compare_values(columns, row, log.members[id], known_fields - {id_column})
            if changed:
                wrong.append(f"{id}: changed: {', '.join(changed)} is not what was accepted")
    for id, members in log.members.items():
        sha, _ = records.get(id, (None, None))
        raw = raw_of(members)
        if sha and raw is not None and id not in erased and not hashlib.sha256(raw).hexdigest().startswith(sha):
            wrong.append(f"{id}: changed: the ledger knows it with another body")
    return {"accepted": len(log.accepted), "settled": len(settled - discarded), "open": len(waiting), "dead": len(dead),
            "discarded": len(discarded), "erased": len(erased), "missing": len(missing), "rows": len(rows)}, wrong


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("store")
    arguments.add_argument("--database", required=True)
    arguments.add_argument("--table", required=True)
    arguments.add_argument("--queue", required=True, help="whose worker writes the rows")
    arguments.add_argument("--effect", required=True, help="the worker's name")
    arguments.add_argument("--id-column", default="id")
    arguments.add_argument("--effects", action="append", default=[], help="an effects file of an exec worker")
    given = arguments.parse_args()
    balance, wrong = check(Log(given.store, given.queue), Database(given.database), [Database(file) for file in given.effects], given.table,
                           given.id_column, given.effect)
    for text in wrong:
        print("wrong:", text)
    print(json.dumps(balance | {"wrong": len(wrong)}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
