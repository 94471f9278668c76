#include "cli/verbs/seen_process.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/process/paths.h"
#include "cli/verbs/pauses.h"
#include "cli/words.h"
#include "supervisor/control.h"

namespace forebay::cli {

using supervisor::State;

namespace {

constexpr double seconds_of_a_minute = 60;

std::optional<worker::Standing> standing_of(const supervisor::ProcessStatus& process, const std::string& data_dir) {
    if (process.n == 0) return std::nullopt;
    auto standing = worker::read_standing(standing_path(data_dir, process.worker, process.n));
    if (standing && (process.pid == 0 || standing->pid != process.pid)) {
        standing->held.reset();
        standing->is_quiet = false;
    }
    return standing;
}

}  // namespace

bool SeenProcess::is_running() const {
    return process.state == State::running && !pause && !is_held() && !(standing && standing->is_quiet);
}

std::string SeenProcess::state() const {
    if (process.state != State::running || is_running()) return std::string(supervisor::name_of(process.state));
    return pause ? "PAUSED" : is_held() ? "HELD" : "QUIET";
}

Colour SeenProcess::colour() const {
    if (is_running()) return Colour::good;
    return process.state == State::fatal || process.state == State::backoff ? Colour::bad : Colour::warn;
}

std::string SeenProcess::remark(Timestamp now) const {
    if (is_running()) return {};
    if (process.state != State::running) return "for " + age_text(now - process.since) + (process.why.empty() ? "" : ": " + process.why);
    if (pause) return "for " + pause_text(*pause, now) + (standing->is_quiet ? "" : ", finishes what it has in hand");
    if (!is_held()) return "takes nothing new until it gets CONT";
    auto& held = *standing->held;
    auto next = held.next_probe > now ? "probe in " + age_text(held.next_probe - now) : std::string("probing");
    return "for " + age_text(now - held.since) + ": " + printable(held.why) + ", " + next;
}

std::string SeenProcess::full_name() const {
    return process.n == 0 || process.group.empty() ? process.name : process.group + ":" + process.name;
}

std::string SeenProcess::description(Timestamp now) const {
    auto pid = "pid " + std::to_string(process.pid);
    auto again = process.next > now ? "again in " + age_text(process.next - now) : std::string("not started again by itself");
    auto why = process.why.empty() ? std::string() : printable(process.why) + ", ";
    switch (process.state) {
        case State::running:
            return pid + ", " + (is_running() ? "uptime " + uptime_text(now - process.since) : remark(now));
        case State::starting:
        case State::stopping:
            return pid;
        case State::backoff:
        case State::fatal:
            return why + again;
        case State::exited:
            return why + "since " + moment_text(process.since, now) + " UTC";
        case State::stopped:
            return process.why.empty() ? "Not started" : "since " + moment_text(process.since, now) + " UTC";
    }
    return {};
}

std::string uptime_text(Duration age) {
    auto s = std::max<std::int64_t>(age / 1s, 0);
    auto days = s / 86400;
    auto clock = fmt::format("{}:{:02}:{:02}", s / 3600 % 24, s / 60 % 60, s % 60);
    return days == 0 ? clock : counted(static_cast<std::uint64_t>(days), "day") + ", " + clock;
}

std::vector<SeenProcess> with_standings(const std::vector<supervisor::ProcessStatus>& processes, const std::string& data_dir) {
    std::vector<SeenProcess> all;
    auto drained = worker::read_pause(drain_path(data_dir));
    if (drained) drained->reason = drained->reason.empty() ? "drain of the node" : "drain of the node, " + drained->reason;
    for (const auto& process : processes) {
        SeenProcess seen{process, standing_of(process, data_dir), {}};
        // Others than those that tell how they are doing are not paused by such a file.
        bool obeys = seen.standing && process.pid != 0 && seen.standing->pid == process.pid;
        if (obeys) seen.pause = worker::read_pause(worker::pause_path(pauses_folder(data_dir), "worker." + process.worker));
        if (obeys && !seen.pause) seen.pause = drained;
        all.push_back(std::move(seen));
    }
    return all;
}

json::Value to_json(const SeenProcess& seen, Timestamp now) {
    auto out = supervisor::to_json(seen.process);
    out.set("state", seen.state());
    if (!seen.standing) return out;
    const auto& standing = *seen.standing;
    json::Value held;
    if (standing.held)
        held.set("why", standing.held->why).set("since_ms", standing.held->since.ms).set("next_probe_ms", standing.held->next_probe.ms);
    if (seen.pause)
        out.set("paused", json::Value().set("since_ms", seen.pause->since.ms).set("reason", seen.pause->reason).set("by", seen.pause->by));
    auto p95 = standing.recent.p95(now);
    return out.set("held", std::move(held))
        .set("settled_1m", standing.recent.settled_in_last_minute(now))
        .set("p95_ms", p95 ? json::Value(p95->count()) : json::Value())
        .set("failed_1h", standing.recent.failed_in_last_hour(now));
}

std::string rate_text(std::uint64_t in_a_minute) {
    if (in_a_minute == 0) return "0/s";
    auto rate = static_cast<double>(in_a_minute) / seconds_of_a_minute;
    return rate < 0.1 ? "<0.1/s" : fmt::format("{:.1f}/s", rate);
}

std::string latency_text(const std::optional<Duration>& latency) {
    if (!latency) return "-";
    return *latency < 1s ? std::to_string(latency->count()) + "ms" : age_text(*latency);
}

}  // namespace forebay::cli
