"""`forebay import` and its refusals, as somebody with a file in hand meets them."""
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time

import pytest
from conftest import BINARY, LEADS, LEADS_TO_SQLITE, running

ENDPOINT = """
[endpoint.lead]
queue = "leads"
[endpoint.lead.fields]
email = { type = "email", required = true }
first_name = { type = "string", aliases = ["fname"], max = 20 }
zip = { type = "string", pattern = "^\\\\d{5}$" }
[queue.leads]
"""


def put(process, name, text):
    path = os.path.join(process.folder, name)
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return name


def records(process, queue="leads"):
    """Every message of a queue as its envelope, in order."""
    found, after = [], []
    while True:
        page = process.json("queue", "peek", queue, "--max", "1000", *after)["messages"]
        found += [json.loads(m["body"]) for m in page]
        if len(page) < 1000:
            return found
        after = ["--after", str(page[-1]["sequence"])]


def test_csv_as_it_is_found(forebay):
    node = forebay(ENDPOINT)
    put(node, "leads.csv", "\ufeffE-Mail;First Name;zip;note\r\n"
        "jane@example.com;Jane;12345;\"two\r\nlines; and a \"\"quote\"\"\"\r\n"
        "\r\n"
        "joe@example.com;;;\r\n"
        "bad@@example.com;Bad;1;\r\n"
        "short@example.com\r\n"
        "last@example.com;Last;54321;x")
    done = node.run("import", "leads.csv", "--endpoint", "lead", "--map", "E-Mail=email", expect=None)
    assert done.returncode == 1, done.stderr
    assert "CSV with semicolons, 4 columns" in done.stderr and 'column "First Name" is taken as first_name' in done.stderr
    assert 'column "note" is no field of lead' in done.stderr
    got = records(node)
    assert [r["fields"] for r in got] == [
        {"email": "jane@example.com", "first_name": "Jane", "zip": "12345", "note": 'two\r\nlines; and a "quote"'},
        {"email": "joe@example.com"}, {"email": "last@example.com", "first_name": "Last", "zip": "54321", "note": "x"}]
    assert all(r["flags"] == ["imported"] and r["endpoint"] == "lead" for r in got)
    assert "accepted              3" in done.stdout and "refused               2" in done.stdout, done.stdout
    kept = node.run("rejects", "ls", "--source", "leads.csv")
    assert "leads.csv:6  email: email_invalid, zip: pattern" in kept and "leads.csv:7  csv_columns" in kept, kept
    assert "leads.csv:7" not in node.run("rejects", "ls", "--source", "leads.csv:6")
    assert "short@example.com" in node.run("rejects", "show", kept.split("leads.csv:7")[0].rsplit("\n", 1)[1].split()[0])


def test_the_same_file_again_adds_nothing_and_a_mended_row_does(forebay):
    node = forebay(ENDPOINT)
    put(node, "leads.csv", "email,zip\na@example.com,12345\na@example.com,12345\nb@example.com,1\n")
    first = node.json("import", "leads.csv", "--endpoint", "lead", expect=1)
    assert (first["accepted"], first["refused"], first["codes"]["zip: pattern"]["lines"]) == (2, 1, [4])
    again = node.json("import", "leads.csv", "--endpoint", "lead", expect=1)
    assert (again["accepted"], again["already_in"], again["refused"]) == (0, 2, 1)
    assert len(node.json("rejects", "ls")["rejects"]) == 1, "a row that is refused again is kept once"
    put(node, "leads.csv", "email,zip\na@example.com,12345\na@example.com,12345\nb@example.com,11111\n")
    mended = node.json("import", "leads.csv", "--endpoint", "lead")
    assert (mended["accepted"], mended["already_in"]) == (1, 2)
    assert node.json("import", "leads.csv", "--endpoint", "lead", "--name", "tuesday")["accepted"] == 3


def test_json_lines_and_standard_input(forebay):
    node = forebay(ENDPOINT)
    lines = ['{"email":"a@example.com","score":5,"tags":["x"]}', "", '{"email":"b@example.com"', '{"email":7}', "[1]", '{"email":"c@example.com"}']
    done = node.json("import", "-", "--endpoint", "lead", stdin="\n".join(lines), expect=1)
    assert (done["accepted"], done["refused"], done["file"]) == (2, 3, "stdin")
    assert [r["fields"] for r in records(node)] == [{"email": "a@example.com", "score": 5, "tags": ["x"]}, {"email": "c@example.com"}]
    sources = sorted(r["source"] for r in node.json("rejects", "ls")["rejects"])
    assert sources == ["stdin:3", "stdin:4", "stdin:5"]


def test_a_dry_run_reports_and_sends_nothing(forebay):
    node = forebay(ENDPOINT)
    put(node, "raw.csv", "email,zip\na@example.com,12345\na@example.com,12345\nb@example.com,\nbad,1\n")
    report = node.json("import", "raw.csv", "--endpoint", "lead", "--dry-run", expect=1)
    assert report["rows"] == 4 and report["good"] == 3 and report["refused"] == 1 and report["repeated"] == 1
    assert report["filled"] == {"email": 3, "zip": 2}
    assert set(report["codes"]) == {"email: email_invalid", "zip: pattern"}
    text = node.run("import", "raw.csv", "--endpoint", "lead", "--dry-run", expect=1)
    assert "nothing sent" in text and "email                          3  100%" in text, text
    assert records(node) == [] and node.json("rejects", "ls")["rejects"] == []


@pytest.mark.parametrize("name,content,words,code,said", [
    ("a.csv", b"", (), 65, "a.csv is empty"),
    ("a.csv", b"emial,zip\nx,1\n", (), 65, 'did you mean --map "emial=email"?'),
    ("a.csv", b"zip\n1\n", (), 65, 'no column is the field "email", which lead requires: --map COLUMN=email'),
    ("a.csv", b"email,email\nx,y\n", (), 65, 'two columns are the field "email"'),
    ("a.csv", b"email,,zip\nx,y,z\n", (), 65, "column 2 has no name"),
    ("a.csv", "email,zip\n".encode("utf-16"), (), 65, "a.csv is UTF-16: iconv -f UTF-16 -t UTF-8 a.csv"),
    ("a.csv", b"\x1f\x8b\x08abc", (), 65, "zcat a.csv"),
    ("a.xlsx", b"PK\x03\x04abc", (), 65, "save it as CSV"),
    ("a.csv", b"email\nx\n", ("--map", "foo=email"), 65, 'there is no column "foo"'),
    ("a.csv", b"email\nx\n", ("--map", "foo"), 64, "--map must be COLUMN=FIELD"),
    ("a.csv", b"email\nx\n", ("--delimiter", "ab"), 64, "--delimiter must be one character or tab"),
    ("a.csv", b"email\nx\n", ("--format", "xml"), 64, "--format must be csv or jsonl"),
    ("a.csv", b"email\nx\n", ("--name", "a:b"), 64, "--name must be"),
    ("a.jsonl", b"{}\n", ("--map", "a=b"), 64, "--map is for CSV"),
])
def test_what_cannot_be_imported_is_told(shared, name, content, words, code, said):
    put(shared, name, content)
    done = shared.run("import", name, "--endpoint", "lead", *words, expect=None)
    assert done.returncode == code and said in done.stderr, (done.returncode, done.stderr)
    assert records(shared) == []


@pytest.fixture(scope="module")
def shared():
    with running(ENDPOINT) as process:
        yield process


def test_wrong_words_are_told(shared):
    for words, code, said in [(("nowhere.csv", "--endpoint", "lead"), 74, "No such file"), ((".", "--endpoint", "lead"), 74, "is a folder"),
                              (("a.csv",), 64, "import needs --endpoint"), (("a.csv", "--endpoint", "laed"), 64, 'did you mean "lead"?'),
                              ((), 64, "FILE"), (("-", "--endpoint", "lead", "--resume"), 64, "--resume needs a file")]:
        done = shared.run("import", *words, expect=None, stdin="email\nx\n")
        assert done.returncode == code and said in done.stderr, (words, done.returncode, done.stderr)
    done = shared.run("import", "a.csv", "--endpoint", "lead", "--node", "http://127.0.0.1:1", expect=None)
    assert done.returncode == 69 and "Is it running?" in done.stderr


def test_encodings_and_quotes_are_told_with_their_line(forebay):
    node = forebay(ENDPOINT)
    put(node, "a.csv", b"email,first_name\na@example.com,Ren\xe9\nb@example.com,\"open\nc@example.com,\"x\"y\nd@example.com,D\n")
    report = node.json("import", "a.csv", "--endpoint", "lead", expect=1)
    assert report["accepted"] == 1 and report["refused"] == 3
    assert report["codes"]["utf8_invalid"]["lines"] == [2] and "iconv" in report["codes"]["utf8_invalid"]["detail"]
    assert report["codes"]["csv_invalid"]["lines"] == [3, 4]
    huge = "b" * 1_200_000
    put(node, "b.jsonl", f'{{"email":"a@example.com"}}\n{{"email":"{huge}"}}\n{{"email":"b@example.com"}}\n')
    report = node.json("import", "b.jsonl", "--endpoint", "lead", expect=1)
    assert report["accepted"] == 2 and report["codes"]["too_large"]["lines"] == [2]


def rows_of(process):
    with contextlib.suppress(sqlite3.OperationalError):
        with contextlib.closing(sqlite3.connect(f"file:{process.folder}/leads.db?mode=ro", uri=True)) as db:
            return [email for (email,) in db.execute("SELECT email FROM leads")]
    return []


def test_kills_of_node_and_import_lose_and_double_nothing(forebay):
    node = forebay(LEADS + LEADS_TO_SQLITE)
    count = 12_000
    put(node, "big.csv", "email\n" + "".join(f"p{i}@example.com\n" for i in range(count)))
    words = [BINARY, "import", "big.csv", "--endpoint", "lead", "-c", "forebay.toml", "--json"]
    run = subprocess.Popen(words, cwd=node.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # The node dies under it twice, then the import itself is killed, then interrupted, then it goes on to the end.
    for _ in range(2):
        before = node.json("queue", "ls")["queues"]
        deadline = time.monotonic() + 30
        while node.json("queue", "ls")["queues"] == before and time.monotonic() < deadline:
            pass
        node.kill9()
    run.send_signal(signal.SIGKILL)
    run.wait()
    run = subprocess.Popen([*words, "--resume"], cwd=node.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=120)
    done = node.run("import", "big.csv", "--endpoint", "lead", "--resume", "--json", expect=None)
    assert done.returncode == 0, done.stderr
    deadline = time.monotonic() + 200
    while len(rows_of(node)) < count and time.monotonic() < deadline:
        time.sleep(0.2)
    got = rows_of(node)
    assert len(got) == count and set(got) == {f"p{i}@example.com" for i in range(count)}
    assert "No import of this file was left unfinished" in node.run("import", "big.csv", "--endpoint", "lead", "--resume", expect=None).stderr


def test_memory_does_not_grow_with_the_file(forebay):
    node = forebay(ENDPOINT)
    count = 400_000
    line = "p@example.com," + "x" * 100 + "\n"
    put(node, "big.csv", "email,note\n" + line * count)
    run = subprocess.Popen([BINARY, "import", "big.csv", "--endpoint", "lead", "--dry-run", "-c", "forebay.toml"], cwd=node.folder,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while run.poll() is None:
        with contextlib.suppress(OSError, StopIteration):
            with open(f"/proc/{run.pid}/status") as f:
                peak = max(peak, int(next(l for l in f if l.startswith("VmHWM")).split()[1]))
        time.sleep(0.05)
    assert run.returncode == 0
    assert 0 < peak < 64 * 1024, f"{peak} KiB for a file of 46 MB"
