#include "cli/config/declare.h"

namespace forebay::cli {
namespace {

void declare_node(Scope& s, NodeConfiguration& node) {
    s.setting("name", text(node.name), "what other nodes, logs and metrics call this one; the host's name if it is not set");
    s.setting("roles", choices(node.roles, {{"intake", "queue", "workers", "admin"}, {}}), "what this node does");
    s.setting("data_dir", text(node.data_dir), "folder of the journal, the queues and the control socket");
    s.setting("min_free_disk", size(node.min_free_disk), "below this much free disk posts get 503 and /readyz fails");
    s.setting("reserve_disk", size(node.reserve_disk), "preallocated; released only for deletes and checkpoints on a full disk");
}

void declare_ack(Scope& s, AckConfiguration& ack) {
    s.setting("after", choice(ack.after, {{"journal"}, {"queue"}}), "what must have happened before a client hears \"accepted\"");
    s.setting("queue_down", choice(ack.queue_down, {{"spool"}, {"refuse"}}), "what posts get while a remote queue is away");
    s.setting("fsync", choice(ack.fsync, {{"group"}, {"each"}}), "one sync for all posts that arrived during the last one");
}

void declare_intake(Scope& s, IntakeConfiguration& intake) {
    s.setting("listen", listen(intake.listen, true), "addresses that take posts; \"systemd:NAME\" is a socket that systemd opened");
    s.setting("trusted_proxies", texts(intake.trusted_proxies), "networks whose X-Forwarded-For is believed");
    s.setting("max_body", size(intake.max_body, 1_KiB), "larger posts get 413");
    s.setting("drain_delay", duration(intake.drain_delay), "on stop /readyz is 503, but posts are taken this long");
    s.setting("drain_timeout", duration(intake.drain_timeout), "then open requests may take this long");
    s.setting("connections_max", count(intake.connections_max), "connections at once; 0 = what the limit of open files allows");
    s.setting("connections_per_client", count(intake.connections_per_client, 1), "connections at once of one address");
    s.table("ack", [&](Scope& inner) { declare_ack(inner, intake.ack); });
}

void declare_admin(Scope& s, AdminConfiguration& admin) {
    s.setting("listen", listen(admin.listen), "addresses of the operator's interface");
    s.setting("hosts", texts(admin.hosts),
              "names it may be called by; without any: localhost and addresses if it listens on loopback, else all");
    s.setting("mask", texts(admin.mask), "fields that are masked on screen");
    s.later({"users"});
}

void declare_sqs(Scope& s, SqsConfiguration& sqs) {
    s.setting("listen", listen(sqs.listen), "addresses of the queue port (Amazon SQS's API)");
    s.setting("account", text(sqs.account), "account number in queue URLs and ARNs");
    s.setting("region", text(sqs.region), "region in ARNs; the one a request is signed for if it is not set");
    s.setting("base_url", text(sqs.base_url), "start of queue URLs; from the request's Host if it is not set");
    s.setting("hosts", texts(sqs.hosts),
              "names it may be called by; without any: localhost and addresses if it listens on loopback, else all");
    s.setting("cool_off", flag(sqs.cool_off), "60 seconds until a deleted queue's name is free and between two purges, as on AWS");
    s.setting("verify", flag(sqs.verify), "whether requests must be signed by an [access.NAME]; if it is not set: yes, but no in dev");
}

void declare_log(Scope& s, LogConfiguration& log) {
    auto set = [&](std::size_t i) {
        log.guide = i == 3;
        log.format = i == 0 ? LogFormat::json : i == 2 ? LogFormat::text : LogFormat::logfmt;
    };
    auto get = [&]() -> std::size_t {
        if (log.guide) return 3;
        return log.format == LogFormat::json ? 0 : log.format == LogFormat::text ? 2 : 1;
    };
    s.setting("format", choice({{"json", "logfmt", "text", "guide"}, {}}, set, get),
              "how log lines look; guide = unixtime:n:message for workers");
    s.setting("level",
              choice<LogLevel>(
                  log.level, {{"debug", LogLevel::debug}, {"info", LogLevel::info}, {"warn", LogLevel::warn}, {"error", LogLevel::error}}),
              "the least important lines that are written");
}

void declare_telemetry(Scope& s, TelemetryConfiguration& telemetry) {
    s.setting("prometheus", address(telemetry.prometheus), "address that serves /metrics; it is on the operator's interface too");
    s.table("statsd", [&](Scope& inner) {
        inner.setting("to", address(telemetry.statsd.to), "address of a statsd that gets the counts over UDP");
        inner.setting("prefix", text(telemetry.statsd.prefix), "first part of the names");
        inner.setting("tags", choice(telemetry.statsd.tags, {{"graphite", "dogstatsd", "none"}, {}}), "how labels are written");
    });
    s.later({"otlp", "otel_semconv"});
}

void declare_journal(Scope& s, JournalConfiguration& journal) {
    s.setting("keep", duration(journal.keep), "how far back replay can reach; what is open or dead is kept anyway");
    s.setting("segment", size(journal.segment, 1_MiB), "size of one file of the journal");
    auto set = [&](std::size_t i) { journal.compress = i == 0; };
    s.setting("compress", choice({{"zstd", "none"}, {}}, set, [&] { return std::size_t{journal.compress ? 0U : 1U}; }),
              "of segments that nothing waits for any more");
    s.later({"encrypt"});
}

}  // namespace

void declare(Scope& root, Configuration& c) {
    root.table("node", [&](Scope& s) { declare_node(s, c.node); });
    root.table("intake", [&](Scope& s) { declare_intake(s, c.intake); });
    root.table("admin", [&](Scope& s) { declare_admin(s, c.admin); });
    root.table("sqs", [&](Scope& s) { declare_sqs(s, c.sqs); });
    declare_access(root, c);
    declare_endpoints(root, c);
    declare_queues(root, c);
    declare_workers(root, c);
    declare_schedules(root, c);
    root.table("ledger", [&](Scope& s) {
        s.setting("db", text(c.ledger.database),
                  "a [db.NAME] where exec workers note their effects; a file of each process if it is not set");
    });
    root.table("quarantine", [&](Scope& s) { s.setting("max", size(c.quarantine.max, 1_MiB), "refused posts are kept up to this size"); });
    root.table("journal", [&](Scope& s) { declare_journal(s, c.journal); });
    root.table("log", [&](Scope& s) { declare_log(s, c.log); });
    root.table("telemetry", [&](Scope& s) { declare_telemetry(s, c.telemetry); });
    declare_proxy(root, c);
    root.later({"partner", "alert"});
}

}  // namespace forebay::cli
