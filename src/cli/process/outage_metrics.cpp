#include "cli/process/outage_metrics.h"

#include <algorithm>

#include "cli/process/paths.h"
#include "worker/outage.h"

namespace forebay::cli {
namespace {

std::int64_t seconds_held(const worker::OutageNote& note, Timestamp now) { return note.held(now) / 1s; }

}  // namespace

OutageMetrics::OutageMetrics(const Configuration& configuration, metrics::Registry& registry) {
    registry.describe("forebay_db_up", "0 while workers wait for the database.");
    registry.describe("forebay_db_hold_seconds_total", "How long workers waited for the database.");
    for (const auto& database : configuration.databases) {
        bool is_used = std::any_of(configuration.workers.begin(), configuration.workers.end(),
                                   [&](const auto& worker) { return configuration.effects_database(worker) == &database; });
        if (!is_used) continue;
        auto path = worker::outage_path(outages_folder(configuration.node.data_dir), "db." + database.name);
        all_.push_back({path, &registry.gauge("forebay_db_up", {{"db", database.name}, {"role", "writer"}}),
                        &registry.counter("forebay_db_hold_seconds_total", {{"db", database.name}}),
                        worker::read_outage(path).held_before / 1s});
    }
}

void OutageMetrics::refresh(Timestamp now) {
    for (auto& series : all_) {
        auto note = worker::read_outage(series.path);
        series.up->set(note.down ? 0 : 1);
        auto held = seconds_held(note, now);
        if (held > series.counted) series.hold_seconds->add(static_cast<std::uint64_t>(held - series.counted));
        series.counted = std::max(series.counted, held);
    }
}

}  // namespace forebay::cli
