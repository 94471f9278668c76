// `db schema-diff`: what the sql workers need and the databases lack.
#include <algorithm>
#include <charconv>

#include "cli/table.h"
#include "cli/verbs/db_choice.h"
#include "cli/verbs/verbs.h"
#include "db/schema.h"
#include "db/statement.h"

namespace forebay::cli {
namespace {

constexpr std::size_t column_of_table = 2;  ///< in what MariaDB and MySQL explain

/// `max` of the field where it comes to that queue, if it counts characters.
std::int64_t characters_of(const Configuration& configuration, const std::string& queue, const std::string& source) {
    std::int64_t most = 0;
    for (const auto& endpoint : configuration.endpoints)
        for (const auto& field : endpoint.fields) {
            using T = intake::FieldType;
            bool counts = field.type == T::string || field.type == T::email || field.type == T::url;
            if (endpoint.queue != queue || field.name != source || !counts) continue;
            std::int64_t max = 0;
            std::from_chars(field.max.data(), field.max.data() + field.max.size(), max);
            most = std::max(most, max);
        }
    return most;
}

Result<std::vector<db::SchemaDifference>, db::Error> of_table(const Configuration& configuration, const WorkerConfiguration& worker,
                                                              db::ReadTransaction& transaction) {
    std::vector<db::GivenColumn> given = {{"id", 0}};
    for (const auto& column : worker.sql.columns)
        if (column.name != "id") given.push_back({column.name, characters_of(configuration, worker.queue, column.source)});
    TRY_ASSIGN(auto schema, db::schema_of(transaction, worker.sql.table));
    return db::differences(schema, given);
}

/// A statement of the user's own is explained by the database, which reads it and runs nothing. MariaDB does not even explain a change
/// in a transaction that only reads; a SQLite file may have its writer.
Result<std::vector<db::SchemaDifference>, db::Error> of_statement(const WorkerConfiguration& worker, const db::Options& options) {
    TRY_ASSIGN(auto reader, db::open_reader(options));
    TRY(reader->read([](db::ReadTransaction& transaction) -> Result<void, db::Error> {
        TRY(transaction.query("SELECT 1"));  // what is away says nothing about the statement
        return {};
    }));
    auto sql = "EXPLAIN " + db::with_names(worker.sql.statement, options.driver).sql;
    std::vector<db::SchemaDifference> found;
    auto explain = [&](db::ReadTransaction& transaction) -> Result<void, db::Error> {
        TRY_ASSIGN(auto plan, transaction.query(sql));
        bool has_table = !plan.empty() && plan[0].size() > column_of_table;
        if (!has_table || !db::takes_any_key(worker.sql.statement, options.driver)) return {};
        TRY_ASSIGN(auto keys, db::other_unique_keys(transaction, db::text_of(plan[0][column_of_table])));
        for (const auto& key : keys)
            found.push_back({false, key,
                             "is unique too: ON DUPLICATE KEY takes a record that meets it for one that is there, and it is noted as done",
                             "INSERT alone: a record that meets the key is dead then, and only replay --again writes again what is done"});
        return {};
    };
    auto explained = [&]() -> Result<void, db::Error> {
        if (options.driver == db::Driver::sqlite) return reader->read(explain);
        TRY_ASSIGN(auto database, db::open(options));
        return database->write(explain);
    }();
    if (explained) return found;
    return std::vector<db::SchemaDifference>{
        {true, "", explained.error().what, "mend [worker." + worker.name + ".sql] statement, or the table"}};
}

Result<std::vector<db::SchemaDifference>, db::Error> differences_of(const Configuration& configuration, const WorkerConfiguration& worker,
                                                                    const db::Options& options) {
    if (worker.sql.table.empty()) return of_statement(worker, options);
    std::vector<db::SchemaDifference> found;
    TRY_ASSIGN(auto reader, db::open_reader(options));
    TRY(reader->read([&](db::ReadTransaction& transaction) -> Result<void, db::Error> {
        TRY_ASSIGN(found, of_table(configuration, worker, transaction));
        return {};
    }));
    return found;
}

}  // namespace

int run_db_schema_diff(Invocation& invocation) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    auto databases = chosen_databases(invocation, *configuration);
    if (!databases) return exit_code::usage;
    auto& terminal = invocation.terminal();
    Table table({"LEVEL", "DB", "WORKER", "TABLE", "COLUMN", "WHAT", "NEXT"});
    auto list = json::Value::array();
    bool is_fatal = false;
    for (const auto* database : *databases) {
        for (const auto& worker : configuration->workers) {
            if (worker.handler != HandlerKind::sql || worker.database != database->name) continue;
            auto found = differences_of(*configuration, worker, database->options);
            if (!found) return terminal.complain(found.error().what), exit_code::unreachable;
            auto name = worker.sql.table.empty() ? std::string("(statement)") : worker.sql.table;
            for (const auto& difference : *found) {
                is_fatal = is_fatal || difference.is_fatal;
                auto level = difference.is_fatal ? Cell("error", Colour::bad) : Cell("warn", Colour::warn);
                table.add({level, database->name, worker.name, name, difference.column.empty() ? "-" : difference.column, difference.what,
                           difference.next});
                list.push(json::Value()
                              .set("level", level.text)
                              .set("db", database->name)
                              .set("worker", worker.name)
                              .set("table", name)
                              .set("column", difference.column)
                              .set("what", difference.what)
                              .set("next", difference.next));
            }
        }
    }
    if (terminal.wants_json())
        terminal.result_json(json::Value().set("differences", std::move(list)));
    else
        terminal.result(table.is_empty() ? "Every table has what its workers need.\n" : table.text(terminal));
    return is_fatal ? exit_code::check_failed : exit_code::done;
}

}  // namespace forebay::cli
