// `db check`, `db probe`: whether databases are set as they must be, and whether they answer.
#include "db/requirements.h"

#include "cli/table.h"
#include "cli/verbs/db_choice.h"
#include "cli/verbs/verbs.h"
#include "db/database.h"

namespace forebay::cli {

std::optional<std::vector<const DatabaseConfiguration*>> chosen_databases(Invocation& invocation, const Configuration& configuration) {
    std::vector<const DatabaseConfiguration*> found;
    for (const auto& word : invocation.words()) {
        found.push_back(configuration.find_database(word));
        if (found.back() == nullptr) return invocation.misused("there is no [db." + word + "]"), std::nullopt;
    }
    if (found.empty())
        for (const auto& database : configuration.databases) found.push_back(&database);
    if (found.empty()) return invocation.misused("the configuration has no [db.NAME]"), std::nullopt;
    return found;
}

namespace {

/// One place to look at: a database through its own addresses, or a node of its cluster by itself.
struct Place {
    std::string name;
    db::Options options;
};

std::vector<Place> places_of(const DatabaseConfiguration& database) {
    std::vector<Place> places;
    auto options = database.options;
    if (!options.writer.empty()) options.reader = options.writer;  // the session that writes counts
    places.push_back({database.name, options});
    for (const auto& node : database.cluster.nodes) {
        options.reader = options.writer = {{node.address, node.port}};
        places.push_back({database.name + "/" + node.name, options});
    }
    return places;
}

std::vector<db::Finding> findings_at(const Place& place) {
    db::Facts facts;
    auto look = [&](db::ReadTransaction& transaction) -> Result<void, db::Error> {
        TRY_ASSIGN(facts, db::facts_of(transaction));
        return {};
    };
    auto reader = db::open_reader(place.options);
    auto looked = reader ? (*reader)->read(look) : Result<void, db::Error>(Failure{reader.error()});
    if (looked) return db::judge(facts);
    return {{db::Finding::Level::error, "connection", looked.error().what, "is it running, and does user and password fit?"}};
}

Cell level_cell(db::Finding::Level level) {
    if (level == db::Finding::Level::ok) return {"ok", Colour::good};
    return level == db::Finding::Level::warn ? Cell("warn", Colour::warn) : Cell("error", Colour::bad);
}

}  // namespace

int run_db_check(Invocation& invocation) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    auto databases = chosen_databases(invocation, *configuration);
    if (!databases) return exit_code::usage;
    bool has_error = false;
    Table table({"LEVEL", "DB", "WHAT", "FOUND", "NEXT"});
    auto list = json::Value::array();
    for (const auto* database : *databases)
        for (const auto& place : places_of(*database))
            for (const auto& finding : findings_at(place)) {
                has_error = has_error || finding.level == db::Finding::Level::error;
                auto level = level_cell(finding.level);
                table.add({level, place.name, finding.what, finding.found, finding.next.empty() ? "-" : finding.next});
                list.push(json::Value()
                              .set("level", level.text)
                              .set("db", place.name)
                              .set("what", finding.what)
                              .set("found", finding.found)
                              .set("next", finding.next));
            }
    auto& terminal = invocation.terminal();
    if (terminal.wants_json())
        terminal.result_json(json::Value().set("findings", std::move(list)));
    else
        terminal.result(table.text(terminal));
    return has_error ? exit_code::check_failed : exit_code::done;
}

namespace {

struct Probed {
    std::string where;
    Duration took{};
    std::string why;  ///< empty when it answered
};

template <class Do>
Probed timed(Clock& clock, std::string where, Do what) {
    auto begun = clock.now();
    auto done = what();
    return {std::move(where), clock.now() - begun, done ? std::string() : done.error().what};
}

Result<void, db::Error> read_one(const db::Options& options) {
    TRY_ASSIGN(auto reader, db::open_reader(options));
    return reader->read([](db::ReadTransaction& transaction) -> Result<void, db::Error> {
        TRY(transaction.query("SELECT 1"));
        return {};
    });
}

/// The writer as a server's pool reaches it; a SQLite file is only looked at, for a worker may hold it.
Result<void, db::Error> probe_writer(const db::Options& options) {
    TRY_ASSIGN(auto database, db::open(options));
    return database->probe();
}

std::string listed(const std::vector<db::Address>& addresses) {
    std::string out;
    for (const auto& address : addresses) out += (out.empty() ? "" : ", ") + db::to_text(address);
    return out;
}

}  // namespace

int run_db_probe(Invocation& invocation) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    auto databases = chosen_databases(invocation, *configuration);
    if (!databases) return exit_code::usage;
    auto& clock = invocation.world().clock;
    bool all_answer = true;
    Table table({"DB", "AS", "WHERE", "ANSWER"});
    auto list = json::Value::array();
    auto note = [&](const std::string& name, const char* as, const Probed& probed) {
        all_answer = all_answer && probed.why.empty();
        table.add({name, as, probed.where, probed.why.empty() ? Cell(to_text(probed.took), Colour::good) : Cell(probed.why, Colour::bad)});
        list.push(
            json::Value().set("db", name).set("as", as).set("where", probed.where).set("ms", probed.took.count()).set("why", probed.why));
    };
    for (const auto* database : *databases) {
        const auto& options = database->options;
        if (options.driver == db::Driver::sqlite) {
            note(database->name, "file", timed(clock, options.path, [&] { return read_one(options); }));
            continue;
        }
        note(database->name, "writer", timed(clock, listed(options.writer), [&] { return probe_writer(options); }));
        note(database->name, "reader",
             timed(clock, listed(options.reader.empty() ? options.writer : options.reader), [&] { return read_one(options); }));
    }
    auto& terminal = invocation.terminal();
    if (terminal.wants_json())
        terminal.result_json(json::Value().set("probes", std::move(list)));
    else
        terminal.result(table.text(terminal));
    return all_answer ? exit_code::done : exit_code::unreachable;
}

}  // namespace forebay::cli
