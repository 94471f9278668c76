#include "fake_broker.h"

#include <algorithm>
#include <charconv>

namespace forebay::sqs {

using broker::Refusal;

namespace {

std::uint64_t size_of(const queue::OutgoingMessage& message) {
    std::uint64_t bytes = message.body.size();
    for (auto& attribute : message.attributes) bytes += attribute.name.size() + attribute.type.size() + attribute.value.size();
    return bytes;
}

}  // namespace

void FakeBroker::submit(broker::Command command) {
    std::lock_guard lock(mutex_);
    std::visit(
        [&](auto& one) {
            if (refuses)
                refuse(one, *refuses);
            else
                run(one);
        },
        command);
}

std::string FakeBroker::handle_of(const queue::Receipt& receipt) const {
    return "handle." + std::to_string(receipt.queue.value()) + "." + std::to_string(receipt.sequence.value()) + "." +
           std::to_string(receipt.generation);
}

std::optional<queue::Receipt> FakeBroker::receipt_of(std::string_view handle) const {
    unsigned queue = 0, generation = 0;
    unsigned long long sequence = 0;
    if (std::sscanf(std::string(handle).c_str(), "handle.%u.%llu.%u", &queue, &sequence, &generation) != 3) return std::nullopt;
    return queue::Receipt{queue::QueueId(queue), queue::Sequence(sequence), 0, generation};
}

FakeBroker::Queue* FakeBroker::find(const std::string& name) {
    auto found = queues_.find(name);
    return found == queues_.end() ? nullptr : &found->second;
}

FakeBroker::Message* FakeBroker::find(Queue& queue, const queue::Receipt& receipt) {
    for (auto& message : queue.messages)
        if (message.delivery.receipt.sequence == receipt.sequence) return &message;
    return nullptr;
}

std::size_t FakeBroker::parked() const {
    std::lock_guard lock(mutex_);
    return parked_.size();
}
std::size_t FakeBroker::messages_in(const std::string& queue) const {
    std::lock_guard lock(mutex_);
    return queues_.at(queue).messages.size();
}
void FakeBroker::declare(const std::string& queue) {
    auto& made = queues_[queue];
    made.id = queue::QueueId(next_queue_++);
    made.declared = true;
    made.settings.carries_records = true;
}

Result<broker::Sent, Refusal> FakeBroker::add(Queue& queue, queue::OutgoingMessage message) {
    if (size_of(message) > queue.settings.message_bytes_max) return Failure{Refusal::message_too_long};
    Message stored;
    auto& delivery = stored.delivery;
    delivery.receipt = {queue.id, queue::Sequence(next_sequence_), 0, 0};
    delivery.id.bytes[15] = static_cast<unsigned char>(next_sequence_++);
    delivery.body = std::move(message.body);
    delivery.attributes = std::move(message.attributes);
    delivery.system_attributes = std::move(message.system_attributes);
    delivery.group = std::move(message.group);
    delivery.sent_at = now;
    stored.visible_at = now + message.delay.value_or(queue.settings.delay);
    queue.messages.push_back(std::move(stored));
    broker::Sent sent;
    sent.id = queue.messages.back().delivery.id;
    return sent;
}

std::vector<queue::Delivery> FakeBroker::take(const std::string& name, Queue& queue, broker::Receive& receive) {
    std::vector<queue::Delivery> out;
    for (auto it = queue.messages.begin(); it != queue.messages.end() && out.size() < receive.max_messages;) {
        auto& message = *it;
        if (message.visible_at > now) {
            ++it;
            continue;
        }
        auto& delivery = message.delivery;
        auto& redrive = queue.settings.redrive;
        if (redrive && delivery.receive_count >= redrive->max_receive_count && redrive->dead_letter != name &&
            queues_.contains(redrive->dead_letter)) {
            auto& target = queues_.at(redrive->dead_letter);
            delivery.dead_letter_source = name;
            delivery.receipt.queue = target.id;
            target.messages.push_back(std::move(message));
            it = queue.messages.erase(it);
            continue;
        }
        ++delivery.receive_count;
        ++delivery.receipt.generation;
        if (delivery.first_received_at.ms == 0) delivery.first_received_at = now;
        message.visible_at = now + receive.visibility.value_or(queue.settings.visibility_timeout);
        out.push_back(delivery);
        ++it;
    }
    return out;
}

broker::QueueStatus FakeBroker::status_of(const std::string& name, const Queue& queue) const {
    broker::QueueStatus out;
    out.name = name;
    out.settings = queue.settings;
    out.created_at = out.modified_at = queue.created_at;
    for (auto& message : queue.messages) {
        bool hidden = message.visible_at > now;
        if (!hidden)
            ++out.ready;
        else if (message.delivery.receive_count > 0)
            ++out.in_flight;
        else
            ++out.delayed;
    }
    return out;
}

void FakeBroker::serve_parked() {
    for (auto it = parked_.begin(); it != parked_.end();) {
        auto* queue = find(it->queue);
        bool wanted = !it->still_wanted || it->still_wanted();
        auto messages = queue != nullptr && wanted ? take(it->queue, *queue, *it) : std::vector<queue::Delivery>();
        if (!messages.empty() || !wanted) {
            it->answer(std::move(messages));
            it = parked_.erase(it);
        } else {
            ++it;
        }
    }
}

void FakeBroker::end_waits() {
    std::lock_guard lock(mutex_);
    for (auto& receive : parked_) receive.answer(std::vector<queue::Delivery>());
    parked_.clear();
}

void FakeBroker::run(broker::Send& command) {
    auto* queue = find(command.queue);
    if (queue == nullptr) return refuse(command, Refusal::no_such_queue);
    command.answer(add(*queue, std::move(command.message)));
    serve_parked();
}

void FakeBroker::run(broker::SendBatch& command) {
    auto* queue = find(command.queue);
    if (queue == nullptr) return refuse(command, Refusal::no_such_queue);
    std::vector<Result<broker::Sent, Refusal>> out;
    for (auto& message : command.messages) out.push_back(add(*queue, std::move(message)));
    command.answer(std::move(out));
    serve_parked();
}

void FakeBroker::run(broker::Receive& command) {
    auto* queue = find(command.queue);
    if (queue == nullptr) return refuse(command, Refusal::no_such_queue);
    auto messages = take(command.queue, *queue, command);
    bool waits = messages.empty() && command.wait.value_or(queue->settings.receive_wait) > 0s;
    if (!waits) return command.answer(std::move(messages));
    parked_.push_back(std::move(command));
}

void FakeBroker::run(broker::Delete& command) {
    auto* queue = find(command.queue);
    if (queue == nullptr) return refuse(command, Refusal::no_such_queue);
    std::vector<Result<void, Refusal>> out;
    for (auto& receipt : command.receipts) {
        if (receipt.queue != queue->id) {
            out.push_back(Failure{Refusal::invalid_receipt});
            continue;
        }
        std::erase_if(queue->messages, [&](auto& message) { return message.delivery.receipt.sequence == receipt.sequence; });
        out.emplace_back();
    }
    command.answer(std::move(out));
}

Result<void, Refusal> FakeBroker::change(Queue& queue, const broker::VisibilityChange& change) {
    if (change.receipt.queue != queue.id) return Failure{Refusal::invalid_receipt};
    auto* message = find(queue, change.receipt);
    if (message == nullptr) return Failure{Refusal::not_in_flight};
    if (message->delivery.first_received_at + 12h < now + change.timeout) return Failure{Refusal::visibility_too_long};
    message->visible_at = now + change.timeout;
    if (change.release) --message->delivery.receive_count;
    if (change.attempts) message->delivery.attempts = *change.attempts;
    return {};
}

void FakeBroker::run(broker::ChangeVisibility& command) {
    auto* queue = find(command.queue);
    if (queue == nullptr) return refuse(command, Refusal::no_such_queue);
    std::vector<Result<void, Refusal>> out;
    for (auto& one : command.changes) out.push_back(change(*queue, one));
    command.answer(std::move(out));
    serve_parked();
}

void FakeBroker::run(broker::CreateQueue& command) {
    if (find(command.queue) != nullptr) return refuse(command, Refusal::queue_exists);
    if (command.settings.redrive && find(command.settings.redrive->dead_letter) == nullptr)
        return refuse(command, Refusal::invalid_attribute);
    auto& queue = queues_[command.queue];
    queue.id = queue::QueueId(next_queue_++);
    queue.settings = std::move(command.settings);
    queue.created_at = now;
    command.answer(status_of(command.queue, queue));
}

void FakeBroker::run(broker::SetQueue& command) {
    auto* queue = find(command.queue);
    if (queue == nullptr) return refuse(command, Refusal::no_such_queue);
    if (queue->declared) return refuse(command, Refusal::queue_is_declared);
    auto settings = queue->settings;
    bool changed = command.change(settings) && (!settings.redrive || find(settings.redrive->dead_letter) != nullptr);
    if (!changed) return refuse(command, Refusal::invalid_attribute);
    queue->settings = std::move(settings);
    command.answer({});
}

void FakeBroker::run(broker::DeleteQueue& command) {
    auto* queue = find(command.queue);
    if (queue == nullptr) return refuse(command, Refusal::no_such_queue);
    if (queue->declared) return refuse(command, Refusal::queue_is_declared);
    queues_.erase(command.queue);
    command.answer({});
}

void FakeBroker::run(broker::Purge& command) {
    auto* queue = find(command.queue);
    if (queue == nullptr) return refuse(command, Refusal::no_such_queue);
    if (queue->declared) return refuse(command, Refusal::queue_is_declared);
    queue->messages.clear();
    command.answer({});
}

void FakeBroker::run(broker::GetQueue& command) {
    auto* queue = find(command.queue);
    if (queue == nullptr) return refuse(command, Refusal::no_such_queue);
    command.answer(status_of(command.queue, *queue));
}

void FakeBroker::run(broker::ListQueues& command) {
    std::vector<broker::QueueStatus> out;
    for (auto& [name, queue] : queues_)
        if (name.starts_with(command.prefix)) out.push_back(status_of(name, queue));
    command.answer(std::move(out));
}

void FakeBroker::run(broker::Peek& command) { command.answer(std::vector<broker::Peek::Item>()); }

}  // namespace forebay::sqs
