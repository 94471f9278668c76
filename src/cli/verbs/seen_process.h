#pragma once
// A process as its supervisor knows it, beside what it says of itself: a worker that runs may still be held.

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/terminal.h"
#include "supervisor/supervisor.h"
#include "worker/pause.h"
#include "worker/standing.h"

namespace forebay::cli {

struct SeenProcess {
    supervisor::ProcessStatus process;
    /// Of `sql` and `exec` workers; hold and quiet only if it is this very process that says so.
    std::optional<worker::Standing> standing;
    /// Of the same: what somebody said.
    std::optional<worker::Pause> pause;

    bool is_held() const { return standing && standing->held; }
    bool is_running() const;
    /// `RUNNING`, `PAUSED`, `HELD`, `QUIET`, `FATAL` …
    std::string state() const;
    Colour colour() const;
    /// What there is to say besides, by itself: why it is held, how the last one ended; empty if it simply runs.
    std::string remark(Timestamp now) const;
    /// `core:store:1`, `node`
    std::string full_name() const;
    /// As supervisorctl has it beside the state: `pid 4664, uptime 0:35:57`, `exit 1, again in 3s`.
    std::string description(Timestamp now) const;
};

/// `0:35:57`, `6 days, 4:12:01`
std::string uptime_text(Duration age);

/// Reads what the workers wrote below `data_dir`.
std::vector<SeenProcess> with_standings(const std::vector<supervisor::ProcessStatus>& processes, const std::string& data_dir);

/// The process as `--json` shows it.
json::Value to_json(const SeenProcess& seen, Timestamp now);

/// `38.1/s` of a count in a minute.
std::string rate_text(std::uint64_t in_a_minute);
/// `11ms`, `1.2s`; `-` for nothing.
std::string latency_text(const std::optional<Duration>& latency);

}  // namespace forebay::cli
