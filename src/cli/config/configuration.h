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
#include "record/envelope.h"

namespace forebay::cli {

/// `127.0.0.1:8080`; port 0 takes a free one.
struct Listen {
    std::string address;
    std::uint16_t port = 0;
    bool operator==(const Listen&) const = default;
};

/// `50/s burst 200`, `5/m per ip burst 10`.
struct Rate {
    double per_second = 0;
    std::uint32_t burst = 0;
    bool per_ip = false;
    bool operator==(const Rate&) const = default;
};

/// A value that must not be printed. In a file it comes from ${env:…} or ${file:…}, never in clear text.
struct Secret {
    std::string value;
    bool operator==(const Secret&) const = default;
};

struct NodeConfiguration {
    std::string name;  ///< default: the host's name
    std::vector<std::string> roles = {"intake", "queue", "workers", "admin"};
    std::string data_dir = "forebay-data";
    std::uint64_t min_free_disk = 256_MiB;  ///< below this: 503 and not ready
    std::uint64_t reserve_disk = 64_MiB;    ///< preallocated, released only to finish what is in flight
};

struct IntakeConfiguration {
    std::vector<Listen> listen = {{"127.0.0.1", 8080}};
    std::vector<std::string> trusted_proxies;  ///< CIDR; X-Forwarded-For is believed only from here
    std::uint64_t max_body = 64_KiB;
    Duration drain_delay = 10s;    ///< on stop /readyz is 503 but posts are taken this long
    Duration drain_timeout = 30s;  ///< then open requests have this long
    std::uint32_t connections_max = 0;         ///< 0: computed from RLIMIT_NOFILE
    std::uint32_t connections_per_client = 256;
    std::string ack_after = "journal";  ///< the only value of this version
};

struct SqsAccess {
    std::string name;
    std::string id;
    Secret secret;
    std::vector<std::string> allow;  ///< `receive:leads`, `send:*`
};

struct SqsConfiguration {
    std::vector<Listen> listen = {{"127.0.0.1", 9324}};
    std::string account = "000000000000";
    std::string region;          ///< empty: from the signature's scope
    bool verify = false;         ///< signature V4 on every request
    bool cool_off = false;       ///< AWS's 60 s after DeleteQueue and PurgeQueue
    std::string base_url;        ///< empty: from Host
};

struct AdminConfiguration {
    std::vector<Listen> listen = {{"127.0.0.1", 8090}};
    std::vector<std::string> mask = {"email", "phone", "first_name", "last_name", "ip"};
};

struct QueueConfiguration {
    std::string name;
    broker::QueueSettings settings;  ///< carries_records is true: declared queues keep what they hold (D21)
    record::BodyForm body = record::BodyForm::json;
};

struct DatabaseConfiguration {
    std::string name;
    std::string driver = "sqlite";  ///< the only driver of this version
    std::string path;               ///< of the file; relative to the folder forebay runs in
    Duration connect_timeout = 3s;
    Duration statement_timeout = 10s;
    Duration probe = 2s;  ///< while it is down, how often it is tried
};

enum class HandlerKind { sql, exec, program };

/// Which processes of a worker run, and how they are cared for; supervisord's names and defaults.
struct ProcessConfiguration {
    bool autostart = true;
    Duration startsecs = 1s;
    std::uint32_t startretries = 3;
    Duration stopwaitsecs = 10s;
    std::string stopsignal = "TERM";
    std::uint32_t priority = 999;
    Duration fatal_retry = 1min;  ///< 0 = stay FATAL
};

struct WorkerConfiguration {
    std::string name;
    std::string group = "core";
    std::string queue;  ///< empty for `program`
    HandlerKind handler = HandlerKind::sql;
    std::uint32_t count_min = 1;
    std::uint32_t count_max = 1;
    std::uint32_t batch_size = 10;
    Duration batch_wait = 20ms;
    Duration timeout = 20s;
    std::vector<Duration> retry_after = {1s, 5s, 30s, 5min, 30min, 2h, 5h, 10h, 14h, 20h};
    double retry_jitter = 0.2;
    Duration recycle_after = 0s;       ///< 0 = never
    std::uint64_t recycle_jobs = 0;    ///< 0 = never
    std::uint64_t recycle_rss = 0;     ///< bytes; 0 = never
    std::string log;                   ///< path with {worker} {n} {node}; empty: <data_dir>/log/{worker}-{n}.log
    ProcessConfiguration process;

    std::string sql_db;         ///< [worker.X.sql]
    std::string sql_statement;
    std::string sql_setup;      ///< run once when the database is opened, e.g. CREATE TABLE IF NOT EXISTS
    std::vector<std::string> command;  ///< `exec` and `program`; {n} is the process number
    std::string exec_protocol = "jsonl";  ///< jsonl | per-record | lambda-batch
};

struct LogConfiguration {
    LogFormat format = LogFormat::json;
    LogLevel level = LogLevel::info;
    bool guide = false;  ///< worker logs as `unixtime:n:message` (log.format = "guide")
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
    bool compress = true;      ///< history segments, zstd
};

/// Everything. Vectors are in the order of the file.
struct Configuration {
    NodeConfiguration node;
    IntakeConfiguration intake;
    AdminConfiguration admin;
    SqsConfiguration sqs;
    std::vector<SqsAccess> access;
    std::vector<QueueConfiguration> queues;
    std::vector<DatabaseConfiguration> databases;
    std::vector<WorkerConfiguration> workers;
    QuarantineConfiguration quarantine;
    JournalConfiguration journal;
    LogConfiguration log;
    TelemetryConfiguration telemetry;

    const QueueConfiguration* find_queue(std::string_view name) const;
    const WorkerConfiguration* find_worker(std::string_view name) const;
    const DatabaseConfiguration* find_database(std::string_view name) const;
};

}  // namespace forebay::cli
