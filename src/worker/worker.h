#pragma once
// One numbered worker process: receives records, has the handler run them, and turns each outcome into
// what happens to its message. Promises: a message is deleted only after its effect is done and its
// follow-ups are queued; an outage spends no attempt (while held nothing is received); attempts are
// counted in the message's own state, so they survive any process.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/entropy.h"
#include "base/time.h"
#include "condition/condition.h"
#include "metrics/metrics.h"
#include "transport/source.h"
#include "worker/handler.h"
#include "worker/retry.h"

namespace forebay::worker {

struct Batch {
    unsigned size = 10;
    Duration wait{};  ///< how long to fill a batch after its first record came
};

/// When the process ends by itself so that the supervisor starts a fresh one; zero = never.
struct Recycle {
    Duration after{};
    std::uint64_t jobs = 0;
    std::uint64_t rss_bytes = 0;
};

/// A worker that receives nothing while something is down, with the queue its records wait in.
struct Dependent {
    std::string worker;  ///< "core:store"
    std::string queue;
};

struct Options {
    std::string worker;  ///< "store"; also the name of its effect
    std::string group;   ///< "core"
    unsigned n = 1;
    std::string queue;
    std::optional<condition::Condition> when;  ///< a record for which it does not hold is noted as skipped, and goes no further
    std::string dead_letter;                   ///< empty: a dead record stays in its queue, hidden, and is reported again
    std::uint64_t deliveries_max = 0;          ///< the queue's max_receive_count; 0 = it never moves a message
    Batch batch;
    Duration timeout = 20s;
    Duration visibility = 30s;  ///< asked for with each receive, renewed by the heartbeat
    RetrySchedule retry;
    Recycle recycle;
    Duration poll = 1s;                 ///< of one long poll; also how late a stop can be noticed
    Duration probe = 2s;                ///< between probes while held, jittered
    Duration overrun_grace = 10s;       ///< beyond the handler's time limit the process is killed
    std::string standing_path;          ///< where it says how it is doing (worker/standing.h); empty = nowhere
    std::string depends_on;             ///< what the handler's probe asks, "db.main"; empty = nothing that others depend on too
    std::vector<Dependent> dependents;  ///< all that depend on it, this worker among them
    std::vector<std::string> pauses;    ///< files, each of which pauses this worker while it is there (worker/pause.h)
    std::string outages_folder;         ///< where the processes of a host tell each other of outages; empty = nowhere
};

enum class Ended { asked, recycled };

/// What signals and tests change while run() runs.
struct Controls {
    std::atomic<bool> stop{false};   ///< finish what is in hand, then return
    std::atomic<bool> quiet{false};  ///< take nothing new until cleared
};

/// Parts a worker is made of; all outlive it.
struct Parts {
    transport::Source& source;
    transport::Source& heartbeat;  ///< a connection of its own: used by the heartbeat thread only
    Handler& handler;
    Clock& clock;
    Entropy& entropy;
    Controls& controls;
    metrics::Registry* metrics = nullptr;  ///< null = nothing is counted
    transport::Source* courier = nullptr;  ///< a third connection, for worker/courier.h; null = one thing after the other
    /// How a wait passes; empty = really, and no longer than until a stop is asked.
    std::function<void(Duration)> rest{};
    /// Says that the process is due for recycling, and why, to whoever will stop it when its turn has come; said again now and then.
    /// Empty = it ends by itself.
    std::function<void(std::string_view why)> say_worn_out{};
};

class Worker {
  public:
    Worker(Options options, Parts parts);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Blocks until asked to stop or due for recycling. Both are exit code 0: the supervisor starts a
    /// process that ended by itself again.
    Ended run();

  private:
    struct Inside;
    std::unique_ptr<Inside> inside_;
};

/// TERM and INT set `stop` (a second one, a moment later, leaves at once, safely), TSTP sets `quiet`, CONT clears it.
/// `controls` must live as long as the process.
void obey_signals(Controls& controls);

}  // namespace forebay::worker
