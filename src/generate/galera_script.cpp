// The steps that people take on the nodes, as a script.
#include "generate/galera.h"

namespace forebay::generate {

std::string galera_script(const Cluster& cluster) {
    std::string names;
    for (const auto& node : cluster.nodes) names += (names.empty() ? "" : ", ") + node.name;
    std::string head = "#!/bin/sh\n# Made by `forebay generate galera` from [db." + cluster.name + ".cluster]: " + names +
                       ".\nnodes=" + std::to_string(cluster.nodes.size()) + "\n";
    return head + R"sh(
# On each node, as root:
#   galera.sh bootstrap     once, on the first node only; then users.sql there
#   galera.sh join          on each other node, one after the other
#   galera.sh state         what this node thinks of itself and the cluster
#   galera.sh leave         drains this node and stops it: the balancer takes it out first
#   galera.sh maintain CMD  leave, run CMD (an upgrade, a reboot is leave and join), join again. One node at a time, the writer last.
#   galera.sh position      UUID:SEQNO of a node that is stopped
#   galera.sh recover UUID:SEQNO
#                           after all nodes have died: ask every node for its position, then run this with the highest of them on
#                           the node that has it, and `join` on the others. A lower one would lose what was committed after it.
# After power came back for all nodes at once, start them all: they find each other. `recover` is for when they do not.
set -eu
client=${GALERA_CLIENT:-mariadb}
start=${GALERA_START:-systemctl start mariadb}
stop=${GALERA_STOP:-systemctl stop mariadb}
new_cluster=${GALERA_NEW_CLUSTER:-galera_new_cluster}
recover_position=${GALERA_RECOVERY:-galera_recovery}
data=${GALERA_DATA:-/var/lib/mysql}
drain=${GALERA_DRAIN:-5}      # seconds from the node's "not me" until the balancer has cut its sessions
patience=${GALERA_WAIT:-3600} # seconds that a join may take: a transfer of all data is slow

fail() { echo "galera.sh: $*" >&2; exit 1; }
status() { $client -BNe "SHOW GLOBAL STATUS LIKE '$1'" 2>/dev/null | cut -f2; }
is_synced() { [ "$(status wsrep_local_state)" = 4 ] && [ "$(status wsrep_ready)" = ON ] && [ "$(status wsrep_cluster_status)" = Primary ]; }
wait_synced() {
    since=$(date +%s)
    until is_synced; do
        [ $(($(date +%s) - since)) -lt "$patience" ] || fail "not synced after $patience s; look into the error log of MariaDB"
        sleep 0.5
    done
    state
}
state() {
    for name in wsrep_local_state_comment wsrep_cluster_status wsrep_cluster_size wsrep_ready wsrep_last_committed wsrep_local_recv_queue; do
        echo "$name $(status $name)"
    done
}
position() {
    uuid=$(awk '/^uuid:/ { print $2 }' "$data/grastate.dat") || fail "no $data/grastate.dat: was this node ever in a cluster?"
    seqno=$(awk '/^seqno:/ { print $2 }' "$data/grastate.dat")
    # After a crash only InnoDB knows it.
    if [ "$seqno" = -1 ]; then $recover_position | sed -n 's/.*wsrep_start_position=//p' | tail -1; else echo "$uuid:$seqno"; fi
}
stopped() { ! $client -e 'SELECT 1' >/dev/null 2>&1 || fail "this node runs: galera.sh leave stops it"; }
join() { $start && wait_synced; }
leave() {
    is_synced || fail "this node is not synced; stop it by hand if that is meant"
    [ "$(status wsrep_cluster_size)" -gt 1 ] || fail "this is the last node of the cluster; stop it by hand if that is meant"
    $client -e 'SET GLOBAL wsrep_desync = ON' # from now on no check finds it fit, but it goes on applying
    sleep "$drain"
    $stop
}

case "${1:-}" in
bootstrap)
    stopped
    grep -qs '^uuid: *[0-9a-f]*[1-9a-f]' "$data/grastate.dat" && fail "this node was in a cluster: join, or recover if all are down"
    $new_cluster && wait_synced
    ;;
join) stopped; join ;;
state) state ;;
leave) leave ;;
maintain)
    shift
    [ $# -gt 0 ] || fail "maintain: which command?"
    [ "$(status wsrep_cluster_size)" -ge "$nodes" ] || fail "$(status wsrep_cluster_size) of $nodes nodes are there: bring back the missing one first"
    leave
    "$@" || fail "the command failed: mend it, then galera.sh join"
    join
    ;;
position) stopped; position ;;
recover)
    stopped
    mine=$(position)
    [ -n "${2:-}" ] || fail "recover: which is the highest position of all nodes? This node is at $mine"
    [ "${mine%:*}" = "${2%:*}" ] || fail "this node is at $mine, of another cluster than $2"
    [ "${mine##*:}" -ge "${2##*:}" ] || fail "this node is at $mine, behind $2: run this on that node"
    sed -i 's/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/' "$data/grastate.dat"
    $new_cluster && wait_synced
    ;;
*) sed -n '/^# On each node/,/^set -eu/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 64 ;;
esac
)sh";
}

}  // namespace forebay::generate
