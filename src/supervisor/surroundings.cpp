#include "supervisor/surroundings.h"

#include <cctype>

namespace forebay::supervisor {

std::string environment_name(std::string_view name) {
    std::string out;
    for (char c : name)
        out += std::isalnum(static_cast<unsigned char>(c)) ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : '_';
    return out;
}

std::vector<std::pair<std::string, std::string>> to_environment(const ChildSurroundings& s) {
    std::vector<std::pair<std::string, std::string>> out;
    auto add = [&](std::string name, const std::string& value) {
        if (!value.empty()) out.emplace_back(std::move(name), value);
    };
    add("FOREBAY_WORKER", s.worker);
    add("FOREBAY_N", "{n}");
    add("FOREBAY_QUEUE", s.queue);
    for (auto& queue : s.queues) {
        if (queue.name == s.queue) add("FOREBAY_QUEUE_URL", queue.url);
        add("FOREBAY_QUEUE_URL_" + environment_name(queue.name), queue.url);
    }
    for (auto& db : s.databases) {
        auto prefix = "FOREBAY_DB_" + environment_name(db.name);
        add(prefix + "_DRIVER", db.driver);
        add(prefix + "_WRITER", db.writer);
        add(prefix + "_READER", db.reader);
        add(prefix + "_DATABASE", db.database);
    }
    add("FOREBAY_STATSD", s.statsd);
    add("FOREBAY_STATSD_PREFIX", s.statsd_prefix);
    add("AWS_ENDPOINT_URL_SQS", s.sqs_endpoint);
    add("AWS_REGION", s.region);
    add("AWS_ACCESS_KEY_ID", s.access_key_id);
    add("AWS_SECRET_ACCESS_KEY", s.secret_access_key);
    // Also empty: one that this process was started with would belong to another key.
    if (!s.access_key_id.empty()) out.emplace_back("AWS_SESSION_TOKEN", s.session_token);
    return out;
}

}  // namespace forebay::supervisor
