#include "handlers/effects.h"

#include <filesystem>

namespace forebay::handlers {

std::string_view state_name(worker::Outcome::Kind kind) {
    switch (kind) {
        case worker::Outcome::Kind::done:
            return "done";
        case worker::Outcome::Kind::retry:
            return "retrying";
        case worker::Outcome::Kind::dead:
            return "dead";
        case worker::Outcome::Kind::skipped:
            return "skipped";
        case worker::Outcome::Kind::discarded:
            return "discarded";
        case worker::Outcome::Kind::hold:
        case worker::Outcome::Kind::untouched:
            break;
    }
    return "held";
}

void fill(ledger::Effect& effect, const worker::Settlement& settlement) {
    effect.state = state_name(settlement.kind);
    effect.attempts = settlement.attempts;
    effect.error = settlement.why;
    effect.next_at = settlement.next;
}

std::optional<worker::Wait> wait_of(const ledger::Effect& effect) {
    if (!effect.next_at) return std::nullopt;
    return worker::Wait{effect.at, *effect.next_at};
}

Effects::Effects(EffectsOptions options, Clock& clock)
    : options_(std::move(options)), process_(options_.worker + ":" + std::to_string(options_.n)), clock_(clock), ledger_({}) {}
Effects::~Effects() = default;

Result<db::Database*, db::Error> Effects::opened() {
    if (database_) {
        TRY_ASSIGN(auto times, database_->opened());
        if (times == prepared_) return database_.get();
    }
    db::Options own;
    own.name = "effects of " + process_;
    own.path = ledger::effects_path(options_.data_dir, options_.worker, options_.n);
    std::error_code ignored;
    if (!options_.ledger) std::filesystem::create_directories(std::filesystem::path(own.path).parent_path(), ignored);
    if (!database_) {
        TRY_ASSIGN(database_, db::open(options_.ledger.value_or(own)));
    }
    TRY(database_->write([](db::WriteTransaction& t) { return ledger::prepare(t); }));
    TRY_ASSIGN(prepared_, database_->opened());
    return database_.get();
}

std::vector<db::Options> Effects::files() const { return ledger::effects_files(options_.data_dir, options_.worker); }

EffectKey Effects::key_of(const worker::Job& job) const {
    return {to_text(job.envelope.id), ledger::effect_name(options_.worker, job.envelope.again)};
}

std::map<std::string, std::vector<std::string>> Effects::ids_by_effect(std::span<const worker::Job> jobs) const {
    std::map<std::string, std::vector<std::string>> ids;
    for (auto& job : jobs) {
        auto key = key_of(job);
        ids[key.second].push_back(std::move(key.first));
    }
    return ids;
}

Result<void, db::Error> Effects::ask_ledger(std::span<const worker::Job> jobs, Rows& rows, std::set<ledger::OutboxKey>& sent) {
    if (!options_.ledger) return {};
    return database_->write([&](db::WriteTransaction& t) -> Result<void, db::Error> {
        for (auto& [effect, ids] : ids_by_effect(jobs)) {
            TRY_ASSIGN(auto found, ledger::rows_of(t, ids, effect));
            for (auto& [id, row] : found) rows.emplace(EffectKey{id, effect}, std::move(row));
            TRY_ASSIGN(auto some, ledger::sent_of(t, options_.worker, ids));
            sent.merge(some);
        }
        return {};
    });
}

Result<Effects::Known, db::Error> Effects::known_of(std::span<const worker::Job> jobs) {
    TRY(opened());
    Rows rows;
    Known known;
    TRY(ask_ledger(jobs, rows, known.sent));
    for (auto& [key, row] : rows)
        if (row.state == "done") known.done.emplace(key, row);
    ledger_.look_at(files());
    for (auto& [effect, ids] : ids_by_effect(jobs)) {
        TRY_ASSIGN(auto elsewhere, ledger_.done(ids, effect));
        bool was_sent_once = effect != options_.worker;  // what is run again sends no record on a second time
        if (elsewhere.empty() && !was_sent_once) continue;
        TRY_ASSIGN(auto sent, ledger_.sent(ids, options_.worker));
        for (auto& [id, row] : elsewhere) known.done.emplace(EffectKey{id, effect}, std::move(row));
        known.sent.merge(sent);
    }
    return known;
}

std::vector<std::optional<worker::Wait>> Effects::waits(std::span<const worker::Job> jobs) {
    std::vector<std::optional<worker::Wait>> waits(jobs.size());
    Rows rows;
    std::set<ledger::OutboxKey> ignored;
    if (!opened() || !ask_ledger(jobs, rows, ignored)) return waits;  // the attempt says what is wrong
    ledger_.look_at(files());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        auto key = key_of(jobs[i]);
        if (auto row = rows.find(key); row != rows.end() && row->second.state == "retrying") waits[i] = wait_of(row->second);
        auto story = ledger_.timeline(jobs[i].envelope.id);
        if (!story || !*story) continue;
        for (auto& effect : (*story)->effects)
            if (effect.effect == key.second && effect.state == "retrying" && !waits[i]) waits[i] = wait_of(effect);
    }
    return waits;
}

Result<void, db::Error> Effects::write(const std::vector<Entry>& entries) {
    if (entries.empty()) return {};
    TRY_ASSIGN(auto* database, opened());
    return database->write([&](db::WriteTransaction& t) -> Result<void, db::Error> {
        std::vector<ledger::OutboxKey> follow_ups;
        for (auto& entry : entries) {
            TRY(ledger::note(t, entry.job->envelope, entry.effect, options_.search));
            follow_ups.insert(follow_ups.end(), entry.follow_ups.begin(), entry.follow_ups.end());
        }
        return ledger::add_to_outbox(t, options_.worker, follow_ups);
    });
}

Result<void, db::Error> Effects::mark_sent(const std::vector<ledger::OutboxKey>& follow_ups) {
    TRY_ASSIGN(auto* database, opened());
    return database->write([&](db::WriteTransaction& t) { return ledger::mark_sent(t, options_.worker, follow_ups, clock_.wall()); });
}

Result<void, db::Error> Effects::probe() {
    TRY_ASSIGN(auto* database, opened());
    return database->probe();
}

ledger::Effect Effects::effect(const worker::Job& job, std::string_view state, std::uint32_t attempts) const {
    ledger::Effect effect;
    effect.effect = key_of(job).second;
    effect.state = state;
    effect.attempts = attempts;
    effect.at = clock_.wall();
    effect.worker = process_;
    return effect;
}

}  // namespace forebay::handlers
