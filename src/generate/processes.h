#pragma once
// What those who run processes must know of a Forebay: its node, its workers and its schedules as plain values. Paths are absolute.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace forebay::generate {

struct WorkerProcesses {
    std::string name, group;
    std::uint32_t count = 1;
    std::uint32_t count_max = 1;  ///< more than `count`: how many there are is decided while it runs
    int priority = 999;
    bool autostart = true, autorestart = true;
    std::vector<int> expected_exits;  ///< with these it is not started again; empty = `autorestart` says all
    bool stopasgroup = false;
    Duration startsecs{0}, stopwaitsecs{0}, fatal_retry{0};
    std::uint32_t startretries = 0;
    std::string stopsignal;                        ///< `TERM`
    std::string log;                               ///< with {n}; without it is shared
    std::string error_log;                         ///< empty = errors go into `log`
    std::string rotation_bytes, rotation_backups;  ///< empty = as supervisord's own default is
    std::string umask;                             ///< octal; empty = the parent's
    bool is_program = false;
};

struct ScheduledRun {
    std::string name;
    std::string crontab;                 ///< its times as crontab(5) has them; empty = they cannot be said so
    std::string times;                   ///< as the configuration says them
    std::string timezone;                ///< `UTC`
    std::string verb;                    ///< `restart`
    std::vector<std::string> processes;  ///< of start, stop, restart and scale: what they name
};

struct Processes {
    std::string binary, file, directory, data_dir, node_name;
    std::string environment;  ///< -e; empty = none
    bool has_node = true;
    Duration drain{0};  ///< how long the node may take to stop
    std::vector<WorkerProcesses> workers;
    std::vector<ScheduledRun> schedules;
    bool guide_log = false;            ///< lines of logs begin with time and number
    std::vector<std::string> listens;  ///< [intake] listen: `127.0.0.1:8080`
    bool has_low_port = false;         ///< one that only root may take, or who has the capability
    std::vector<std::string> written;  ///< folders outside data_dir that something writes into
    std::vector<std::string> read;     ///< files and folders besides
};

/// `every` as crontab(5) has it, whose steps begin anew each hour and each day; empty where it cannot.
std::string crontab_of(Duration every);

/// The folders of all logs, each once.
std::vector<std::string> log_folders(const Processes& processes);

/// Whole seconds, rounded up.
std::int64_t whole_seconds(Duration duration);

/// What `pattern` (`core:*`, `store`, `store:1`, `node`, `all`) means: each process once, as `name(worker, n)`; n = 0 is the node.
template <class Name>
std::vector<std::string> names_of_processes(const Processes& all, std::string_view pattern, Name name) {
    std::vector<std::string> names;
    bool is_all = pattern == "all" || pattern == "*";
    if (all.has_node && (is_all || pattern == "node")) names.push_back(name(WorkerProcesses{}, 0U));
    for (const auto& worker : all.workers)
        for (std::uint32_t n = 1; n <= worker.count; ++n)
            if (is_all || pattern == worker.group + ":*" || pattern == worker.name || pattern == worker.name + ":*" ||
                pattern == worker.group + ":" + worker.name || pattern == worker.name + ":" + std::to_string(n))
                names.push_back(name(worker, n));
    return names;
}

}  // namespace forebay::generate
