"""What can happen to a cluster and its balancer. Each takes all of it (servers.balanced.Balanced) and one node, and returns what mends it."""
import contextlib
import os
import time


class Accident:
    """`aim`: "any" node, the "writer", or "all" of it. `needs_mending`: no row is expected before it is mended, else the others take over.
    `isolates`: it wants hosts and disks of their own."""

    def __init__(self, strike, aim="any", needs_mending=False, isolates=False):
        self.strike, self.aim, self.needs_mending, self.isolates = strike, aim, needs_mending, isolates
        self.name = strike.__name__


def kill_one(all_of_it, node):
    node.kill9()
    return node.start


def stop_one(all_of_it, node):
    node.stop()
    return node.start


def freeze_one(all_of_it, node):
    node.freeze()
    return node.thaw


def away(node, mend):
    node.is_away = True

    def back():
        mend()
        node.is_away = False

    return back


def cut_off_one(all_of_it, node):
    """From the others, from the balancer and from its check."""
    node.host.pull_cable()
    return away(node, node.host.plug_in)


def cut_from_others(all_of_it, node):
    """From the other nodes only: the balancer still reaches it."""
    others = [other for other in all_of_it.cluster.nodes if other is not node]
    for other in others:
        node.host.lose(other.host)
    return away(node, lambda: [node.host.find(other.host) for other in others])


def cut_two(all_of_it, node):
    """Two nodes from each other; both still see the third."""
    nodes = all_of_it.cluster.nodes
    other = nodes[(nodes.index(node) + 1) % len(nodes)]
    node.host.lose(other.host)
    return lambda: node.host.find(other.host)


def cut_all(all_of_it, _):
    """Every node from every other: nobody is a majority."""
    nodes = all_of_it.cluster.nodes
    pairs = [(nodes[0], nodes[1]), (nodes[0], nodes[2]), (nodes[1], nodes[2])]
    for one, two in pairs:
        one.host.lose(two.host)
    for node in nodes:
        node.wait_state("wsrep_cluster_status", "non-Primary")
    return lambda: [one.host.find(two.host) for one, two in pairs]


def desync_one(all_of_it, node):
    """As for a backup: it goes on, and no check finds it fit."""
    node.query("SET GLOBAL wsrep_desync = ON")
    return lambda: node.query("SET GLOBAL wsrep_desync = OFF")


def lose_data(all_of_it, node):
    """A node comes back with nothing and is given all data, by the writer if it is another one."""
    node.kill9()
    for name in ("grastate.dat", "gvwstate.dat", "galera.cache"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(node.path("data", name))
    writer = all_of_it.cluster.nodes[0]
    node.donor = "" if node is writer else writer.node
    node.start(wait=False)
    return node.wait_ready


def fill_disk(all_of_it, node):
    """MariaDB goes on with an error for each row, leaves the cluster or ends itself; once there is space it is started anew
    where that is needed."""
    log = os.path.getsize(node.path("log"))
    node.disk.fill()

    def is_met():
        with open(node.path("log"), errors="replace") as f:
            f.seek(log)
            return not node.running() or "error 28" in f.read()

    def free():
        until = time.monotonic() + 20
        while not is_met() and time.monotonic() < until:
            time.sleep(0.2)  # as a reader it meets it later, or not while what it has allotted lasts
        node.disk.free()
        if not node.is_ready():
            node.kill9()
            node.start()

    return away(node, free)


def restart_balancer(all_of_it, _):
    all_of_it.proxy.kill9()
    return all_of_it.proxy.start


def kill_all(all_of_it, _):
    """And all are started together: they find each other."""
    for node in all_of_it.cluster.nodes:
        node.kill9()
    return all_of_it.cluster.start_all


def bootstrap(all_of_it, _):
    """All are killed, and come back by the steps of `generate galera`."""
    for node in all_of_it.cluster.nodes:
        node.kill9()
    return all_of_it.recover


ACCIDENTS = [Accident(kill_one), Accident(cut_off_one, isolates=True), Accident(restart_balancer, "all", needs_mending=True), Accident(stop_one),
             Accident(fill_disk, "writer", isolates=True), Accident(bootstrap, "all", needs_mending=True), Accident(cut_from_others, isolates=True),
             Accident(freeze_one), Accident(cut_two, isolates=True), Accident(cut_all, "all", needs_mending=True, isolates=True),
             Accident(desync_one), Accident(lose_data), Accident(kill_all, "all", needs_mending=True)]
