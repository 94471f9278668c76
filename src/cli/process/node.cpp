#include "cli/process/node.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>

#include "admin/admin.h"
#include "base/log_line.h"
#include "broker/ask.h"
#include "broker/broker_thread.h"
#include "cli/config/settings.h"
#include "cli/console.h"
#include "cli/exit_code.h"
#include "cli/process/audit_book.h"
#include "cli/process/outage_metrics.h"
#include "cli/process/past.h"
#include "cli/process/paths.h"
#include "cli/process/ports.h"
#include "cli/process/queue_setup.h"
#include "cli/process/statsd.h"
#include "cli/process/worker_key.h"
#include "disk/posix_disk.h"
#include "http/hosts.h"
#include "http/problem.h"
#include "http/server.h"
#include "intake/intake.h"
#include "sqs/api.h"
#include "sqs/queue_attributes.h"
#include "transport/sender.h"

namespace forebay::cli {
namespace {
constexpr auto tick_every = 100ms;
constexpr std::size_t secret_bytes = 32;
/// The queue and admin ports take what SQS takes: ten messages with their JSON around them.
constexpr std::uint64_t queue_port_body_max = 8_MiB;
constexpr Duration slow_sync_refuses = 5s;
constexpr Duration probe_every = 1s;
constexpr Duration sqs_cool_off = 60s;  // AWS's

/// The workers as they are when the node starts; others come with a restart.
std::vector<admin::Route> routes_of(const Configuration& configuration) {
    std::vector<admin::Route> routes;
    for (const auto& worker : configuration.workers)
        if (!worker.queue.empty()) routes.push_back({worker.name, worker.queue});
    return routes;
}

/// Which file a path leads to; nothing for none.
std::optional<std::pair<dev_t, ino_t>> identity_of(const std::string& path) {
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) return std::nullopt;
    return std::pair(found.st_dev, found.st_ino);
}

/// Reads the secret, making it first if it is missing. Losing it only makes old receipts unverifiable.
std::optional<std::string> read_or_make_secret(const std::string& path, Entropy& entropy) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    if (std::ifstream in(path, std::ios::binary); in) {
        std::string secret((std::istreambuf_iterator<char>(in)), {});
        if (secret.size() >= secret_bytes) return secret;
    }
    std::string secret(secret_bytes, '\0');
    entropy.fill({reinterpret_cast<unsigned char*>(secret.data()), secret.size()});
    int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return std::nullopt;
    bool written = ::write(fd, secret.data(), secret.size()) == static_cast<ssize_t>(secret.size()) && ::fsync(fd) == 0;
    ::close(fd);
    return written ? std::optional(secret) : std::nullopt;
}

/// A shell's usual 1,024 descriptors would be the bound of connections. It is so low for the sake of select(), which nothing
/// in this process calls, and it starts no other.
void raise_descriptor_limit() {
    constexpr rlim_t enough = 65536;
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= enough) return;
    limit.rlim_cur = std::min(limit.rlim_max, enough);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_warn("node.descriptors").with("limit", limit.rlim_cur).with("why", "it cannot be raised");
}

/// History is written within a minute of what is in it being received.
constexpr Duration received_before = 1min;

broker::BrokerOptions broker_options(const Configuration& configuration, const AuditBook& audits) {
    broker::BrokerOptions options;
    options.journal.segment_bytes = configuration.journal.segment;
    options.journal.min_free_bytes = configuration.node.min_free_disk;
    options.journal.reserve_bytes = configuration.node.reserve_disk;
    options.history_keep = configuration.journal.keep;
    if (configuration.sqs.cool_off) options.cool_off = sqs_cool_off;
    if (configuration.has_audit())
        options.may_forget = [&audits](Timestamp from, Timestamp to) { return audits.is_settled(from - received_before, to); };
    return options;
}

intake::IntakeOptions intake_options(const Configuration& configuration, const std::string& secret) {
    intake::IntakeOptions options;
    options.endpoints = configuration.endpoints;
    options.keys = configuration.keys;
    options.sites = configuration.sites;
    options.secret = secret;
    options.quarantine_bytes_max = configuration.quarantine.max;
    options.log_accepted = configuration.log.level == LogLevel::debug;
    if (!configuration.endpoints.empty()) options.demo_endpoint = configuration.endpoints.front().name;
    return options;
}

/// The counters of that name whose labels `count` takes, summed.
std::uint64_t sum_of(const metrics::Registry& registry, std::string_view counter, bool (*count)(const metrics::Labels&)) {
    std::uint64_t sum = 0;
    registry.visit([&](std::string_view name, const metrics::Registry::Series& series) {
        if (name == counter && series.counter && count(series.labels)) sum += series.counter->value();
    });
    return sum;
}

bool every(const metrics::Labels&) { return true; }
/// A post may be refused for several reasons at once; requests are counted once.
bool client_error(const metrics::Labels& labels) {
    for (const auto& [label, value] : labels)
        if (label == "code" && value.starts_with('4')) return true;
    return false;
}

/// The names of the queue port: also that of the queue URLs it tells.
http::Hosts hosts_of(const Listen& on, const SqsConfiguration& sqs) {
    auto hosts = http::Hosts::of(on.address, sqs.hosts);
    std::string_view base = sqs.base_url;
    base.remove_prefix(base.find("://") == base.npos ? 0 : base.find("://") + 3);
    hosts.add(base.substr(0, base.find('/')));
    return hosts;
}
http::Hosts hosts_of(const Listen& on, const AdminConfiguration& admin) { return http::Hosts::of(on.address, admin.hosts); }

/// Hands requests that call `port` by one of its names to it.
template <class Port>
auto by_name(Port& port, http::Hosts hosts) {
    return [&port, hosts = std::move(hosts)](const http::Request& request, http::Responder responder) {
        if (!hosts.admit(request)) return Port::refuse_host(request, std::move(responder));
        port.handle(request, std::move(responder));
    };
}

/// A listener for whoever collects metrics; nobody acts there.
template <class Serve>
auto metrics_only(Serve serve) {
    return [serve = std::move(serve)](const http::Request& request, http::Responder responder) {
        if (request.path != "/metrics") return responder(http::problem(404, "not_found", "There is only /metrics at this address."));
        serve(request, std::move(responder));
    };
}

int fail(int code, std::string_view event, std::string_view why) {
    log_error(event).with("why", why);
    return code;
}

/// An address that could not be listened on.
struct RefusedListen {
    Listen at;
    std::string listener, why;

    std::string setting() const { return listener == "prometheus" ? "telemetry.prometheus" : listener + ".listen"; }
};

/// Everything a node is made of, in the order in which it is built; destruction runs the other way.
class Node {
  public:
    Node(const LoadOptions& options, Configuration configuration, bool is_dev)
        : load_options_(options), configuration_(std::move(configuration)), is_dev_(is_dev) {}
    int run();

  private:
    int open_audits();
    int open_store();
    int open_gate();
    void read_policies();
    int open_intake();
    int open_listeners();
    Result<void, RefusedListen> listen(const Listen& on, std::string name, http::Handler handler, std::uint64_t body_max, bool is_intake);
    int refuse_to_listen(const RefusedListen& refused);
    void serve_until_stopped();
    void drain();
    void tick();
    void reload();
    void note();
    void look_at_store();
    void probe_broker();
    sqs::AccessRules access_rules(const Configuration& configuration) const;
    std::optional<http::Response> refuse_early(const http::Request& head) const;
    void dump_state();

    void handle_intake(const http::Request& request, http::Responder responder);
    bool answer_health(const http::Request& request, http::Responder& responder);
    std::string why_not_ready() const;
    admin::NodeFacts facts();

    LoadOptions load_options_;
    Configuration configuration_;
    bool is_dev_;
    SystemClock clock_;
    SystemEntropy broker_entropy_, intake_entropy_;
    Instant started_ = clock_.now();
    metrics::Registry registry_;
    OutageMetrics outages_{configuration_, registry_};
    std::unique_ptr<sqs::Gatekeeper> gate_;
    std::unique_ptr<disk::PosixDisk> disk_, looking_disk_, audit_disk_;
    std::unique_ptr<AuditBook> audits_;
    std::unique_ptr<broker::Broker> broker_;
    std::unique_ptr<transport::LocalSender> sender_;
    std::string secret_;
    sqs::AccessKey worker_access_;
    std::unique_ptr<intake::Intake> intake_;
    std::unique_ptr<sqs::Api> sqs_;
    std::unique_ptr<PastRecords> past_;
    std::unique_ptr<admin::Admin> admin_;
    std::unique_ptr<metrics::Statsd> statsd_;
    std::vector<std::unique_ptr<http::Server>> intake_servers_, other_servers_;
    std::atomic<bool> draining_{false}, has_room_{true}, sync_is_slow_{false}, store_is_gone_{false}, probe_is_out_{false};
    std::optional<std::pair<dev_t, ino_t>> store_lock_;  ///< of the file that was locked at the start
    Instant probed_{};
    std::atomic<std::uint64_t> journal_bytes_{0};
    int ticks_ = 0;
};

int Node::open_audits() {
    auto disk = disk::PosixDisk::open(audit_path(configuration_.node.data_dir));
    if (!disk.ok()) return fail(exit_code::io, "audit.unusable", disk.error().text());
    audit_disk_ = std::move(*disk);
    audits_ = std::make_unique<AuditBook>(*audit_disk_, clock_, registry_);
    return 0;
}

int Node::open_store() {
    auto path = store_path(configuration_.node.data_dir);
    auto disk = disk::PosixDisk::open(path);
    if (!disk.ok()) return fail(exit_code::io, "store.unusable", disk.error().text());
    disk_ = std::move(*disk);
    if (auto locked = disk_->lock(); !locked.ok()) {
        bool is_taken = locked.error().number == EWOULDBLOCK;
        auto why = is_taken ? path + " is in use by another node: stop that one, or give this one another node.data_dir"
                            : path + ": " + locked.error().text();
        return fail(is_taken ? exit_code::try_again : exit_code::io, is_taken ? "store.in_use" : "store.unusable", why);
    }
    store_lock_ = identity_of(path + "/lock");
    auto looking = disk::PosixDisk::open_existing(path);
    if (!looking.ok()) return fail(exit_code::io, "store.unusable", looking.error().text());
    looking_disk_ = std::move(*looking);
    auto broker = broker::Broker::open(*disk_, clock_, broker_entropy_, broker_options(configuration_, *audits_), &registry_);
    if (!broker.ok()) return fail(exit_code::io, "store.unusable", broker.error().what);
    broker_ = std::move(*broker);
    const auto& report = broker_->report();
    for (const auto& note : report.notes) log_warn("store.note").with("what", note);
    log_info("store.open").with("records", report.records).with("bytes", report.bytes).with("corrupt", report.corrupt);
    if (auto declared = declare_queues(*broker_, configuration_); !declared.ok())
        return fail(exit_code::io, "queues.unusable", declared.error());
    return 0;
}

int Node::open_gate() {
    auto key = read_or_make_worker_key(configuration_.node.data_dir, intake_entropy_);
    if (!key.ok()) return fail(exit_code::io, "worker_key.unusable", key.error());
    worker_access_ = access_of_workers(*key);
    gate_ = std::make_unique<sqs::Gatekeeper>(clock_, access_rules(configuration_), configuration_.sqs.account, configuration_.sqs.region,
                                              &registry_);
    read_policies();
    return 0;
}

void Node::read_policies() {
    // On the broker's thread, so that none is taken up after a newer one.
    std::promise<void> done;
    broker_->submit(broker::ListQueues{"", [&](const Result<std::vector<broker::QueueStatus>, broker::Refusal>& queues) {
                                           if (queues.ok())
                                               for (const auto& queue : *queues)
                                                   gate_->set_policy(queue.name, sqs::policy_in(queue.settings));
                                           done.set_value();
                                       }});
    done.get_future().wait();
}

sqs::AccessRules Node::access_rules(const Configuration& configuration) const {
    sqs::AccessRules rules{configuration.sqs.verify.value_or(!is_dev_), configuration.access};
    rules.keys.push_back(worker_access_);
    if (rules.verify && configuration.access.empty())
        log_warn("sqs.no_access_keys")
            .with("why", "requests to the queue port must be signed, and only this node's workers have a key")
            .with("next", "forebay access new NAME makes one for other clients; [sqs] verify = false lets everybody in");
    return rules;
}

int Node::open_intake() {
    auto secret = read_or_make_secret(intake_secret_path(configuration_.node.data_dir), intake_entropy_);
    if (!secret)
        return fail(exit_code::io, "secret.unusable", intake_secret_path(configuration_.node.data_dir) + " cannot be read or made");
    secret_ = std::move(*secret);
    sender_ = std::make_unique<transport::LocalSender>(*broker_);
    auto intake = intake::Intake::open(intake_options(configuration_, secret_), *sender_, clock_, intake_entropy_, &registry_);
    if (!intake.ok()) return fail(exit_code::configuration, "intake.unusable", intake.error());
    intake_ = std::move(*intake);
    sqs_ = std::make_unique<sqs::Api>(
        *broker_, *gate_,
        sqs::ApiOptions{
            configuration_.sqs.account, configuration_.sqs.region, configuration_.sqs.base_url, {std::string(intake::quarantine_queue)}});
    past_ = std::make_unique<PastRecords>(*looking_disk_);
    admin_ = std::make_unique<admin::Admin>(admin::Parts{
        *broker_,
        *intake_,
        *past_,
        *audits_,
        clock_,
        [this] { return facts(); },
        [this] { return registry_.prometheus_text(); },
        [routes = routes_of(configuration_)] { return routes; },
        dead_acts_path(configuration_.node.data_dir),
        *looking_disk_,
        {[this](Duration at_most) { return broker_->hold_log(at_most); }, [this](Duration at_most) { return broker_->seal_log(at_most); },
         [this](journal::SegmentNumber segment) { return broker_->replace_segment(segment); }}});
    intake_->set_find_record(
        [this](const Uuid& id, UniqueFunction<void(std::optional<std::string>)> done) { admin_->find_envelope(id, std::move(done)); });
    return 0;
}

Result<void, RefusedListen> Node::listen(const Listen& on, std::string name, http::Handler handler, std::uint64_t body_max,
                                         bool is_intake) {
    http::ServerOptions options;
    options.address = on.address;
    options.port = on.port;
    options.name = std::move(name);
    options.body_bytes_max = body_max;
    options.registry = &registry_;
    if (is_intake) {
        options.trusted_proxies = configuration_.intake.trusted_proxies;
        options.connections_max = configuration_.intake.connections_max;
        options.connections_per_address_max = configuration_.intake.connections_per_client;
        // A full disk is said before the body is read.
        options.admit = [this](const http::Request& head) { return refuse_early(head); };
    } else {
        // Receiving and deleting go on when the disk is full or slow, but not on a log that nobody will find again.
        bool is_queue = options.name == "sqs";
        options.admit = [this, is_queue](const http::Request& head) {
            if (auto refused = store_is_gone_ ? refuse_early(head) : std::nullopt) return refused;
            return is_queue ? sqs_->refuse_early(head) : std::nullopt;
        };
    }
    auto listener = options.name;
    auto server = http::Server::open(std::move(options), std::move(handler));
    if (!server.ok()) return Failure{RefusedListen{on, std::move(listener), server.error()}};
    (is_intake ? intake_servers_ : other_servers_).push_back(std::move(*server));
    return {};
}

int Node::open_listeners() {
    auto with_health = [this](auto serve) {
        return [this, serve = std::move(serve)](const http::Request& request, http::Responder responder) {
            if (!answer_health(request, responder)) serve(request, std::move(responder));
        };
    };
    auto all = [&]() -> Result<void, RefusedListen> {
        for (const auto& on : configuration_.sqs.listen)
            TRY(listen(on, "sqs", with_health(by_name(*sqs_, hosts_of(on, configuration_.sqs))), queue_port_body_max, false));
        for (const auto& on : configuration_.admin.listen)
            TRY(listen(on, "admin", with_health(by_name(*admin_, hosts_of(on, configuration_.admin))), queue_port_body_max, false));
        if (const auto& on = configuration_.telemetry.prometheus)
            TRY(listen(*on, "prometheus", metrics_only(by_name(*admin_, hosts_of(*on, configuration_.admin))), 1_KiB, false));
        for (const auto& on : configuration_.intake.listen)
            TRY(listen(on, "intake", with_health([this](const http::Request& r, http::Responder to) { handle_intake(r, std::move(to)); }),
                       configuration_.intake.max_body, true));
        return {};
    };
    auto opened = all();
    return opened.ok() ? 0 : refuse_to_listen(opened.error());
}

/// What this process holds itself is let go first: otherwise it would be found to be the one in the way.
int Node::refuse_to_listen(const RefusedListen& refused) {
    intake_servers_.clear();
    other_servers_.clear();
    auto problem = port_problem(refused.setting(), refused.at);
    auto line = log_error("listen.failed");
    line.with("setting", refused.setting()).with("why", refused.why + (problem ? "; " + problem->why : ""));
    if (problem) line.with("next", problem->next);
    return exit_code::try_again;
}

void Node::handle_intake(const http::Request& request, http::Responder responder) {
    if (request.path == "/metrics") return responder({200, {}, "text/plain; version=0.0.4", registry_.prometheus_text()});
    intake_->handle(request, std::move(responder));
}

std::optional<http::Response> Node::refuse_early(const http::Request& head) const {
    if (head.method != "POST" || (has_room_ && !sync_is_slow_ && !store_is_gone_)) return std::nullopt;
    auto refusal = http::problem(503,
                                 store_is_gone_ ? "store_gone"
                                 : has_room_    ? "disk_slow"
                                                : "disk_full",
                                 "This cannot be made durable now; nothing was kept. Send it again in a few seconds.");
    refusal.headers.emplace_back("Retry-After", "5");
    return refusal;
}

std::string Node::why_not_ready() const {
    std::string why;
    if (draining_) why += "draining; ";
    if (!has_room_) why += "the disk is full; ";
    if (sync_is_slow_) why += "the disk takes over 5 s to sync; ";
    if (store_is_gone_) why += "the store was moved or deleted; ";
    if (!why.empty()) why.resize(why.size() - 2);
    return why;
}

bool Node::answer_health(const http::Request& request, http::Responder& responder) {
    if (request.path == "/livez") {
        responder({200, {}, "text/plain", "alive\n"});
        return true;
    }
    if (request.path != "/readyz" && request.path != "/health_check.php") return false;
    auto why = why_not_ready();
    http::Response response{why.empty() ? 200u : 503u, {}, "text/plain", why.empty() ? "ready\n" : "not ready: " + why + "\n"};
    if (request.query == "verbose") {
        response.body += std::string("journal ") + (store_is_gone_ ? "gone" : "ok") + "\nroom " + (has_room_ ? "ok" : "full") + "\nsync " +
                         (sync_is_slow_ ? "slow" : "ok") + "\ndraining " + (draining_ ? "yes" : "no") + "\n";
    }
    responder(std::move(response));
    return true;
}

admin::NodeFacts Node::facts() {
    admin::NodeFacts facts;
    facts.name = configuration_.node.name;
    facts.version = version();
    facts.ack = configuration_.intake.ack.after;
    facts.why_not_ready = why_not_ready();
    facts.ready = facts.why_not_ready.empty();
    facts.draining = draining_;
    facts.uptime = clock_.now() - started_;
    if (auto free = looking_disk_->free_bytes(); free.ok()) facts.disk_free = *free;
    facts.journal_bytes = journal_bytes_;
    facts.accepted = sum_of(registry_, "forebay_records_accepted_total", every);
    facts.refused = sum_of(registry_, "forebay_requests_total", client_error);
    return facts;
}

void Node::tick() {
    intake_->tick();
    look_at_store();
    probe_broker();
    if (++ticks_ % 10 != 0) return;
    outages_.refresh(clock_.wall());
    auto status = broker_->status();
    if (status.has_room != has_room_)
        (status.has_room ? log_info("disk.has_room") : log_error("disk.full")).with("data_dir", configuration_.node.data_dir);
    has_room_ = status.has_room;
    bool is_stuck = probe_is_out_ && clock_.now() - probed_ > slow_sync_refuses;
    bool is_slow = is_stuck || status.slowest_sync > slow_sync_refuses;
    if (is_slow != sync_is_slow_)
        (is_slow ? log_error("disk.slow") : log_info("disk.answers")).with("data_dir", configuration_.node.data_dir);
    sync_is_slow_ = is_slow;
    journal_bytes_ = status.journal_bytes;
}

/// A log whose files have been deleted can still be written and synced, and is lost with this process: what
/// comes in now must not be called durable. A store that is put back is the same store.
void Node::look_at_store() {
    bool is_gone = identity_of(store_path(configuration_.node.data_dir) + "/lock") != store_lock_;
    if (is_gone == store_is_gone_) return;
    store_is_gone_ = is_gone;
    if (!is_gone) return void(log_info("store.back").with("path", store_path(configuration_.node.data_dir)));
    log_error("store.gone")
        .with("path", store_path(configuration_.node.data_dir))
        .with("next", "put it back; if it was deleted, restart the node, which then begins with an empty store");
}

/// A sync that never ends tells nothing; a question that the broker leaves unanswered does.
void Node::probe_broker() {
    if (probe_is_out_ || clock_.now() - probed_ < probe_every) return;
    probed_ = clock_.now();
    probe_is_out_ = true;
    broker::GetQueue quarantine;
    quarantine.queue = std::string(intake::quarantine_queue);
    quarantine.answer = [this](const Result<broker::QueueStatus, broker::Refusal>& found) {
        if (found.ok()) intake_->set_quarantine_bytes(found->bytes);
        probe_is_out_ = false;
    };
    broker_->submit(broker::Command(std::move(quarantine)));
}

void Node::reload() {
    auto loaded = load(load_options_);
    if (!loaded.is_usable()) {
        log_error("configuration.refused")
            .with("errors", loaded.diagnostics.errors())
            .with("next", "forebay check says where; the running configuration is unchanged");
        return;
    }
    if (auto declared = declare_queues(*broker_, loaded.configuration); !declared.ok()) {
        log_error("configuration.refused").with("why", declared.error());
        return;
    }
    if (auto taken = intake_->reload(intake_options(loaded.configuration, secret_)); !taken.ok()) {
        log_error("configuration.refused").with("why", taken.error());
        return;
    }
    gate_->set_rules(access_rules(loaded.configuration));
    read_policies();
    auto& now = configuration_;
    now.endpoints = loaded.configuration.endpoints;
    now.keys = loaded.configuration.keys;
    now.sites = loaded.configuration.sites;
    now.queues = loaded.configuration.queues;
    now.quarantine = loaded.configuration.quarantine;
    now.access = loaded.configuration.access;
    now.sqs.verify = loaded.configuration.sqs.verify;
    note();
    log_info("configuration.reloaded")
        .with("endpoints", loaded.configuration.endpoints.size())
        .with("queues", loaded.configuration.queues.size());
}

/// For `forebay config diff`: what runs, which after a reload is not all that the files say.
void Node::note() {
    if (!note_running(configuration_)) log_warn("configuration.not_noted").with("data_dir", configuration_.node.data_dir);
}

void Node::dump_state() {
    auto status = broker_->status();
    log_info("state")
        .with("journal_bytes", status.journal_bytes)
        .with("syncs", status.syncs)
        .with("commands_waiting", status.commands_waiting)
        .with("ready", why_not_ready().empty());
    if (auto queues = broker::ask(*broker_, broker::ListQueues{}); queues.ok())
        for (const auto& queue : *queues)
            log_info("state.queue")
                .with("queue", queue.name)
                .with("ready", queue.ready)
                .with("in_flight", queue.in_flight)
                .with("delayed", queue.delayed);
}

sigset_t node_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT}) sigaddset(&set, signal);
    return set;
}

void Node::serve_until_stopped() {
    auto set = node_signals();
    for (;;) {
        timespec wait{0, std::chrono::nanoseconds(tick_every).count()};
        int signal = sigtimedwait(&set, nullptr, &wait);
        if (signal == SIGTERM || signal == SIGINT) return;
        if (signal == SIGHUP) reload();
        if (signal == SIGQUIT) dump_state();
        if (signal == SIGUSR2)
            log_warn("signal.ignored").with("signal", "USR2").with("why", "handing over to a new binary is not in this version");
        tick();
    }
}

/// Waits for `at_most`, ticking; false when a second TERM came.
bool keep_serving(Duration at_most, UniqueFunction<bool()> is_over, UniqueFunction<void()> tick) {
    auto set = node_signals();
    SystemClock clock;
    auto end = clock.now() + at_most;
    while (clock.now() < end && !is_over()) {
        timespec wait{0, std::chrono::nanoseconds(20ms).count()};
        int signal = sigtimedwait(&set, nullptr, &wait);
        if (signal == SIGTERM || signal == SIGINT) return false;
        tick();
    }
    return true;
}

void Node::drain() {
    draining_ = true;
    log_info("node.draining").with("delay", to_text(configuration_.intake.drain_delay));
    auto tick_intake = [this] { intake_->tick(); };
    bool patient = keep_serving(configuration_.intake.drain_delay, [] { return false; }, tick_intake);
    for (auto* servers : {&intake_servers_, &other_servers_})
        for (auto& server : *servers) server->drain();
    auto is_empty = [this] {
        for (auto& server : intake_servers_)
            if (server->connections() > 0) return false;
        return true;
    };
    if (patient) patient = keep_serving(configuration_.intake.drain_timeout, is_empty, tick_intake);
    // Receivers that wait are answered with nothing; every command taken gets its answer.
    broker_->stop();
    for (auto* servers : {&intake_servers_, &other_servers_})
        for (auto& server : *servers) server->wait_until_drained(patient ? 1s : 0s);
    for (auto* servers : {&intake_servers_, &other_servers_})
        for (auto& server : *servers) server->stop();
}

int Node::run() {
    auto set = node_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    for (auto step : {&Node::open_audits, &Node::open_store, &Node::open_gate, &Node::open_intake, &Node::open_listeners})
        if (int code = (this->*step)(); code != 0) return code;
    registry_.gauge("forebay_build_info", {{"version", std::string(version())}}).set(1);
    statsd_ = open_statsd(registry_, configuration_.telemetry.statsd);
    note();
    const char* starts = std::getenv("FOREBAY_STARTS");
    log_info("node.ready")
        .with("name", configuration_.node.name)
        .with("ms", (clock_.now() - started_).count())
        .with("starts", starts ? starts : "1");
    serve_until_stopped();
    drain();
    log_info("node.stopped").with("uptime", to_text(clock_.now() - started_));
    return 0;
}
}  // namespace

int run_node_process(const LoadOptions& options, Configuration configuration, bool is_dev) {
    return Node(options, std::move(configuration), is_dev).run();
}

}  // namespace forebay::cli
