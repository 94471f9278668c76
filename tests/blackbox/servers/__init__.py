"""Real servers for the tests: MariaDB, Galera of three nodes, PostgreSQL and HAProxy, each on free ports of 127.0.0.1 with its data in a
temporary folder. They end with the test, and die with the process of the tests if that is killed."""
