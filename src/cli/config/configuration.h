#pragma once
// The whole configuration as plain values with their defaults, after files, environment and overlays were
// read and checked. Nothing below cli/ sees this: the verbs take from it what each part's Options need.
// config/declare.h says which key of the file fills which field; config/load.h makes one of these.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/log_line.h"
#include "base/time.h"
#include "broker/broker.h"
#include "db/database.h"
#include "generate/cluster.h"
#include "handlers/exec.h"
#include "handlers/sql.h"
#include "intake/endpoint.h"
#include "record/envelope.h"
#include "sqs/access.h"
#include "supervisor/supervisor.h"
#include "worker/autoscale.h"
#include "worker/worker.h"

namespace forebay::cli {

/// `127.0.0.1:8080`; port 0 takes a free one.
struct Listen {
    std::string address;
    std::uint16_t port = 0;
    std::string activation{};  ///< instead: the socket that systemd calls so (`systemd:http`)
    bool operator==(const Listen&) const = default;
};

struct NodeConfiguration {
    std::string name;  ///< default: the host's name
    std::vector<std::string> roles = {"intake", "queue", "workers", "admin"};
    std::string data_dir = "forebay-data";
    std::uint64_t min_free_disk = 256_MiB;  ///< below this: 503 and not ready
    std::uint64_t reserve_disk = 256_MiB;   ///< preallocated, released only for deletes and checkpoints on a full disk
};

/// What must be true before a client hears "accepted" (D1). Each has one value in this version.
struct AckConfiguration {
    std::string after = "journal";
    std::string queue_down = "spool";
    std::string fsync = "group";
};

struct IntakeConfiguration {
    std::vector<Listen> listen = {{"127.0.0.1", 8080}};
    std::vector<std::string> trusted_proxies;  ///< CIDR; X-Forwarded-For is believed only from here
    std::uint64_t max_body = 64_KiB;
    Duration drain_delay = 10s;         ///< on stop /readyz is 503 but posts are taken this long
    Duration drain_timeout = 30s;       ///< then open requests have this long
    std::uint32_t connections_max = 0;  ///< 0: computed from RLIMIT_NOFILE
    std::uint32_t connections_per_client = 256;
    AckConfiguration ack;
};

struct SqsConfiguration {
    std::vector<Listen> listen = {{"127.0.0.1", 9324}};
    std::string account = "123456789012";
    std::string region;              ///< empty: from the signature's scope
    std::string base_url;            ///< empty: from Host
    bool cool_off = true;            ///< 60 seconds after a delete and between purges, as on AWS
    std::vector<std::string> hosts;  ///< names it may be called by, besides localhost and addresses
    std::optional<bool> verify;      ///< whether requests must be signed; not set: yes, but no in `forebay dev`
};

struct AdminConfiguration {
    std::vector<Listen> listen = {{"127.0.0.1", 8090}};
    std::vector<std::string> hosts;  ///< names it may be called by, besides localhost and addresses
    std::vector<std::string> mask = {"email", "phone", "first_name", "last_name", "ip"};
};

/// Where queues live. Without any, they are embedded.
struct BackendConfiguration {
    std::string name;
    std::string kind = "embedded";  ///< the only kind of this version
};

struct QueueConfiguration {
    std::string name;
    std::string backend;             ///< empty: embedded
    broker::QueueSettings settings;  ///< carries_records is true: declared queues keep what they hold (D21)
    record::BodyForm body = record::BodyForm::json;
};

struct DatabaseConfiguration {
    std::string name;
    std::string on_down = "hold";  ///< the only way of this version
    db::Options options;           ///< options.name is the name too
    Duration probe = 2s;           ///< while it is down, how often it is tried
    generate::Cluster cluster;     ///< for `generate`; without nodes = none
};

/// The balancer in front of databases. Its addresses for posts are a later version's.
struct ProxyConfiguration {
    std::optional<Listen> statistics;  ///< the address of the statistics page; none without
    std::string user;
    std::string password;
};

enum class HandlerKind { sql, exec, program };

struct NamedText {
    std::string name, text;
    bool is_secret = false;  ///< printed masked: it came from ${file:…}, ${env:…} or the environment
};

struct WorkerConfiguration {
    WorkerConfiguration() { process.group = "core"; }
    std::string name;
    HandlerKind handler = HandlerKind::sql;
    std::string queue;            ///< empty for `program`
    std::uint32_t count_min = 1;  ///< process.count is this
    std::uint32_t count_max = 0;  ///< 0: count_min
    worker::ScaleOptions scale;   ///< between the two; min and max are made of them
    worker::Batch batch{10, 20ms};
    Duration timeout = 20s;
    worker::RetrySchedule retry;
    worker::Recycle recycle;
    std::vector<std::string> then;  ///< queues
    std::string when;               ///< a condition: a record for which it does not hold is skipped; empty = none
    /// Group, name, count, log path and care; the command too for `program`. Commands and environments of
    /// `sql` and `exec` processes are the composition's.
    supervisor::ProgramSpec process;
    std::vector<NamedText> environment;  ///< `program` and `exec`: variables of their own
    bool killasgroup = true;             ///< said for supervisord's users: nothing else is possible
    bool redirect_stderr = true;         ///< process.error_log_path is empty then

    std::string database;              ///< `sql`: [db.NAME]
    std::string erase;                 ///< `sql`: what `forebay erase` runs for a record's rows
    std::vector<std::string> columns;  ///< as given; sql.columns is made of it
    handlers::SqlOptions sql;          ///< `sql`: statement, or table and columns (complete); worker and n are the composition's
    std::vector<std::string> command;  ///< `exec`: with {n} and {worker}
    handlers::Protocol protocol = handlers::Protocol::jsonl;
};

struct LedgerConfiguration {
    std::string database;  ///< [db.NAME]; empty: exec workers note their effects in a SQLite file of each process
};

struct LogConfiguration {
    LogFormat format = LogFormat::json;
    LogLevel level = LogLevel::info;
    bool guide = false;  ///< log.format = "guide": logfmt, and workers' logs as `unixtime:n:message`
};

struct StatsdConfiguration {
    std::optional<Listen> to;
    std::string prefix = "forebay";
    std::string tags = "graphite";  ///< graphite | dogstatsd | none
};

struct TelemetryConfiguration {
    std::optional<Listen> prometheus;
    StatsdConfiguration statsd;
};

struct QuarantineConfiguration {
    std::uint64_t max = 1_GiB;
};

struct JournalConfiguration {
    Duration keep = 14 * 24h;  ///< how far back replay can reach
    std::uint64_t segment = 64_MiB;
    bool compress = true;  ///< history segments, zstd
};

/// Something of ours that the parent runs at its times.
struct ScheduleConfiguration {
    std::string name;
    Duration every{0};  ///< or cron
    std::string cron;
    std::string timezone = "UTC";  ///< of cron, by its IANA name
    bool catch_up = false;         ///< what was missed while nothing could run is run once
    std::string run;
    std::vector<std::string> words;  ///< of `run`
    /// Whether it is for the parent of each host that has processes: start, stop, restart, scale.
    bool is_about_processes() const;
};

/// Everything. Vectors are in the order of the file.
struct Configuration {
    NodeConfiguration node;
    IntakeConfiguration intake;
    AdminConfiguration admin;
    SqsConfiguration sqs;
    std::vector<sqs::AccessKey> access;
    std::vector<intake::Endpoint> endpoints;
    std::vector<intake::Key> keys;
    std::vector<intake::Site> sites;
    std::vector<BackendConfiguration> backends;
    std::vector<QueueConfiguration> queues;
    std::vector<DatabaseConfiguration> databases;
    std::vector<WorkerConfiguration> workers;
    std::vector<ScheduleConfiguration> schedules;
    LedgerConfiguration ledger;
    ProxyConfiguration proxy;
    QuarantineConfiguration quarantine;
    JournalConfiguration journal;
    LogConfiguration log;
    TelemetryConfiguration telemetry;

    /// Declared, the dead-letter queue of one that is (D21), or Forebay's own.
    /// Whether an audit is scheduled: then history is kept until it was counted (D2).
    bool has_audit() const;
    bool has_queue(std::string_view name) const;
    /// Whether the roles bring a node to this host.
    bool has_node() const;
    const QueueConfiguration* find_queue(std::string_view name) const;
    const WorkerConfiguration* find_worker(std::string_view name) const;
    const DatabaseConfiguration* find_database(std::string_view name) const;
    /// Where a worker's effects are noted: of `sql` its database, of `exec` the ledger's. Null: in files of its processes.
    const DatabaseConfiguration* effects_database(const WorkerConfiguration& worker) const;
};

}  // namespace forebay::cli
