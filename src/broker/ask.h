#pragma once
// A command and its answer as one blocking call, for threads that may wait: start-up, admin, tests.
// Never from the broker's own thread (an answer that waits for another answer waits forever).

#include <future>
#include <memory>
#include <utility>

#include "broker/broker.h"

namespace forebay::broker {

template <class Answer>
struct AnswerOf;
template <class R>
struct AnswerOf<UniqueFunction<void(R)>> {
    using Type = R;
};

/// Submits `command` (whose `answer` is replaced) and waits for what it is told.
template <class C>
auto ask(Commands& commands, C command) {
    using Told = typename AnswerOf<typename C::Answer>::Type;
    // Shared: the waiting thread may go on, and leave, before set_value has returned.
    auto promise = std::make_shared<std::promise<Told>>();
    auto told = promise->get_future();
    command.answer = [promise](Told result) { promise->set_value(std::move(result)); };
    commands.submit(Command(std::move(command)));
    return told.get();
}

}  // namespace forebay::broker
