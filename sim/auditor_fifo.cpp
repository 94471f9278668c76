// The auditor on FIFO queues: order within a group, groups that wait, and ids that make two sends one.

#include <fmt/format.h>

#include <algorithm>

#include "sim/auditor.h"

namespace forebay::sim {
namespace {

constexpr Duration window = 5min;

}  // namespace

// Deduplication.

std::string Auditor::deduplication_of(QueueKnowledge* queue, const queue::OutgoingMessage& message) const {
    bool per_group = std::any_of(queue->settings.begin(), queue->settings.end(), [](auto& s) { return s.deduplication_per_group; });
    auto id = message.deduplication.empty() ? fmt::format("content {}", content_of(message.body)) : "id " + message.deduplication;
    return fmt::format("{} {} {}", queue->name, per_group ? message.group : "", id);
}

/// Its id makes any other send a repetition of it, for certain.
bool Auditor::is_remembered(const MessageKnowledge& m) const {
    if (damaged_ || m.added_round <= m.sent_to->forgets_ids) return false;
    return m.asked_at + window > later_ + (jumped_ - m.jumped_at_ask);
}

void Auditor::sent_fifo(QueueKnowledge* queue, MessageKnowledge* m, const broker::Sent& answer) {
    if (answer.duplicate) return deduplicated(m, answer);
    for (auto* other : same_id_[m->deduplication]) {
        if (other == m || other->added == Certainty::no || !is_remembered(*other)) continue;
        if (other->added == Certainty::yes)
            return find(fmt::format("message {} was taken by queue {} though its deduplication id is that of message {}", m->label,
                                    queue->name, other->label));
        other->added = Certainty::no;
    }
    acknowledged(m, answer.id);
    m->sequence = answer.sequence;
    m->added_by = later_;
    m->taken = round_;
}

/// The message that an attempt was said to repeat: the one of that id, or the only one that may have become it.
MessageKnowledge* Auditor::first_of(const MessageKnowledge& attempt, const Uuid& id) {
    std::vector<MessageKnowledge*> possible;
    for (auto* other : same_id_[attempt.deduplication]) {
        if (other == &attempt) continue;
        if (other->sent_id == id) return other;
        if (other->sent_id.is_nil() && other->added != Certainty::no) possible.push_back(other);
    }
    if (possible.empty() && !damaged_)
        find(fmt::format("message {} was called a repetition of {}, which nobody sent under its deduplication id", attempt.label,
                         to_text(id)));
    return possible.size() == 1 ? possible.front() : nullptr;
}

void Auditor::deduplicated(MessageKnowledge* attempt, const broker::Sent& answer) {
    attempt->added = Certainty::no;
    auto* first = first_of(*attempt, answer.id);
    if (first == nullptr || damaged_) return;
    if (!clock_was_ever_set_ && first->acknowledged && now_ > first->added_by + window + 2s)
        return find(fmt::format("message {} was called a repetition of {} after its window had ended", attempt->label, first->label));
    if (first->acknowledged && first->taken < first->sent_to->forgot_ids)
        return find(fmt::format("message {} was called a repetition of {}, though a purge made its id new", attempt->label, first->label));
    if (first->sequence && *first->sequence != answer.sequence)
        return find(
            fmt::format("message {} repeats {} and was told another sequence, {}", attempt->label, first->label, answer.sequence.value()));
    seen_.note(Rare::deduplicated);
    if (first->gone == Certainty::yes) seen_.note(Rare::deduplicated_after_delete);
    first->sent_id = answer.id;
    if (!first->was_moved) {
        first->id = answer.id;
        first->sequence = answer.sequence;
    }
    if (first->added == Certainty::yes) return;
    first->added = Certainty::yes;
    first->added_round = round_;
}

// Order.

std::optional<queue::Sequence> Auditor::sequence_in(const MessageKnowledge& m, const QueueKnowledge* queue, queue::QueueId id) const {
    if (m.newest && m.newest->queue == id) return m.newest->sequence;
    return m.home == queue && !m.is_dead() ? m.sequence : std::nullopt;
}

/// Nothing that was sent before it in its group may still be there, unless it was given just before; and nothing of the group may be
/// hidden from others.
void Auditor::check_group(QueueKnowledge* queue, const MessageKnowledge& m, const queue::Receipt& receipt, const Given& before,
                          const Given& all) {
    if (damaged_) return;
    auto is_in = [](const Given& given, const MessageKnowledge& one) { return std::find(given.begin(), given.end(), &one) != given.end(); };
    for_each_near(queue, [&](MessageKnowledge& other) {
        if (&other == &m || other.group != m.group || other.disturbed == round_ || is_in(before, other) || !must_be_in(other, queue))
            return;
        auto sequence = sequence_in(other, queue, receipt.queue);
        if (sequence && *sequence < receipt.sequence)
            return find(
                fmt::format("message {} was delivered by queue {} before message {} of its group", m.label, queue->name, other.label));
        if (other.hidden_until > later_ && other.seen_in == queue && other.delivered < round_ && !is_in(all, other))
            find(fmt::format("message {} was delivered by queue {} though message {} of its group is in flight", m.label, queue->name,
                             other.label));
    });
}

/// Something of its group may be hidden, or was handed out in this round: then it waits, visible or not.
bool Auditor::group_may_wait(QueueKnowledge* queue, const MessageKnowledge& m, Instant moment) {
    bool waits = false;
    for_each_near(queue, [&](MessageKnowledge& other) {
        if (other.group != m.group || !may_be_in(other, queue)) return;
        waits = waits || other.visible_by > moment || other.disturbed == round_ || other.delivered == round_;
    });
    return waits;
}

// Receipts.

bool Auditor::is_receive_again(const ReceiveAsked& asked, const MessageKnowledge& m, const queue::Receipt& receipt) const {
    return !asked.attempt.empty() && asked.attempt == m.attempt && m.newest == receipt && m.seen_in == asked.queue;
}

/// Only the newest receipt counts, and only while its message is hidden (D20).
void Auditor::check_expired(const MessageKnowledge& m, const queue::Receipt& receipt, bool was_refused) {
    if (was_refused) seen_.note(Rare::expired_receipt);
    if (damaged_ || !m.newest || !m.newest_is_certain || m.disturbances != 1 || m.delivered == round_) return;
    if (m.newest->queue != receipt.queue || !must_be_there(m) || may_be_dead(m) != m.is_dead() || !m.movers.empty()) return;
    bool is_newest = *m.newest == receipt;
    if (was_refused && is_newest && m.hidden_until > later_)
        find(fmt::format("a receipt of message {} was called expired while the message was hidden", m.label));
    if (!was_refused && (!is_newest || m.visible_by <= now_))
        find(fmt::format("a receipt of message {} was accepted though it had expired", m.label));
}

}  // namespace forebay::sim
