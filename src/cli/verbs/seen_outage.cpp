#include "cli/verbs/seen_outage.h"

#include <algorithm>
#include <set>

#include "cli/process/paths.h"
#include "cli/words.h"
#include "worker/outage.h"

namespace forebay::cli {
namespace {

using Workers = std::vector<const WorkerConfiguration*>;

std::uint64_t ready_in(const json::Value& queues, const std::string& name) {
    for (const auto& queue : queues.elements())
        if (queue["name"].text() == name) return static_cast<std::uint64_t>(queue["ready"].integer().value_or(0));
    return 0;
}

std::optional<SeenOutage> seen_outage(const Configuration& configuration, const std::string& what, const Workers& workers,
                                      const json::Value& queues) {
    auto note = worker::read_outage(worker::outage_path(outages_folder(configuration.node.data_dir), what));
    if (workers.empty() || !note.down) return std::nullopt;
    SeenOutage seen{what, note.down->why, note.down->since, {}, 0};
    std::set<std::string> names;
    for (const auto* worker : workers) {
        seen.workers.push_back(worker->process.group + ":" + worker->name);
        names.insert(worker->queue);
    }
    for (const auto& name : names) seen.waiting += ready_in(queues, name);
    return seen;
}

}  // namespace

std::string SeenOutage::line(Timestamp now, const Terminal& terminal) const {
    std::string names;
    for (const auto& worker : workers) names += (names.empty() ? "" : ", ") + worker;
    return terminal.painted("HOLD", Colour::warn) + " " + what + "  for " + age_text(now - since) + ": " + printable(why) + ", " +
           counted(waiting, "record") + (waiting == 1 ? " waits for " : " wait for ") + names + "\n";
}

json::Value SeenOutage::to_json() const {
    auto names = json::Value::array();
    for (const auto& worker : workers) names.push(worker);
    return json::Value()
        .set("what", what)
        .set("why", why)
        .set("since_ms", since.ms)
        .set("workers", std::move(names))
        .set("waiting", waiting);
}

std::vector<SeenOutage> seen_outages(const Configuration& configuration, const std::vector<SeenProcess>& processes,
                                     const json::Value& queues) {
    // What a file says of workers that are stopped by now is old.
    auto is_held = [&](const WorkerConfiguration& worker) {
        return std::any_of(processes.begin(), processes.end(),
                           [&](const SeenProcess& seen) { return seen.process.worker == worker.name && seen.is_held(); });
    };
    std::vector<SeenOutage> all;
    auto add = [&](const std::string& what, const auto& is_of) {
        Workers workers;
        for (const auto& worker : configuration.workers)
            if (is_of(worker) && is_held(worker)) workers.push_back(&worker);
        if (auto seen = seen_outage(configuration, what, workers, queues)) all.push_back(std::move(*seen));
    };
    for (const auto& database : configuration.databases)
        add("db." + database.name, [&](const auto& worker) { return configuration.effects_database(worker) == &database; });
    for (const auto& one : configuration.workers) add("worker." + one.name, [&](const auto& worker) { return worker.name == one.name; });
    return all;
}

}  // namespace forebay::cli
