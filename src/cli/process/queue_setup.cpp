#include "cli/process/queue_setup.h"

#include "base/log_line.h"
#include "broker/ask.h"
#include "intake/intake.h"
#include "queue/limits.h"

namespace forebay::cli {
namespace {
/// D21: a target nobody declared keeps letters for 14 days and has no redrive policy of its own.
broker::QueueSettings dead_letter_settings() {
    broker::QueueSettings settings;
    settings.retention = queue::limits::retention_max;
    settings.carries_records = true;
    return settings;
}

/// Refused input stays until somebody looks at it, up to the cap that intake keeps.
broker::QueueSettings quarantine_settings() {
    broker::QueueSettings settings;
    settings.retention = queue::limits::retention_max;
    settings.carries_records = true;
    return settings;
}

Result<void, std::string> declare(broker::Commands& commands, const std::string& name, broker::QueueSettings settings) {
    broker::CreateQueue create;
    create.queue = name;
    create.settings = std::move(settings);
    create.declared = true;
    auto made = broker::ask(commands, std::move(create));
    if (!made.ok())
        return Failure{"queue \"" + name + "\" could not be made (refusal " + std::to_string(static_cast<int>(made.error())) + ")"};
    return {};
}
}  // namespace

namespace {
/// A queue that was taken out of the configuration keeps what it holds, and nobody may forget that it does.
void leave(broker::Commands& commands, const broker::QueueStatus& queue) {
    if (queue.declared && !broker::ask(commands, broker::Undeclare{queue.name, {}}).ok()) return;
    auto messages = queue.ready + queue.in_flight + queue.delayed;
    if (messages == 0) return;
    log_warn("queue.unconfigured")
        .with("queue", queue.name)
        .with("messages", messages)
        .with("why", "it carries records and is not in the configuration any more; it keeps what it holds")
        .with("next", "declare it again with a worker that empties it, or forebay queue purge " + queue.name);
}

void leave_what_is_not_configured(broker::Commands& commands, const Configuration& configuration) {
    auto queues = broker::ask(commands, broker::ListQueues{});
    if (!queues.ok()) return;
    for (const auto& queue : *queues) {
        bool was_declared = queue.declared || queue.settings.carries_records;
        if (was_declared && !configuration.has_queue(queue.name)) leave(commands, queue);
    }
}
}  // namespace

Result<void, std::string> declare_queues(broker::Commands& commands, const Configuration& configuration) {
    TRY(declare(commands, std::string(intake::quarantine_queue), quarantine_settings()));
    for (const auto& queue : configuration.queues)
        if (const auto& redrive = queue.settings.redrive; redrive && configuration.find_queue(redrive->dead_letter) == nullptr)
            TRY(declare(commands, redrive->dead_letter, dead_letter_settings()));
    // Targets before the queues that name them.
    for (const auto& queue : configuration.queues)
        if (!queue.settings.redrive) TRY(declare(commands, queue.name, queue.settings));
    for (const auto& queue : configuration.queues)
        if (queue.settings.redrive) TRY(declare(commands, queue.name, queue.settings));
    leave_what_is_not_configured(commands, configuration);
    return {};
}

}  // namespace forebay::cli
