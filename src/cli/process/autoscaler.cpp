#include "cli/process/autoscaler.h"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/log_line.h"
#include "cli/process/paths.h"
#include "cli/process/plain_get.h"
#include "worker/standing.h"

namespace forebay::cli {
namespace {

constexpr Duration node_answers_within = 2s, parent_answers_within = 500ms;

bool is_alive(int pid) { return pid > 0 && (::kill(pid, 0) == 0 || errno == EPERM); }

const SeenBacklog* backlog_of(const std::vector<SeenBacklog>& backlogs, const std::string& queue) {
    auto at = std::find_if(backlogs.begin(), backlogs.end(), [&](const SeenBacklog& one) { return one.queue == queue; });
    return at == backlogs.end() ? nullptr : &*at;
}

const supervisor::PoolStatus* pool_of(const std::optional<supervisor::ControlAnswer>& parent, const std::string& worker) {
    if (!parent) return nullptr;
    auto at = std::find_if(parent->pools.begin(), parent->pools.end(), [&](const auto& pool) { return pool.worker == worker; });
    return at == parent->pools.end() ? nullptr : &*at;
}

/// Whether one of them works, or is about to.
bool is_any_up(const supervisor::ControlAnswer& parent, const std::string& worker) {
    return std::any_of(parent.processes.begin(), parent.processes.end(), [&](const auto& process) {
        return process.worker == worker && (process.state == supervisor::State::running || process.state == supervisor::State::starting);
    });
}

std::uint64_t count_of(const json::Value& value) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(value.integer().value_or(0), 0));
}

SeenBacklog backlog_in(const json::Value& told) {
    SeenBacklog backlog;
    backlog.queue = told["queue"].text();
    backlog.at = {told["at_ms"].integer().value_or(0)};
    backlog.ready = count_of(told["ready"]);
    backlog.in_flight = count_of(told["in_flight"]);
    if (auto oldest = told["oldest_ms"].integer()) backlog.oldest = Duration(*oldest);
    backlog.sent = count_of(told["sent"]);
    backlog.deleted = count_of(told["deleted"]);
    backlog.is_paused = told["paused"].boolean();
    return backlog;
}

}  // namespace

Autoscaler::Autoscaler(const Configuration& configuration, Parts parts) : parts_(std::move(parts)), data_dir_(configuration.node.data_dir) {
    take(configuration);
    thread_ = std::thread([this] { run(); });
}

Autoscaler::~Autoscaler() {
    {
        std::lock_guard guard(lock_);
        ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Autoscaler::take(const Configuration& configuration) {
    std::vector<Watched> watched;
    std::lock_guard guard(lock_);
    for (const auto& worker : configuration.workers) {
        auto before = std::find_if(watched_.begin(), watched_.end(),
                                   [&](const Watched& one) { return one.worker == worker.name && one.queue == worker.queue; });
        if (before != watched_.end()) {
            before->autoscale.take(worker.scale);
            before->tells = worker.handler != HandlerKind::program;
            watched.push_back(std::move(*before));
        } else {
            watched.push_back({worker.name, worker.queue, worker.handler != HandlerKind::program, worker::Autoscale(worker.scale)});
            watched.back().decision.processes = watched.back().wanted = worker.scale.min;
        }
    }
    watched_ = std::move(watched);
}

json::Value Autoscaler::told() const {
    auto all = json::Value::array();
    std::lock_guard guard(lock_);
    for (const auto& watched : watched_) all.push(to_json(watched));
    return all;
}

json::Value Autoscaler::to_json(const Watched& watched) {
    const auto& options = watched.autoscale.options();
    const auto& backlog = watched.backlog;
    bool is_seen = watched.is_seen;
    auto seen = [&](auto value) { return is_seen ? json::Value(value) : json::Value(); };
    json::Value oldest_seconds, oldest_ms;
    if (is_seen && backlog.oldest) {
        oldest_seconds = static_cast<double>(backlog.oldest->count()) / 1000;
        oldest_ms = backlog.oldest->count();
    }
    json::Value out;
    out.set("worker", watched.worker).set("queue", watched.queue);
    out.set("ready", seen(backlog.ready)).set("in_flight", seen(backlog.in_flight));
    out.set("oldest_seconds", std::move(oldest_seconds));
    out.set("processes", watched.wanted).set("desired", watched.decision.processes);
    out.set("min", options.min).set("max", options.max).set("why", watched.decision.why);
    out.set("at_ms", seen(backlog.at.ms)).set("oldest_ms", std::move(oldest_ms));
    out.set("sent", seen(backlog.sent)).set("deleted", seen(backlog.deleted)).set("paused", backlog.is_paused);
    return out;
}

void Autoscaler::run() {
    // Signals are the business of the main thread.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    std::unique_lock guard(lock_);
    while (!ending_) {
        guard.unlock();
        look();
        guard.lock();
        wake_.wait_for(guard, parts_.every, [this] { return ending_; });
    }
}

void Autoscaler::look() {
    {
        std::lock_guard guard(lock_);
        bool has_choice = std::any_of(watched_.begin(), watched_.end(),
                                      [](const Watched& one) { return one.autoscale.options().max > one.autoscale.options().min; });
        if (!has_choice) return;
    }
    auto backlogs = parts_.backlogs();
    if (!backlogs) return;
    auto parent = parts_.parent();
    if (parts_.scale && !parent) return;
    std::lock_guard guard(lock_);
    for (auto& watched : watched_)
        if (const auto* backlog = backlog_of(*backlogs, watched.queue)) look_at(watched, *backlog, parent);
}

void Autoscaler::look_at(Watched& watched, const SeenBacklog& backlog, const std::optional<supervisor::ControlAnswer>& parent) {
    const auto* pool = pool_of(parent, watched.worker);
    watched.is_seen = true;
    watched.backlog = backlog;
    watched.wanted = pool != nullptr ? pool->count : watched.decision.processes;
    auto processes = processes_of(watched);
    worker::ScaleLook look;
    look.now = backlog.at;
    look.ready = backlog.ready;
    look.oldest = backlog.oldest;
    look.sent = backlog.sent;
    look.deleted = backlog.deleted;
    look.worked = processes.worked;
    look.wanted = watched.wanted;
    look.is_held = backlog.is_paused || processes.is_held || (pool != nullptr && !is_any_up(*parent, watched.worker));
    watched.decision = watched.autoscale.look(look);
    if (pool != nullptr && pool->is_by_hand)
        watched.decision = {pool->count, "fixed by hand"};
    else if (pool != nullptr)
        scale(watched);
}

/// What those of this host wrote, if one of them is alive. A process that is new has worked from its start on; at the first look
/// nobody has.
Autoscaler::Processes Autoscaler::processes_of(Watched& watched) {
    Processes all;
    if (!watched.tells) return all;
    bool is_first = watched.processes.empty();
    unsigned alive = 0, quiet = 0;
    worker::Worked worked;
    for (unsigned n = 1; n <= std::max(watched.wanted, watched.autoscale.options().max); ++n) {
        auto standing = worker::read_standing(standing_path(data_dir_, watched.worker, n));
        if (!standing) continue;
        auto& known = watched.processes[n];
        bool is_same = known.pid == standing->pid && known.started == standing->started;
        auto before = is_same ? known.worked : worker::Worked{};
        if (!is_first) {
            worked.records += standing->worked - std::min(standing->worked, before.records);
            worked.took += std::max(standing->busy - before.took, Duration::zero());
        }
        known = {standing->pid, standing->started, {standing->worked, standing->busy}};
        if (!is_alive(standing->pid)) continue;
        ++alive;
        quiet += standing->is_quiet ? 1 : 0;
        all.is_held = all.is_held || standing->held;
    }
    all.is_held = all.is_held || (alive > 0 && quiet == alive);
    if (alive > 0) all.worked = worked;
    return all;
}

void Autoscaler::scale(Watched& watched) {
    auto from = watched.wanted, to = watched.decision.processes;
    if (from == to || !parts_.scale) return;
    parts_.scale(watched.worker, to);
    if (std::exchange(watched.said, std::pair(from, to)) == std::pair(from, to)) return;
    log_info("worker.scaled").with("worker", watched.worker).with("from", from).with("to", to).with("why", watched.decision.why);
}

std::function<std::optional<std::vector<SeenBacklog>>()> backlogs_of_node(const Listen& admin) {
    return [admin]() -> std::optional<std::vector<SeenBacklog>> {
        auto answer = plain_get(admin, "/v1/scale", node_answers_within);
        if (!answer.ok()) return std::nullopt;
        auto told = json::parse(*answer);
        if (!told.ok()) return std::nullopt;
        std::vector<SeenBacklog> backlogs;
        for (const auto& worker : (*told)["workers"].elements())
            if (!worker["at_ms"].is_null()) backlogs.push_back(backlog_in(worker));
        return backlogs;
    };
}

std::function<std::optional<supervisor::ControlAnswer>()> parent_of(const std::string& data_dir) {
    return [path = control_path(data_dir)]() -> std::optional<supervisor::ControlAnswer> {
        auto answer = supervisor::ask(path, {}, parent_answers_within);
        if (!answer.ok() || !answer->ok) return std::nullopt;
        return std::move(*answer);
    };
}

}  // namespace forebay::cli
