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

Effects::Effects(std::string data_dir, std::string worker, unsigned n, std::vector<ledger::SearchField> search, Clock& clock)
    : data_dir_(std::move(data_dir)),
      worker_(std::move(worker)),
      process_(worker_ + ":" + std::to_string(n)),
      path_(ledger::effects_path(data_dir_, worker_, n)),
      search_(std::move(search)),
      clock_(clock),
      ledger_({}) {}
Effects::~Effects() = default;

Result<db::Database*, db::Error> Effects::opened() {
    if (database_) {
        TRY_ASSIGN(auto times, database_->opened());
        if (times == prepared_) return database_.get();
    }
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);  // opening says why it cannot
    db::Options options;
    options.name = "effects of " + process_;
    options.path = path_;
    if (!database_) {
        TRY_ASSIGN(database_, db::open(options));
    }
    TRY(database_->write([](db::WriteTransaction& t) { return ledger::prepare(t); }));
    TRY_ASSIGN(prepared_, database_->opened());
    return database_.get();
}

Result<std::map<std::string, ledger::Effect>, db::Error> Effects::done_among(std::span<const worker::Job> jobs) {
    TRY(opened());
    ledger_.look_at(ledger::effects_files(data_dir_, worker_));
    std::vector<std::string> ids;
    for (auto& job : jobs) ids.push_back(to_text(job.envelope.id));
    return ledger_.done(ids, worker_);
}

std::vector<std::optional<worker::Wait>> Effects::waits(std::span<const worker::Job> jobs) {
    std::vector<std::optional<worker::Wait>> waits(jobs.size());
    ledger_.look_at(ledger::effects_files(data_dir_, worker_));
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        auto story = ledger_.timeline(jobs[i].envelope.id);
        if (!story || !*story) continue;  // the attempt says what is wrong with the files
        for (auto& effect : (*story)->effects)
            if (effect.effect == worker_ && effect.state == "retrying") waits[i] = wait_of(effect);
    }
    return waits;
}

Result<void, db::Error> Effects::write(const std::vector<Entry>& entries) {
    if (entries.empty()) return {};
    TRY_ASSIGN(auto* database, opened());
    return database->write([&](db::WriteTransaction& t) -> Result<void, db::Error> {
        for (auto& entry : entries) TRY(ledger::note(t, entry.job->envelope, entry.effect, search_));
        return {};
    });
}

ledger::Effect Effects::effect(std::string_view state, std::uint32_t attempts) const {
    ledger::Effect effect;
    effect.effect = worker_;
    effect.state = state;
    effect.attempts = attempts;
    effect.at = clock_.wall();
    effect.worker = process_;
    return effect;
}

}  // namespace forebay::handlers
