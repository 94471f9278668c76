#pragma once
// forebay_worker_processes{worker,state} and forebay_worker_restarts_total{worker,reason}, as the supervising parent of this data
// directory tells them. A node that runs without one has no such series.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "metrics/metrics.h"
#include "supervisor/supervisor.h"

namespace forebay::cli {

class ProcessMetrics {
  public:
    /// `registry` outlives it.
    ProcessMetrics(std::string control_path, metrics::Registry& registry);
    /// Asks the parent, which answers at once or is not there.
    void refresh();
    /// What it has answered.
    void take(const std::vector<supervisor::ProcessStatus>& processes);

  private:
    void count_restarts(const supervisor::ProcessStatus& process, const char* reason, std::uint64_t count);

    const std::string control_path_;
    metrics::Registry& registry_;
    std::map<std::pair<std::string, std::string>, metrics::Gauge*> processes_;  ///< by worker and state
    std::map<std::pair<std::string, std::string>, std::uint64_t> seen_;         ///< restarts told last, by process and reason
};

}  // namespace forebay::cli
