#include "cli/process/parent.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <thread>

#include "base/log_line.h"
#include "cli/exit_code.h"
#include "cli/process/dev_watch.h"
#include "cli/process/paths.h"
#include "cli/process/ports.h"
#include "cli/process/schedule.h"
#include "cli/process/work.h"
#include "cli/process/worker_key.h"
#include "supervisor/supervisor.h"

namespace forebay::cli {
namespace {
constexpr int node_priority = 1;  ///< starts first, stops last
constexpr Duration leaving_most = 2s, look_again = 50ms;

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
    // A node that lived this long had opened its log: when it is killed then, it comes back without a wait.
    node.startsecs = 300ms;
    // Its own drain decides; KILL only when that has failed.
    node.stopwaitsecs = configuration.intake.drain_delay + configuration.intake.drain_timeout + 10s;
    return node;
}

supervisor::ProgramSpec worker_program(const Configuration& configuration, const WorkerConfiguration& worker, const ParentOptions& options,
                                       const std::string& executable, const sqs::Credentials& key) {
    auto program = worker.process;
    program.count = worker.count_min;
    if (worker.handler == HandlerKind::program) {
        auto environment = child_environment(configuration, worker, key);
        program.ours = false;  // HUP, TSTP and CONT would mean something else to it
        program.environment.insert(program.environment.end(), environment.begin(), environment.end());
    } else {
        program.command = child_command(executable, options, {"work", worker.name, "{n}"});
    }
    return program;
}

bool has_node(const Configuration& configuration, const ParentOptions& options) {
    return has_role(configuration, options, "intake") || has_role(configuration, options, "queue");
}

/// A node that cannot listen at its first start is misconfigured; one that cannot later waits until it can.
int check_ports(const Configuration& configuration, const ParentOptions& options) {
    if (!has_node(configuration, options)) return 0;
    auto problem = port_problem(configuration);
    // The node of a parent that was killed a moment ago may still be on its way out.
    SystemClock clock;
    for (auto end = clock.now() + leaving_most; problem && problem->exit_code == exit_code::try_again && clock.now() < end;) {
        std::this_thread::sleep_for(look_again);
        problem = port_problem(configuration);
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

std::vector<supervisor::ProgramSpec> programs_of(const Configuration& configuration, const ParentOptions& options,
                                                 const std::string& executable, const sqs::Credentials& worker_key) {
    std::vector<supervisor::ProgramSpec> programs;
    if (has_node(configuration, options)) programs.push_back(node_program(configuration, options, executable));
    if (has_role(configuration, options, "workers"))
        for (const auto& worker : configuration.workers)
            programs.push_back(worker_program(configuration, worker, options, executable, worker_key));
    return programs;
}

int run_parent_process(const Configuration& configuration, const ParentOptions& options) {
    std::error_code error;
    std::filesystem::create_directories(configuration.node.data_dir, error);
    if (error) {
        log_error("data_dir.unusable").with("data_dir", configuration.node.data_dir).with("why", error.message());
        return exit_code::io;
    }
    std::filesystem::permissions(configuration.node.data_dir, std::filesystem::perms::owner_all, error);
    SystemEntropy entropy;
    if (has_node(configuration, options)) {
        if (auto made = read_or_make_worker_key(configuration.node.data_dir, entropy); !made.ok()) {
            log_error("worker_key.unusable").with("why", made.error());
            return exit_code::io;
        }
    }
    std::optional<Scheduler> scheduler;
    supervisor::Options surroundings;
    surroundings.on_hup = [&scheduler, &options] {
        auto loaded = load(LoadOptions{options.file, options.environment, process_variables()});
        if (scheduler && loaded.is_usable())
            scheduler->take(
                schedules_of(loaded.configuration, has_node(loaded.configuration, options)));  // else the node says what is wrong
    };
    surroundings.node_name = configuration.node.name;
    surroundings.control_path = control_path(configuration.node.data_dir);
    surroundings.echo = options.dev;
    auto executable = std::filesystem::read_symlink("/proc/self/exe", error).string();
    auto supervisor = supervisor::Supervisor::open(
        std::move(surroundings), programs_of(configuration, options, executable, worker_credentials(configuration.node.data_dir)));
    if (!supervisor.ok()) {
        log_error("parent.failed").with("why", supervisor.error());
        return exit_code::try_again;
    }
    if (int code = check_ports(configuration, options); code != 0) return code;
    std::optional<DevWatch> watch;
    if (options.dev) watch.emplace(configuration, LoadOptions{options.file, options.environment, process_variables()});
    scheduler.emplace(schedules_of(configuration, has_node(configuration, options)),
                      SchedulerOptions{executable, words_of_file(options), schedules_folder(configuration.node.data_dir)});
    return (*supervisor)->run();
}

}  // namespace forebay::cli
