// `dbcheck`: whether the database server on this machine may be written to and read from, over HTTP for a balancer.
#include <pthread.h>

#include <csignal>
#include <ctime>
#include <memory>

#include "base/log_line.h"
#include "cli/process/data_disk.h"
#include "cli/process/health_watch.h"
#include "cli/verb.h"
#include "cli/verbs/verbs.h"
#include "http/router.h"
#include "http/server.h"

namespace forebay::cli {
namespace {

constexpr Duration tick_every = 20ms;
/// Of the server; the answer to the balancer does not wait for them (HealthWatch::Times::patience).
constexpr Duration server_timeout = 1s;
constexpr std::size_t balancers_max = 200;

using Decide = db::Fitness (*)(const db::Health&);

/// Says in the log when the answer to one question has changed.
class Verdict {
  public:
    Verdict(std::string what, Decide decide) : what_(std::move(what)), decide_(decide) {}

    http::Response answer(const HealthWatch::Seen& seen) {
        auto fitness = seen ? decide_(*seen) : db::Fitness{false, seen.error()};
        note(fitness);
        return {fitness.is_fit ? 200U : 503U, {}, "text/plain", what_ + (fitness.is_fit ? ": yes, " : ": no, ") + fitness.why + "\n"};
    }

  private:
    void note(const db::Fitness& fitness) {
        std::lock_guard guard(lock_);
        if (is_known_ && was_fit_ == fitness.is_fit) return;
        is_known_ = true;
        was_fit_ = fitness.is_fit;
        (fitness.is_fit ? log_info("dbcheck.fit") : log_warn("dbcheck.unfit")).with("as", what_).with("why", fitness.why);
    }

    std::string what_;
    Decide decide_;
    std::mutex lock_;
    bool is_known_ = false, was_fit_ = false;
};

/// What is asked of the server, over one connection that is kept: a server that is full goes on answering it.
db::Options options_of(const DatabaseConfiguration& database, const db::Address& server) {
    auto options = database.options;
    options.writer = options.reader = {server};
    options.pool = {1, 1, 24h};
    options.connect_timeout = options.timeout = server_timeout;
    options.reads_see_all = false;
    if (options.driver != db::Driver::postgresql) options.database.clear();  // none is needed, and it may not be there yet
    return options;
}

HealthWatch::Look look_with(const db::Options& options) {
    auto reader = db::open_reader(options);
    auto disk = is_of_this_machine(options.writer[0].host) ? std::make_shared<DataDisk>() : nullptr;
    return [reader = std::move(reader), disk]() -> HealthWatch::Seen {
        if (!reader) return Failure{reader.error().what};
        db::Health health;
        auto looked = (*reader)->read([&](db::ReadTransaction& transaction) -> Result<void, db::Error> {
            TRY_ASSIGN(health, db::look_at(transaction));
            return {};
        });
        if (!looked) return Failure{looked.error().what};
        if (disk && !health.data_folder.empty()) health.why_full = disk->why_full(health.data_folder);
        return health;
    };
}

sigset_t stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

int serve(Invocation& invocation, const db::Options& options, const Listen& on) {
    auto signals = stop_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before the first thread, so that they wait for us
    Verdict writer("writer", db::may_write), reader("reader", db::may_read);
    HealthWatch watch(look_with(options), invocation.world().clock, {});
    auto ask = [&watch](Verdict& verdict) {
        return [&watch, &verdict](const http::Request&, const http::Captures&, http::Responder responder) {
            watch.ask([&verdict, to = std::move(responder)](const HealthWatch::Seen& seen) mutable { to(verdict.answer(seen)); });
        };
    };
    http::Router router;
    router.add("GET", "/writer", ask(writer)).add("GET", "/reader", ask(reader));
    http::ServerOptions server_options;
    server_options.address = on.address;
    server_options.port = on.port;
    server_options.connections_max = balancers_max;
    server_options.body_bytes_max = 1_KiB;
    auto server = http::Server::open(std::move(server_options), [&router](const http::Request& request, http::Responder responder) {
        router(request, std::move(responder));
    });
    if (!server) return invocation.terminal().complain(server.error()), exit_code::try_again;
    log_info("dbcheck.listening")
        .with("at", on.address + ":" + std::to_string((*server)->port()))
        .with("server", db::to_text(options.writer[0]));
    timespec wait{0, std::chrono::nanoseconds(tick_every).count()};
    while (sigtimedwait(&signals, nullptr, &wait) < 0) watch.tick();
    (*server)->stop();
    return exit_code::done;
}

/// The one that is named, or the only one; complains otherwise.
const DatabaseConfiguration* chosen(Invocation& invocation, const Configuration& configuration, const std::string& name) {
    const auto* found =
        configuration.databases.size() == 1 && name.empty() ? &configuration.databases[0] : configuration.find_database(name);
    if (found == nullptr)
        invocation.misused(name.empty() ? "the configuration has " + std::to_string(configuration.databases.size()) +
                                              " databases: which one? --db NAME"
                                        : "there is no [db." + name + "]");
    return found;
}

}  // namespace

int run_dbcheck(Invocation& invocation) {
    auto on = parse_listen(invocation.value("listen").value_or("127.0.0.1:9200"));
    if (!on) return invocation.misused("--listen is an address such as 127.0.0.1:9200 or :9200");
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    const auto* database = chosen(invocation, *configuration, invocation.value("db").value_or(""));
    if (database == nullptr) return exit_code::usage;
    auto driver = database->options.driver;
    if (driver == db::Driver::sqlite) return invocation.misused("db." + database->name + " is a SQLite file: no balancer stands before it");
    auto given = parse_listen(invocation.value("server").value_or(driver == db::Driver::postgresql ? "127.0.0.1:5432" : "127.0.0.1:3306"));
    if (!given || given->port == 0) return invocation.misused("--server is an address such as 127.0.0.1:3306");
    return serve(invocation, options_of(*database, {given->address, given->port}), *on);
}

}  // namespace forebay::cli
