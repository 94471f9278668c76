// [db.NAME], [worker.NAME]: where records go, and the processes that carry them.
#include <fmt/format.h>

#include <charconv>
#include <csignal>

#include "cli/config/declare.h"

namespace forebay::cli {
namespace {

void declare_server(Scope& s, db::Options& options) {
    s.setting("writer", addresses(options.writer), "of a server: where rows are written, tried in their order; the guide's port 3307");
    s.setting("reader", addresses(options.reader), "where is read, the guide's port 3306; the writer if it is not set");
    s.setting("database", text(options.database), "its name on the server");
    s.setting("user", text(options.user), "who connects");
    s.setting("password", secret(options.password), "from ${file:…} or ${env:…}");
    s.table("pool", [&](Scope& inner) {
        inner.setting("min", count(options.pool.min, 0, 1000), "connections kept");
        inner.setting("max", count(options.pool.max, 1, 1000), "connections at most, of each process and address list");
        inner.setting("idle", duration(options.pool.idle), "unused this long one is closed: less than a balancer's time-out");
    });
    s.table("tls", [&](Scope& inner) {
        using Mode = db::Tls::Mode;
        inner.setting("mode", choice<Mode>(options.tls.mode, {{"off", Mode::off}, {"required", Mode::required}, {"verify", Mode::verify}}),
                      "verify: the certificate must be signed by ca and name the host");
        inner.setting("ca", text(options.tls.ca), "file; the system's if it is not set");
        inner.setting("certificate", text(options.tls.certificate), "file of a client certificate");
        inner.setting("key", text(options.tls.key), "file of its key");
    });
}

void declare_database(Scope& s, DatabaseConfiguration& database) {
    using db::Driver;
    s.setting("driver",
              choice<Driver>(
                  database.options.driver,
                  {{"sqlite", Driver::sqlite}, {"mariadb", Driver::mariadb}, {"mysql", Driver::mysql}, {"postgres", Driver::postgresql}}),
              "what kind of database it is; settings of another kind are not looked at");
    s.setting("path", text(database.options.path), "of SQLite: the file");
    declare_server(s, database.options);
    s.table("timeout", [&](Scope& inner) {
        inner.setting("connect", duration(database.options.connect_timeout), "of a server");
        inner.setting("statement", duration(database.options.timeout), "of one statement, a wait for a lock included");
        inner.setting("busy", duration(database.options.busy_timeout), "of SQLite: wait for another process's lock");
    });
    s.setting("on_down", choice(database.on_down, {{"hold"}, {}}), "workers receive nothing while it is down and spend no attempt");
    s.setting("probe", duration(database.probe), "how often a database that is down is tried");
    declare_cluster(s, database);
}

void declare_count(Scope& s, WorkerConfiguration& worker) {
    s.setting("min", count(worker.count_min, 1, 1000), "processes");
    auto most = count(worker.count_max, 1, 1000);
    most.toml = [&worker] { return worker.count_max == 0 ? std::string() : std::to_string(worker.count_max); };
    s.setting("max", most, "processes when there is much to do; min if it is not set");
    // Without a max there is nothing to say about it.
    auto scaling = [&worker](Slot slot) {
        slot.toml = [&worker, toml = slot.toml] { return worker.count_max == 0 ? std::string() : toml(); };
        return slot;
    };
    s.setting("drain_within", scaling(duration(worker.scale.drain_within)),
              "so many processes, up to max, as empty the queue in this time");
    s.setting("step", scaling(count(worker.scale.step, 1, 1000)),
              "processes at most, more or fewer, within a cooldown; more at once when far behind");
    s.setting("cooldown", scaling(duration(worker.scale.cooldown)), "between two changes; so long fewer must have been enough");
}

void declare_batch(Scope& s, worker::Batch& batch) {
    s.setting("size", count(batch.size, 1, 10000), "records of one transaction or run");
    s.setting("wait", duration(batch.wait), "how long a batch may take to fill");
}

void declare_retry(Scope& s, worker::RetrySchedule& retry) {
    s.setting("after", durations(retry.after), "waits before each further attempt; when they are used up the record is dead");
    s.setting("jitter", number(retry.jitter, 0, 1), "each wait is longer or shorter by up to this part of it");
}

void declare_recycle(Scope& s, worker::Recycle& recycle) {
    s.setting("after", duration(recycle.after), "a process this old ends and is started again; 0 = never");
    s.setting("jobs", long_count(recycle.jobs), "so many records; 0 = never");
    s.setting("rss", size(recycle.rss_bytes), "so much memory; 0 = never");
}

Slot priority(int& field) {
    return {"number",
            [&field](const Given& given) {
                std::uint32_t value = 0;
                auto problem = count(value, 0, 9999).take(given);
                if (!problem) field = static_cast<int>(value);
                return problem;
            },
            [&field] { return std::to_string(field); }};
}

Slot autorestart(supervisor::Autorestart& field) {
    using supervisor::Autorestart;
    return {"true | false | unexpected",
            [&field](const Given& given) -> std::optional<std::string> {
                bool is_flag = given.kind == Given::Kind::boolean || given.from_environment;
                if (is_flag && (given.text == "true" || given.text == "false")) {
                    field = given.text == "true" ? Autorestart::always : Autorestart::never;
                    return std::nullopt;
                }
                if (given.kind != Given::Kind::text || given.text != "unexpected") return "must be true, false or \"unexpected\"";
                field = Autorestart::unexpected;
                return std::nullopt;
            },
            [&field] {
                return std::string(field == Autorestart::always ? "true" : field == Autorestart::never ? "false" : "\"unexpected\"");
            }};
}

/// As supervisord writes it: octal digits.
Slot umask_of(std::optional<unsigned>& field) {
    return {"text",
            [&field](const Given& given) -> std::optional<std::string> {
                unsigned value = 0;
                const char* end = given.text.data() + given.text.size();
                auto [stop, error] = std::from_chars(given.text.data(), end, value, 8);
                if (given.kind != Given::Kind::text || error != std::errc() || stop != end || value > 0777)
                    return "must be octal digits in quotes, such as \"027\"";
                field = value;
                return std::nullopt;
            },
            [&field] { return field ? fmt::format("\"{:03o}\"", *field) : std::string(); }};
}

/// A setting of supervisord's that is refused, with the other way.
Slot refused(std::string why) {
    return {"text", [why = std::move(why)](const Given&) { return std::optional(why); }, [] { return std::string(); }};
}

void declare_starts(Scope& s, supervisor::ProgramSpec& process) {
    s.setting("autostart", flag(process.autostart), "started with the node");
    s.setting("autorestart", autorestart(process.autorestart), "started again when it ends; \"unexpected\": unless with one of exitcodes");
    s.setting("exitcodes", whole_numbers(process.exitcodes, 0, 255), "exit codes that are expected");
    s.setting("startsecs", duration(process.startsecs), "alive this long it counts as RUNNING");
    s.setting("startretries", count(process.startretries), "failed starts in a row before FATAL");
    s.setting("priority", priority(process.priority), "lower starts earlier and stops later");
    s.setting("fatal_retry", duration(process.fatal_retry), "FATAL is tried again after this; 0 = stays FATAL");
}

void declare_stops(Scope& s, WorkerConfiguration& worker) {
    const std::vector<std::pair<std::string, int>> signals = {{"TERM", SIGTERM}, {"HUP", SIGHUP},   {"INT", SIGINT},  {"QUIT", SIGQUIT},
                                                              {"KILL", SIGKILL}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2}};
    s.setting("stopsignal", choice<int>(worker.process.stop_signal, signals), "asks the process to end");
    s.setting("stopwaitsecs", duration(worker.process.stopwaitsecs), "between the stop signal and KILL");
    s.setting("stopasgroup", flag(worker.process.stopasgroup), "the stop signal goes to the process's whole group");
    s.setting("killasgroup", flag(worker.killasgroup), "always true here: KILL goes to the whole group, and when a process ends too");
}

void declare_logs(Scope& s, supervisor::ProgramSpec& process, bool& redirect_stderr) {
    s.setting("stdout_logfile", text(process.log_path), "the same as worker.NAME.log");
    s.setting("stdout_logfile_maxbytes", size(process.log_rotation.bytes_max), "then it becomes FILE.1; 0 = it is not rotated");
    s.setting("stdout_logfile_backups", count(process.log_rotation.backups, 0, 1000), "older files that are kept");
    s.setting("redirect_stderr", flag(redirect_stderr), "standard error goes into the same log");
    s.setting("stderr_logfile", text(process.error_log_path),
              "with redirect_stderr = false: the log of standard error, rotated as the other; {worker}-{n}.err.log if it is not set");
}

void declare_process(Scope& s, WorkerConfiguration& worker) {
    declare_starts(s, worker.process);
    declare_stops(s, worker);
    declare_logs(s, worker.process, worker.redirect_stderr);
    s.setting("directory", text(worker.process.directory), "the folder the process runs in");
    s.setting("umask", umask_of(worker.process.umask), "of the files it makes; the parent's if it is not set");
    s.texts_by_name("environment", worker.environment, "a variable of the process; {n} is its number");
    s.setting("user",
              refused("is not possible: a process has the user of its parent. Run forebay as that user (systemd: User=), or begin the "
                      "command with setpriv or sudo"),
              "not possible: the parent's user is that of its processes");
}

void declare_sql(Scope& s, WorkerConfiguration& worker) {
    s.setting("db", text(worker.database), "a [db.NAME]");
    s.setting("statement", text(worker.sql.statement), "with :id, :received_at, :endpoint, :_ip, :_raw and :FIELD");
    s.setting("table", text(worker.sql.table), "instead of a statement: the table that gets the row");
    s.setting("columns", texts(worker.columns), "of that table; id, received_at and the fields of the endpoint if it is not set");
    s.setting("create", flag(worker.sql.create_table), "the table, and columns it lacks, are made");
    s.setting("erase", text(worker.erase), "what forebay erase runs for the rows of a record, with :id");
}

void declare_exec(Scope& s, WorkerConfiguration& worker) {
    using handlers::Protocol;
    s.setting("command", texts(worker.command), "program and arguments; {n} is the process number");
    s.setting(
        "protocol",
        choice<Protocol>(worker.protocol,
                         {{"jsonl", Protocol::jsonl}, {"per-record", Protocol::per_record}, {"lambda-batch", Protocol::lambda_batch}}),
        "how the program gets records and answers");
}

void declare_worker(Scope& s, WorkerConfiguration& worker) {
    s.setting("queue", text(worker.queue), "where its records come from");
    s.setting(
        "handler",
        choice<HandlerKind>(worker.handler, {{"sql", HandlerKind::sql}, {"exec", HandlerKind::exec}, {"program", HandlerKind::program}},
                            {"stats", "archive", "partner_post", "fan_out"}),
        "what is done with a record");
    s.setting("group", text(worker.process.group), "for `forebay restart GROUP:*`");
    s.table("count", [&](Scope& inner) { declare_count(inner, worker); });
    s.table("batch", [&](Scope& inner) { declare_batch(inner, worker.batch); });
    s.setting("timeout", duration(worker.timeout), "of one record or transaction");
    s.table("retry", [&](Scope& inner) { declare_retry(inner, worker.retry); });
    s.table("recycle", [&](Scope& inner) { declare_recycle(inner, worker.recycle); });
    s.setting("when", text(worker.when),
              "a condition (docs/conditions.md): a record for which it does not hold is skipped, and not sent on to `then`");
    s.setting("then", texts(worker.then), "queues that get the record when this effect is done");
    s.setting("log", text(worker.process.log_path), "file with {worker}, {n} and {node}; without {n} it is shared");
    s.setting("command", texts(worker.process.command), "of a program: its arguments; {n} is the process number");
    s.table("sql", [&](Scope& inner) { declare_sql(inner, worker); });
    s.table("exec", [&](Scope& inner) { declare_exec(inner, worker); });
    s.table("process", [&](Scope& inner) { declare_process(inner, worker); });
    s.later({"counters", "archive", "stats"});
}

}  // namespace

void declare_workers(Scope& root, Configuration& c) {
    each(root, "db", c.databases, declare_database);
    each(root, "worker", c.workers, declare_worker);
}

}  // namespace forebay::cli
