#include "cli/process/node.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include "admin/admin.h"
#include "base/durable_file.h"
#include "base/log_line.h"
#include "broker/ask.h"
#include "broker/broker_thread.h"
#include "cli/config/settings.h"
#include "cli/console.h"
#include "cli/exit_code.h"
#include "cli/process/audit_book.h"
#include "cli/process/autoscaler.h"
#include "cli/process/bequest.h"
#include "cli/process/listeners.h"
#include "cli/process/node_options.h"
#include "cli/process/outage_metrics.h"
#include "cli/process/past.h"
#include "cli/process/paths.h"
#include "cli/process/process_metrics.h"
#include "cli/process/queue_setup.h"
#include "cli/process/readiness.h"
#include "cli/process/sockets.h"
#include "cli/process/statsd.h"
#include "cli/process/worker_key.h"
#include "disk/posix_disk.h"
#include "intake/intake.h"
#include "sqs/api.h"
#include "sqs/queue_attributes.h"
#include "supervisor/channel.h"
#include "transport/sender.h"
#include "worker/pause.h"

namespace forebay::cli {
namespace {
constexpr auto tick_every = 100ms;
constexpr std::size_t secret_bytes = 32;
constexpr Duration predecessor_most = 10s, lock_again = 2ms;
/// How long requests that were taken up may keep a successor waiting.
constexpr Duration hand_over_most = 2s;

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

int fail(int code, std::string_view event, std::string_view why) {
    log_error(event).with("why", why);
    return code;
}

/// Everything a node is made of, in the order in which it is built; destruction runs the other way.
class Node {
  public:
    Node(const LoadOptions& options, Configuration configuration, bool is_dev)
        : load_options_(options), configuration_(std::move(configuration)), is_dev_(is_dev) {}
    /// `bequest` is made when a successor takes over; it opens the store when that is destroyed, so it outlives the node.
    int run(std::optional<Bequest>& bequest);

  private:
    int open_audits();
    int open_store();
    int open_gate();
    void read_policies();
    int open_intake();
    int watch_backlogs();
    void read_drain();
    Result<void, std::string> set_drained(const std::optional<broker::QueuePause>& pause);
    void apply_drain(const std::optional<broker::QueuePause>& pause);
    int open_listeners();
    void take_over();
    /// The socket of a successor, or nothing: it is to stop.
    std::optional<Descriptor> serve_until_stopped();
    void hand_over(Bequest& bequest);
    void drain();
    void tick();
    /// Why it was refused.
    std::optional<std::string> reload();
    void note();
    void dump_state();
    admin::NodeFacts facts();

    LoadOptions load_options_;
    Configuration configuration_;
    bool is_dev_;
    SystemClock clock_;
    SystemEntropy broker_entropy_, intake_entropy_;
    Instant started_ = clock_.now();
    Readiness readiness_{configuration_.node.data_dir, clock_};
    metrics::Registry registry_;
    OutageMetrics outages_{configuration_, registry_};
    ProcessMetrics processes_{control_path(configuration_.node.data_dir), registry_};
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
    std::unique_ptr<Autoscaler> autoscaler_;
    std::unique_ptr<admin::Admin> admin_;
    std::unique_ptr<metrics::Statsd> statsd_;
    std::unique_ptr<Listeners> listeners_;
    std::atomic<std::uint64_t> journal_bytes_{0};
    std::optional<broker::QueuePause> drained_;  ///< from when on serving, of the admin thread
    int ticks_ = 0;
    supervisor::Channel parent_ = supervisor::Channel::of_this_process();
    InheritedSockets sockets_ = InheritedSockets::of_this_process();
    std::vector<Bequeathed> inherited_;
    bool is_successor_ = false;
};

int Node::open_audits() {
    auto disk = disk::PosixDisk::open(audit_path(configuration_.node.data_dir));
    if (!disk.ok()) return fail(exit_code::io, "audit.unusable", disk.error().text());
    audit_disk_ = std::move(*disk);
    audits_ = std::make_unique<AuditBook>(*audit_disk_, clock_, registry_);
    audits_->set_scheduled(configuration_.has_audit());
    return 0;
}

int Node::open_store() {
    auto path = store_path(configuration_.node.data_dir);
    auto disk = disk::PosixDisk::open(path);
    if (!disk.ok()) return fail(exit_code::io, "store.unusable", disk.error().text());
    disk_ = std::move(*disk);
    auto locked = disk_->lock();
    // One parent, one node: whoever has it is on the way out.
    for (auto end = clock_.now() + predecessor_most; parent_ && !locked.ok() && clock_.now() < end; locked = disk_->lock())
        std::this_thread::sleep_for(lock_again);
    if (!locked.ok()) {
        bool is_taken = locked.error().number == EWOULDBLOCK;
        auto why = is_taken ? path + " is in use by another node: stop that one, or give this one another node.data_dir"
                            : path + ": " + locked.error().text();
        return fail(is_taken ? exit_code::try_again : exit_code::io, is_taken ? "store.in_use" : "store.unusable", why);
    }
    readiness_.store_is_open();
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
    read_drain();
    return 0;
}

int Node::open_gate() {
    auto key = read_or_make_worker_key(configuration_.node.data_dir, intake_entropy_);
    if (!key.ok()) return fail(exit_code::io, "worker_key.unusable", key.error());
    worker_access_ = access_of_workers(*key);
    gate_ = std::make_unique<sqs::Gatekeeper>(clock_, access_rules(configuration_, worker_access_, is_dev_), configuration_.sqs.account,
                                              configuration_.sqs.region, &registry_);
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
        [this] { return autoscaler_->told(); },
        paused_queues_path(configuration_.node.data_dir),
        [this](const std::optional<broker::QueuePause>& pause) { return set_drained(pause); },
        *looking_disk_,
        {[this](Duration at_most) { return broker_->hold_log(at_most); }, [this](Duration at_most) { return broker_->seal_log(at_most); },
         [this](journal::SegmentNumber segment) { return broker_->replace_segment(segment); }}});
    intake_->set_find_record(
        [this](const Uuid& id, UniqueFunction<void(std::optional<std::string>)> done) { admin_->find_envelope(id, std::move(done)); });
    return 0;
}

/// On a thread of its own: the broker's answers are waited for.
int Node::watch_backlogs() {
    auto look = [this]() -> std::optional<std::vector<SeenBacklog>> {
        auto queues = broker::ask(*broker_, broker::ListQueues{});
        if (!queues.ok()) return std::nullopt;
        auto at = clock_.now();
        std::vector<SeenBacklog> backlogs;
        for (const auto& queue : *queues) {
            auto oldest = queue.oldest ? std::optional(clock_.wall() - *queue.oldest) : std::nullopt;
            backlogs.push_back({queue.name, at, queue.ready, queue.in_flight, oldest, queue.sends, queue.deletes, queue.pause.has_value()});
        }
        return backlogs;
    };
    autoscaler_ = std::make_unique<Autoscaler>(configuration_, Autoscaler::Parts{look, parent_of(configuration_.node.data_dir)});
    return 0;
}

/// A drain outlasts a node that is started again, and ends with the parent that it was meant for: whoever starts another means it to
/// serve.
void Node::read_drain() {
    auto path = drain_path(configuration_.node.data_dir);
    auto pause = worker::read_pause(path);
    if (!pause) return;
    const char* starts = std::getenv("FOREBAY_STARTS");
    if (is_successor_ || (starts != nullptr && std::string_view(starts) != "1")) {
        log_warn("node.is_drained")
            .with("since", to_rfc3339(pause->since))
            .with("reason", pause->reason)
            .with("next", "forebay drain --undo");
        return apply_drain(broker::QueuePause{pause->since, pause->reason, pause->by});
    }
    log_info("node.drain_over").with("since", to_rfc3339(pause->since)).with("why", "forebay was started anew");
    if (auto removed = remove_file(path); !removed) log_error("node.drain_not_removed").with("why", removed.error());
}

Result<void, std::string> Node::set_drained(const std::optional<broker::QueuePause>& pause) {
    auto path = drain_path(configuration_.node.data_dir);
    TRY(pause ? worker::write_pause(path, {pause->since, pause->reason, pause->by}) : remove_file(path));
    apply_drain(pause);
    return {};
}

void Node::apply_drain(const std::optional<broker::QueuePause>& pause) {
    drained_ = pause;
    readiness_.set_drained(pause.has_value());
    broker::PauseAll all;
    all.is_paused = pause.has_value();
    (void)broker::ask(*broker_, std::move(all)).ok();
}

int Node::open_listeners() {
    listeners_ = std::make_unique<Listeners>(Listeners::Parts{*intake_, *sqs_, *admin_, readiness_, registry_});
    if (int code = listeners_->open(configuration_, std::move(sockets_)); code != 0) return code;
    listeners_->adopt(std::exchange(inherited_, {}));
    return 0;
}

/// Says that everything is prepared, and waits until the node before has given what it had.
void Node::take_over() {
    auto socket = supervisor::descriptor_in(supervisor::inheritance_variable);
    if (!socket) return;
    is_successor_ = true;
    parent_.say(supervisor::waiting_word);
    inherited_ = inherit(std::move(socket));
    started_ = clock_.now();
    log_info("node.takes_over").with("connections", inherited_.size());
}

admin::NodeFacts Node::facts() {
    admin::NodeFacts facts;
    facts.name = configuration_.node.name;
    facts.version = version();
    facts.ack = configuration_.intake.ack.after;
    facts.why_not_ready = readiness_.why_not();
    facts.ready = facts.why_not_ready.empty();
    facts.draining = readiness_.is_draining();
    facts.drained = drained_;
    facts.uptime = clock_.now() - started_;
    if (auto free = looking_disk_->free_bytes(); free.ok()) facts.disk_free = *free;
    facts.journal_bytes = journal_bytes_;
    facts.accepted = sum_of(registry_, "forebay_records_accepted_total", every);
    facts.refused = sum_of(registry_, "forebay_requests_total", client_error);
    return facts;
}

void Node::tick() {
    intake_->tick();
    readiness_.look(*broker_, *intake_);
    if (++ticks_ % 10 != 0) return;
    outages_.refresh(clock_.wall());
    processes_.refresh();
    auto status = broker_->status();
    readiness_.note(status);
    journal_bytes_ = status.journal_bytes;
}

std::optional<std::string> Node::reload() {
    auto refuse = [](std::string why) {
        log_error("configuration.refused").with("why", why).with("next", "forebay check; the running configuration is unchanged");
        return std::optional(std::move(why));
    };
    auto loaded = load(load_options_);
    if (!loaded.is_usable()) return refuse("it has " + std::to_string(loaded.diagnostics.errors()) + " errors");
    if (auto declared = declare_queues(*broker_, loaded.configuration); !declared.ok()) return refuse(declared.error());
    if (auto taken = intake_->reload(intake_options(loaded.configuration, secret_)); !taken.ok()) return refuse(taken.error());
    gate_->set_rules(access_rules(loaded.configuration, worker_access_, is_dev_));
    read_policies();
    auto& now = configuration_;
    now.endpoints = loaded.configuration.endpoints;
    now.keys = loaded.configuration.keys;
    now.sites = loaded.configuration.sites;
    now.queues = loaded.configuration.queues;
    now.quarantine = loaded.configuration.quarantine;
    now.access = loaded.configuration.access;
    now.schedules = loaded.configuration.schedules;
    audits_->set_scheduled(now.has_audit());
    autoscaler_->take(loaded.configuration);
    now.sqs.verify = loaded.configuration.sqs.verify;
    note();
    log_info("configuration.reloaded")
        .with("endpoints", loaded.configuration.endpoints.size())
        .with("queues", loaded.configuration.queues.size());
    return std::nullopt;
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
        .with("ready", readiness_.why_not().empty());
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

std::optional<Descriptor> Node::serve_until_stopped() {
    auto set = node_signals();
    for (;;) {
        timespec wait{0, std::chrono::nanoseconds(tick_every).count()};
        int signal = sigtimedwait(&set, nullptr, &wait);
        if (signal == SIGTERM || signal == SIGINT) return std::nullopt;
        if (signal == SIGHUP) {
            auto refused = reload();
            if (parent_) parent_.say(refused ? std::string(supervisor::refused_word) + *refused : std::string(supervisor::taken_up_word));
        }
        if (signal == SIGQUIT) dump_state();
        if (signal == SIGUSR2) {
            if (auto word = parent_ ? parent_.hear() : std::nullopt; word && word->text == supervisor::hand_over_word && word->descriptor)
                return std::move(word->descriptor);
            log_warn("signal.ignored").with("signal", "USR2").with("why", "USR2 to the parent upgrades; a node alone cannot");
        }
        tick();
    }
}

/// Waits for `at_most`, ticking; false when a second TERM came.
bool keep_serving(Duration at_most, UniqueFunction<bool()> is_over, UniqueFunction<void()> tick) {
    auto set = node_signals();
    SystemClock clock;
    auto end = clock.now() + at_most;
    while (clock.now() < end && !is_over()) {
        timespec wait{0, std::chrono::nanoseconds(2ms).count()};
        int signal = sigtimedwait(&set, nullptr, &wait);
        if (signal == SIGTERM || signal == SIGINT) return false;
        tick();
    }
    return true;
}

/// Whoever is connected stays so, and is answered by one of the two. Commands that were taken get their answer here; receivers
/// that wait are answered with nothing.
void Node::hand_over(Bequest& bequest) {
    log_info("node.hands_over");
    auto began = clock_.now();
    listeners_->hand_over(bequest);
    auto tick_intake = [this] { intake_->tick(); };
    keep_serving(hand_over_most, [this] { return listeners_->takes_up_nothing() && listeners_->is_intake_empty(); }, tick_intake);
    broker_->stop();
    keep_serving(hand_over_most, [this] { return listeners_->is_empty(); }, tick_intake);
    listeners_->stop(0s);
    log_info("node.handed_over").with("connections", bequest.given()).with("ms", (clock_.now() - began).count());
}

void Node::drain() {
    readiness_.drain();
    log_info("node.draining").with("delay", to_text(configuration_.intake.drain_delay));
    auto tick_intake = [this] { intake_->tick(); };
    bool patient = keep_serving(configuration_.intake.drain_delay, [] { return false; }, tick_intake);
    listeners_->drain();
    if (patient) patient = keep_serving(configuration_.intake.drain_timeout, [this] { return listeners_->is_intake_empty(); }, tick_intake);
    // Receivers that wait are answered with nothing; every command taken gets its answer.
    broker_->stop();
    listeners_->stop(patient ? 1s : 0s);
}

int Node::run(std::optional<Bequest>& bequest) {
    auto set = node_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    take_over();
    for (auto step :
         {&Node::open_audits, &Node::open_store, &Node::open_gate, &Node::open_intake, &Node::watch_backlogs, &Node::open_listeners})
        if (int code = (this->*step)(); code != 0) return code;
    registry_.gauge("forebay_build_info", {{"version", std::string(version())}}).set(1);
    statsd_ = open_statsd(registry_, configuration_.telemetry.statsd);
    note();
    const char* starts = std::getenv("FOREBAY_STARTS");
    log_info("node.ready")
        .with("name", configuration_.node.name)
        .with("ms", (clock_.now() - started_).count())
        .with("starts", starts ? starts : "1");
    if (parent_) parent_.say(supervisor::ready_word);
    if (auto successor = serve_until_stopped()) {
        bequest.emplace(std::move(*successor));
        hand_over(*bequest);
    } else {
        drain();
    }
    log_info("node.stopped").with("uptime", to_text(clock_.now() - started_));
    return 0;
}
}  // namespace

int run_node_process(const LoadOptions& options, Configuration configuration, bool is_dev) {
    std::optional<Bequest> bequest;
    return Node(options, std::move(configuration), is_dev).run(bequest);
}

}  // namespace forebay::cli
