// A run's clients: commands on their way in, answers on their way out.

#include <fmt/format.h>

#include "sim/run.h"

namespace forebay::sim {
namespace {

template <class C>
std::string target_of(const C& command) {
    if constexpr (requires { command.queue; })
        return command.queue;
    else if constexpr (requires { command.source; })
        return command.source;
    else
        return {};
}

template <class C>
struct AnswerOf;
template <class R>
struct AnswerOf<UniqueFunction<void(R)>> {
    using Type = R;
};

constexpr const char* command_names[] = {"send",      "send batch",  "receive",     "delete",     "change visibility", "create queue",
                                         "set queue", "undeclare",   "pause queue", "pause all",  "delete queue",      "purge",
                                         "get queue", "list queues", "peek",        "start move", "cancel move",       "list moves"};

std::string text_of(const queue::Receipt& receipt) {
    return fmt::format("{}/{}/{}.{}", receipt.queue.value(), receipt.sequence.value(), receipt.epoch, receipt.generation);
}

std::string label_of(const std::string& body) { return body.substr(0, body.find(' ')); }

/// What a command asks for, beside its queue.
struct Detail {
    std::string operator()(const broker::Send& c) const {
        auto out = label_of(c.message.body);
        if (c.once)
            out += fmt::format(" key {}{} for {} s", to_text(c.once->key).substr(0, 8), c.once->refuse_reuse ? ", once only" : "",
                               c.once->window / 1s);
        if (!c.message.group.empty()) out += fmt::format(" group {} id '{}'", c.message.group, c.message.deduplication);
        if (c.message.delay) out += fmt::format(" delay {} ms", c.message.delay->count());
        return out;
    }
    std::string operator()(const broker::SendBatch& c) const {
        std::string out;
        for (auto& m : c.messages)
            out += fmt::format(" {}{}", label_of(m.body), m.group.empty() ? "" : fmt::format(" ({}, '{}')", m.group, m.deduplication));
        return out;
    }
    std::string operator()(const broker::Receive& c) const {
        auto out = fmt::format("{} messages", c.max_messages);
        if (!c.attempt.empty()) out += " as " + c.attempt;
        if (c.visibility) out += fmt::format(", hidden for {} ms", c.visibility->count());
        if (c.wait && *c.wait > 0ms) out += fmt::format(", waits {} ms{}", c.wait->count(), c.still_wanted ? " and leaves" : "");
        return out;
    }
    std::string operator()(const broker::Delete& c) const {
        std::string out;
        for (auto& receipt : c.receipts) out += " " + text_of(receipt);
        return out;
    }
    std::string operator()(const broker::ChangeVisibility& c) const {
        std::string out;
        for (auto& change : c.changes)
            out += fmt::format(" {} to {} ms{}", text_of(change.receipt), change.timeout.count(), change.release ? ", released" : "");
        return out;
    }
    std::string operator()(const broker::StartMove& c) const {
        return fmt::format("to {}{}", c.destination.value_or("where they came from"), c.rate ? fmt::format(", {}/s", *c.rate) : "");
    }
    std::string operator()(const broker::CancelMove& c) const { return to_text(c.id); }
    std::string operator()(const auto&) const { return {}; }
};

std::string text_of(const broker::MoveStatus& move) {
    return fmt::format("{} {} {} of {}{}", to_text(move.id).substr(0, 8), static_cast<int>(move.state), move.moved, move.to_move,
                       move.failure);
}

template <class T>
std::string text_of(const Result<T, broker::Refusal>& answer) {
    if (!answer.ok()) return fmt::format("refused ({})", static_cast<int>(answer.error()));
    if constexpr (std::is_same_v<T, std::vector<queue::Delivery>>) {
        std::string out = "got";
        for (auto& d : *answer) out += fmt::format(" {} (#{}, {})", label_of(d.body), d.receive_count, text_of(d.receipt));
        return out;
    } else if constexpr (std::is_same_v<T, broker::Sent>) {
        return fmt::format("sent as {}{}{}", to_text(answer->id), answer->duplicate ? ", a duplicate" : "",
                           answer->key_reused ? ", key reused" : "");
    } else if constexpr (std::is_same_v<T, std::vector<Result<void, broker::Refusal>>>) {
        std::string out = "done";
        for (auto& one : *answer) out += one ? "" : fmt::format(", one refused ({})", static_cast<int>(one.error()));
        return out;
    } else if constexpr (std::is_same_v<T, broker::MoveStatus>) {
        return text_of(*answer);
    } else if constexpr (std::is_same_v<T, std::vector<broker::MoveStatus>>) {
        std::string out = "moves:";
        for (auto& one : *answer) out += " " + text_of(one);
        return out;
    } else {
        return "done";
    }
}

}  // namespace

void Run::wire(broker::Command& command) {
    auto operation = Operation(++operations_);
    auditor_.asked(operation, command);
    if (verbose_) {
        auto detail = std::visit([](auto& c) { return target_of(c) + " " + Detail{}(c); }, command);
        say(fmt::format("{:6} {} {}", operation.value(), command_names[command.index()], detail));
    }
    std::visit([&](auto& c) { wire_answer(c, operation); }, command);
}

template <class C>
void Run::wire_answer(C& command, Operation operation) {
    using Told = typename AnswerOf<typename C::Answer>::Type;
    command.answer = [this, operation, queue = target_of(command)](Told answer) { told(operation, queue, std::move(answer)); };
}

/// An answer from a process that is dead already reaches nobody.
template <class T>
void Run::told(Operation operation, const std::string& queue, T answer) {
    if (!is_anybody_there()) return;
    hash_ = (hash_ ^ (operation.value() * 2 + answer.ok())) * 0x100000001b3ull;
    if (verbose_) say(fmt::format("{:6} {}", operation.value(), text_of(answer)));
    note_unread();
    auditor_.answered(operation, answer);
    learn_from(queue, answer);
}

template <class T>
void Run::learn_from(const std::string& queue, const T& answer) {
    if constexpr (std::is_same_v<T, Auditor::Told<std::vector<queue::Delivery>>>) {
        if (!answer) return;
        for (auto& delivery : *answer) {
            tally_.deliveries += 1;
            workload_.received(queue, delivery);
            hash_ = (hash_ ^ std::hash<Uuid>{}(delivery.id) ^ delivery.receive_count) * 0x100000001b3ull;
            if (is_draining_) drained_.emplace_back(queue, delivery);
            if (chance_.one_in(50)) handle_to_check_ = delivery.receipt;
        }
    } else if constexpr (std::is_same_v<T, Auditor::Told<std::vector<Auditor::Told<void>>>>) {
        if (answer) workload_.removed(answer->size());
        if (answer && is_squeezed_) tally_.rare.note(Rare::deleted_on_full_disk);
    } else if constexpr (std::is_same_v<T, Auditor::Told<broker::MoveStatus>>) {
        if (answer) workload_.learned_move(queue, answer->id);
    } else if constexpr (std::is_same_v<T, Auditor::Told<std::vector<broker::MoveStatus>>>) {
        if (!answer) return;
        for (auto& move : *answer) workload_.learned_move(queue, move.id);
    } else if constexpr (std::is_same_v<T, Auditor::Told<broker::Sent>>) {
        if (!answer && answer.error() == broker::Refusal::no_room) {
            tally_.rare.note(Rare::addition_refused_on_full_disk);
            if (is_draining_) fail("an addition is refused for want of room though the disk has room again");
        }
    }
}

}  // namespace forebay::sim
