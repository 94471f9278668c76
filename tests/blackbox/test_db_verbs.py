"""`db check`, `db probe`, `db schema-diff` on a real MariaDB, a real PostgreSQL and a SQLite file."""
import json
import os
import sqlite3

import pytest
from servers.balanced import forebay
from servers.mariadb import MariaDB
from servers.postgresql import PostgreSQL

WORKERS = """
[endpoint.lead]
queue = "leads"
[endpoint.lead.fields]
email = {{ type = "email" }}
name = {{ type = "string", max = 200 }}
[queue.leads]
dead_letter = "leads-dead"
[worker.store]
queue = "leads"
handler = "sql"
[worker.store.sql]
db = "main"
{sql}
"""
TABLE = WORKERS.format(sql='table = "leads"\ncolumns = ["id", "email", "name"]')
GOOD = "CREATE TABLE leads (id CHAR(36) PRIMARY KEY, email VARCHAR(254), name VARCHAR(200), note VARCHAR(10))"
BAD = "CREATE TABLE leads (id CHAR(36), name VARCHAR(80), site VARCHAR(10) NOT NULL)"


class File:
    """A SQLite file with the face of a server."""

    def __init__(self, path):
        self.path = path

    def fresh_database(self):
        return str(self.path / "app.db")

    def toml(self, database):
        return f'[db.main]\ndriver = "sqlite"\npath = "{database}"\n'

    def query(self, statement, database):
        with sqlite3.connect(database) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture(scope="module", params=[MariaDB, PostgreSQL, File], ids=["mariadb", "postgresql", "sqlite"])
def server(request, tmp_path_factory):
    if request.param is File:
        yield File(tmp_path_factory.mktemp("sqlite"))
        return
    with request.param() as started:
        yield started


@pytest.fixture
def folder(server, tmp_path):
    """Where a verb runs; `folder.database` is new and empty."""
    class Folder:
        database = server.fresh_database()

        def write(self, more):
            (tmp_path / "forebay.toml").write_text(server.toml(self.database) + more)

        def run(self, *words, **more):
            return forebay(tmp_path, *words, **more)

        def make(self, statement):
            server.query("DROP TABLE IF EXISTS leads", database=self.database)
            server.query(statement, database=self.database)

    return Folder()


def test_a_table_is_missing_wrong_and_right(folder):
    folder.write(TABLE)
    folder.make("CREATE TABLE other (id INT)")
    assert "there is no table leads" in folder.run("db", "schema-diff", expect=1)
    folder.make(BAD)
    found = folder.run("db", "schema-diff", expect=1)
    for words in ("email   is missing", "site    must have a value", "id      is no key"):
        assert words in found, found
    folder.make(GOOD)
    assert folder.run("db", "schema-diff") == "Every table has what its workers need.\n"


def test_a_statement_is_read_by_the_database(folder):
    folder.make(GOOD)
    folder.write(WORKERS.format(sql='statement = "INSERT INTO leads (id, email) VALUES (:id, :email)"'))
    assert folder.run("db", "schema-diff") == "Every table has what its workers need.\n"
    folder.write(WORKERS.format(sql='statement = "INSERT INTO leads (id, mail) VALUES (:id, :email)"'))
    assert "mail" in folder.run("db", "schema-diff", expect=1)
    assert len(json.loads(folder.run("db", "schema-diff", "--json", expect=1))["differences"]) == 1


@pytest.mark.parametrize("server", [MariaDB], ids=["mariadb"], indirect=True)  # others name the key
def test_a_unique_key_that_a_statement_takes_for_the_id_is_told(folder, server):
    statement = "INSERT INTO leads (id, email) VALUES (:id, :email)"
    folder.make("CREATE TABLE leads (n BIGINT AUTO_INCREMENT PRIMARY KEY, id CHAR(36) UNIQUE, email VARCHAR(100), k VARCHAR(9), UNIQUE (email, k))")
    folder.write(WORKERS.format(sql=f'statement = "{statement} ON DUPLICATE KEY UPDATE id = id"'))
    found, = json.loads(folder.run("db", "schema-diff", "--json"))["differences"]
    assert found["level"] == "warn" and found["column"] == "email, k" and "unique too" in found["what"]
    folder.write(WORKERS.format(sql=f'statement = "{statement}"'))
    assert json.loads(folder.run("db", "schema-diff", "--json"))["differences"] == []


def test_of_a_server_that_is_away_no_statement_is_wrong(server, folder, tmp_path):
    folder.write(WORKERS.format(sql='statement = "INSERT INTO leads (id, email) VALUES (:id, :email)"'))
    if isinstance(server, File):
        os.remove(folder.database) if os.path.exists(folder.database) else None
    else:
        settings = tmp_path / "forebay.toml"
        settings.write_text(settings.read_text().replace(f":{server.port}", ":1"))
    assert folder.run("db", "schema-diff", expect=69) == ""


def test_probe_and_check_answer_and_tell_who_does_not(server, folder):
    folder.make(GOOD)
    folder.write(TABLE)
    assert "main" in folder.run("db", "probe")
    found = folder.run("db", "check")
    assert "error" not in found, found
    folder.run("db", "check", "nothing", expect=64)


@pytest.mark.parametrize("server", [MariaDB, PostgreSQL], ids=["mariadb", "postgresql"], indirect=True)
def test_check_tells_what_a_server_lacks(server, folder):
    folder.make("CREATE TABLE leads (id INT)")
    folder.write(TABLE)
    assert "tables without a primary key" in [line for line in folder.run("db", "check", expect=1).splitlines() if line.startswith("error")][0]
    folder.database = "not-there"
    folder.write(TABLE)
    assert "connection" in folder.run("db", "check", expect=1)
    folder.run("db", "probe", expect=69)
