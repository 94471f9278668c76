#include "handlers/sql.h"

#include <algorithm>
#include <set>

#include "base/log_line.h"
#include "db/dialect.h"
#include "db/statement.h"
#include "handlers/bisect.h"
#include "handlers/effects.h"
#include "handlers/follow_ups.h"
#include "handlers/table.h"
#include "handlers/values.h"

namespace forebay::handlers {
namespace {

using Done = Result<void, db::Error>;

}  // namespace

struct SqlHandler::Inside {
    SqlOptions options;
    db::Options database_options;
    Clock& clock;
    Open open;
    db::Statement statement;           ///< one execution a record: the user's, or the insert into the table
    std::vector<std::string> sources;  ///< of its parameters
    std::string process;               ///< "store:1"
    std::unique_ptr<db::Database> database;
    std::uint64_t prepared = 0;          ///< the opening after which the tables were made
    std::set<ledger::OutboxKey> sent{};  ///< follow-ups of the run's records that were done before
    std::set<std::string> erased{};      ///< of the run's records
    std::set<EffectKey> done_anyway{};   ///< of the run's records about which something else was decided

    Result<db::Database*, db::Error> opened() {
        if (!database) {
            TRY_ASSIGN(database, open(database_options));
        }
        TRY_ASSIGN(auto times, database->opened());
        if (times != prepared) TRY(prepare());
        return database.get();
    }

    Done prepare() {
        TRY(database->write([&](db::WriteTransaction& t) -> Done {
            TRY(ledger::prepare(t));
            if (!options.create_table || options.table.empty()) return {};
            return ensure_table(t, options.table, options.columns);
        }));
        TRY_ASSIGN(prepared, database->opened());
        if (auto since = database->began_anew()) tell_of_new_file(*since);
        return {};
    }

    /// What was settled into the file before is in the log as long as that is kept.
    void tell_of_new_file(Timestamp since) const {
        log_warn("database.begins_anew")
            .with("worker", process)
            .with("file", database_options.path)
            .with("why", "it is empty, and an earlier one was written since " + to_rfc3339(since))
            .with("next", "forebay replay --from " + to_rfc3339(since) + " --effect " + options.worker +
                              " --dry-run says what of it the log still has");
    }

    Done write(std::span<const worker::Job> jobs) {
        TRY_ASSIGN(auto* db, opened());
        return db->write([&](db::WriteTransaction& t) { return write_runs(t, jobs); });
    }

    /// What an operator has run again is rare, and has an effect of its own by another name: each by itself.
    Done write_runs(db::WriteTransaction& t, std::span<const worker::Job> jobs) {
        while (!jobs.empty()) {
            effect_name = effect_of(jobs[0].envelope);
            auto usual = std::find_if(jobs.begin(), jobs.end(), [](auto& job) { return job.envelope.again > 0; }) - jobs.begin();
            auto run = jobs.first(std::max<std::size_t>(static_cast<std::size_t>(usual), 1));
            TRY(write_all(t, run));
            jobs = jobs.subspan(run.size());
        }
        return {};
    }

    std::string effect_name{};  ///< of the records that are being written
    EffectKey key_of(const record::Envelope& envelope) const { return {to_text(envelope.id), effect_of(envelope)}; }
    std::string effect_of(const record::Envelope& envelope) const { return ledger::effect_name(options.worker, envelope.again); }

    /// After an unknown outcome the same records once more: those that were committed are found done.
    Done write_in_doubt_twice(std::span<const worker::Job> jobs) {
        auto done = write(jobs);
        if (done || done.error().kind != db::ErrorKind::unknown_outcome) return done;
        log_warn("commit.unknown").with("worker", process).with("why", done.error().what).with("records", jobs.size());
        return write(jobs);
    }

    /// The effects are noted before the rows: whoever else works on one of these records is met there, before its row could be
    /// written twice.
    Done write_all(db::WriteTransaction& t, std::span<const worker::Job> jobs) {
        std::vector<std::string> ids;
        for (auto& job : jobs) ids.push_back(to_text(job.envelope.id));
        TRY_ASSIGN(auto known, ledger::rows_of(t, ids, effect_name));
        std::vector<ledger::Entry> entries;
        db::Rows rows;
        std::set<std::string> begun;
        std::vector<std::string> done_before;
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            auto row = known.find(ids[i]);
            bool is_done = row != known.end() && row->second.state == "done";
            if (is_done) done_before.push_back(ids[i]);
            if (is_done || jobs[i].decided || !begun.insert(ids[i]).second) continue;
            entries.push_back({&jobs[i].envelope, done_effect(jobs[i].attempts + 1)});
            rows.push_back(values_of(jobs[i].envelope));
        }
        TRY_ASSIGN(auto gone, ledger::note_all(t, entries, known, options.search));
        if (!gone.empty()) leave_out(gone, entries, rows, begun);
        auto decided = decided_of(jobs, ids, done_before, begun);
        if (!decided.empty()) TRY(ledger::note_all(t, decided, known, options.search));
        if (jobs[0].envelope.again > 0) done_before = ids;  // was done once, and sent its record on
        TRY(keep_outbox(t, begun, done_before));
        return write_rows(t, entries, rows);
    }

    /// What is done, before or in this transaction, stays done.
    std::vector<ledger::Entry> decided_of(std::span<const worker::Job> jobs, const std::vector<std::string>& ids,
                                          const std::vector<std::string>& done_before, std::set<std::string> noted) {
        std::vector<ledger::Entry> entries;
        std::set<std::string> done = noted;
        done.insert(done_before.begin(), done_before.end());
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            if (!jobs[i].decided) continue;
            EffectKey key{ids[i], effect_name};
            done_anyway.erase(key);  // of an earlier try
            if (done.contains(ids[i])) done_anyway.insert(std::move(key));
            if (done.contains(ids[i]) || !noted.insert(ids[i]).second) continue;
            auto decided = effect();
            decided.state = state_name(jobs[i].decided->kind);
            decided.attempts = jobs[i].attempts;
            decided.error = jobs[i].decided->why;
            entries.push_back({&jobs[i].envelope, std::move(decided)});
        }
        return entries;
    }

    /// Somebody erased them while they were in hand: no row, and nothing follows.
    void leave_out(const std::set<std::string>& gone, std::vector<ledger::Entry>& entries, db::Rows& rows, std::set<std::string>& begun) {
        std::vector<ledger::Entry> others;
        db::Rows rows_of_others;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (gone.contains(to_text(entries[i].envelope->id))) continue;
            others.push_back(entries[i]);
            rows_of_others.push_back(std::move(rows[i]));
        }
        entries = std::move(others);
        rows = std::move(rows_of_others);
        std::erase_if(begun, [&](const std::string& id) { return gone.contains(id); });
        erased.insert(gone.begin(), gone.end());
    }

    Done keep_outbox(db::WriteTransaction& t, const std::set<std::string>& begun, const std::vector<std::string>& done_before) {
        if (options.then.empty()) return {};
        std::vector<ledger::OutboxKey> follow_ups;
        for (auto& id : begun)
            for (auto& queue : options.then) follow_ups.push_back({id, queue});
        TRY(ledger::add_to_outbox(t, options.worker, follow_ups));
        TRY_ASSIGN(auto some, ledger::sent_of(t, options.worker, done_before));
        sent.merge(some);
        return {};
    }

    db::Row values_of(const record::Envelope& envelope) const {
        db::Row values;
        for (auto& source : sources) values.push_back(value_of(envelope, source));
        return values;
    }

    Done write_rows(db::WriteTransaction& t, std::span<const ledger::Entry> entries, const db::Rows& rows) {
        TRY_ASSIGN(auto changed, t.execute_many(statement.sql, rows));
        bool may_be_dropped = db::is_mysql(t.driver()) && !options.table.empty() && changed < static_cast<std::int64_t>(rows.size());
        return may_be_dropped ? find_all(t, entries) : Done();
    }

    /// MariaDB also leaves out a row that meets another unique key of the table than the id's.
    Done find_all(db::WriteTransaction& t, std::span<const ledger::Entry> entries) {
        std::vector<std::string> ids;
        for (auto& entry : entries) ids.push_back(to_text(entry.envelope->id));
        auto table = db::quoted(t.driver(), options.table);
        TRY_ASSIGN(auto found, t.query_keys("SELECT id FROM " + table + " WHERE id IN (?)", {}, ids));
        std::set<std::string> there;
        for (auto& row : found) there.insert(db::text_of(row[0]));
        for (auto& id : ids) {
            if (there.contains(id)) continue;
            db::Error error;
            error.kind = db::ErrorKind::poison;
            error.what = database_options.name + ": a unique key of " + options.table + " other than id has the record's value already";
            return Failure{error};
        }
        return {};
    }

    ledger::Effect effect() const {
        ledger::Effect effect;
        effect.effect = effect_name;
        effect.at = clock.wall();
        effect.worker = process;
        return effect;
    }

    ledger::Effect done_effect(std::uint32_t attempts) const {
        auto done = effect();
        done.state = "done";
        done.attempts = attempts;
        return done;
    }
};

SqlHandler::SqlHandler(SqlOptions options, db::Options database, Clock& clock, Open open) {
    // Without its id a row could not be told from one that is there already.
    if (std::none_of(options.columns.begin(), options.columns.end(), [](auto& c) { return c.name == "id"; }))
        options.columns.insert(options.columns.begin(), {"id", "id", "TEXT"});
    auto statement = db::with_names(options.statement, database.driver);
    auto sources = statement.names;
    if (options.statement.empty()) {
        statement.sql = insert_statement(database.driver, options.table, options.columns);
        for (auto& column : options.columns) sources.push_back(column.source);
    }
    auto process = options.worker + ":" + std::to_string(options.n);
    inside_.reset(new Inside{std::move(options), std::move(database), clock, std::move(open), std::move(statement), std::move(sources),
                             std::move(process), nullptr, 0});
}
SqlHandler::~SqlHandler() = default;

std::vector<worker::Outcome> SqlHandler::run(std::span<const worker::Job> jobs, const worker::Limits&) {
    inside_->sent.clear();
    inside_->erased.clear();
    inside_->done_anyway.clear();
    auto outcomes = bisect(jobs, [&](std::span<const worker::Job> some) { return inside_->write_in_doubt_twice(some); });
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (outcomes[i].kind != worker::Outcome::Kind::done || inside_->erased.contains(to_text(jobs[i].envelope.id))) continue;
        if (jobs[i].decided && !inside_->done_anyway.contains(inside_->key_of(jobs[i].envelope))) {
            outcomes[i] = *jobs[i].decided;
            continue;
        }
        outcomes[i].follow_ups = follow_ups_of(jobs[i].envelope, {}, inside_->options.then);
        leave_unsent(jobs[i].envelope.id, outcomes[i].follow_ups, inside_->sent);
    }
    return outcomes;
}

Result<void, std::string> SqlHandler::note_sent(std::span<const worker::Sent> sent) {
    auto database = inside_->opened();
    if (!database) return Failure{database.error().what};
    auto noted = (*database)->write(
        [&](db::WriteTransaction& t) { return ledger::mark_sent(t, inside_->options.worker, outbox_keys(sent), inside_->clock.wall()); });
    if (!noted) return Failure{noted.error().what};
    return {};
}

void SqlHandler::note(std::span<const worker::Job> jobs, std::span<const worker::Settlement> settlements) {
    using Kind = worker::Outcome::Kind;
    auto is_noted = [&](std::size_t i) { return settlements[i].kind == Kind::dead || settlements[i].kind == Kind::retry; };
    bool any = false;
    for (std::size_t i = 0; i < jobs.size(); ++i) any = any || is_noted(i);
    if (!any) return;
    auto database = inside_->opened();
    if (!database) return;  // it is down: there is nowhere to write that it is
    auto noted = (*database)->write([&](db::WriteTransaction& t) -> Done {
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            if (!is_noted(i)) continue;
            auto effect = inside_->effect();
            effect.effect = inside_->effect_of(jobs[i].envelope);
            fill(effect, settlements[i]);
            TRY(ledger::note(t, jobs[i].envelope, effect, inside_->options.search));
        }
        return {};
    });
    if (!noted) log_warn("effect.unnoted").with("worker", inside_->process).with("why", noted.error().what);
}

std::vector<std::optional<worker::Wait>> SqlHandler::waits(std::span<const worker::Job> jobs) {
    std::vector<std::optional<worker::Wait>> waits(jobs.size());
    auto database = inside_->opened();
    if (!database) return waits;  // the attempt says so
    auto read = (*database)->read([&](db::ReadTransaction& t) -> Done {
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            TRY_ASSIGN(auto retry, ledger::look_up_retry(t, jobs[i].envelope.id, inside_->effect_of(jobs[i].envelope)));
            if (retry) waits[i] = wait_of(*retry);
        }
        return {};
    });
    return read ? waits : std::vector<std::optional<worker::Wait>>(jobs.size());
}

Result<void, std::string> SqlHandler::probe() {
    auto database = inside_->opened();
    if (!database) return Failure{database.error().what};
    if (auto probed = (*database)->probe(); !probed) return Failure{probed.error().what};
    return {};
}

}  // namespace forebay::handlers
