#include "broker/open_turn.h"

#include <algorithm>
#include <cerrno>

namespace forebay::broker {

void OpenTurn::wake_queues() {
    while (!alarms_.empty() && alarms_.begin()->first <= now_) {
        auto queue = alarms_.begin()->second;
        alarms_.erase(alarms_.begin());
        alarm_of_.erase(queue);
        stirred_.insert(queue);
    }
}

Result<void, disk::Error> OpenTurn::serve() {
    // Everything sent before this turn or in it is durable by now. What is moved while serving is not: it is made
    // durable before anybody is handed it.
    while (!stirred_.empty() && moves_left_ > 0) {
        auto stirred = std::exchange(stirred_, {});
        for (auto id : stirred)
            if (auto* queue = state_->queues.find(id); queue != nullptr && polls_.anyone_waits(id)) serve(*queue);
        TRY(commit(needs_sync_));
        answers_.run();
    }
    return {};
}

void OpenTurn::serve(NamedQueue& queue) {
    auto id = queue.record.id;
    if (!hands_out(queue)) return wait_for_nothing(queue);
    while (auto* first = polls_.first(id)) {
        if (first->still_wanted && !first->still_wanted()) {
            answers_.keep(std::move(polls_.take_first(id).answer), std::vector<queue::Delivery>{});
            continue;
        }
        bool is_full =
            queue.queue.in_flight_at_most() >= options_.in_flight_max && queue.queue.counts(now_).in_flight >= options_.in_flight_max;
        if (is_full && queue.queue.is_fifo()) return wait_until(queue, now_ + full_pause);
        if (is_full) {
            answers_.keep(std::move(polls_.take_first(id).answer), Failure{Refusal::too_many_in_flight});
            continue;
        }
        auto messages = hand_out(queue, *first);
        if (messages.empty()) break;
        metrics_.received(queue, messages.size());
        answers_.keep(std::move(polls_.take_first(id).answer), std::move(messages));
    }
    wait_for_messages(queue);
}

void OpenTurn::wait_for_nothing(NamedQueue& queue) {
    auto set = alarm_of_.find(queue.record.id);
    if (set == alarm_of_.end()) return;
    alarms_.erase({set->second, queue.record.id});
    alarm_of_.erase(set);
}

void OpenTurn::wait_until(NamedQueue& queue, Timestamp due) {
    wait_for_nothing(queue);
    alarms_.insert({due, queue.record.id});
    alarm_of_[queue.record.id] = due;
}

void OpenTurn::wait_for_messages(NamedQueue& queue) {
    wait_for_nothing(queue);
    if (!polls_.anyone_waits(queue.record.id) || !hands_out(queue)) return;
    if (auto due = queue.queue.next_due()) {
        wait_until(queue, *due);
    } else if (queue.queue.may_have_ready(now_)) {
        stir(queue);
    }
}

std::vector<queue::Delivery> OpenTurn::hand_out(NamedQueue& queue, const Receive& receive) {
    std::vector<queue::Delivery> out;
    if (queue.durable_from > journal_->durable()) return out;
    auto visibility = receive.visibility.value_or(queue.settings().visibility_timeout);
    if (!receive.attempt.empty() && queue.queue.is_fifo())
        if (auto again = receive_again(queue, receive, visibility)) return std::move(*again);
    auto wanted = std::clamp<std::size_t>(receive.max_messages, 1, receive_messages_max);
    std::size_t bytes = 0;
    bool same_receive = false;
    while (out.size() < wanted && bytes < receive_bytes_max && moves_left_ > 0) {
        auto sequence = queue.queue.take_ready(now_, same_receive);
        if (!sequence) break;
        // Handed out with no time of its own to be hidden, a message is ready again: for the next receive, not for this one.
        auto is_this = [&](const queue::Delivery& delivery) { return delivery.receipt.sequence == *sequence; };
        if (visibility == Duration(0) && std::any_of(out.begin(), out.end(), is_this)) {
            queue.queue.put_back(*sequence);
            break;
        }
        auto message = reader_.read(queue.queue.slot(*sequence).place());
        if (!message) {
            pass_damaged(queue, *sequence, message.error());
            same_receive = false;  // a FIFO group does not go on over what may yet be read
            continue;
        }
        if (auto* dead_letter = dead_letter_of(queue, *sequence)) {
            move(queue, *sequence, *dead_letter, *message);
            continue;
        }
        auto event = queue.queue.decide_receive(*sequence, visibility, journal_->boot_epoch(), now_);
        queue.queue.apply(event);
        touched_[queue.record.id].push_back(event);
        bytes += message->body.size();
        out.push_back(deliver(queue, *sequence, *message));
        same_receive = true;
    }
    keep_attempt(queue, receive, out);
    return out;
}

NamedQueue* OpenTurn::dead_letter_of(NamedQueue& queue, queue::Sequence sequence) {
    const auto& redrive = queue.settings().redrive;
    if (!redrive || queue.queue.slot(sequence).receives < redrive->max_receive_count) return nullptr;
    auto* target = state_->queues.find(redrive->dead_letter);
    return target == &queue ? nullptr : target;
}

void OpenTurn::move(NamedQueue& from, queue::Sequence sequence, NamedQueue& to, const MessagePart& message) {
    MovedRecord record{from.record.id, sequence, to.record.id, to.queue.next_sequence(), from.queue.slot(sequence), message};
    record.state.visible_at = now_.ms;
    record.state.generation = 0;
    record.state.epoch = 0;
    // A queue that itself has a dead-letter queue counts from its own first receive.
    if (to.settings().redrive) record.state.receives = 0;
    if (record.message.source.value() == 0) record.message.source = from.record.id;
    write_move(from, to, record);
    metrics_.redriven(from);
    --moves_left_;
}

void OpenTurn::write_move(NamedQueue& from, NamedQueue& to, const MovedRecord& record) {
    flush_changes();
    std::string body;
    encode_moved(body, record);
    auto location = append(RecordType::moved, 0, body);
    state_->restore(to, record.to_sequence, location, record.state);
    from.queue.apply(queue::Deleted{record.from_sequence});
    to.durable_from = journal_->next_position();
    to.expiry_check = {};
    needs_sync_ = true;
    stir(to);
}

/// A FIFO group stands still behind what the device may yet give, not for ever behind what is not what was written.
void OpenTurn::pass_damaged(NamedQueue& queue, queue::Sequence sequence, const disk::Error& why) {
    if (queue.queue.is_fifo() && why.number == EBADMSG)
        give_up(queue, sequence);
    else
        hide_damaged(queue, sequence);
    --moves_left_;
}

void OpenTurn::hide_damaged(NamedQueue& queue, queue::Sequence sequence) {
    // It stays, for repair from a copy, until its segment is to be dropped; it is looked at again from time to time, not
    // handed out and not counted. However many there are, a turn looks at a bounded number.
    constexpr Duration looked_at_again = 1h;
    auto event = queue.queue.decide_receive(sequence, looked_at_again, journal_->boot_epoch(), now_);
    event.receives -= 1;
    queue.queue.apply(event);
    touched_[queue.record.id].push_back(event);
}

queue::Delivery OpenTurn::deliver(NamedQueue& queue, queue::Sequence sequence, const MessagePart& message) {
    const auto& slot = queue.queue.slot(sequence);
    queue::Delivery delivery;
    delivery.id = message.id;
    delivery.receipt = {queue.record.id, sequence, slot.epoch, slot.generation};
    delivery.body = message.body;
    delivery.attributes = decode_attributes(message.attributes);
    delivery.system_attributes = decode_attributes(message.system_attributes);
    delivery.group = message.group;
    delivery.deduplication = message.deduplication;
    delivery.sent_at = message.sent_at;
    delivery.first_received_at = Timestamp{slot.first_received_at};
    delivery.receive_count = slot.receives;
    delivery.attempts = slot.attempts;
    if (message.source.value() != 0)
        if (auto* source = state_->queues.find(message.source)) delivery.dead_letter_source = source->record.name;
    return delivery;
}

void OpenTurn::answer_expired() {
    for (auto& receive : polls_.take_expired(instant_)) answers_.keep(std::move(receive.answer), std::vector<queue::Delivery>{});
}

}  // namespace forebay::broker
