// `erase`: what is known of somebody goes, wherever Forebay has it, and what it cannot reach is said.
#include <algorithm>
#include <set>

#include "cli/admin_client.h"
#include "cli/effects.h"
#include "cli/process/paths.h"
#include "cli/verb.h"
#include "cli/verbs/seen_database.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"
#include "db/dialect.h"
#include "db/statement.h"
#include "ledger/erase.h"

namespace forebay::cli {
namespace {

/// The node reads its whole log, twice.
constexpr Duration log_deadline = 30min;
constexpr std::size_t listed_max = 20;

struct Target {
    Uuid id;
    std::string endpoint;
    Timestamp received_at;
};

/// One database with a ledger, and what the workers that write it erase besides.
struct Source {
    std::string name;
    db::Options options;
    std::vector<std::string> statements;
};

class Erase {
  public:
    Erase(Invocation& invocation, const Configuration& configuration)
        : invocation_(invocation), configuration_(configuration), admin_(invocation), ledger_(ledger_sources(configuration)) {}

    int run() {
        auto email = invocation_.value("email");
        if (invocation_.words().empty() && !email) return invocation_.misused("say whose: an ID, or --email ADDRESS");
        if (int code = find(email.value_or("")); code != exit_code::done) return code;
        if (targets_.empty()) {
            terminal().talk("Nothing found.");
            return exit_code::check_failed;
        }
        if (invocation_.has("dry-run")) return tell_what_it_would();
        if (!terminal().wants_json()) terminal().talk(list());
        if (!invocation_.is_agreed("Erase " + counted(targets_.size(), "record") + " for ever?")) return exit_code::done;
        reason_ = invocation_.reason();
        if (reason_.empty()) return invocation_.misused("erasing needs --reason");
        if (int code = erase_from_node(); code != exit_code::done) return code;
        int code = erase_from_databases();
        report();
        return code;
    }

  private:
    Terminal& terminal() { return invocation_.terminal(); }
    int complaint(const std::string& what, int code) {
        terminal().complain(what);
        return code;
    }

    int find(const std::string& email) {
        std::set<Uuid> ids;
        for (const auto& word : invocation_.words()) {
            auto id = parse_uuid(word);
            if (!id) return invocation_.misused(word + " is not an id; write all 36 characters: forebay find " + word);
            ids.insert(*id);
        }
        if (!email.empty()) {
            auto stories = ledger_.find(email, 1000);
            if (!stories) return complaint(stories.error().what, exit_code::io);
            for (const auto& story : *stories)
                if (auto id = parse_uuid(story.id)) ids.insert(*id);
            auto found = admin_.post("/api/erase/find", json::Value().set("text", email), log_deadline);
            if (!found) return failed(invocation_, found.error());
            for (const auto& text : (*found)["ids"].elements())
                if (auto id = parse_uuid(text.text())) ids.insert(*id);
            if ((*found)["more"].boolean()) terminal().talk("There are more than 1,000; do it again for the others.");
        }
        for (const auto& id : ids) targets_.push_back(target_of(id));
        return exit_code::done;
    }

    /// A refused post is in neither; then only its id is known.
    Target target_of(const Uuid& id) {
        if (auto logged = admin_.get("/api/records/" + to_text(id)))
            return {id, (*logged)["endpoint"].text(), parse_timestamp((*logged)["received_at"].text()).value_or(Timestamp{})};
        if (auto story = ledger_.timeline(id); story && *story) return {id, (*story)->endpoint, (*story)->received_at};
        return {id, "", id.version() == 7 ? id.time() : Timestamp{}};
    }

    std::string list() const {
        std::string out;
        auto now = invocation_.world().clock.wall();
        for (std::size_t i = 0; i < std::min(targets_.size(), listed_max); ++i)
            out +=
                to_text(targets_[i].id) + "  " + printable(targets_[i].endpoint) + "  " + moment_text(targets_[i].received_at, now) + "\n";
        if (targets_.size() > listed_max) out += "… and " + std::to_string(targets_.size() - listed_max) + " more\n";
        out.pop_back();
        return out;
    }

    int tell_what_it_would() {
        if (terminal().wants_json()) {
            auto ids = json::Value::array();
            for (const auto& target : targets_) ids.push(to_text(target.id));
            terminal().result_json(json::Value().set("ids", std::move(ids)).set("dry_run", true));
        } else {
            terminal().result(list() + "\nWould erase " + counted(targets_.size(), "record") + ".\n");
        }
        for (const auto& line : what_stays()) terminal().talk(line);
        return exit_code::done;
    }

    int erase_from_node() {
        auto ids = json::Value::array();
        for (const auto& target : targets_) ids.push(to_text(target.id));
        auto answer = admin_.post("/api/erase", json::Value().set("ids", std::move(ids)).set("reason", reason_), log_deadline);
        if (!answer) return failed(invocation_, answer.error());
        of_node_ = std::move(*answer);
        return exit_code::done;
    }

    std::vector<Source> sources() const {
        std::vector<Source> out;
        for (const auto& options : ledger_sources(configuration_)) out.push_back({options.name, options, {}});
        for (const auto& worker : configuration_.workers)
            for (auto& source : out)
                if (source.name == worker.database && !worker.erase.empty()) source.statements.push_back(worker.erase);
        return out;
    }

    /// A SQLite file has one process that writes it, so its workers rest meanwhile.
    std::vector<std::string> workers_that_hold_files() const {
        std::vector<std::string> names;
        for (const auto& worker : configuration_.workers) {
            const auto* database = configuration_.find_database(worker.database);
            bool is_sqlite = database != nullptr && database->options.driver == db::Driver::sqlite;
            if (worker.handler == HandlerKind::exec || (worker.handler == HandlerKind::sql && is_sqlite)) names.push_back(worker.name);
        }
        return names;
    }

    Result<bool, std::string> order(supervisor::Verb verb, const std::vector<std::string>& names) {
        supervisor::ControlRequest request;
        request.verb = verb;
        request.names = names;
        request.reason = reason_;
        auto answer = invocation_.world().control(control_path(configuration_.node.data_dir), request);
        if (!answer) return answer.error().unreachable ? Result<bool, std::string>(false) : Failure{answer.error().what};
        if (!answer->ok) return Failure{answer->error};
        return true;
    }

    /// Those of them that run now: what somebody has stopped stays so.
    std::vector<std::string> running_of(const std::vector<std::string>& workers) {
        supervisor::ControlRequest request;
        auto answer = invocation_.world().control(control_path(configuration_.node.data_dir), request);
        std::vector<std::string> names;
        if (!answer) return names;
        for (const auto& process : answer->processes) {
            bool is_up = process.state == supervisor::State::running || process.state == supervisor::State::starting;
            if (is_up && std::find(workers.begin(), workers.end(), process.worker) != workers.end()) names.push_back(process.name);
        }
        return names;
    }

    int erase_from_databases() {
        auto names = running_of(workers_that_hold_files());
        if (!names.empty())
            if (auto stopped = order(supervisor::Verb::stop, names); !stopped) return complaint(stopped.error(), exit_code::try_again);
        int code = exit_code::done;
        for (const auto& source : sources()) {
            if (source.options.driver == db::Driver::sqlite && db::why_gone(source.options)) continue;
            if (auto erased = erase_from(source); !erased)
                code = complaint("database " + source.name + ": " + erased.error().what + "; do it again", exit_code::try_again);
        }
        if (!names.empty())
            if (auto started = order(supervisor::Verb::start, names); !started) return complaint(started.error(), exit_code::try_again);
        return code;
    }

    Result<void, db::Error> erase_from(const Source& source) {
        // Reading creates nothing where there is nothing.
        auto look = db::open_reader(source.options);
        if (!look.ok()) return source.options.driver == db::Driver::sqlite ? Result<void, db::Error>() : Failure{look.error()};
        bool has_ledger = false;
        TRY((*look)->read([&](db::ReadTransaction& t) -> Result<void, db::Error> {
            TRY_ASSIGN(auto tables, t.query(db::table_query(t.driver()), {std::string("forebay_records")}));
            has_ledger = !tables.empty();
            return {};
        }));
        if (!has_ledger) return {};
        TRY_ASSIGN(auto database, db::open(source.options));
        TRY(database->opened());
        std::uint64_t known = 0, rows = 0;
        auto at = invocation_.world().clock.wall();
        TRY(database->write([&](db::WriteTransaction& t) -> Result<void, db::Error> {
            known = rows = 0;
            // What goes is written over in the file too.
            if (t.driver() == db::Driver::sqlite) TRY(t.query("PRAGMA secure_delete=ON"));
            for (const auto& target : targets_) {
                TRY_ASSIGN(bool was_known, ledger::erase(t, target.id, target.endpoint, target.received_at, at));
                known += was_known ? 1 : 0;
                for (const auto& text : source.statements) {
                    auto statement = db::with_names(text, t.driver());
                    std::vector<db::Value> values(statement.names.size(), to_text(target.id));
                    TRY_ASSIGN(auto changed, t.execute(statement.sql, values));
                    rows += static_cast<std::uint64_t>(std::max<std::int64_t>(changed, 0));
                }
            }
            return {};
        }));
        in_ledgers_ += known;
        rows_ += rows;
        return {};
    }

    std::vector<std::string> what_stays() const {
        std::vector<std::string> out;
        for (const auto& worker : configuration_.workers)
            if (worker.handler == HandlerKind::sql && worker.erase.empty())
                out.push_back("Not reached: the rows that worker " + worker.name + " wrote. [worker." + worker.name +
                              ".sql] erase = \"DELETE FROM … WHERE id = :id\" erases them too.");
        for (const auto& worker : configuration_.workers)
            if (worker.handler != HandlerKind::sql)
                out.push_back("Not reached: what the program of worker " + worker.name + " did and keeps.");
        for (const auto& database : configuration_.databases)
            if (database.options.driver != db::Driver::sqlite)
                out.push_back("Not reached: what the server of database " + database.name + " keeps of changes: " +
                              (database.options.driver == db::Driver::postgresql ? "its write-ahead log, and dead rows until VACUUM."
                                                                                 : "binary log, Galera's cache, undo until it is purged."));
        out.emplace_back("Not reached: backups and exports, logs of programs, the free space of the disk, store/quarantine.");
        return out;
    }

    void report() {
        auto left = what_stays();
        auto number = [&](std::string_view name) { return static_cast<std::uint64_t>(of_node_[name].integer().value_or(0)); };
        if (number("bodies_left") > 0)
            left.insert(left.begin(), "Not reached: " + grouped(number("bodies_left")) +
                                          " in the log of under 29 bytes, which go with the history of the log (journal.keep).");
        if (number("messages_left") > 0)
            left.insert(left.begin(),
                        "Left in FIFO queues, without what was in them: " + counted(number("messages_left"), "message") + ".");
        if (terminal().wants_json()) {
            auto ids = json::Value::array(), stays = json::Value::array();
            for (const auto& target : targets_) ids.push(to_text(target.id));
            for (const auto& line : left) stays.push(line);
            terminal().result_json(json::Value()
                                       .set("ids", std::move(ids))
                                       .set("log", of_node_)
                                       .set("in_ledgers", in_ledgers_)
                                       .set("rows", rows_)
                                       .set("not_reached", std::move(stays)));
            return;
        }
        terminal().result("Erased " + counted(targets_.size(), "record") + ": " + grouped(number("bodies")) + " in the log, " +
                          counted(number("messages"), "message") + " in queues, " + grouped(in_ledgers_) + " in ledgers, " +
                          counted(rows_, "row") + " of yours.\n");
        for (const auto& line : left) terminal().talk(line);
    }

    Invocation& invocation_;
    const Configuration& configuration_;
    AdminClient admin_;
    ledger::Ledger ledger_;
    std::vector<Target> targets_;
    std::string reason_;
    json::Value of_node_;
    std::uint64_t in_ledgers_ = 0, rows_ = 0;
};

}  // namespace

int run_erase(Invocation& invocation) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    complain_of_gone(*configuration, invocation.terminal());
    return Erase(invocation, *configuration).run();
}

}  // namespace forebay::cli
