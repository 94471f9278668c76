#pragma once
// What a `program` and an `exec` child learn from their environment (decisions.md D24): who they are and
// where queues, databases and statsd live. Names with characters that a shell cannot have become `_`.
//
//   FOREBAY_WORKER FOREBAY_N FOREBAY_QUEUE FOREBAY_QUEUE_URL      of the worker itself
//   FOREBAY_QUEUE_URL_LEADS, …                                    of every queue
//   FOREBAY_DB_MAIN_DRIVER  _WRITER  _READER  _DATABASE           of every database
//   FOREBAY_STATSD FOREBAY_STATSD_PREFIX                          host:port
//   AWS_ENDPOINT_URL_SQS AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN   so that SDKs need no code

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace forebay::supervisor {

struct ChildSurroundings {
    struct Queue {
        std::string name;
        std::string url;
    };
    struct Database {
        std::string name, driver, writer, reader, database;
    };
    std::string worker;
    std::string queue;  ///< the worker's own; empty = none
    std::vector<Queue> queues;
    std::vector<Database> databases;
    std::string statsd;  ///< empty = none
    std::string statsd_prefix;
    std::string sqs_endpoint;
    std::string region;
    std::string access_key_id;
    std::string secret_access_key;
    std::string session_token;
};

/// Name and value pairs; FOREBAY_N is `{n}`, which the supervisor replaces.
std::vector<std::pair<std::string, std::string>> to_environment(const ChildSurroundings& surroundings);
/// `leads-dead` -> `LEADS_DEAD`
std::string environment_name(std::string_view name);

}  // namespace forebay::supervisor
