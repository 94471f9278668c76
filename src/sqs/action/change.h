#pragma once
// What the actions share that change a queue.

#include <functional>
#include <string>

#include "sqs/action.h"

namespace forebay::sqs::action {

/// On the broker's thread: must be short. After an error nothing is changed, and that is the answer.
using Change = std::function<Result<void, Error>(broker::QueueSettings&)>;

/// Changes the queue's settings as they are when the broker comes to it, and answers.
void change_settings(broker::Commands& commands, Gatekeeper& gate, std::string queue, Reply reply, Change change);

}  // namespace forebay::sqs::action
