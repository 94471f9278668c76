#include "cli/process/work.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/log_line.h"
#include "base/spawn.h"
#include "cli/config/load.h"
#include "cli/exit_code.h"
#include "cli/process/paths.h"
#include "cli/process/statsd.h"
#include "cli/process/worker_key.h"
#include "handlers/exec.h"
#include "handlers/sql.h"
#include "supervisor/channel.h"
#include "supervisor/surroundings.h"
#include "transport/sqs_source.h"
#include "worker/pause.h"
#include "worker/worker.h"

namespace forebay::cli {
namespace {
worker::Options worker_options(const Configuration& configuration, const WorkerConfiguration& given, unsigned n) {
    worker::Options options;
    options.worker = given.name;
    options.group = given.process.group;
    options.n = n;
    options.queue = given.queue;
    // One that cannot be read is an error of the configuration, with which no worker starts.
    if (auto when = condition::Condition::parse(given.when); !given.when.empty() && when.ok()) options.when = std::move(*when);
    options.batch = given.batch;
    options.timeout = given.timeout;
    options.retry = given.retry;
    options.recycle = given.recycle;
    options.standing_path = standing_path(configuration.node.data_dir, given.name, n);
    if (const auto* queue = configuration.find_queue(given.queue)) {
        options.visibility = queue->settings.visibility_timeout;
        if (const auto& redrive = queue->settings.redrive) {
            options.dead_letter = redrive->dead_letter;
            options.deliveries_max = redrive->max_receive_count;
        }
    }
    auto pauses = pauses_folder(configuration.node.data_dir);
    options.pauses = {worker::pause_path(pauses, "worker." + given.name), drain_path(configuration.node.data_dir)};
    options.outages_folder = outages_folder(configuration.node.data_dir);
    const auto* database = configuration.effects_database(given);
    if (database == nullptr) return options;
    options.probe = database->probe;
    options.depends_on = "db." + database->name;
    for (const auto& other : configuration.workers)
        if (configuration.effects_database(other) == database)
            options.dependents.push_back({other.process.group + ":" + other.name, other.queue});
    return options;
}

std::unique_ptr<worker::Handler> make_sql(const Configuration& configuration, const WorkerConfiguration& given, unsigned n, Clock& clock) {
    const auto* database = configuration.find_database(given.database);
    if (database == nullptr) return nullptr;
    auto options = given.sql;
    options.worker = given.name;
    options.n = n;
    options.then = given.then;
    return std::make_unique<handlers::SqlHandler>(std::move(options), database->options, clock);
}

std::unique_ptr<worker::Handler> make_exec(const Configuration& configuration, const WorkerConfiguration& given, unsigned n, Clock& clock,
                                           metrics::Registry& registry, const sqs::Credentials& key) {
    handlers::ExecOptions options;
    options.worker = given.name;
    options.n = n;
    options.command = given.command;
    options.protocol = given.protocol;
    options.environment = child_environment(configuration, given, key);
    for (auto& [name, value] : options.environment)
        value = replace_names(value, {{"n", std::to_string(n)}, {"worker", given.name}, {"node", configuration.node.name}});
    options.data_dir = configuration.node.data_dir;
    options.queue = given.queue;
    options.then = given.then;
    if (const auto* database = configuration.effects_database(given)) options.ledger = database->options;
    if (!configuration.sqs.region.empty()) options.region = configuration.sqs.region;
    options.account = configuration.sqs.account;
    options.count = [&registry, worker = given.name](std::string_view name, std::int64_t amount) {
        if (amount > 0)
            registry.counter("forebay_counts_total", {{"worker", worker}, {"name", std::string(name)}})
                .add(static_cast<std::uint64_t>(amount));
    };
    return std::make_unique<handlers::ExecHandler>(std::move(options), clock);
}
supervisor::ChildSurroundings::Database surroundings_of(const db::Options& options) {
    std::string driver(db::name_of(options.driver));
    if (options.driver == db::Driver::sqlite) return {options.name, driver, options.path, options.path, options.path};
    auto first = [](const std::vector<db::Address>& addresses) {
        return addresses.empty() ? std::string() : db::to_text(addresses.front());
    };
    return {options.name, driver, first(options.writer), first(options.reader.empty() ? options.writer : options.reader), options.database};
}
}  // namespace

std::string queue_endpoint(const Configuration& configuration) {
    if (configuration.sqs.listen.empty()) return "http://127.0.0.1:9324";
    const auto& on = configuration.sqs.listen.front();
    auto host = on.address == "0.0.0.0" || on.address == "::" ? std::string("127.0.0.1") : on.address;
    if (host.find(':') != std::string::npos) host = "[" + host + "]";
    return "http://" + host + ":" + std::to_string(on.port);
}

std::vector<std::pair<std::string, std::string>> child_environment(const Configuration& configuration, const WorkerConfiguration& given,
                                                                   const sqs::Credentials& key) {
    supervisor::ChildSurroundings surroundings;
    surroundings.worker = given.name;
    surroundings.queue = given.queue;
    surroundings.sqs_endpoint = queue_endpoint(configuration);
    surroundings.region = configuration.sqs.region.empty() ? "us-east-1" : configuration.sqs.region;
    surroundings.access_key_id = key.id;
    surroundings.secret_access_key = key.secret;
    surroundings.session_token = key.session_token;
    for (const auto& queue : configuration.queues)
        surroundings.queues.push_back({queue.name, surroundings.sqs_endpoint + "/" + configuration.sqs.account + "/" + queue.name});
    for (const auto& database : configuration.databases) surroundings.databases.push_back(surroundings_of(database.options));
    if (const auto& to = configuration.telemetry.statsd.to) {
        surroundings.statsd = to->address + ":" + std::to_string(to->port);
        surroundings.statsd_prefix = configuration.telemetry.statsd.prefix;
    }
    auto variables = supervisor::to_environment(surroundings);
    for (const auto& own : given.environment) {
        std::erase_if(variables, [&](const auto& variable) { return variable.first == own.name; });
        variables.emplace_back(own.name, own.text);
    }
    return variables;
}

/// Returns when it cannot, with the exit code.
static int become(const Configuration& configuration, const WorkerConfiguration& given, unsigned n) {
    auto failed = [&](const std::string& why, int code) {
        log_error("program.failed").with("worker", given.name).with("n", n).with("why", why);
        return code;
    };
    auto key = worker_credentials(configuration.node.data_dir);
    if (configuration.has_node()) {  // this may be quicker than the node that makes it
        SystemEntropy entropy;
        auto made = read_or_make_worker_key(configuration.node.data_dir, entropy);
        if (!made.ok()) return failed(made.error(), exit_code::io);
        key = std::move(*made);
    }
    const std::vector<std::pair<std::string, std::string>> names = {
        {"n", std::to_string(n)}, {"worker", given.name}, {"node", configuration.node.name}};
    for (const auto& [name, value] : child_environment(configuration, given, key))
        ::setenv(name.c_str(), replace_names(value, names).c_str(), 1);
    std::vector<std::string> command;
    for (const auto& word : given.process.command) command.push_back(replace_names(word, names));
    const auto& directory = given.process.directory;
    if (!directory.empty() && ::chdir(directory.c_str()) != 0)
        return failed("cannot go to " + directory + ": " + std::strerror(errno), exit_code::configuration);
    std::vector<char*> words;
    for (auto& word : command) words.push_back(word.data());
    words.push_back(nullptr);
    std::signal(SIGPIPE, SIG_DFL);
    ::execvp(words[0], words.data());
    return failed("cannot execute " + command[0] + ": " + std::strerror(errno), exit_code::io);
}

int run_work_process(const Configuration& configuration, std::string_view name, unsigned n) {
    const auto* given = configuration.find_worker(name);
    if (given == nullptr) {
        log_error("worker.unknown").with("worker", name).with("next", "forebay config show lists the workers");
        return exit_code::usage;
    }
    auto parent = supervisor::Channel::of_this_process();
    ::unsetenv(taken_up_variable);  // what an exec child asks forebay is about the files
    if (given->handler == HandlerKind::program) return become(configuration, *given, n);
    // Signals are obeyed before anything can be in hand. `controls` lives as long as the process.
    static worker::Controls controls;
    worker::obey_signals(controls);
    SystemClock clock;
    SystemEntropy entropy;
    metrics::Registry registry;
    auto statsd = open_statsd(registry, configuration.telemetry.statsd);
    transport::SqsSourceOptions to;
    to.client.endpoint_url = queue_endpoint(configuration);
    to.account = configuration.sqs.account;
    if (!configuration.sqs.region.empty()) to.client.region = configuration.sqs.region;
    auto key = worker_credentials(configuration.node.data_dir);
    auto credentials = key.id.empty() ? std::nullopt : std::optional(key);
    transport::SqsSource source(to, credentials), heartbeat(to, credentials), courier(to, credentials);
    auto handler = given->handler == HandlerKind::sql ? make_sql(configuration, *given, n, clock)
                                                      : make_exec(configuration, *given, n, clock, registry, key);
    if (handler == nullptr) {
        log_error("worker.misconfigured").with("worker", name).with("why", "its database is not configured");
        return exit_code::configuration;
    }
    log_info("worker.started").with("worker", name).with("n", n).with("queue", given->queue);
    worker::Parts parts{source,  heartbeat, *handler,  clock,
                        entropy, controls,  &registry, given->handler == HandlerKind::sql ? &courier : nullptr};
    if (parent)
        parts.say_worn_out = [&parent](std::string_view why) {
            parent.say(std::string(supervisor::worn_out_word) + " " + std::string(why));
        };
    worker::Worker worker(worker_options(configuration, *given, n), parts);
    auto ended = worker.run();
    log_info("worker.ended").with("worker", name).with("n", n).with("why", ended == worker::Ended::asked ? "asked" : "recycled");
    return 0;
}

}  // namespace forebay::cli
