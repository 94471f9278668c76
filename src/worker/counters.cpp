#include "worker/counters.h"

namespace forebay::worker {

Counters::Counters(metrics::Registry* registry, const std::string& worker) {
    if (registry == nullptr) return;
    auto outcome = [&](const char* name) { return &registry->counter("forebay_effects_total", {{"worker", worker}, {"outcome", name}}); };
    done_ = outcome("done");
    retry_ = outcome("retry");
    dead_ = outcome("dead");
    duration_ = &registry->histogram("forebay_effect_duration_seconds", {{"worker", worker}});
}

void Counters::settled(Outcome::Kind kind, Duration took) {
    if (duration_ == nullptr) return;
    auto* counter = kind == Outcome::Kind::done ? done_ : kind == Outcome::Kind::dead ? dead_ : retry_;
    counter->add();
    duration_->observe(took);
}

}  // namespace forebay::worker
