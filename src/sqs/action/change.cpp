#include "sqs/action/change.h"

#include <memory>
#include <optional>

#include "sqs/queue_attributes.h"

namespace forebay::sqs::action {

void change_settings(broker::Commands& commands, Gatekeeper& gate, std::string queue, Reply reply, Change change) {
    // Of the change and of the answer, which says in SQS's words what was wrong.
    struct Outcome {
        std::optional<Error> wrong;
        std::string policy;
    };
    auto outcome = std::make_shared<Outcome>();
    auto try_change = [change = std::move(change), outcome](broker::QueueSettings& settings) {
        auto changed = change(settings);
        if (!changed.ok()) outcome->wrong = changed.error();
        outcome->policy = policy_in(settings);
        return changed.ok();
    };
    auto answer = [reply = std::move(reply), outcome, &gate, queue](auto done) mutable {
        if (outcome->wrong) return reply.fail(*outcome->wrong);
        if (!done.ok()) return reply.fail(done.error());
        gate.set_policy(queue, outcome->policy);
        reply.succeed();
    };
    commands.submit(broker::SetQueue{std::move(queue), std::move(try_change), std::move(answer)});
}

}  // namespace forebay::sqs::action
