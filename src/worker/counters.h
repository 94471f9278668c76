#pragma once
// What a worker counts about itself: forebay_effects_total{worker,outcome} and
// forebay_effect_duration_seconds{worker}. Without a registry nothing is counted.

#include "base/time.h"
#include "metrics/metrics.h"
#include "worker/handler.h"

namespace forebay::worker {

class Counters {
  public:
    Counters(metrics::Registry* registry, const std::string& worker);
    /// A record got its answer: done, skipped, discarded, retry or dead, in a run that took so long.
    void settled(Outcome::Kind kind, Duration took);

  private:
    metrics::Counter& counter_of(Outcome::Kind kind);
    metrics::Counter *done_ = nullptr, *retry_ = nullptr, *dead_ = nullptr, *skipped_ = nullptr, *discarded_ = nullptr;
    metrics::Histogram* duration_ = nullptr;
};

}  // namespace forebay::worker
