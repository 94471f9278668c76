"""A real PostgreSQL. `connect()` gives a psycopg2 connection; `toml()` the section of forebay.toml that names it."""
import glob
import os
import shutil
import signal
import subprocess

import psycopg2

from servers import process, template
from servers.database import PASSWORD, USER, DatabaseServer


def program(name):
    """The newest of Debian's /usr/lib/postgresql/VERSION/bin."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: float(path.split("/")[4]))
    assert found, f"there is no /usr/lib/postgresql/*/bin/{name}: tools/install test"
    return found[-1]


def make_template(folder):
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    done = subprocess.run(process.as_user("postgres") + [program("initdb"), "-D", folder, "-U", "root", "--auth-local=trust", "--auth-host=scram-sha-256",
                          "--encoding=UTF8", "--locale=C.UTF-8"], cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


class PostgreSQL(DatabaseServer):
    """`settings` are lines of postgresql.conf beside ours. The user app is a superuser."""

    name = "postgresql"
    driver = "postgres"
    user = "postgres"
    stop_signal = signal.SIGINT  # "fast": it ends sessions rather than waits for them

    def __init__(self, settings=""):
        super().__init__(settings)
        template.copy(template.template("postgresql-" + template.version(program("postgres"), "--version"), make_template), self.path("data"))

    def command(self):
        self.write("data/postgresql.conf", f"""
listen_addresses = '127.0.0.1'
port = {self.port}
unix_socket_directories = '{self.folder}'
shared_buffers = 32MB
max_connections = 200
{self.settings}
""")
        return [program("postgres"), "-D", self.path("data")]

    def is_ready(self):
        try:
            connection = self.root()
        except psycopg2.OperationalError:
            return False
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (USER,))
            if not cursor.fetchall():
                cursor.execute(f"CREATE ROLE {USER} SUPERUSER LOGIN PASSWORD '{PASSWORD}'")
        connection.close()
        return True

    def root(self, database="postgres"):
        """Over the socket of its folder."""
        connection = psycopg2.connect(host=self.folder, port=self.port, user="root", dbname=database, connect_timeout=5)
        connection.autocommit = True
        return connection

    def connect(self, database="postgres"):
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname=database, connect_timeout=5)
        connection.autocommit = True
        return connection

    def query(self, statement, parameters=None, database="postgres"):
        """The rows of one statement (none if it gives none), as root."""
        connection = self.root(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()
