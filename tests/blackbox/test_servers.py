"""The servers of the tests themselves: each starts, answers, and is gone after an accident and after its end."""
import os

import pymysql
import pytest

from servers import ports
from servers.galera import Galera
from servers.haproxy import HAProxy, complaints
from servers.mariadb import MariaDB
from servers.postgresql import PostgreSQL
from servers.process import wait_for

TCP = """
global
    maxconn 100
defaults
    mode tcp
    timeout connect 2s
    timeout client 30s
    timeout server 30s
listen mariadb
    bind 127.0.0.1:{port}
    server one 127.0.0.1:{to} check inter 200ms
"""


def ended(server):
    folder, pid = server.folder, server.process.pid
    server.close()
    assert not os.path.exists(folder) and not os.path.exists(f"/proc/{pid}")


def test_a_reserved_port_is_nobody_elses():
    assert len(set(ports.reserve(50) + ports.reserve(50))) == 100


def test_mariadb_keeps_what_was_committed_over_kill_9():
    server = MariaDB()
    with server:
        database = server.fresh_database()
        server.query("CREATE TABLE t (id INT PRIMARY KEY)", database=database)
        with server.connect(database=database) as connection:
            connection.cursor().execute("INSERT INTO t VALUES (1)")
        server.kill9()
        assert not ports.answers(server.port)
        server.start()
        assert server.query("SELECT id FROM t", database=database) == ((1,),)
        server.stop()
        server.start()
        server.freeze()
        with pytest.raises(pymysql.MySQLError):
            server.connect(connect_timeout=1, read_timeout=1)
        server.thaw()
        server.connect().close()
        ended(server)


def test_postgresql_keeps_what_was_committed_over_kill_9():
    server = PostgreSQL()
    with server:
        database = server.fresh_database()
        server.query("CREATE TABLE t (id INT PRIMARY KEY)", database=database)
        connection = server.connect(database)
        connection.cursor().execute("INSERT INTO t VALUES (1)")
        server.kill9()
        server.start()
        assert server.query("SELECT id FROM t", database=database) == [(1,)]
        server.stop()
        server.start()
        ended(server)


def test_haproxy_takes_a_server_out_and_in_again():
    with MariaDB() as database:
        port, = ports.reserve(1)
        with HAProxy(TCP.format(port=port, to=database.port)) as proxy:
            assert complaints(proxy.file) == ""
            proxy.wait_server("mariadb", "one", "UP")
            database.connect(port=port).close()
            database.kill9()
            proxy.wait_server("mariadb", "one", "DOWN")
            database.start()
            proxy.wait_server("mariadb", "one", "UP")
            ended(proxy)


def test_galera_survives_a_node_and_all_of_them():
    with Galera() as cluster:
        one, _, three = cluster.nodes
        database = one.fresh_database()
        cluster.query("CREATE TABLE t (id INT PRIMARY KEY)", database=database)
        cluster.query("INSERT INTO t VALUES (1)", database=database)
        three.stop()
        cluster.wait_size(2)
        for node in cluster.nodes:
            node.kill9()
        cluster.recover()
        for node in cluster.nodes:
            wait_for(f"{node.name} has the row", lambda: node.query("SELECT id FROM t", database=database) == ((1,),), 10)
