"""examples/leads on each of the three databases: two lines differ, the rest is the same file."""
import os
import sqlite3

import pytest
from servers.mariadb import MariaDB
from servers.postgresql import PostgreSQL
from test_examples import Example, example, post  # noqa: F401

LEADS = [{"email": f"Jane{n}@example.com", "first_name": "Zoë", "amount": f"{n}.10", "consent": "yes"} for n in range(20)]


class OnServer(Example):
    """`lines` are the two of [db.main] that name the server."""
    lines = None

    def write(self, text):
        changed = [self.lines.get(line.split("=")[0].strip(), line) for line in text.split("\n")]
        assert sum(a != b for a, b in zip(text.split("\n"), changed)) == 2
        with open(os.path.join(self.folder, "db_password"), "w") as f:
            f.write("change-me\n")
        super().write("\n".join(changed))


def on(server, driver):
    made = OnServer.__new__(OnServer)
    made.lines = {"driver": f'driver = "{driver}"', "writer": f'writer = ["127.0.0.1:{server.port}"]'}
    made.__init__("leads")
    return made


def check(node, query):
    ids = [post(node, **lead) for lead in LEADS]
    rows = node.wait(lambda: (lambda found: found if len(found) == len(ids) else None)(query("SELECT id, email, first_name, amount, consent FROM leads")))
    by_id = {row[0]: row[1:] for row in rows}
    for n, one in enumerate(ids):
        email, name, amount, consent = by_id[one]
        assert (email, name, float(amount)) == (f"jane{n}@example.com", "Zoë", float(f"{n}.10")) and consent
    done = query("SELECT record FROM forebay_effects WHERE effect = 'store' AND state = 'done'")
    assert {row[0] for row in done} == set(ids)
    assert node.run("find", "jane7@example.com").startswith(ids[7])
    assert "settled" in node.run("find", ids[3])


def test_on_sqlite(example):  # noqa: F811
    node = example("leads")

    def query(statement):
        try:
            with sqlite3.connect(os.path.join(node.folder, "forebay-data/leads.db")) as connection:
                return connection.execute(statement).fetchall()
        except sqlite3.OperationalError:
            return []

    check(node, query)


@pytest.mark.parametrize("kind, driver", [(MariaDB, "mariadb"), (PostgreSQL, "postgres")], ids=["mariadb", "postgresql"])
def test_on_a_server(kind, driver):
    with kind() as server:
        if kind is MariaDB:
            server.query("CREATE DATABASE leads CHARACTER SET utf8mb4")
            server.query("CREATE USER forebay@'%' IDENTIFIED BY 'change-me'")
            server.query("GRANT ALL ON leads.* TO forebay@'%'")
        else:
            server.query("CREATE ROLE forebay LOGIN PASSWORD 'change-me'")
            server.query("CREATE DATABASE leads OWNER forebay")
        node = on(server, driver)
        try:
            def query(statement):
                there = server.query("SELECT 1 FROM information_schema.tables WHERE table_name = 'leads'", database="leads")
                return server.query(statement, database="leads") if there else []

            check(node, query)
        finally:
            node.remove()
