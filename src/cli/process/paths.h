#pragma once
// Where things lie in the data directory; one place, because the parent, the node, the workers and the
// verbs must agree.

#include <string>
#include <string_view>

namespace forebay::cli {

/// The log, its history and what the broker keeps beside it; locked by the node.
inline std::string store_path(std::string_view data_dir) { return std::string(data_dir) + "/store"; }
/// What audits have found.
inline std::string audit_path(std::string_view data_dir) { return std::string(data_dir) + "/audit"; }
/// The configuration as the parent last took it up.
inline std::string taken_up_path(std::string_view data_dir) { return std::string(data_dir) + "/taken-up.json"; }
/// JSON lines with the supervising parent.
inline std::string control_path(std::string_view data_dir) { return std::string(data_dir) + "/control.sock"; }
/// Which run of the supervising parent it is: supervisor/leftovers.h.
inline std::string run_path(std::string_view data_dir) { return std::string(data_dir) + "/run.json"; }
/// What a worker process says of itself, for `status`.
inline std::string standing_path(std::string_view data_dir, std::string_view worker, unsigned n) {
    return std::string(data_dir) + "/workers/" + std::string(worker) + "-" + std::to_string(n) + ".json";
}
/// What is down on this host, one file each: worker/outage.h.
inline std::string outages_folder(std::string_view data_dir) { return std::string(data_dir) + "/outages"; }
/// What is known of the runs of schedules: schedule_note.h.
inline std::string schedules_folder(std::string_view data_dir) { return std::string(data_dir) + "/schedules"; }
/// What somebody has paused on this host, one file each: worker/pause.h.
inline std::string pauses_folder(std::string_view data_dir) { return std::string(data_dir) + "/pauses"; }
/// Of the whole node, which then is being drained: for it and for all workers of the host.
inline std::string drain_path(std::string_view data_dir) { return pauses_folder(data_dir) + "/node.json"; }
/// The queues that hand out nothing: admin/pauses.h.
inline std::string paused_queues_path(std::string_view data_dir) { return std::string(data_dir) + "/paused-queues.json"; }
/// Dead letters that operators have run again, finished or not.
inline std::string dead_acts_path(std::string_view data_dir) { return std::string(data_dir) + "/dead-acts.json"; }
/// Signs receipts and form tokens.
inline std::string intake_secret_path(std::string_view data_dir) { return std::string(data_dir) + "/secrets/intake"; }
/// What this node's own workers sign with: worker_key.h.
inline std::string worker_key_path(std::string_view data_dir) { return std::string(data_dir) + "/secrets/worker"; }

}  // namespace forebay::cli
