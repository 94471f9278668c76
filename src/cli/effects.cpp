#include "cli/effects.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/words.h"

namespace forebay::cli {
namespace {

void add_effects(const Configuration& configuration, const std::string& queue, std::vector<const WorkerConfiguration*>& out) {
    for (const auto& worker : configuration.workers) {
        bool is_here = worker.queue == queue && worker.handler != HandlerKind::program;
        if (!is_here || std::find(out.begin(), out.end(), &worker) != out.end()) continue;
        out.push_back(&worker);
        for (const auto& next : worker.then) add_effects(configuration, next, out);
    }
}

std::string time_taken(Duration taken) {
    return taken < 10s ? fmt::format("{:.2f}s", static_cast<double>(std::max<std::int64_t>(taken.count(), 0)) / 1000) : age_text(taken);
}

bool is_settled(std::string_view state) { return state == "done" || state == "skipped" || state == "discarded"; }

std::string unfinished(const EffectState& state, Timestamp now) {
    auto text = state.effect + " " + state.state;
    if (!state.row) return text;
    if (state.row->attempts > 0) text += " (" + counted(state.row->attempts, "attempt") + ")";
    if (state.row->next_at && *state.row->next_at > now) text += ", next in " + age_text(*state.row->next_at - now);
    if (!state.row->error.empty()) text += ": " + state.row->error;
    return text;
}

}  // namespace

std::vector<const WorkerConfiguration*> effects_of(const Configuration& configuration, const std::string& queue) {
    std::vector<const WorkerConfiguration*> out;
    add_effects(configuration, queue, out);
    return out;
}

std::vector<const WorkerConfiguration*> effects_before(const Configuration& configuration, const WorkerConfiguration& worker) {
    std::vector<const WorkerConfiguration*> out;
    for (const auto& other : configuration.workers) {
        auto after = effects_of(configuration, other.queue);
        bool leads_here = &other != &worker && std::find(after.begin(), after.end(), &other) != after.end() &&
                          std::any_of(other.then.begin(), other.then.end(), [&](const auto& next) {
                              auto further = effects_of(configuration, next);
                              return std::find(further.begin(), further.end(), &worker) != further.end();
                          });
        if (leads_here) out.push_back(&other);
    }
    return out;
}

std::vector<db::Options> ledger_sources(const Configuration& configuration) {
    std::vector<db::Options> sources;
    for (const auto& worker : configuration.workers) {
        const auto* database = configuration.effects_database(worker);
        if (database == nullptr) continue;
        bool is_there =
            std::any_of(sources.begin(), sources.end(), [&](const db::Options& source) { return source.name == database->name; });
        if (!is_there) sources.push_back(database->options);
    }
    auto effects = ledger::effects_files(configuration.node.data_dir);
    sources.insert(sources.end(), effects.begin(), effects.end());
    return sources;
}

std::vector<EffectState> states_of(const Configuration& configuration, const std::string& queue, const std::vector<ledger::Effect>& rows) {
    std::vector<EffectState> states;
    for (const auto* worker : effects_of(configuration, queue)) states.push_back({worker->name, "queued", {}});
    for (const auto& row : rows) {
        auto at = std::find_if(states.begin(), states.end(), [&](const EffectState& state) { return state.effect == row.effect; });
        if (at == states.end()) at = states.insert(states.end(), EffectState{row.effect, "", {}});
        at->state = row.state;
        at->row = row;
    }
    // `then` follows what is done: what stands behind an effect that was not run is not awaited.
    auto is_left_out = [&](const EffectState& state) {
        const auto* worker = configuration.find_worker(state.effect);
        if (state.row || worker == nullptr) return false;
        auto before = effects_before(configuration, *worker);
        return std::any_of(states.begin(), states.end(), [&](const EffectState& other) {
            return (other.state == "skipped" || other.state == "discarded") &&
                   std::any_of(before.begin(), before.end(), [&](const auto* earlier) { return earlier->name == other.effect; });
        });
    };
    std::vector<EffectState> awaited;
    for (const auto& state : states)
        if (!is_left_out(state)) awaited.push_back(state);
    return awaited;
}

std::string summary_of(const std::vector<EffectState>& states, Timestamp received_at, Timestamp now) {
    std::string open;
    auto last = received_at;
    for (const auto& state : states) {
        if (!is_settled(state.state)) open += (open.empty() ? "" : "; ") + unfinished(state, now);
        if (state.row) last = std::max(last, state.row->at);
    }
    if (!open.empty()) return open;
    return states.empty() ? "no worker for it" : "settled in " + time_taken(last - received_at);
}

}  // namespace forebay::cli
