#pragma once
// forebay_db_up{db,role} and forebay_db_hold_seconds_total{db}, from what the workers of this host write down of outages.

#include <string>
#include <vector>

#include "cli/config/configuration.h"
#include "metrics/metrics.h"

namespace forebay::cli {

class OutageMetrics {
  public:
    /// `registry` outlives it. A database that no worker of the configuration uses has no series.
    OutageMetrics(const Configuration& configuration, metrics::Registry& registry);
    /// Reads the files again.
    void refresh(Timestamp now);

  private:
    struct Series {
        std::string path;
        metrics::Gauge* up;
        metrics::Counter* hold_seconds;
        std::int64_t counted = 0;  ///< seconds of the file that are in the counter, or were before it
    };
    std::vector<Series> all_;
};

}  // namespace forebay::cli
