#include "cli/process/parent.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <thread>

#include "base/log_line.h"
#include "cli/config/settings.h"
#include "cli/exit_code.h"
#include "cli/process/autoscaler.h"
#include "cli/process/dev_watch.h"
#include "cli/process/paths.h"
#include "cli/process/ports.h"
#include "cli/process/schedule.h"
#include "cli/process/sockets.h"
#include "cli/process/upgrade.h"
#include "cli/process/work.h"
#include "cli/process/worker_key.h"
#include "supervisor/supervisor.h"

namespace forebay::cli {
namespace {
constexpr int node_priority = 1;  ///< starts first, stops last
constexpr Duration leaving_most = 2s, look_again = 50ms;
/// Beyond the time limit of its handler a worker is given this long to end by itself.
constexpr Duration worker_grace = 15s;

bool has_role(const Configuration& configuration, const ParentOptions& options, std::string_view role) {
    const auto& roles = options.roles.empty() ? configuration.node.roles : options.roles;
    return std::find(roles.begin(), roles.end(), role) != roles.end();
}

/// The options that give a child the parent's configuration.
std::vector<std::string> words_of_file(const ParentOptions& options) {
    std::vector<std::string> words{"-c", options.file};
    if (!options.environment.empty()) words.insert(words.end(), {"-e", options.environment});
    return words;
}

std::vector<std::string> child_command(const std::string& executable, const ParentOptions& options, std::vector<std::string> verb) {
    std::vector<std::string> command{executable};
    command.insert(command.end(), verb.begin(), verb.end());
    auto file = words_of_file(options);
    command.insert(command.end(), file.begin(), file.end());
    return command;
}

supervisor::ProgramSpec node_program(const Configuration& configuration, const ParentOptions& options, const std::string& executable) {
    supervisor::ProgramSpec node;
    node.group = "node";
    node.name = "node";
    node.numbered = false;
    node.command =
        child_command(executable, options, options.dev ? std::vector<std::string>{"node", "--dev"} : std::vector<std::string>{"node"});
    node.priority = node_priority;
    node.never_fatal = true;
    node.hands_over = true;
    node.version = digest_of(configuration, [](std::string_view path) { return !is_taken_up_as_it_runs(path); });
    // A node that lived this long had opened its log: when it is killed then, it comes back without a wait.
    node.startsecs = 300ms;
    // Its own drain decides; KILL only when that has failed.
    node.stopwaitsecs = configuration.intake.drain_delay + configuration.intake.drain_timeout + 10s;
    return node;
}

/// Whether a worker is another one when this setting changes.
bool concerns(const WorkerConfiguration& worker, std::string_view path) {
    auto own = "worker." + worker.name + ".";
    if (path.starts_with(own)) return !path.starts_with(own + "count.") && !path.starts_with(own + "process.");
    if (path.starts_with("queue.")) return path.starts_with("queue." + worker.queue + ".");
    for (auto table : {"db.", "ledger.", "sqs.", "telemetry.", "log.", "node.", "backend."})
        if (path.starts_with(table)) return true;
    return false;
}

supervisor::ProgramSpec worker_program(const Configuration& configuration, const WorkerConfiguration& worker, const ParentOptions& options,
                                       const std::string& executable, const sqs::Credentials& key) {
    auto program = worker.process;
    program.count = worker.count_min;
    program.count_max = std::max(worker.count_min, worker.count_max);
    if (worker.handler == HandlerKind::program) {
        auto environment = child_environment(configuration, worker, key);
        program.ours = false;  // HUP, TSTP and CONT would mean something else to it
        program.environment.insert(program.environment.end(), environment.begin(), environment.end());
    } else {
        program.command = child_command(executable, options, {"work", worker.name, "{n}"});
        program.version = digest_of(configuration, [&](std::string_view path) { return concerns(worker, path); });
        // A record in hand is finished, whatever the setting says.
        program.stopwaitsecs = std::max(program.stopwaitsecs, worker.timeout + worker_grace);
    }
    return program;
}

bool has_node(const Configuration& configuration, const ParentOptions& options) {
    return has_role(configuration, options, "intake") || has_role(configuration, options, "queue");
}

/// Whether every address that is not held already can be listened on.
int check_ports(const LentSockets& sockets) {
    auto problem = sockets.problem();
    // The node of a parent that was killed a moment ago may still be on its way out.
    SystemClock clock;
    for (auto end = clock.now() + leaving_most; problem && problem->exit_code == exit_code::try_again && clock.now() < end;) {
        std::this_thread::sleep_for(look_again);
        problem = sockets.problem();
    }
    if (!problem) return 0;
    log_error("listen.impossible")
        .with("address", problem->address)
        .with("setting", problem->setting)
        .with("why", problem->why)
        .with("next", problem->next);
    return problem->exit_code;
}
}  // namespace

bool is_taken_up_as_it_runs(std::string_view path) {
    for (auto table : {"endpoint.", "key.", "site.", "queue.", "quarantine.", "access.", "schedule.", "proxy.", "sqs.verify"})
        if (path.starts_with(table)) return true;
    if (!path.starts_with("worker.")) return false;
    // Of workers it knows where their dead letters go back to.
    for (auto key : {".queue", ".group", ".handler", ".then", ".sql.db"})
        if (path.ends_with(key)) return false;
    return true;
}

std::vector<supervisor::ProgramSpec> programs_of(const Configuration& configuration, const ParentOptions& options,
                                                 const std::string& executable, const sqs::Credentials& worker_key) {
    std::vector<supervisor::ProgramSpec> programs;
    if (has_node(configuration, options)) programs.push_back(node_program(configuration, options, executable));
    if (has_role(configuration, options, "workers"))
        for (const auto& worker : configuration.workers)
            programs.push_back(worker_program(configuration, worker, options, executable, worker_key));
    return programs;
}

namespace {

/// One run of the parent: what it is made of between start (or upgrade) and end.
class Parent {
  public:
    Parent(const Configuration& configuration, const ParentOptions& options)
        : configuration_(configuration), options_(options), left_(left_by_the_binary_before()) {}

    int run() {
        if (int code = prepare(); code != 0) return code;
        auto supervisor = supervisor::Supervisor::open(surroundings(), programs(configuration_));
        if (!supervisor.ok()) {
            log_error("parent.failed").with("why", supervisor.error());
            return exit_code::try_again;
        }
        supervisor_ = std::move(*supervisor);
        if (int code = open_sockets(); code != 0) return code;
        for (;;) {
            begin_watching();
            if (supervisor_->run() == supervisor::Ended::stopped) return exit_code::done;
            end_watching();
            upgrade();
        }
    }

  private:
    LoadOptions load_options() const { return {options_.file, options_.environment, process_variables()}; }
    bool has_node() const { return forebay::cli::has_node(configuration_, options_); }

    int prepare() {
        std::error_code error;
        const auto& data_dir = configuration_.node.data_dir;
        std::filesystem::create_directories(data_dir, error);
        if (error) {
            log_error("data_dir.unusable").with("data_dir", data_dir).with("why", error.message());
            return exit_code::io;
        }
        std::filesystem::permissions(data_dir, std::filesystem::perms::owner_all, error);
        auto loaded = load(load_options());
        if (loaded.is_usable()) keep(loaded);
        if (!has_node()) return 0;
        SystemEntropy entropy;
        if (auto made = read_or_make_worker_key(data_dir, entropy); !made.ok()) {
            log_error("worker_key.unusable").with("why", made.error());
            return exit_code::io;
        }
        return 0;
    }

    /// Without it, as on a full disk, processes read the files when they start.
    void keep(const Loaded& loaded) {
        auto path = taken_up_path(configuration_.node.data_dir);
        auto kept = keep_taken_up(path, load_options(), loaded);
        if (kept.ok()) return;
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
        log_warn("configuration.not_kept").with("why", kept.error()).with("next", "processes read the files when they start");
    }

    supervisor::Options surroundings() {
        supervisor::Options surroundings;
        surroundings.node_name = configuration_.node.name;
        surroundings.control_path = control_path(configuration_.node.data_dir);
        surroundings.run_path = run_path(configuration_.node.data_dir);
        surroundings.takes_orphans = true;
        surroundings.echo = options_.dev;
        surroundings.on_reload = [this](bool dry_run) { return reload(dry_run); };
        surroundings.before_upgrade = [this] { return may_upgrade(); };
        if (left_) surroundings.left_behind = (*left_)["supervisor"];
        return surroundings;
    }

    std::vector<supervisor::ProgramSpec> programs(const Configuration& configuration) {
        auto programs = programs_of(configuration, options_, executable_, worker_credentials(configuration.node.data_dir));
        for (auto& program : programs)
            if (program.ours) program.environment.emplace_back(taken_up_variable, taken_up_path(configuration.node.data_dir));
        if (!has_node()) return programs;
        if (!sockets_) {
            auto inherited = InheritedSockets::of_this_process();
            sockets_ = std::make_shared<LentSockets>(configuration, inherited);
            for (const auto& name : inherited.left())
                log_warn("listen.unused").with("socket", name).with("why", "no setting listens there");
            if (left_) sockets_->adopt((*left_)["sockets"]);
        }
        programs.front().provision = sockets_;
        return programs;
    }

    /// A node that cannot listen at its first start is misconfigured; one that cannot later waits until it can.
    int open_sockets() {
        if (!sockets_ || left_) return 0;
        if (int code = check_ports(*sockets_); code != 0) return code;
        if (auto opened = sockets_->open(); !opened.ok()) {
            log_error("listen.impossible").with("why", opened.error());
            return exit_code::try_again;
        }
        return 0;
    }

    void begin_watching() {
        if (options_.dev) watch_.emplace(configuration_, load_options());
        const auto& data_dir = configuration_.node.data_dir;
        SchedulerOptions options{executable_, words_of_file(options_), schedules_folder(data_dir)};
        options.environment.emplace_back(taken_up_variable, taken_up_path(data_dir));
        scheduler_.emplace(schedules_of(configuration_, has_node()), std::move(options));
        if (has_role(configuration_, options_, "workers")) autoscaler_.emplace(configuration_, autoscaler_parts());
    }
    void end_watching() {
        watch_.reset();
        scheduler_.reset();
        autoscaler_.reset();
    }

    Autoscaler::Parts autoscaler_parts() {
        return {backlogs_of_node(configuration_.admin.listen.empty() ? Listen{"127.0.0.1", 8090} : configuration_.admin.listen[0]),
                parent_of(configuration_.node.data_dir),
                [this](const std::string& worker, unsigned count) { supervisor_->scale(worker, count); }};
    }

    Result<supervisor::Reload, std::string> reload(bool dry_run) {
        auto loaded = load(load_options());
        if (!loaded.is_usable()) {
            if (!dry_run)
                log_error("configuration.refused")
                    .with("errors", loaded.diagnostics.errors())
                    .with("next", "forebay check says where; the running configuration is unchanged");
            return Failure{loaded.diagnostics.text(false) + "The running configuration is unchanged."};
        }
        auto problem = problem_of_reload(loaded.configuration);
        if (problem) return Failure{std::move(*problem)};
        supervisor::Reload reload;
        reload.text = loaded.diagnostics.text(false);
        for (const auto& change : changes(loaded.configuration, configuration_)) reload.text += change + "\n";
        if (dry_run) return reload;
        if (auto moved = move_sockets(loaded.configuration); !moved.ok()) return Failure{moved.error()};
        keep(loaded);
        reload.programs = programs(loaded.configuration);
        if (scheduler_) scheduler_->take(schedules_of(loaded.configuration, has_node()));
        if (autoscaler_) autoscaler_->take(loaded.configuration);
        configuration_ = std::move(loaded.configuration);
        log_info("configuration.taken_up").with("programs", reload.programs.size());
        return reload;
    }

    /// Addresses that are new are listened on before anything else changes. As long as they are the same, so is what holds them: the
    /// node need not be started anew for it.
    Result<void, std::string> move_sockets(const Configuration& next) {
        if (!sockets_ || all_listeners(next) == all_listeners(configuration_)) return {};
        InheritedSockets none;
        auto sockets = std::make_shared<LentSockets>(next, none);
        TRY(sockets->open_what_is_not_in(*sockets_));
        sockets_->move_to(*sockets);
        sockets_ = std::move(sockets);
        return {};
    }

    /// Whether the binary that is there now would run with the configuration that is there now, in the place of this one.
    Result<void, std::string> may_upgrade() {
        TRY(would_run(executable_, words_of_file(options_)));
        auto loaded = load(load_options());
        if (!loaded.is_usable()) return Failure{loaded.diagnostics.text(false)};
        if (auto problem = problem_of_reload(loaded.configuration)) return Failure{std::move(*problem)};
        return {};
    }

    /// What cannot change while it runs.
    std::optional<std::string> problem_of_reload(const Configuration& now) const {
        if (now.node.data_dir != configuration_.node.data_dir)
            return "node.data_dir cannot change while it runs: it is " + configuration_.node.data_dir +
                   "; stop forebay, move the folder, and start it again";
        if (forebay::cli::has_node(now, options_) != has_node())
            return std::string("node.roles cannot gain or lose the node while it runs: start forebay again");
        return std::nullopt;
    }

    /// Becomes the new binary; comes back only if that is not possible.
    void upgrade() {
        if (auto still = may_upgrade(); !still.ok()) {  // it was asked when the upgrade was; what went on then may have taken a while
            log_error("upgrade.refused").with("why", still.error()).with("next", "what runs goes on");
            return;
        }
        auto left = json::Value().set("supervisor", supervisor_->leave_behind());
        if (sockets_) left.set("sockets", sockets_->leave_behind(true));
        become_new_binary(executable_, left);
        if (sockets_) (void)sockets_->leave_behind(false);
    }

    Configuration configuration_;
    const ParentOptions& options_;
    const std::string executable_ = own_executable();
    std::optional<json::Value> left_;
    std::shared_ptr<LentSockets> sockets_;
    std::unique_ptr<supervisor::Supervisor> supervisor_;
    std::optional<DevWatch> watch_;
    std::optional<Scheduler> scheduler_;
    std::optional<Autoscaler> autoscaler_;
};

}  // namespace

int run_parent_process(const Configuration& configuration, const ParentOptions& options) { return Parent(configuration, options).run(); }

}  // namespace forebay::cli
