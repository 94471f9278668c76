// What makes sense only together: names that must exist, limits that must fit. Each rule is a function.
#include <algorithm>
#include <map>
#include <set>

#include "cli/config/check_cluster.h"
#include "cli/config/load.h"
#include "cli/console.h"
#include "cli/process/cron.h"
#include "cli/process/time_zone.h"
#include "cli/similar.h"
#include "cli/table.h"
#include "cli/where.h"
#include "condition/condition.h"
#include "db/statement.h"
#include "http/addresses.h"
#include "queue/limits.h"
#include "worker/settlement.h"

namespace forebay::cli {
namespace {

namespace limits = queue::limits;

constexpr std::uint64_t log_bytes_least = 4096;  ///< a log that rotates with every line keeps nothing

class Check {
  public:
    explicit Check(Loaded& loaded) : c_(loaded.configuration), places_(loaded.places), diagnostics_(loaded.diagnostics) {}

    void run() {
        for (const auto& queue : c_.queues) check_queue(queue);
        for (const auto& endpoint : c_.endpoints) check_endpoint(endpoint);
        for (const auto& key : c_.keys) check_poster("key." + key.name, key);
        for (const auto& site : c_.sites) check_poster("site." + site.name, site);
        for (const auto& database : c_.databases) check_database(database);
        for (const auto& worker : c_.workers) check_worker(worker);
        for (const auto& schedule : c_.schedules) check_schedule(schedule);
        check_access();
        check_ledger();
        check_one_writer();
        check_reach();
        check_paths();
        check_listeners();
        check_proxies();
        check_clusters(
            c_,
            [this](const std::string& path, std::string message, std::string hint) { error(path, std::move(message), std::move(hint)); },
            [this](const std::string& path, std::string message, std::string hint) {
                diagnostics_.warning(place_of(path), std::move(message), std::move(hint));
            });
    }

  private:
    /// The place of the setting, or of the nearest table around it that was given.
    Place place_of(std::string path) const {
        for (;;) {
            if (auto at = places_.find(path); at != places_.end()) return at->second;
            auto dot = path.rfind('.');
            if (dot == std::string::npos) return {};
            path.resize(dot);
        }
    }
    /// The same without its column: for what a whole section is about.
    Place line_of(const std::string& path) const {
        auto place = place_of(path);
        place.column = 0;
        return place;
    }
    void error(const std::string& path, std::string message, std::string hint = {}) {
        diagnostics_.error(place_of(path), std::move(message), std::move(hint));
    }
    /// Whether that setting's own value was refused: then what depends on it is not spoken of.
    bool is_wrong(const std::string& path) const {
        auto at = places_.find(path);
        if (at == places_.end()) return false;
        const auto& all = diagnostics_.all();
        return std::any_of(all.begin(), all.end(), [&](const Diagnostic& d) {
            return d.place.file == at->second.file && d.place.line == at->second.line &&
                   (d.place.column == at->second.column || d.place.column == 0);
        });
    }
    /// `path` holds a name that must be one of `known`.
    void must_exist(const std::string& path, std::string_view what, const std::string& name, const std::vector<std::string>& known) {
        if (std::find(known.begin(), known.end(), name) != known.end()) return;
        auto meant = nearest(name, known);
        error(path, "there is no " + std::string(what) + " \"" + name + "\"", meant.empty() ? "" : "did you mean \"" + meant + "\"?");
    }
    template <class T>
    static std::vector<std::string> names_of(const std::vector<T>& elements) {
        std::vector<std::string> names;
        for (const auto& element : elements) names.push_back(element.name);
        return names;
    }
    /// Declared queues and the dead-letter queues that are made for them (D21).
    std::vector<std::string> queue_names() const {
        auto names = names_of(c_.queues);
        for (const auto& queue : c_.queues)
            if (queue.settings.redrive && !queue.settings.redrive->dead_letter.empty())
                names.push_back(queue.settings.redrive->dead_letter);
        return names;
    }
    static bool has_only(std::string_view name, std::string_view others) {
        return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos;
        });
    }
    void within(const std::string& path, Duration value, Duration least, Duration most) {
        if (value >= least && value <= most) return;
        error(path, path + " must be from " + to_text(least) + " to " + to_text(most) + ", not " + to_text(value));
    }

    void check_queue(const QueueConfiguration& queue) {
        auto path = "queue." + queue.name;
        const auto& settings = queue.settings;
        if (queue.name.ends_with(".fifo"))
            error(path, "a queue of the configuration cannot be FIFO: a record belongs to no message group",
                  "make FIFO queues through the queue port (CreateQueue)");
        else if (!has_only(queue.name, "-_") || queue.name.size() > 80)
            error(path, "a queue's name has 1 to 80 letters, digits, - and _");
        if (queue.name == "forebay-quarantine") error(path, "the queue forebay-quarantine is Forebay's own, for refused posts");
        if (!queue.backend.empty()) must_exist(path + ".backend", "backend", queue.backend, names_of(c_.backends));
        within(path + ".visibility_timeout", settings.visibility_timeout, 0s, limits::visibility_max);
        within(path + ".delay", settings.delay, 0s, limits::delay_max);
        within(path + ".receive_wait", settings.receive_wait, 0s, limits::wait_max);
        within(path + ".retention", settings.retention, limits::retention_min, limits::retention_max);
        if (settings.message_bytes_max > limits::message_bytes_max)
            error(path + ".max_message_size", path + ".max_message_size must be at most 1MiB");
        if (!settings.redrive) return;
        if (settings.redrive->dead_letter.empty())
            error(path + ".max_receive_count", "max_receive_count needs a dead_letter queue to move messages to");
        if (settings.redrive->dead_letter == queue.name) error(path + ".dead_letter", "a queue cannot be its own dead_letter");
        if (settings.redrive->dead_letter.ends_with(".fifo"))
            error(path + ".dead_letter", "the dead letters of a queue that is not FIFO go to one that is not FIFO either");
    }

    void report(const std::vector<intake::Problem>& problems) {
        for (const auto& problem : problems)
            if (!is_wrong(problem.where)) error(problem.where, problem.where + ": " + problem.what);
    }

    void check_endpoint(const intake::Endpoint& endpoint) {
        auto path = "endpoint." + endpoint.name;
        report(intake::problems_of(endpoint));
        if (!endpoint.queue.empty()) must_exist(path + ".queue", "queue", endpoint.queue, names_of(c_.queues));
        for (const auto& who : endpoint.auth) {
            if (who.starts_with("key:")) must_exist(path + ".auth", "key", who.substr(4), names_of(c_.keys));
            if (who.starts_with("site:")) must_exist(path + ".auth", "site", who.substr(5), names_of(c_.sites));
        }
    }

    template <class Poster>
    void check_poster(const std::string& path, const Poster& poster) {
        report(intake::problems_of(poster));
        for (const auto& endpoint : poster.endpoints) must_exist(path + ".endpoints", "endpoint", endpoint, names_of(c_.endpoints));
    }

    void check_access() {
        std::map<std::string, std::string> owners;
        for (const auto& key : c_.access) {
            auto path = "access." + key.name;
            if (!has_only(key.name, "-_")) error(path, "an access key's name has letters, digits, - and _");
            if (auto problem = sqs::problem_of_key_id(key.id)) error(path + ".id", path + ".id " + *problem);
            auto [entry, is_new] = owners.emplace(key.id, key.name);
            if (!is_new) error(path + ".id", "access." + entry->second + " has the id " + key.id + " already");
            if (!is_wrong(path + ".secret") && key.secret.size() < sqs::secret_bytes_min)
                error(path + ".secret", key.secret.empty() ? path + " has no secret: secret = \"${file:/run/secrets/" + key.name + "}\""
                                                           : path + ".secret is too short: it must have 16 characters at least");
            if (!is_wrong(path + ".allow") && key.allow.empty())
                error(path + ".allow", path + " may do nothing: allow = [\"send:QUEUE\", …]");
        }
        if (c_.sqs.verify.value_or(false) && c_.access.empty())
            diagnostics_.warning(place_of("sqs.verify"),
                                 "requests to the queue port must be signed, and there is no [access.NAME] to sign with",
                                 "`forebay access new NAME` makes one; without any only this node's workers are let in");
    }

    void check_database(const DatabaseConfiguration& database) {
        auto path = "db." + database.name;
        if (is_wrong(path + ".driver")) return;
        if (database.options.driver == db::Driver::sqlite) {
            if (database.options.path.empty())
                error(path, path + " has no path: the SQLite file, such as path = \"forebay-data/forebay.db\"");
        } else {
            check_server(path, database.options);
        }
        within(path + ".probe", database.probe, 100ms, 1h);
    }

    void check_server(const std::string& path, const db::Options& options) {
        if (options.writer.empty() && !is_wrong(path + ".writer"))
            error(path, path + " has no writer: where it is, such as writer = [\"127.0.0.1:3307\"]");
        if (options.database.empty()) error(path, path + " has no database: its name on the server, such as database = \"leads\"");
        if (options.user.empty()) error(path, path + " has no user: who connects to it");
        if (options.pool.min > options.pool.max) error(path + ".pool", path + ".pool: min is more than max");
        within(path + ".timeout.connect", options.connect_timeout, 100ms, 1min);
        within(path + ".timeout.statement", options.timeout, 100ms, 1h);
    }

    void check_worker(const WorkerConfiguration& worker) {
        auto path = "worker." + worker.name;
        if (!has_only(worker.name, "-_.")) error(path, "a worker's name has letters, digits, -, _ and .");
        if (!has_only(worker.process.group, "-_.")) error(path + ".group", "a group's name has letters, digits, -, _ and .");
        if (worker.name == "node" || worker.name == "all") error(path, "a worker cannot be called " + worker.name);
        check_count(path, worker);
        check_process(path + ".process", worker);
        if (is_wrong(path + ".handler")) return;
        if (worker.handler == HandlerKind::program)
            check_program(path, worker);
        else
            check_record_worker(path, worker);
    }

    void check_count(const std::string& path, const WorkerConfiguration& worker) {
        auto count = path + ".count";
        if (worker.count_max == 0) {
            for (auto key : {".drain_within", ".step", ".cooldown"})
                if (places_.contains(count + key)) error(count + key, count + key + " needs a max: count = { min = 1, max = 4 }");
            return;
        }
        if (worker.count_max < worker.count_min)
            error(count + ".max",
                  count + ": max (" + std::to_string(worker.count_max) + ") is less than min (" + std::to_string(worker.count_min) + ")");
        within(count + ".drain_within", worker.scale.drain_within, 1s, 24h);
        within(count + ".cooldown", worker.scale.cooldown, 1s, 1h);
        if (worker.scale.max > worker.scale.min && worker.handler == HandlerKind::program && worker.queue.empty())
            error(count + ".max", path + " is a program without a queue: what waits there says how many processes there are to be",
                  "queue = \"…\", or max = min");
    }

    void check_process(const std::string& path, const WorkerConfiguration& worker) {
        const auto& process = worker.process;
        if (auto bytes = process.log_rotation.bytes_max; bytes > 0 && bytes < log_bytes_least)
            error(path + ".stdout_logfile_maxbytes", path + ".stdout_logfile_maxbytes must be 0, for no rotation, or at least 4KiB");
        if (worker.redirect_stderr && !process.error_log_path.empty())
            error(path + ".stderr_logfile", path + ".stderr_logfile is given, but standard error goes into the other log",
                  "set redirect_stderr = false, or leave stderr_logfile out");
        if (!worker.killasgroup)
            diagnostics_.warning(place_of(path + ".killasgroup"), path + ".killasgroup = false: KILL goes to the whole group all the same");
        within(path + ".startsecs", process.startsecs, 0s, 1h);
        within(path + ".stopwaitsecs", process.stopwaitsecs, 0s, 24h);
        check_environment(path + ".environment", worker);
    }

    void check_environment(const std::string& path, const WorkerConfiguration& worker) {
        if (!worker.environment.empty() && worker.handler == HandlerKind::sql && !is_wrong("worker." + worker.name + ".handler"))
            error(path, path + " is for handler = \"exec\" and \"program\": an sql worker starts nothing that would read it");
        for (const auto& variable : worker.environment) {
            auto setting = path + "." + variable.name;
            if (!has_only(variable.name, "_") || (variable.name[0] >= '0' && variable.name[0] <= '9'))
                error(setting, "the name of a variable has letters, digits and _, and begins with no digit, not \"" + variable.name + "\"");
            else if (variable.name.starts_with("FOREBAY_"))
                error(setting, variable.name + " is one of those that forebay sets itself");
            if (variable.text.find('\0') != std::string::npos) error(setting, setting + " has a zero byte in it");
        }
    }

    void check_program(const std::string& path, const WorkerConfiguration& worker) {
        if (worker.process.command.empty()) error(path, path + " is a program and has no command");
        if (!worker.queue.empty()) must_exist(path + ".queue", "queue", worker.queue, queue_names());
        if (!worker.when.empty())
            error(path + ".when", path + ".when is for handler = \"sql\" and \"exec\": a program takes its records itself");
        no_sql(path, worker);
        no_exec(path, worker);
    }

    void check_record_worker(const std::string& path, const WorkerConfiguration& worker) {
        if (worker.queue.empty())
            error(path, path + " has no queue");
        else
            must_exist(path + ".queue", "queue", worker.queue, queue_names());
        if (!worker.process.command.empty())
            error(path + ".command", path + ".command is for handler = \"program\"; exec has [" + path + ".exec] command");
        for (const auto& next : worker.then) {
            if (next.starts_with("partner."))
                error(path + ".then", "\"" + next + "\": partners are not in this version");
            else
                must_exist(path + ".then", "queue", next, queue_names());
        }
        check_when(path + ".when", worker);
        check_dead_letter(path, worker);
        check_receive_count(path, worker);
        if (worker.handler == HandlerKind::sql) {
            check_sql(path, worker);
            no_exec(path, worker);
        } else {
            if (worker.command.empty())
                error(path + ".exec", path + " has no command: [" + path + ".exec] command = [\"/usr/bin/php\", …]");
            no_sql(path, worker);
        }
    }

    void check_when(const std::string& setting, const WorkerConfiguration& worker) {
        if (worker.when.empty()) return;
        auto condition = condition::Condition::parse(worker.when);
        auto at = [&](std::size_t offset, std::size_t length) {
            return diagnostics_.within(place_of(setting), worker.when, offset, length);
        };
        if (!condition) {
            const auto& wrong = condition.error();
            auto place = at(wrong.offset, wrong.length);
            auto where = place ? std::string() : ", at character " + std::to_string(width_of(worker.when.substr(0, wrong.offset)) + 1);
            diagnostics_.error(place.value_or(place_of(setting)), setting + ": " + wrong.what + where, wrong.hint);
            return;
        }
        for (const auto& path : condition->paths()) {
            auto meant = unknown_field(c_, worker.queue, path.names[0]);
            if (!meant) continue;
            diagnostics_.warning(at(path.offset, path.length).value_or(place_of(setting)),
                                 setting + ": no endpoint of queue " + worker.queue + " lists a field \"" + path.names[0] + "\"",
                                 meant->empty() ? "" : "did you mean \"" + *meant + "\"?");
        }
    }

    /// Sections of other handlers. A section in which nothing was chosen is what `config show` prints.
    void no_sql(const std::string& path, const WorkerConfiguration& worker) {
        bool is_used = !worker.database.empty() || !worker.sql.statement.empty() || !worker.sql.table.empty();
        if (is_used) error(path + ".sql", path + ".sql is for handler = \"sql\"");
    }
    void no_exec(const std::string& path, const WorkerConfiguration& worker) {
        if (!worker.command.empty()) error(path + ".exec", path + ".exec is for handler = \"exec\"");
    }

    void check_sql(const std::string& path, const WorkerConfiguration& worker) {
        if (worker.database.empty())
            error(path + ".sql", path + " has no database: [" + path + ".sql] db = \"…\"");
        else
            must_exist(path + ".sql.db", "db", worker.database, names_of(c_.databases));
        if (worker.sql.statement.empty() == worker.sql.table.empty())
            error(path + ".sql", path + ".sql needs a statement or a table, one of the two");
        if (worker.sql.create_table && worker.sql.table.empty()) error(path + ".sql.create", path + ".sql.create needs a table");
        if (!worker.columns.empty() && std::find(worker.columns.begin(), worker.columns.end(), "id") == worker.columns.end())
            error(path + ".sql.columns", path + ".sql.columns must have id, the key of the row");
        for (const auto& name : parameters_of(worker.erase))
            if (name != "id") error(path + ".sql.erase", path + ".sql.erase has :" + name + "; of an erased record only :id is known");
        if (!worker.erase.empty() && parameters_of(worker.erase).empty())
            error(path + ".sql.erase", path + ".sql.erase names no record: it needs :id");
        check_parameters(path, worker);
        check_statement(path, worker);
    }

    void check_statement(const std::string& path, const WorkerConfiguration& worker) {
        const auto* database = c_.find_database(worker.database);
        if (database == nullptr || worker.sql.statement.empty()) return;
        if (auto caution = db::caution_of(worker.sql.statement, database->options.driver))
            diagnostics_.warning(line_of(path + ".sql.statement"), path + ".sql.statement: " + caution->what, caution->next);
    }

    /// A misspelt :parameter would be NULL in every row.
    void check_parameters(const std::string& path, const WorkerConfiguration& worker) {
        std::vector<std::string> known = {"id", "received_at", "endpoint", "_ip", "_raw"};
        bool has_fields = false;
        for (const auto& endpoint : c_.endpoints) {
            if (endpoint.queue != worker.queue) continue;
            for (const auto& field : endpoint.fields) known.push_back(field.name);
            has_fields = has_fields || !endpoint.fields.empty();
        }
        if (!has_fields) return;
        for (const auto& name : parameters_of(worker.sql.statement)) {
            if (std::find(known.begin(), known.end(), name) != known.end()) continue;
            auto meant = nearest(name, known);
            diagnostics_.warning(
                line_of(path + ".sql.statement"),
                path + ".sql.statement has :" + name + ", which no endpoint of queue " + worker.queue + " has: it would be NULL",
                meant.empty() ? "" : "did you mean :" + meant + "?");
        }
    }

    /// The `:name`s of a statement, outside quotes.
    static std::vector<std::string> parameters_of(std::string_view sql) {
        std::vector<std::string> names;
        char quote = 0;
        for (std::size_t i = 0; i < sql.size(); ++i) {
            char c = sql[i];
            if (quote != 0) {
                if (c == quote) quote = 0;
            } else if (c == '\'' || c == '"' || c == '`') {
                quote = c;
            } else if (c == ':') {
                auto end = i + 1;
                while (end < sql.size() && has_only(sql.substr(end, 1), "_")) ++end;
                if (end > i + 1) names.emplace_back(sql.substr(i + 1, end - i - 1));
                i = end - 1;
            }
        }
        return names;
    }

    void check_dead_letter(const std::string& path, const WorkerConfiguration& worker) {
        const auto* queue = c_.find_queue(worker.queue);
        if (queue == nullptr || queue->settings.redrive || is_dead_letter(queue->name)) return;
        diagnostics_.warning(line_of("queue." + queue->name),
                             "queue." + queue->name + " has no dead_letter: a record that " + path +
                                 " gives up on stays in it, hidden for an hour at a time",
                             "dead_letter = \"" + queue->name + "-dead\"");
    }

    bool is_dead_letter(const std::string& queue) const {
        return std::any_of(c_.queues.begin(), c_.queues.end(),
                           [&](const auto& other) { return other.settings.redrive && other.settings.redrive->dead_letter == queue; });
    }

    void check_receive_count(const std::string& path, const WorkerConfiguration& worker) {
        const auto* queue = c_.find_queue(worker.queue);
        if (queue == nullptr || !queue->settings.redrive) return;
        auto most = queue->settings.redrive->max_receive_count;
        auto needed = worker::deliveries_of(worker.retry, 0);
        if (most >= needed) return;
        diagnostics_.warning(line_of("queue." + queue->name + ".max_receive_count"),
                             "queue." + queue->name + " max_receive_count (" + std::to_string(most) + ") is below the " +
                                 std::to_string(needed) + " deliveries " + path + ".retry needs: SQS would dead-letter first");
    }

    void check_ledger() {
        if (!c_.ledger.database.empty()) must_exist("ledger.db", "db", c_.ledger.database, names_of(c_.databases));
    }

    /// A SQLite file has one writing process (D22): an `sql` worker's, or the one `exec` process that has the ledger in it.
    void check_one_writer() {
        std::map<std::string, std::vector<const WorkerConfiguration*>> writers;
        for (const auto& worker : c_.workers) {
            const auto* database = c_.effects_database(worker);
            if (database != nullptr && database->options.driver == db::Driver::sqlite) writers[database->options.path].push_back(&worker);
        }
        for (const auto& [file, workers] : writers) {
            std::uint32_t processes = 0;
            std::string names;
            for (const auto* worker : workers) {
                processes += worker->scale.max;
                names += (names.empty() ? "worker." : " and worker.") + worker->name;
            }
            if (processes <= 1 || file.empty()) continue;
            const auto& last = *workers.back();
            auto path = "worker." + last.name;
            bool is_exec = last.handler == HandlerKind::exec;
            error(last.scale.max > 1 ? path + ".count"
                  : is_exec          ? "ledger.db"
                                     : path + ".sql.db",
                  names + (workers.size() > 1 ? " are " : " is ") + std::to_string(processes) + " processes writing " + file +
                      ": a SQLite file has one; " +
                      (is_exec ? "leave [ledger] db out, or name a MariaDB or PostgreSQL there"
                               : "use count = { min = 1 } and larger batches"));
        }
    }

    /// Who reads the ledger must reach it: the node that the records came to, and the workers, wherever they run (D3).
    void check_reach() {
        const auto& roles = c_.node.roles;
        auto has = [&](std::string_view role) { return std::find(roles.begin(), roles.end(), role) != roles.end(); };
        if (has("workers") == has("queue")) return;
        for (const auto& worker : c_.workers) {
            if (worker.handler == HandlerKind::program) continue;
            const auto* database = c_.effects_database(worker);
            if (database != nullptr && database->options.driver != db::Driver::sqlite) continue;
            error("node.roles",
                  "workers and queues run on different hosts, and worker." + worker.name + " notes its effects in " +
                      (database == nullptr ? "files of its own" : "the SQLite file of db." + database->name) + ": both must reach them",
                  "use a MariaDB or PostgreSQL" + std::string(database == nullptr ? " as [ledger] db" : ""));
        }
    }

    void check_schedule(const ScheduleConfiguration& schedule) {
        auto path = "schedule." + schedule.name;
        bool has_every = schedule.every > Duration(0), has_cron = !schedule.cron.empty();
        if (has_every == has_cron && !is_wrong(path + ".every")) error(path, path + " needs every or cron, one of the two: every = \"1h\"");
        if (has_every) within(path + ".every", schedule.every, 1s, 31 * 24h);
        if (has_cron)
            if (auto cron = Cron::parse(schedule.cron); !cron.ok()) error(path + ".cron", path + ".cron " + cron.error());
        if (!has_only(schedule.name, "-_")) error(path, "a schedule's name has letters, digits, - and _");
        check_timezone(path, schedule.timezone);
        check_run(path, schedule);
    }

    void check_proxies() {
        auto parsed = http::TrustedProxies::parse(c_.intake.trusted_proxies);
        if (!parsed.ok())
            error("intake.trusted_proxies", "intake.trusted_proxies: " + parsed.error(), "networks such as \"10.0.0.0/16\", or addresses");
    }

    void check_timezone(const std::string& path, const std::string& name) {
        if (TimeZone::find(name)) return;
        auto known = time_zone_names();
        if (known.empty())
            return error(path + ".timezone", path + ".timezone: this machine has no time zones but UTC", "install the package tzdata");
        auto meant = nearest(name, known);
        error(path + ".timezone", path + ".timezone: there is no time zone \"" + name + "\"",
              meant.empty() ? "an IANA name, such as \"America/Chicago\"" : "did you mean \"" + meant + "\"?");
    }

    void check_run(const std::string& path, const ScheduleConfiguration& schedule) {
        if (schedule.words.empty()) {
            if (!is_wrong(path + ".run")) error(path, path + " has nothing to run: run = \"audit --since 24h\"");
            return;
        }
        auto read = parse(schedule.words);
        if (!read.ok()) return error(path + ".run", path + ".run: " + read.error().what);
        constexpr std::string_view known[] = {"audit",      "replay", "export", "backup",  "queue redrive",
                                              "dead retry", "start",  "stop",   "restart", "scale"};
        if (read->verb == nullptr || std::find(std::begin(known), std::end(known), read->verb->name) == std::end(known))
            return error(path + ".run", path + ".run: " + in_quotes(schedule.run) +
                                            " cannot be scheduled: audit, replay, backup, restart and "
                                            "what else ends by itself can");
        if (read->verb->name.substr(0, read->verb->name.find(' ')) != schedule.words[0])
            error(path + ".run", path + ".run begins with " + in_quotes(schedule.words[0]),
                  "write the command in full: " + std::string(read->verb->name));
        if (read->verb->name == "export" && read->options.count("out") == 0)
            error(path + ".run", path + ".run exports to nobody", "--out FILE says where to");
        if (read->verb->name == "backup" && schedule.run.find('{') == std::string::npos)
            diagnostics_.warning(place_of(path + ".run"), path + ".run: the second backup will find the folder of the first one",
                                 "a folder for each: \"" + schedule.run + "-{date}\"");
        if (schedule.is_about_processes())
            for (const auto& word : read->words) check_process(path + ".run", word.substr(0, word.rfind('=')));  // scale store=4
    }

    void check_process(const std::string& path, const std::string& name) {
        std::vector<std::string> known = {"node", "all"};
        for (const auto& worker : c_.workers) {
            for (std::uint32_t n = 1; n <= std::max(worker.count_min, worker.count_max); ++n) {
                supervisor::ProcessStatus process;
                process.group = worker.process.group;
                process.worker = worker.name;
                process.name = worker.name + ":" + std::to_string(n);
                process.n = n;
                if (supervisor::matches(name, process)) return;
            }
            known.insert(known.end(), {worker.name, worker.name + ":1", worker.process.group + ":*"});
        }
        if (name == "node" || name == "all" || name == "*") return;
        auto meant = nearest(name, known);
        error(path, path + ": no process is called \"" + name + "\"", meant.empty() ? "" : "did you mean \"" + meant + "\"?");
    }

    void check_paths() {
        std::map<std::string, std::string> owners;
        for (const auto& endpoint : c_.endpoints) {
            auto url = endpoint.path.empty() ? "/v1/" + endpoint.name : endpoint.path;
            auto [entry, is_new] = owners.emplace(url, endpoint.name);
            if (!is_new) error("endpoint." + endpoint.name + ".path", "endpoint." + entry->second + " has the path " + url + " already");
        }
    }

    void check_listeners() {
        std::map<std::string, std::string> owners;
        auto claim = [&](const std::string& path, const Listen& listen) {
            if (listen.port == 0) return;
            auto [entry, is_new] = owners.emplace(address_text(listen), path);
            if (!is_new) error(path, address_text(listen) + " is taken by " + entry->second);
        };
        for (const auto& at : c_.intake.listen) claim("intake.listen", at);
        for (const auto& at : c_.admin.listen) claim("admin.listen", at);
        for (const auto& at : c_.sqs.listen) claim("sqs.listen", at);
        if (c_.telemetry.prometheus) claim("telemetry.prometheus", *c_.telemetry.prometheus);
    }

    const Configuration& c_;
    const Places& places_;
    Diagnostics& diagnostics_;
};

}  // namespace

void check(Loaded& loaded) { Check(loaded).run(); }

}  // namespace forebay::cli
