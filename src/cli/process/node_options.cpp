#include "cli/process/node_options.h"

#include "base/log_line.h"

namespace forebay::cli {
namespace {
constexpr Duration sqs_cool_off = 60s;  // AWS's
/// History is written within a minute of what is in it being received.
constexpr Duration received_before = 1min;
}  // namespace

broker::BrokerOptions broker_options(const Configuration& configuration, const AuditBook& audits) {
    broker::BrokerOptions options;
    options.journal.segment_bytes = configuration.journal.segment;
    options.journal.min_free_bytes = configuration.node.min_free_disk;
    options.journal.reserve_bytes = configuration.node.reserve_disk;
    options.history_keep = configuration.journal.keep;
    if (configuration.sqs.cool_off) options.cool_off = sqs_cool_off;
    options.may_forget = [&audits](Timestamp from, Timestamp to) { return audits.may_forget(from - received_before, to); };
    return options;
}

intake::IntakeOptions intake_options(const Configuration& configuration, const std::string& secret) {
    intake::IntakeOptions options;
    options.endpoints = configuration.endpoints;
    options.keys = configuration.keys;
    options.sites = configuration.sites;
    options.secret = secret;
    options.quarantine_bytes_max = configuration.quarantine.max;
    options.log_accepted = configuration.log.level == LogLevel::debug;
    if (!configuration.endpoints.empty()) options.demo_endpoint = configuration.endpoints.front().name;
    return options;
}

sqs::AccessRules access_rules(const Configuration& configuration, const sqs::AccessKey& of_workers, bool is_dev) {
    sqs::AccessRules rules{configuration.sqs.verify.value_or(!is_dev), configuration.access};
    rules.keys.push_back(of_workers);
    if (rules.verify && configuration.access.empty())
        log_warn("sqs.no_access_keys")
            .with("why", "requests to the queue port must be signed, and only this node's workers have a key")
            .with("next", "forebay access new NAME makes one for other clients; [sqs] verify = false lets everybody in");
    return rules;
}

std::vector<admin::Route> routes_of(const Configuration& configuration) {
    std::vector<admin::Route> routes;
    for (const auto& worker : configuration.workers)
        if (!worker.queue.empty()) routes.push_back({worker.name, worker.queue, worker.handler != HandlerKind::program});
    return routes;
}

}  // namespace forebay::cli
