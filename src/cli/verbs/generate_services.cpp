// `generate supervisord`, `generate systemd`: files for those who run processes, made from the configuration.
#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>
#include "base/spawn.h"

#include "cli/console.h"
#include "cli/process/timetable.h"
#include "cli/verb.h"
#include "cli/verbs/made_files.h"
#include "cli/verbs/verbs.h"
#include "generate/supervisord.h"
#include "generate/systemd.h"

namespace forebay::cli {
namespace {

namespace fs = std::filesystem;

std::string absolute_path(const std::string& path) {
    std::error_code ignored;
    return fs::absolute(path, ignored).lexically_normal().string();
}

std::string signal_text(int signal) {
    const char* name = ::sigabbrev_np(signal);
    return name == nullptr ? "TERM" : name;
}

/// Gathers what lies where: what is said relative to the folder of the process, and what is written outside the data directory.
class Whereabouts {
  public:
    explicit Whereabouts(const Configuration& c) : data_dir_(absolute_path(c.node.data_dir)) {
        see(c.node.data_dir);
        for (const auto& database : c.databases)
            if (database.options.driver == db::Driver::sqlite) write_beside(database.options.path);
        for (const auto& worker : c.workers) {
            write_beside(worker.process.log_path);
            if (!worker.process.error_log_path.empty()) write_beside(worker.process.error_log_path);
            if (worker.handler == HandlerKind::sql) continue;
            const auto& command = worker.handler == HandlerKind::exec ? worker.command : worker.process.command;
            if (!command.empty() && command[0].find('/') != std::string::npos) read_.push_back(see(command[0]));
            // What else its command names may be relative too.
            if (worker.process.directory.empty())
                is_relative_ = true;
            else
                read_.push_back(see(worker.process.directory));
        }
    }
    bool is_relative() const { return is_relative_; }
    const std::vector<std::string>& written() const { return written_; }
    const std::vector<std::string>& read() const { return read_; }

  private:
    std::string see(const std::string& path) {
        is_relative_ = is_relative_ || !fs::path(path).is_absolute();
        return absolute_path(path);
    }
    void write_beside(const std::string& path) {
        auto folder = fs::path(see(path)).parent_path().string();
        if (folder == data_dir_ || folder.starts_with(data_dir_ + "/")) return;
        if (std::find(written_.begin(), written_.end(), folder) == written_.end()) written_.push_back(folder);
    }
    std::string data_dir_;
    bool is_relative_ = false;
    std::vector<std::string> written_, read_;
};

generate::WorkerProcesses processes_of_worker(const Configuration& c, const WorkerConfiguration& worker) {
    const auto& given = worker.process;
    generate::WorkerProcesses out;
    out.name = worker.name;
    out.group = given.group;
    out.count = worker.count_min;
    out.count_max = std::max(worker.count_min, worker.count_max);
    out.priority = given.priority;
    out.autostart = given.autostart;
    out.autorestart = given.autorestart != supervisor::Autorestart::never;
    if (given.autorestart == supervisor::Autorestart::unexpected) out.expected_exits = given.exitcodes;
    out.stopasgroup = given.stopasgroup;
    if (given.log_rotation != supervisor::Rotation{}) {
        out.rotation_bytes = std::to_string(given.log_rotation.bytes_max);
        out.rotation_backups = std::to_string(given.log_rotation.backups);
    }
    if (given.umask) out.umask = fmt::format("{:03o}", *given.umask);
    if (!given.error_log_path.empty())
        out.error_log = absolute_path(replace_names(given.error_log_path, {{"worker", worker.name}, {"node", c.node.name}}));
    out.startsecs = given.startsecs;
    out.startretries = given.startretries;
    out.stopwaitsecs = given.stopwaitsecs;
    out.fatal_retry = given.fatal_retry;
    out.stopsignal = signal_text(given.stop_signal);
    out.log = absolute_path(replace_names(given.log_path, {{"worker", worker.name}, {"node", c.node.name}}));
    out.is_program = worker.handler == HandlerKind::program;
    return out;
}

generate::ScheduledRun scheduled_run(const ScheduleConfiguration& schedule) {
    generate::ScheduledRun out;
    out.name = schedule.name;
    out.times = times_text(schedule);
    out.crontab = schedule.every > Duration::zero() ? generate::crontab_of(schedule.every) : schedule.cron;
    out.timezone = schedule.every > Duration::zero() ? "UTC" : schedule.timezone;
    out.verb = schedule.words[0];
    auto line = parse(schedule.words);
    if (line.ok() && schedule.is_about_processes()) out.processes = line->words;
    return out;
}

bool is_low(const Listen& listen) { return listen.port > 0 && listen.port < 1024; }

bool has_low_port(const Configuration& c, bool with_intake) {
    auto any = [](const std::vector<Listen>& all) { return std::any_of(all.begin(), all.end(), is_low); };
    return (with_intake && any(c.intake.listen)) || any(c.admin.listen) || any(c.sqs.listen) ||
           (c.telemetry.prometheus && is_low(*c.telemetry.prometheus));
}

generate::Processes all_processes(Invocation& invocation, const Configuration& c, bool listens_itself) {
    std::error_code ignored;
    Whereabouts whereabouts(c);
    generate::Processes all;
    all.binary = fs::read_symlink("/proc/self/exe", ignored).string();
    all.file = absolute_path(configuration_file(invocation.load_options()).value_or("forebay.toml"));
    all.environment = invocation.globals().environment;
    all.directory = whereabouts.is_relative() ? fs::current_path(ignored).string() : "/";
    all.data_dir = absolute_path(c.node.data_dir);
    all.node_name = c.node.name;
    all.has_node = c.has_node();
    all.drain = c.intake.drain_delay + c.intake.drain_timeout + 10s;
    bool has_workers = std::find(c.node.roles.begin(), c.node.roles.end(), "workers") != c.node.roles.end();
    for (const auto& worker : c.workers)
        if (has_workers) all.workers.push_back(processes_of_worker(c, worker));
    for (const auto& schedule : c.schedules) all.schedules.push_back(scheduled_run(schedule));
    all.guide_log = c.log.guide;
    for (const auto& listen : c.intake.listen) all.listens.push_back(address_text(listen));
    all.has_low_port = has_low_port(c, listens_itself);
    all.written = whereabouts.written();
    all.read = whereabouts.read();
    return all;
}

/// Complains of an address that only a unit of somebody else's knows.
bool knows_its_addresses(Invocation& invocation, const Configuration& c, const std::string& why) {
    for (const auto& listen : c.intake.listen) {
        if (listen.activation.empty()) continue;
        invocation.terminal().complain("[intake] listen has " + in_quotes(address_text(listen)) + ": " + why +
                                       "; write an address there, such as \"0.0.0.0:8080\"");
        return false;
    }
    return true;
}

}  // namespace

int run_generate_supervisord(Invocation& invocation) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    if (!knows_its_addresses(invocation, *configuration, "supervisord opens no sockets")) return exit_code::configuration;
    Made made{"forebay.conf", generate::supervisord_file(all_processes(invocation, *configuration, true)), for_all};
    if (auto out = invocation.value("out")) return write_all(invocation, {made}, *out, false);
    return show(invocation, {made});
}

int run_generate_systemd(Invocation& invocation) {
    generate::UnitOptions options{invocation.has("split"), invocation.has("socket")};
    if (options.split && options.socket) return invocation.misused("--socket is for the whole of Forebay as one service, without --split");
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    if (options.socket && !knows_its_addresses(invocation, *configuration, "the socket's unit must say where it listens"))
        return exit_code::configuration;
    std::vector<Made> files;
    for (auto& unit : generate::systemd_units(all_processes(invocation, *configuration, !options.socket), options))
        files.push_back({std::move(unit.name), std::move(unit.text), for_all});
    auto out = invocation.value("out");
    if (!out) return show(invocation, files);
    std::error_code ignored;
    return write_all(invocation, files, *out, files.size() > 1 || fs::is_directory(*out, ignored));
}

}  // namespace forebay::cli
