"""The independent checker (tests/checker/) on stores of the real binary: it agrees with a healthy one, whatever was done to it,
and it finds damage that was planted."""
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import tempfile
import time

import pytest
import requests

from conftest import LEADS, LEADS_TO_SQLITE, Forebay
from sqs_clients import ACCOUNT, REGION, Json

CHECKER = pathlib.Path(__file__).resolve().parent.parent / "checker/check_store.py"
CONFIGURATION = LEADS + """
[queue.work]
visibility_timeout = "1s"
max_receive_count = 2
dead_letter = "work-dead"
[queue.work-dead]
[journal]
segment = "8MiB"
""" + LEADS_TO_SQLITE


def check(folder, *more):
    """(agrees, its lines, its summary)"""
    done = subprocess.run(["/usr/bin/python3", "-B", CHECKER, "data/store", *more], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1) and not done.stderr, done.stderr
    lines = done.stdout.splitlines()
    return done.returncode == 0, lines[:-1], json.loads(lines[-1])


def post(process, n):
    answer = requests.post(process.intake + "/v1/lead", json={"email": f"p{n}@example.com"}, timeout=30)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def depths(process):
    queues = requests.get(process.admin + "/api/queues", timeout=10).json()["queues"]
    return {q["name"]: q["ready"] + q["in_flight"] + q["delayed"] for q in queues}


def wait_until_empty(process, queue):
    deadline = time.monotonic() + 60
    while depths(process)[queue]:
        assert time.monotonic() < deadline, f"messages are still in {queue}"
        time.sleep(0.05)


class Work:
    """Everything that the queue port can do to a message, at random."""

    def __init__(self, process, seed):
        self.process, self.chance, self.receipts = process, random.Random(seed), []
        self.sqs = Json(process.sqs)
        self.sqs.create_queue(QueueName="made", Attributes={"VisibilityTimeout": "1"})
        self.sqs.create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})
        redrive = json.dumps({"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead.fifo", "maxReceiveCount": 2})
        self.sqs.create_queue(QueueName="made.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true", "RedrivePolicy": redrive})
        self.urls = {name: self.sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in ("work", "work-dead", "made", "made.fifo", "dead.fifo")}

    def step(self):
        self.chance.choices([self.send, self.send_batch, self.receive, self.delete, self.change, self.purge], [8, 3, 8, 5, 4, 0.1])[0]()

    def send(self):
        url = self.any()
        delay = {} if self.is_fifo(url) else {"DelaySeconds": self.chance.choice([0, 0, 0, 1, 900])}
        self.sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"email": "a@example.com", "n": self.chance.random()}), **delay, **self.group(url),
                              MessageAttributes={"kind": {"DataType": "Number", "StringValue": "7"}})

    def send_batch(self):
        url = self.any()
        entries = [{"Id": str(n), "MessageBody": json.dumps({"n": n, "text": "x" * self.chance.randrange(3000)}), **self.group(url)}
                   for n in range(self.chance.randrange(1, 11))]
        self.sqs.send_message_batch(QueueUrl=url, Entries=entries)

    def receive(self):
        url = self.any()
        found = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=self.chance.randrange(1, 11), VisibilityTimeout=self.chance.choice([0, 0, 1, 60]))
        self.receipts += [(url, m["ReceiptHandle"]) for m in found.get("Messages", ())]

    def delete(self):
        if self.receipts:
            url, receipt = self.receipts.pop(self.chance.randrange(len(self.receipts)))
            answer = self.sqs.post("DeleteMessage", json.dumps({"QueueUrl": url, "ReceiptHandle": receipt}))
            assert answer.status_code == 200 or self.is_fifo(url) and "has expired" in answer.text, answer.text

    def change(self):
        if self.receipts:
            url, receipt = self.chance.choice(self.receipts)
            self.sqs.post("ChangeMessageVisibility", json.dumps({"QueueUrl": url, "ReceiptHandle": receipt, "VisibilityTimeout": self.chance.choice([0, 5, 600])}))

    def purge(self):
        self.sqs.post("PurgeQueue", json.dumps({"QueueUrl": self.urls[self.chance.choice(["made", "made.fifo"])]}))

    def any(self):
        return self.urls[self.chance.choice(["work", "work", "made", "made.fifo"])]

    def is_fifo(self, url):
        return url.endswith(".fifo")

    def group(self, url):
        """What a message to a FIFO queue has besides; now and then the id of another."""
        if not self.is_fifo(url):
            return {}
        id = {"MessageDeduplicationId": f"id{self.chance.randrange(50)}"} if self.chance.random() < 0.3 else {}
        return {"MessageGroupId": f"g{self.chance.randrange(4)}", **id}


def test_it_agrees_with_a_store_that_was_worked_on_and_killed(forebay):
    process = forebay(CONFIGURATION)
    work, ids = Work(process, 1), []
    for turn in range(5):
        for n in range(120):
            work.step()
            if n % 4 == 0:
                ids.append(post(process, turn * 1000 + n))
        process.kill9("node")
    work.sqs.create_queue(QueueName="gone")
    work.sqs.delete_queue(QueueUrl=work.sqs.get_queue_url(QueueName="gone")["QueueUrl"])
    said = depths(process)
    process.stop()

    acknowledged = os.path.join(process.folder, "acknowledged")
    pathlib.Path(acknowledged).write_text("\n".join(ids))
    agrees, lines, found = check(process.folder, "--acknowledged", acknowledged, "--database", "leads.db", "--table", "leads", "--queue", "leads")
    assert agrees, lines
    waits = {name: count for name, count in found["waiting"].items() if name != "leads"}
    assert waits == {name: count for name, count in said.items() if name != "leads"}
    assert waits["work-dead"] > 0 and waits["dead.fifo"] > 0 and found["accepted"] >= len(ids)


def test_it_reads_segments_that_were_dropped_and_messages_that_were_copied(forebay):
    process = forebay(CONFIGURATION)
    kept, sent = post(process, 0), 0
    sqs = Json(process.sqs)
    url = sqs.create_queue(QueueName="made")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="it stands in the way", DelaySeconds=900)
    history = os.path.join(process.folder, "data/store/history")
    while not (os.path.isdir(history) and any(name.endswith(".fbz") for name in os.listdir(history))):
        assert sent < 2000, "nothing went into the history"
        sent += 1
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "x" * 900_000}])
        receipts = [m["ReceiptHandle"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ())]
        for receipt in receipts:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=receipt)
    process.stop()

    agrees, lines, found = check(process.folder, "--list")
    assert agrees, lines
    assert found["waiting"]["made"] >= 1
    assert [line.split()[1] for line in lines if line.startswith("accepted")] == [kept]


@pytest.fixture(scope="module")
def healthy():
    """The folder of a stopped Forebay with 30 acknowledged records, all of them rows, in several segments."""
    folder = tempfile.mkdtemp(prefix="forebay-test-")
    process = Forebay(folder, CONFIGURATION, "serve")
    try:
        ids = []
        for turn in range(3):
            ids += [post(process, turn * 100 + n) for n in range(10)]
            process.kill9("node")
        # One more that is refused: the quarantine's page holds it.
        assert requests.post(process.intake + "/v1/lead", json={"email": "nobody"}, timeout=30).status_code == 422
        wait_until_empty(process, "leads")
        process.stop()
        pathlib.Path(folder, "acknowledged").write_text("\n".join(ids))
        yield Store(folder)
    finally:
        if process.parent:
            process.stop()
        shutil.rmtree(folder)


class Store:
    """A store to plant damage in."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.files = self.folder / "data/store"

    def check(self, *more):
        return check(self.folder, "--acknowledged", "acknowledged", "--database", "leads.db", "--table", "leads", *more)

    def accepted(self):
        """(file, offset, bytes) of each accepted record."""
        words = [line.split() for line in self.check("--list")[1] if line.startswith("accepted ")]
        return [(self.segment(int(w[4], 16)), int(w[6].rstrip(",")), int(w[7])) for w in words]

    def segment(self, number):
        return self.files / f"log-{number:016x}.seg"

    def segments(self):
        return sorted(self.files.glob("log-*.seg"))

    def end_of(self, segment):
        return len(segment.read_bytes().rstrip(b"\0"))

    def change(self, path, offset, bit=1):
        with open(path, "r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ bit]))

    def sql(self, statement):
        with sqlite3.connect(self.folder / "leads.db") as connection:
            assert connection.execute(statement).rowcount == 1

    def forget_the_witnesses(self):
        (self.files / "commit.mark").unlink()
        shutil.rmtree(self.files / "checkpoint")


@pytest.fixture
def store(healthy, tmp_path):
    subprocess.run(["cp", "-r", "--sparse=always", f"{healthy.folder}/.", tmp_path], check=True)
    return Store(tmp_path)


def flip_a_bit_of_an_accepted_body(store):
    segment, offset, length = store.accepted()[7]
    store.change(segment, offset + length - 20)


def flip_a_bit_of_a_frame_header(store):
    segment, offset, _ = store.accepted()[7]
    store.change(segment, offset - offset % 512 + 30)


def flip_a_bit_of_one_segment_header(store):
    store.change(store.segments()[0], 2048 + 50)


def flip_a_bit_of_both_segment_headers(store):
    store.change(store.segments()[1], 50)
    store.change(store.segments()[1], 2048 + 50)


def write_over_the_zeros_behind_a_record(store):
    segment, offset, length = store.accepted()[7]
    store.change(segment, offset - offset % 512 + (offset % 512 + length + 7) // 512 * 512 + 505)


def cut_the_tail_in_the_middle_of_a_record(store):
    segment, offset, length = max(store.accepted())
    os.truncate(segment, offset + length // 2)


def cut_the_tail_and_forget_the_witnesses(store):
    segment, offset, _ = max(store.accepted())
    for later in store.segments()[store.segments().index(segment) + 1:]:
        later.unlink()
    os.truncate(segment, offset - offset % 512)
    store.forget_the_witnesses()


def remove_a_segment(store):
    store.segments()[1].unlink()


def remove_the_newest_segment(store):
    store.segments()[-1].unlink()


def exchange_two_segments(store):
    first, second = store.segments()[:2]
    second.rename(store.files / "aside")
    first.rename(second)
    (store.files / "aside").rename(first)


def move_a_frame(store):
    segment, offset, _ = store.accepted()[7]
    frame, end = offset - offset % 512, (store.end_of(segment) + 511) // 512 * 512
    with open(segment, "r+b") as file:
        file.seek(frame)
        moved = file.read(512)
        file.seek(end)
        file.write(moved)
        file.seek(frame)
        file.write(bytes(512))


def flip_a_bit_of_a_checkpoint(store):
    store.change(sorted((store.files / "checkpoint").glob("at-*"))[-1], 60)


def flip_a_bit_of_a_page(store):
    pages = store.files / "checkpoint/pages"
    store.change(pages, pages.read_bytes().rstrip(b"\0").__len__() - 1)


def lose_a_row(store):
    store.sql("DELETE FROM leads WHERE rowid = 5")


def invent_a_row(store):
    store.sql("INSERT INTO leads (id, email) VALUES ('01a2105f-f3f3-7ed1-88e7-e37a836d8d56', 'x@example.com')")


def lose_a_note(store):
    store.sql("DELETE FROM forebay_effects WHERE record = (SELECT id FROM leads LIMIT 1)")


@pytest.mark.parametrize("plant", [
    flip_a_bit_of_an_accepted_body, flip_a_bit_of_a_frame_header, flip_a_bit_of_one_segment_header, flip_a_bit_of_both_segment_headers,
    write_over_the_zeros_behind_a_record, cut_the_tail_in_the_middle_of_a_record, cut_the_tail_and_forget_the_witnesses, remove_a_segment,
    remove_the_newest_segment, exchange_two_segments, move_a_frame, flip_a_bit_of_a_checkpoint, flip_a_bit_of_a_page, lose_a_row, invent_a_row,
    lose_a_note])
def test_it_finds_planted_damage(store, plant):
    agrees, lines, _ = store.check()
    assert agrees, lines
    plant(store)
    agrees, lines, _ = store.check()
    assert not agrees, lines
    print(lines)


def lose_the_commit_mark(store):
    (store.files / "commit.mark").unlink()


def lose_the_checkpoints(store):
    shutil.rmtree(store.files / "checkpoint")


def tear_what_nobody_was_answered_for(store):
    segment = store.segments()[-1]
    with open(segment, "r+b") as file:
        file.seek((store.end_of(segment) + 511) // 512 * 512)
        file.write(b"FBBT" + b"x" * 2000)


def cut_the_unused_end(store):
    segment = store.segments()[0]
    os.truncate(segment, (store.end_of(segment) + 4095) // 4096 * 4096)


@pytest.mark.parametrize("change", [lose_the_commit_mark, lose_the_checkpoints, tear_what_nobody_was_answered_for, cut_the_unused_end])
def test_it_allows_what_a_crash_may_leave(store, change):
    change(store)
    agrees, lines, _ = store.check()
    assert agrees, lines
