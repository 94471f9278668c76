"""How a database is reached: encrypted and checked, at one of several addresses, and after the writer has moved."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from servers import ports
from servers.mariadb import MariaDB
from servers.postgresql import PostgreSQL
from test_databases import TABLE, TIMEOUT, leads, post, rows, settled, wait_for


@pytest.fixture(scope="module")
def certificates():
    """A folder with an authority, a certificate of it for localhost, and an authority that signed nothing. Other users may read it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="forebay-certificates-"))
    folder.chmod(0o755)

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "stranger"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem", "-days", "2", "-extfile", "names")
    yield folder
    shutil.rmtree(folder)


def encrypted(kind, certificates):
    key = str(certificates / f"{kind.name}.key")
    shutil.copy(certificates / "server.key", key)
    os.chmod(key, 0o600)
    if os.geteuid() == 0:
        shutil.chown(key, kind.user)
    if kind is MariaDB:
        return MariaDB(f"ssl_cert={certificates}/server.pem\nssl_key={key}\nrequire_secure_transport=ON\n")
    return PostgreSQL(f"ssl = on\nssl_cert_file = '{certificates}/server.pem'\nssl_key_file = '{key}'\n")


@pytest.mark.parametrize("kind", [MariaDB, PostgreSQL], ids=["mariadb", "postgresql"])
def test_a_server_is_believed_only_with_a_certificate_of_the_authority(forebay, certificates, kind):
    with encrypted(kind, certificates) as server:
        database = server.fresh_database()

        def toml(tls):
            return leads() + server.toml(database, more=TIMEOUT + tls).replace("127.0.0.1", "localhost") + TABLE

        node = forebay(toml(f'tls = {{ mode = "verify", ca = "{certificates}/ca.pem" }}\n'))
        ids = [post(node)]
        settled(server, database, ids)
        if kind is PostgreSQL:
            assert server.query("SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND usename = 'app'")[0][0] > 0
        node.stop()
        wrong = forebay(toml(f'tls = {{ mode = "verify", ca = "{certificates}/stranger.pem" }}\n'))
        post(wrong)
        wait_for("the hold", lambda: "certificate" in wrong.run("status", expect=None).stdout.lower())
        assert len(rows(server, database)) == 1


def test_an_address_that_does_not_answer_is_passed_over(forebay):
    nobody, = ports.reserve(1)
    with PostgreSQL() as server:
        database = server.fresh_database()
        both = f'writer = ["127.0.0.1:{nobody}", "127.0.0.1:{server.port}"]'
        node = forebay(leads() + server.toml(database).replace(f'writer = ["127.0.0.1:{server.port}"]', both) + TABLE)
        settled(server, database, [post(node)])


def test_when_the_writer_becomes_read_only_the_next_address_is_written_to(forebay):
    """As a cluster's endpoint does after a failover: the old writer answers, and takes no writes."""
    with MariaDB() as old, MariaDB() as new:
        databases = [server.fresh_database() for server in (old, new)]
        assert databases[0] == databases[1]
        for server in (old, new):
            server.query("CREATE USER plain@'%' IDENTIFIED BY 'app-secret'")
            server.query(f"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX ON {databases[0]}.* TO plain@'%'")
        both = f'writer = ["127.0.0.1:{old.port}", "127.0.0.1:{new.port}"]'
        text = old.toml(databases[0], more=TIMEOUT).replace(f'writer = ["127.0.0.1:{old.port}"]', both).replace('"app"', '"plain"')
        node = forebay(leads() + text + TABLE)
        settled(old, databases[0], [post(node)])
        old.query("SET GLOBAL read_only = 1")
        moved = post(node, email="moved@example.com")
        settled(new, databases[1], [moved])
        assert new.query("SELECT attempts FROM forebay_effects", database=databases[1]) == ((1,),)
