#pragma once
// Sends what a registry counted since the last time to a statsd server: one UDP datagram holds several
// lines, counters go as differences, gauges as they are, histograms as the number and the sum of
// milliseconds of what was observed. A server that is down costs nothing and loses only what was sent to it.

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"
#include "base/time.h"
#include "metrics/metrics.h"

namespace forebay::metrics {

/// The Graphite path of a series. The first label is the subject and comes first; a leading word of the name
/// that only repeats the subject, or says "records", is dropped, as are "_total" and the unit of durations:
///   forebay_records_accepted_total{endpoint="lead"}              forebay.endpoint.lead.accepted
///   forebay_queue_messages{queue="lead",state="ready"}           forebay.queue.lead.messages.ready
///   forebay_effects_total{worker="store",outcome="done"}         forebay.worker.store.effects.done
///   forebay_request_duration_seconds{endpoint="lead"}            forebay.endpoint.lead.request_duration
///   forebay_journal_bytes                                        forebay.journal_bytes
std::string graphite_name(std::string_view name, const Labels& labels);

struct StatsdOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8125;
    Duration every = 10s;  ///< zero: only send_now() sends
    std::string prefix{};  ///< put before every path with a dot, e.g. a node's name
};

class Statsd {
  public:
    /// Resolves the host once. `registry` outlives the object.
    static Result<std::unique_ptr<Statsd>, std::string> open(const Registry& registry, StatsdOptions options);
    /// Sends a last time.
    ~Statsd();
    /// Sends what changed. Any thread.
    void send_now();

  private:
    Statsd(const Registry& registry, StatsdOptions options, int socket);
    void run();
    void flush(std::string& datagram);

    const Registry& registry_;
    StatsdOptions options_;
    int socket_;
    std::mutex sending_;                  ///< guards last_: one sender at a time
    std::map<std::string, double> last_;  ///< of series that are still there
    std::mutex lock_;                     ///< guards stopping_
    std::condition_variable stop_asked_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace forebay::metrics
