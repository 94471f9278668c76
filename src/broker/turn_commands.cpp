#include <utility>

#include "broker/open_turn.h"

namespace forebay::broker {
namespace {

/// The answer to a command whose queue is not there.
constexpr Failure<Refusal> unknown{Refusal::no_such_queue};

bool is_fifo_name(const std::string& name) { return name.ends_with(".fifo"); }

Refusal refusal_of(queue::ReceiptError error) {
    switch (error) {
        case queue::ReceiptError::too_long:
            return Refusal::visibility_too_long;
        case queue::ReceiptError::expired:
            return Refusal::receipt_expired;
        case queue::ReceiptError::not_in_flight:
            break;
    }
    return Refusal::not_in_flight;
}

}  // namespace

bool OpenTurn::has_room() {
    if (!has_room_) has_room_ = journal_->has_room() && state_->pages.has_room();
    return *has_room_;
}

void OpenTurn::decide(Send& command) {
    auto* queue = state_->queues.find(command.queue);
    auto outcome = queue == nullptr ? Result<Sent, Refusal>(unknown)
                                    : send(*queue, command.message, command.once, command.about ? &*command.about : nullptr);
    answers_.keep(std::move(command.answer), std::move(outcome));
}

void OpenTurn::decide(SendBatch& command) {
    auto* queue = state_->queues.find(command.queue);
    if (queue == nullptr) return answers_.keep(std::move(command.answer), unknown);
    std::vector<Result<Sent, Refusal>> outcomes;
    outcomes.reserve(command.messages.size());
    for (auto& message : command.messages) outcomes.push_back(send(*queue, message, std::nullopt, nullptr));
    answers_.keep(std::move(command.answer), std::move(outcomes));
}

Result<Sent, Refusal> OpenTurn::send(NamedQueue& queue, queue::OutgoingMessage& message, const std::optional<OnceKey>& once,
                                     AboutKey* about) {
    if (message_bytes(message) > queue.settings().message_bytes_max) return Failure{Refusal::message_too_long};
    if (message.attributes.size() > UINT8_MAX || message.system_attributes.size() > UINT8_MAX) return Failure{Refusal::invalid_attribute};
    if (message.group.size() > UINT8_MAX || message.deduplication.size() > UINT8_MAX) return Failure{Refusal::invalid_attribute};
    if (queue.settings().fifo) {
        TRY_ASSIGN(auto first, find_duplicate(queue, message));
        if (first) return *first;
    }
    Sent sent;
    std::optional<OnceEntry> once_entry, about_entry;
    if (once) {
        once_entry = make_once_entry(*once, now_);
        auto found = state_->once.find(*once_entry, now_);
        bool is_same = found.seen == OnceWindow::Seen::same_content;
        if (is_same || (found.seen == OnceWindow::Seen::other_content && once->refuse_reuse)) {
            // What it repeats may have been sent a moment ago: it must be durable before this answer says so.
            needs_sync_ |= journal_->durable() != journal_->next_position();
            return Sent{Uuid{}, is_same, is_same ? found.record : Uuid{}, !is_same};
        }
        sent.key_reused = found.seen == OnceWindow::Seen::other_content;
    }
    if (about != nullptr) {
        about_entry = make_once_entry({about->key, {}, about->record, about->window}, now_);
        auto found = state_->once.find(*about_entry, now_);
        sent.is_another = found.seen != OnceWindow::Seen::never;
        if (sent.is_another) {
            sent.original_record = found.record;
            needs_sync_ |= journal_->durable() != journal_->next_position();
            if (about->refuse) return sent;
            about_entry.reset();
            message.body = std::move(about->another);
            if (message_bytes(message) > queue.settings().message_bytes_max) return Failure{Refusal::message_too_long};
        }
    }
    if (!has_room()) return Failure{Refusal::no_room};
    enqueue(queue, message, once_entry ? &*once_entry : nullptr, about_entry ? &*about_entry : nullptr, sent);
    return sent;
}

void OpenTurn::enqueue(NamedQueue& queue, queue::OutgoingMessage& message, const OnceEntry* once, const OnceEntry* about, Sent& sent) {
    const auto& settings = queue.settings();
    sent.sequence = queue.queue.next_sequence();
    sent.id = message.id.is_nil() ? make_uuid_v4(entropy_) : message.id;
    // In a FIFO queue a message does not overtake by having a delay of its own.
    auto visible_at = now_ + (settings.fifo ? settings.delay : message.delay.value_or(settings.delay));
    bool accepted = message.is_record || settings.carries_records;
    std::uint8_t flags =
        (accepted ? flag_accepted_record : 0) | (once != nullptr ? flag_has_key : 0) | (about != nullptr ? flag_has_about_key : 0);
    if (settings.fifo) flags |= flag_deduplicated | (settings.deduplication_per_group ? flag_within_group : 0);
    encode_enqueued(scratch_, queue.record.id, sent.sequence, visible_at, now_, sent.id, message, once, about);
    auto location = append(RecordType::enqueued, flags, scratch_);
    reader_.keep(location, RecordType::enqueued, flags, scratch_);
    state_->enqueue(queue, sent.sequence, location, now_, visible_at, group_hash(message.group), accepted);
    if (once != nullptr) state_->once.add(*once);
    if (about != nullptr) state_->once.add(*about);
    if (settings.fifo) remember(queue, message, sent);
    metrics_.sent(queue);
    needs_sync_ = true;
    stir(queue);
}

void OpenTurn::decide(Receive& command) {
    auto* queue = state_->queues.find(command.queue);
    if (queue == nullptr) return answers_.keep(std::move(command.answer), unknown);
    if (polls_.size() >= options_.waiting_receives_max) return answers_.keep(std::move(command.answer), Failure{Refusal::overloaded});
    auto wait = command.wait.value_or(queue->settings().receive_wait);
    polls_.add(queue->record.id, std::move(command), instant_ + wait);
    stir(*queue);
}

void OpenTurn::decide(Delete& command) {
    auto* queue = state_->queues.find(command.queue);
    if (queue == nullptr) return answers_.keep(std::move(command.answer), unknown);
    std::vector<Result<void, Refusal>> outcomes;
    outcomes.reserve(command.receipts.size());
    for (const auto& receipt : command.receipts) outcomes.push_back(remove(*queue, receipt));
    // Also when nothing is left to delete: what deleted it may still be pending.
    needs_sync_ |= journal_->durable() != journal_->next_position();
    answers_.keep(std::move(command.answer), std::move(outcomes));
}

Result<void, Refusal> OpenTurn::remove(NamedQueue& queue, const queue::Receipt& receipt) {
    if (receipt.queue != queue.record.id || receipt.sequence >= queue.queue.next_sequence()) return Failure{Refusal::invalid_receipt};
    auto event = queue.queue.decide_delete(receipt, now_);
    if (!event) return Failure{refusal_of(event.error())};
    if (!*event) return {};
    queue.queue.apply(**event);
    deleted_[queue.record.id].push_back((*event)->sequence);
    metrics_.deleted(queue);
    needs_sync_ = true;
    if (queue.queue.is_fifo()) stir(queue);  // the next of its group may be due
    return {};
}

void OpenTurn::decide(ChangeVisibility& command) {
    auto* queue = state_->queues.find(command.queue);
    if (queue == nullptr) return answers_.keep(std::move(command.answer), unknown);
    std::vector<Result<void, Refusal>> outcomes;
    outcomes.reserve(command.changes.size());
    for (const auto& change : command.changes) outcomes.push_back(change_visibility(*queue, change));
    answers_.keep(std::move(command.answer), std::move(outcomes));
}

Result<void, Refusal> OpenTurn::change_visibility(NamedQueue& queue, const VisibilityChange& change) {
    const auto& receipt = change.receipt;
    if (receipt.queue != queue.record.id || receipt.sequence >= queue.queue.next_sequence()) return Failure{Refusal::invalid_receipt};
    auto decided = queue.queue.decide_visibility(receipt, change.timeout, change.release, change.attempts, now_);
    if (!decided) return Failure{refusal_of(decided.error())};
    if (!*decided) return {};
    queue.queue.apply(**decided);
    touched_[queue.record.id].push_back(**decided);
    if (change.timeout <= Duration(0))
        stir(queue);
    else if (polls_.anyone_waits(queue.record.id))
        wait_for_messages(queue);
    return {};
}

void OpenTurn::decide(CreateQueue& command) {
    auto created = create(command);
    answers_.keep(std::move(command.answer), created ? Result<QueueStatus, Refusal>(status_of(**created)) : Failure{created.error()});
}

Result<NamedQueue*, Refusal> OpenTurn::create(CreateQueue& command) {
    auto* known = state_->queues.find(command.queue);
    // What the answer says about a queue that is there may have been set a moment ago.
    needs_sync_ |= journal_->durable() != journal_->next_position();
    if (known != nullptr && known->settings() == command.settings && known->record.declared >= command.declared) return known;
    if (known != nullptr && !command.declared) return Failure{Refusal::queue_exists};
    if (!command.declared && deleted_lately_.is_on(command.queue, instant_)) return Failure{Refusal::queue_deleted_recently};
    if (!is_valid(command.queue, command.settings, command.declared)) return Failure{Refusal::invalid_attribute};
    if (known == nullptr && state_->queues.size() >= options_.queues_max) return Failure{Refusal::overloaded};
    if (known == nullptr && !has_room()) return Failure{Refusal::no_room};
    if (command.declared && command.settings.redrive)
        make_dead_letter_queue(command.settings.redrive->dead_letter, command.settings.carries_records);
    QueueRecord record{known != nullptr ? known->record.id : state_->queues.next_id(),
                       command.queue,
                       known != nullptr ? known->record.created_at : now_,
                       now_,
                       command.declared,
                       std::move(command.settings)};
    return &write_queue(std::move(record));
}

bool OpenTurn::is_valid(const std::string& queue, const QueueSettings& settings, bool declared) {
    if (queue.empty() || settings.fifo != is_fifo_name(queue)) return false;
    bool only_of_fifo = settings.content_deduplication || settings.deduplication_per_group || settings.throughput_per_group;
    return (settings.fifo || !only_of_fifo) && redrive_is_valid(queue, settings, declared);
}

bool OpenTurn::redrive_is_valid(const std::string& queue, const QueueSettings& settings, bool declared) {
    if (!settings.redrive) return true;
    const auto& redrive = *settings.redrive;
    bool count_is_valid = redrive.max_receive_count >= 1 && redrive.max_receive_count <= queue::limits::max_receive_count_max;
    bool target_is_valid =
        !redrive.dead_letter.empty() && redrive.dead_letter != queue && is_fifo_name(redrive.dead_letter) == settings.fifo;
    return count_is_valid && target_is_valid && (declared || state_->queues.find(redrive.dead_letter) != nullptr);
}

NamedQueue& OpenTurn::write_queue(QueueRecord record) {
    encode_queue_set(scratch_, record);
    append(RecordType::queue_set, 0, scratch_);
    checkpoints_.hasten(instant_ + described_again_within);
    needs_sync_ = true;
    return state_->queues.set(std::move(record));
}

void OpenTurn::make_dead_letter_queue(const std::string& name, bool carries_records) {
    if (state_->queues.find(name) != nullptr) return;
    QueueSettings settings;
    settings.retention = queue::limits::retention_max;
    settings.carries_records = carries_records;
    settings.fifo = is_fifo_name(name);
    write_queue({state_->queues.next_id(), name, now_, now_, true, settings});
}

void OpenTurn::decide(SetQueue& command) {
    auto* queue = state_->queues.find(command.queue);
    if (queue == nullptr) return answers_.keep(std::move(command.answer), unknown);
    if (auto refusal = protection_of(*queue)) return answers_.keep(std::move(command.answer), Failure{*refusal});
    auto record = queue->record;
    if (!command.change(record.settings) || !is_valid(command.queue, record.settings, false))
        return answers_.keep(std::move(command.answer), Failure{Refusal::invalid_attribute});
    record.modified_at = now_;
    write_queue(std::move(record));
    answers_.keep(std::move(command.answer), {});
}

std::optional<Refusal> OpenTurn::protection_of(const NamedQueue& queue) {
    if (queue.record.declared) return Refusal::queue_is_declared;
    if (queue.settings().carries_records) return Refusal::queue_keeps_records;
    return std::nullopt;
}

void OpenTurn::decide(Undeclare& command) {
    auto* queue = state_->queues.find(command.queue);
    if (queue == nullptr) return answers_.keep(std::move(command.answer), unknown);
    if (queue->record.declared) {
        auto record = queue->record;
        record.declared = false;
        record.modified_at = now_;
        write_queue(std::move(record));
    }
    answers_.keep(std::move(command.answer), {});
}

void OpenTurn::decide(PauseQueue& command) {
    auto* queue = state_->queues.find(command.queue);
    if (queue == nullptr) return answers_.keep(std::move(command.answer), unknown);
    if (queue->pause && !command.pause) queue->went_on = now_;
    if (command.went_on != Timestamp{}) queue->went_on = command.went_on;
    queue->pause = std::move(command.pause);
    if (!queue->pause) stir(*queue);
    answers_.keep(std::move(command.answer), status_of(*queue));
}

void OpenTurn::decide(PauseAll& command) {
    bool go_on = std::exchange(are_all_paused_, command.is_paused) && !command.is_paused;
    for (const auto& [name, queue] : state_->queues.by_name()) {
        if (!go_on) break;
        queue->went_on = now_;
        stir(*queue);
    }
    answers_.keep(std::move(command.answer), {});
}

void OpenTurn::decide(DeleteQueue& command) {
    auto* queue = state_->queues.find(command.queue);
    if (queue == nullptr) return answers_.keep(std::move(command.answer), unknown);
    auto refusal = protection_of(*queue);
    if (refusal == Refusal::queue_keeps_records && queue->queue.live() == 0) refusal.reset();
    if (refusal) return answers_.keep(std::move(command.answer), Failure{*refusal});
    for (auto& receive : polls_.take_all(queue->record.id)) answers_.keep(std::move(receive.answer), unknown);
    flush_changes();
    encode_queue_deleted(scratch_, queue->record.id);
    append(RecordType::queue_deleted, 0, scratch_);
    needs_sync_ = true;
    metrics_.forget(*queue);
    deleted_lately_.begin(command.queue, instant_);
    state_->erase_queue(*queue);
    answers_.keep(std::move(command.answer), {});
}

void OpenTurn::decide(Purge& command) {
    auto* queue = state_->queues.find(command.queue);
    if (queue == nullptr) return answers_.keep(std::move(command.answer), unknown);
    auto refusal = protection_of(*queue);
    if (!refusal && purged_lately_.is_on(command.queue, instant_)) refusal = Refusal::purge_in_progress;
    if (refusal && !command.as_operator) return answers_.keep(std::move(command.answer), Failure{*refusal});
    purged_lately_.begin(command.queue, instant_);
    purge(*queue, queue->queue.next_sequence(), 0);
    needs_sync_ = true;
    answers_.keep(std::move(command.answer), {});
}

void OpenTurn::purge(NamedQueue& queue, queue::Sequence below, std::uint8_t flags) {
    flush_changes();
    encode_purged(scratch_, {queue.record.id, below});
    append(RecordType::purged, flags, scratch_);
    state_->purge(queue, below, (flags & flag_by_expiry) != 0);
    // What follows in a group is not handed out before it is certain that this is gone.
    needs_sync_ |= queue.queue.is_fifo();
}

QueueStatus OpenTurn::status_of(NamedQueue& queue) {
    auto counts = queue.queue.counts(now_);
    QueueStatus status;
    status.name = queue.record.name;
    status.settings = queue.settings();
    status.created_at = queue.record.created_at;
    status.modified_at = queue.record.modified_at;
    status.declared = queue.record.declared;
    status.ready = counts.ready;
    status.in_flight = counts.in_flight;
    status.delayed = counts.delayed;
    status.bytes = queue.queue.bytes();
    status.oldest = queue.queue.oldest();
    status.sends = queue.sends;
    status.receives = queue.receives;
    status.deletes = queue.deletes;
    status.pause = queue.pause;
    return status;
}

void OpenTurn::decide(GetQueue& command) {
    auto* queue = state_->queues.find(command.queue);
    if (queue == nullptr) return answers_.keep(std::move(command.answer), unknown);
    answers_.keep(std::move(command.answer), status_of(*queue));
}

void OpenTurn::decide(ListQueues& command) {
    std::vector<QueueStatus> found;
    const auto& queues = state_->queues.by_name();
    for (auto it = queues.lower_bound(command.prefix); it != queues.end() && it->first.starts_with(command.prefix); ++it)
        found.push_back(status_of(*it->second));
    answers_.keep(std::move(command.answer), std::move(found));
}

void OpenTurn::decide(Peek& command) {
    auto* queue = state_->queues.find(command.queue);
    if (queue == nullptr) return answers_.keep(std::move(command.answer), unknown);
    auto from = command.after ? command.after->next() : queue::Sequence(0);
    std::vector<Peek::Item> items;
    std::size_t bytes = 0;
    for (auto sequence : queue->queue.list(from, std::min<std::size_t>(command.max_messages, receive_messages_max))) {
        auto slot = queue->queue.slot(sequence);
        auto message = reader_.read(slot.place());
        if (!message) continue;
        bytes += message->body.size();
        if (!items.empty() && bytes > receive_bytes_max) break;
        items.push_back({deliver(*queue, sequence, *message), Timestamp{slot.visible_at}});
    }
    answers_.keep(std::move(command.answer), std::move(items));
}

}  // namespace forebay::broker
