"""A real MariaDB. `root()` and `connect()` give a PyMySQL connection; `toml()` the section of forebay.toml that names it."""
import os
import shutil
import subprocess

import pymysql

from servers import process, template
from servers.database import PASSWORD, USER, DatabaseServer

SERVER = shutil.which("mariadbd") or "/usr/sbin/mariadbd"


def make_template(folder):
    if os.geteuid() == 0:
        shutil.chown(folder, "mysql")
    done = subprocess.run(["mariadb-install-db", "--no-defaults", f"--datadir={folder}", "--auth-root-authentication-method=normal", "--skip-test-db",
                           "--innodb-log-file-size=32M", *(["--user=mysql"] if os.geteuid() == 0 else [])], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def empty_data():
    return template.template("mariadb-" + template.version(SERVER, "--version"), make_template)


class MariaDB(DatabaseServer):
    """`settings` are lines of [mysqld] beside ours. The user app may do everything in every database."""

    name = "mariadb"
    driver = "mariadb"
    create_options = "CHARACTER SET utf8mb4"
    user = "mysql"

    def __init__(self, settings=""):
        super().__init__(settings)
        os.mkdir(self.path("tmp"))
        self.own(self.path("tmp"))
        template.copy(empty_data(), self.path("data"))

    def configuration(self):
        return f"""[mysqld]
datadir={self.path("data")}
tmpdir={self.path("tmp")}
socket={self.path("s.sock")}
pid-file={self.path("pid")}
bind-address={self.address}
port={self.port}
skip-name-resolve
performance_schema=OFF
innodb_buffer_pool_size=64M
innodb_log_file_size=32M
max_connections=400
{self.settings}
"""

    def command(self):
        return [SERVER, f"--defaults-file={self.write('my.cnf', self.configuration())}"]

    def is_ready(self):
        try:
            with self.root() as connection:
                connection.cursor().execute(f"CREATE USER IF NOT EXISTS {USER}@'%' IDENTIFIED BY '{PASSWORD}'")
                connection.cursor().execute(f"GRANT ALL ON *.* TO {USER}@'%' WITH GRANT OPTION")
            return True
        except pymysql.MySQLError:
            return False

    def root(self, **options):
        """Over the socket of its folder, not the port; set autocommit=False for a transaction."""
        return pymysql.connect(**{"unix_socket": self.path("s.sock"), "user": "root", "autocommit": True, "connect_timeout": 5, "read_timeout": 30, **options})

    def connect(self, **options):
        return pymysql.connect(**{"host": self.address, "port": self.port, "user": USER, "password": PASSWORD, "autocommit": True, "charset": "utf8mb4",
                                  "connect_timeout": 5, "read_timeout": 30, **options})

    def query(self, statement, parameters=None, database=None):
        """The rows of one statement, as root."""
        with self.root(database=database) as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall()
