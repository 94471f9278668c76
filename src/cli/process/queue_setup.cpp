#include "cli/process/queue_setup.h"

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
    return {};
}

}  // namespace forebay::cli
