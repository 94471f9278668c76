#include "handlers/sql.h"

#include <algorithm>

#include "base/log_line.h"
#include "handlers/bisect.h"
#include "handlers/effects.h"
#include "handlers/table.h"
#include "handlers/values.h"

namespace forebay::handlers {
namespace {

using Done = Result<void, db::Error>;

/// The `:name`s of a statement, so that only those values are made. SQLite itself binds them; a name in a
/// string or comment costs a value nobody asks for.
std::vector<std::string> names_in(const std::string& statement) {
    std::vector<std::string> names;
    auto is_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
    for (std::size_t at = statement.find(':'); at != std::string::npos; at = statement.find(':', at + 1)) {
        auto end = at + 1;
        while (end < statement.size() && is_name(statement[end])) ++end;
        if (end > at + 1) names.push_back(statement.substr(at + 1, end - at - 1));
    }
    return names;
}

}  // namespace

struct SqlHandler::Inside {
    SqlOptions options;
    db::Options database_options;
    Clock& clock;
    std::vector<std::string> names;
    std::string process;  ///< "store:1"
    std::unique_ptr<db::Database> database;
    std::uint64_t prepared = 0;  ///< the opening after which the tables were made

    Result<db::Database*, db::Error> opened() {
        if (!database) {
            TRY_ASSIGN(database, db::Database::open(database_options));
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
        return db->write([&](db::WriteTransaction& t) -> Done {
            for (auto& job : jobs) TRY(write_one(t, job));
            return {};
        });
    }

    /// After an unknown outcome the same records once more: those that were committed are found done.
    Done write_in_doubt_twice(std::span<const worker::Job> jobs) {
        auto done = write(jobs);
        if (done || done.error().kind != db::ErrorKind::unknown_outcome) return done;
        log_warn("commit.unknown").with("worker", process).with("why", done.error().what).with("records", jobs.size());
        return write(jobs);
    }

    Done write_one(db::WriteTransaction& t, const worker::Job& job) {
        TRY_ASSIGN(auto known, ledger::look_up(t, job.envelope.id, options.worker));
        if (known) return {};
        TRY(write_row(t, job.envelope));
        return ledger::note(t, job.envelope, done_effect(job.attempts + 1), options.search);
    }

    Done write_row(db::WriteTransaction& t, const record::Envelope& envelope) {
        if (!options.statement.empty()) {
            db::Named values;
            for (auto& name : names) values.emplace_back(name, value_of(envelope, name));
            TRY(t.execute_named(options.statement, values));
            return {};
        }
        std::vector<db::Value> values;
        for (auto& column : options.columns) values.push_back(value_of(envelope, column.source));
        TRY(t.execute(insert, values));
        return {};
    }

    ledger::Effect effect() const {
        ledger::Effect effect;
        effect.effect = options.worker;
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

    std::string insert;
};

SqlHandler::SqlHandler(SqlOptions options, db::Options database, Clock& clock) {
    // Without its id a row could not be told from one that is there already.
    if (std::none_of(options.columns.begin(), options.columns.end(), [](auto& c) { return c.name == "id"; }))
        options.columns.insert(options.columns.begin(), {"id", "id", "TEXT"});
    auto names = names_in(options.statement);
    auto process = options.worker + ":" + std::to_string(options.n);
    auto insert = options.table.empty() ? std::string() : insert_statement(options.table, options.columns);
    inside_.reset(
        new Inside{std::move(options), std::move(database), clock, std::move(names), std::move(process), nullptr, 0, std::move(insert)});
}
SqlHandler::~SqlHandler() = default;

std::vector<worker::Outcome> SqlHandler::run(std::span<const worker::Job> jobs, const worker::Limits&) {
    return bisect(jobs, [&](std::span<const worker::Job> some) { return inside_->write_in_doubt_twice(some); });
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
            TRY_ASSIGN(auto retry, ledger::look_up_retry(t, jobs[i].envelope.id, inside_->options.worker));
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
