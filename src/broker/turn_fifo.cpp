// What only FIFO queues do: deduplication of sends, and receives repeated under their attempt id.

#include <algorithm>

#include "broker/deduplication.h"
#include "broker/open_turn.h"

namespace forebay::broker {

Result<std::optional<Sent>, Refusal> OpenTurn::find_duplicate(NamedQueue& queue, queue::OutgoingMessage& message) {
    const auto& settings = queue.settings();
    if (message.group.empty()) return Failure{Refusal::group_missing};
    if (message.deduplication.empty() && !settings.content_deduplication) return Failure{Refusal::deduplication_missing};
    if (message.deduplication.empty()) message.deduplication = deduplication_by_content(message.body);
    auto known = state_->deduplication.newest(deduplication_key_of(queue, message), now_);
    if (known && sequence_of(*known) >= queue.deduplicates_from) {
        // What it repeats may have been sent a moment ago: it must be durable before this answer says so.
        needs_sync_ |= journal_->durable() != journal_->next_position();
        Sent first;
        first.id = known->record;
        first.duplicate = true;
        first.sequence = sequence_of(*known);
        return std::optional(first);
    }
    if (state_->deduplication.is_full() && !state_->deduplication.forget_ended(now_)) return Failure{Refusal::deduplication_full};
    return std::optional<Sent>{};
}

Uuid OpenTurn::deduplication_key_of(const NamedQueue& queue, const queue::OutgoingMessage& message) const {
    auto group = queue.settings().deduplication_per_group ? std::string_view(message.group) : std::string_view{};
    return deduplication_key(queue.record.id, group, message.deduplication);
}

void OpenTurn::remember(const NamedQueue& queue, const queue::OutgoingMessage& message, const Sent& sent) {
    state_->deduplication.add(make_deduplication_entry(deduplication_key_of(queue, message), sent.sequence, sent.id, now_));
}

void OpenTurn::keep_attempt(NamedQueue& queue, const Receive& receive, const std::vector<queue::Delivery>& handed) {
    if (receive.attempt.empty() || handed.empty() || !queue.queue.is_fifo()) return;
    std::vector<ReceiveAttempts::Handed> kept;
    for (const auto& one : handed) kept.push_back({one.receipt, queue.queue.slot(one.receipt.sequence).visible_at});
    attempts_.keep({queue.record.id, receive.attempt}, std::move(kept), instant_);
}

/// As AWS does it: the same messages under the same receipts, hidden anew, unless something has happened to one of them since.
std::optional<std::vector<queue::Delivery>> OpenTurn::receive_again(NamedQueue& queue, const Receive& receive, Duration visibility) {
    auto* handed = attempts_.find({queue.record.id, receive.attempt}, instant_);
    if (handed == nullptr || handed->size() > receive.max_messages) return std::nullopt;
    auto is_untouched = [&](const ReceiveAttempts::Handed& one) {
        const auto* slot = queue.queue.find(one.receipt.sequence);
        return slot != nullptr && slot->epoch == one.receipt.epoch && slot->generation == one.receipt.generation &&
               slot->visible_at == one.visible_at && slot->visible_at > now_.ms;
    };
    if (!std::all_of(handed->begin(), handed->end(), is_untouched)) return std::nullopt;
    std::vector<queue::Delivery> out;
    for (auto& one : *handed) {
        auto sequence = one.receipt.sequence;
        auto message = reader_.read(queue.queue.slot(sequence).place());
        if (!message) continue;
        auto event = queue.queue.decide_receive_again(sequence, visibility, now_);
        one.visible_at = event.visible_at;
        queue.queue.apply(event);
        touched_[queue.record.id].push_back(event);
        out.push_back(deliver(queue, sequence, *message));
    }
    return out;
}

}  // namespace forebay::broker
