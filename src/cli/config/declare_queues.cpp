// [backend.NAME], [queue.NAME]: where records wait. Names and meanings are SQS's.
#include "cli/config/declare.h"
#include "queue/limits.h"

namespace forebay::cli {
namespace {

using queue::limits::max_receive_count_max;

constexpr std::uint32_t usual_max_receive_count = 20;

broker::Redrive& redrive_of(broker::QueueSettings& settings) {
    if (!settings.redrive) settings.redrive = broker::Redrive{"", usual_max_receive_count};
    return *settings.redrive;
}

/// A setting inside the redrive policy, which exists only when one of its settings is given.
Slot in_redrive(broker::QueueSettings& settings, Slot (*slot)(broker::Redrive&)) {
    broker::Redrive fresh;
    auto kind = slot(fresh).kind;
    return {kind, [&settings, slot](const Given& given) { return slot(redrive_of(settings)).take(given); },
            [&settings, slot] { return settings.redrive ? slot(*settings.redrive).toml() : std::string(); }};
}

Slot dead_letter(broker::Redrive& redrive) { return text(redrive.dead_letter); }
Slot max_receive_count(broker::Redrive& redrive) { return count(redrive.max_receive_count, 1, max_receive_count_max); }

void declare_backend(Scope& s, BackendConfiguration& backend) {
    s.setting("kind", choice(backend.kind, {{"embedded"}, {"sqs", "rabbitmq"}}), "where queues of this backend live");
    s.later({"url", "region", "prefix", "queue"});
}

void declare_queue(Scope& s, QueueConfiguration& queue) {
    auto& settings = queue.settings;
    s.setting("backend", text(queue.backend), "a [backend.NAME]; embedded if it is not set");
    s.setting("visibility_timeout", duration(settings.visibility_timeout), "how long a received message is hidden from others");
    s.setting("delay", duration(settings.delay), "how long a new message is hidden");
    s.setting("receive_wait", duration(settings.receive_wait), "how long a receive waits for a message if it does not say");
    s.setting("max_message_size", size(settings.message_bytes_max, queue::limits::maximum_message_size_min), "larger messages are refused");
    s.setting("max_receive_count", in_redrive(settings, max_receive_count), "received more often, a message goes to dead_letter");
    s.setting("dead_letter", in_redrive(settings, dead_letter), "the queue for messages that nobody could settle");
    s.setting("retention", duration(settings.retention), "older messages raise an alarm; declared queues never drop one");
    s.setting(
        "body",
        choice<record::BodyForm>(
            queue.body, {{"json", record::BodyForm::json}, {"base64-json", record::BodyForm::base64_json}, {"php", record::BodyForm::php}}),
        "the form in which consumers get a record");
    s.later({"on_expire", "retention_guard", "fifo", "content_based_deduplication"});
}

}  // namespace

void declare_queues(Scope& root, Configuration& c) {
    each(root, "backend", c.backends, declare_backend);
    each(root, "queue", c.queues, declare_queue);
}

}  // namespace forebay::cli
