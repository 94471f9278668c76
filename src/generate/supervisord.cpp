#include "generate/supervisord.h"

#include <map>

#include "base/spawn.h"
#include "generate/crontab.h"
#include "generate/text.h"

namespace forebay::generate {
namespace {

constexpr std::string_view node_program = "forebay-node";
constexpr std::string_view retries_without_end = "999999";
constexpr int node_priority = 1;

std::string doubled(std::string_view text) {
    std::string out;
    for (char c : text) out += c == '%' ? "%%" : std::string(1, c);
    return out;
}

std::string line(std::string_view key, const std::string& value) { return std::string(key) + "=" + value + "\n"; }
std::string yes(bool value) { return value ? "true" : "false"; }

std::string command_of(const Processes& all, const std::string& verb) {
    auto command = supervisord_word(all.binary) + " " + verb + " -c " + supervisord_word(all.file);
    return all.environment.empty() ? command : command + " -e " + supervisord_word(all.environment);
}

std::string process_name(const WorkerProcesses& worker, std::uint32_t n) {
    return n == 0 ? std::string(node_program) : worker.group + ":" + worker.name + "_" + std::to_string(n);
}

std::string supervisorctl_line(const Processes& all, const ScheduledRun& run) {
    std::vector<std::string> names;
    for (const auto& pattern : run.processes)
        for (auto& name : names_of_processes(all, pattern, process_name)) names.push_back(std::move(name));
    return rolling("supervisorctl", run.verb, names);
}

std::string head(const Processes& all) {
    std::string out = "; Made by `forebay generate supervisord` from " + all.file +
                      ". Change that and make this anew.\n"
                      "; For /etc/supervisor/conf.d/; then: supervisorctl update. The folders of the logs must be there first:\n"
                      ";   mkdir -p";
    for (const auto& folder : log_folders(all)) out += " " + shell_word(folder);
    out +=
        "\n; It stands in for `forebay serve`: never run both. `store:1` is `core:store_1` here, and supervisorctl does what forebay "
        "start,\n"
        "; stop, restart and tail do. What supervisord does not do:\n"
        ";   one after the other: supervisorctl restart core:* stops them all, then starts them. Rolling:\n"
        ";     for n in 1 2; do supervisorctl restart core:store_$n; done\n"
        ";   fatal_retry: what it could not start (FATAL) stays so until supervisorctl start\n";
    if (all.guide_log) out += ";   log.format = \"guide\": lines stand in the logs as the workers write them\n";
    for (const auto& worker : all.workers)
        if (worker.count_max > worker.count)
            out += ";   more processes when there is much to do: of " + worker.name + " there are " + std::to_string(worker.count) +
                   ", not up to " + std::to_string(worker.count_max) + "\n";
    if (all.schedules.empty()) return out;
    out += ";   schedules: they are cron's then, in the crontab of the user that the processes run as\n";
    auto restart = [&](const ScheduledRun& run) { return supervisorctl_line(all, run); };
    for (const auto& text : crontab_lines(all, restart)) out += ";     " + text + "\n";
    return out;
}

std::string node_section(const Processes& all) {
    return "\n[program:" + std::string(node_program) + "]\n" + line("command", command_of(all, "node")) +
           line("directory", doubled(all.directory)) + line("priority", std::to_string(node_priority)) + line("autorestart", "true") +
           "; It may never be given up: posts end there.\n" + line("startsecs", "1") +
           line("startretries", std::string(retries_without_end)) + line("stopwaitsecs", std::to_string(whole_seconds(all.drain))) +
           line("killasgroup", "true") + line("redirect_stderr", "true") + line("stdout_logfile", doubled(all.data_dir) + "/log/node.log");
}

std::string log_at(const WorkerProcesses& worker, const std::string& which, const std::string& path) {
    if (path.find("{n}") == std::string::npos)  // several write to it: it must not be moved away under one of them
        return line(which + "_logfile", doubled(path)) + line(which + "_logfile_maxbytes", "0");
    auto out = line(which + "_logfile", replace_names(doubled(path), {{"n", "%(process_num)d"}}));
    if (worker.rotation_bytes.empty()) return out;
    return out + line(which + "_logfile_maxbytes", worker.rotation_bytes) + line(which + "_logfile_backups", worker.rotation_backups);
}

std::string log_of(const WorkerProcesses& worker) {
    auto out = line("redirect_stderr", yes(worker.error_log.empty())) + log_at(worker, "stdout", worker.log);
    return worker.error_log.empty() ? out : out + log_at(worker, "stderr", worker.error_log);
}

std::string restarts_of(const WorkerProcesses& worker) {
    if (worker.expected_exits.empty()) return line("autorestart", yes(worker.autorestart));
    std::string codes;
    for (int code : worker.expected_exits) codes += (codes.empty() ? "" : ",") + std::to_string(code);
    return line("autorestart", "unexpected") + line("exitcodes", codes);
}

std::string worker_section(const Processes& all, const WorkerProcesses& worker) {
    return "\n[program:" + worker.name + "]\n" + line("command", command_of(all, "work " + worker.name + " %(process_num)d")) +
           line("directory", doubled(all.directory)) + line("process_name", worker.name + "_%(process_num)d") +
           line("numprocs", std::to_string(worker.count)) + line("numprocs_start", "1") +
           line("priority", std::to_string(worker.priority)) + line("autostart", yes(worker.autostart)) + restarts_of(worker) +
           line("startsecs", std::to_string(whole_seconds(worker.startsecs))) + line("startretries", std::to_string(worker.startretries)) +
           line("stopsignal", worker.stopsignal) + line("stopwaitsecs", std::to_string(whole_seconds(worker.stopwaitsecs))) +
           (worker.stopasgroup ? line("stopasgroup", "true") : "") + line("killasgroup", "true") +
           (worker.umask.empty() ? "" : line("umask", worker.umask)) + log_of(worker);
}

std::string groups_of(const Processes& all) {
    std::map<std::string, std::string> groups;
    for (const auto& worker : all.workers) {
        auto& programs = groups[worker.group];
        programs += (programs.empty() ? "" : ",") + worker.name;
    }
    std::string out;
    for (const auto& [name, programs] : groups) out += "\n[group:" + name + "]\n" + line("programs", programs);
    return out;
}

}  // namespace

std::string supervisord_word(std::string_view word) {
    std::string out;
    char before = 0;
    for (char c : doubled(shell_word(word))) {
        if ((c == ';' || c == '#') && (before == ' ' || before == '\t')) out += "''";
        out += before = c;
    }
    return out;
}

std::string supervisord_file(const Processes& all) {
    auto out = head(all);
    if (all.has_node) out += node_section(all);
    for (const auto& worker : all.workers) out += worker_section(all, worker);
    return out + groups_of(all);
}

}  // namespace forebay::generate
