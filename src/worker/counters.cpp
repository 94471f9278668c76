#include "worker/counters.h"

namespace forebay::worker {

Counters::Counters(metrics::Registry* registry, const std::string& worker) {
    if (registry == nullptr) return;
    auto outcome = [&](const char* name) { return &registry->counter("forebay_effects_total", {{"worker", worker}, {"outcome", name}}); };
    done_ = outcome("done");
    retry_ = outcome("retry");
    dead_ = outcome("dead");
    skipped_ = outcome("skipped");
    discarded_ = outcome("discarded");
    duration_ = &registry->histogram("forebay_effect_duration_seconds", {{"worker", worker}});
}

metrics::Counter& Counters::counter_of(Outcome::Kind kind) {
    switch (kind) {
        case Outcome::Kind::done:
            return *done_;
        case Outcome::Kind::skipped:
            return *skipped_;
        case Outcome::Kind::discarded:
            return *discarded_;
        case Outcome::Kind::dead:
            return *dead_;
        case Outcome::Kind::retry:
        case Outcome::Kind::hold:
        case Outcome::Kind::untouched:
            break;
    }
    return *retry_;
}

void Counters::settled(Outcome::Kind kind, Duration took) {
    if (duration_ == nullptr) return;
    counter_of(kind).add();
    duration_->observe(took);
}

}  // namespace forebay::worker
