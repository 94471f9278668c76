#include "broker/state.h"

#include <algorithm>

#include "broker/deduplication.h"

namespace forebay::broker {

queue::Place place_of(const journal::Location& location) { return {location.segment, location.offset, location.length}; }

State::State(const BrokerOptions& options)
    : pages(use, options.page_memory),
      once(pages, once_pages, options.once_keys_max),
      deduplication(pages, deduplication_pages, options.deduplication_ids_max, OnceWindow::AtBound::refuse),
      queues(pages) {}

void State::enqueue(NamedQueue& queue, queue::Sequence sequence, const journal::Location& location, Timestamp sent_at, Timestamp visible_at,
                    std::uint64_t group, bool is_accepted_record) {
    queue.queue.apply(queue::Enqueued{sequence, place_of(location), sent_at, visible_at, group});
    if (is_accepted_record) use.count_accepted(location.segment);
}

void State::restore(NamedQueue& queue, queue::Sequence sequence, const journal::Location& location, queue::Slot state) {
    state.segment = location.segment;
    state.offset = location.offset;
    state.length = location.length;
    queue.queue.apply(queue::Restored{sequence, state});
}

void State::remove(NamedQueue& queue, queue::Sequence sequence, bool is_lost) {
    if (is_lost && queue.queue.is_live(sequence)) use.note_damage(queue.queue.slot(sequence).segment);
    queue.queue.apply(queue::Deleted{sequence});
}

void State::purge(NamedQueue& queue, queue::Sequence below, bool by_expiry) {
    queue.queue.apply(queue::Purged{below});
    if (!by_expiry) queue.deduplicates_from = std::max(queue.deduplicates_from, below);
    queue.queue.restore_next(below);
}

void State::erase_queue(NamedQueue& queue) {
    // Messages stay only where a page cannot be read; then the turn fails before anybody is answered.
    purge(queue, queue.queue.next_sequence(), false);
    pages.forget(queue.record.id, queue::page_of(queue.queue.next_sequence()));
    moves.forget_source(queue.record.id);
    queues.erase(queue.record.id);
}

std::string State::preamble() const {
    auto out = queues.preamble();
    put_moves(out, moves.all());
    return out;
}

void State::apply(const journal::Entry& entry) {
    switch (static_cast<RecordType>(entry.type)) {
        case RecordType::preamble:
            if (auto preamble = decode_preamble(entry.body)) return apply_preamble(*preamble);
            return skip();
        case RecordType::enqueued:
            return apply_enqueued(entry);
        case RecordType::copied:
            return apply_copied(entry);
        case RecordType::queue_set:
            if (auto record = decode_queue_set(entry.body)) return apply_queue(std::move(*record));
            return skip();
        default:
            break;
    }
    if (entry.salvaged) return;
    switch (static_cast<RecordType>(entry.type)) {
        case RecordType::touched:
            return apply_touched(entry.body);
        case RecordType::deleted:
            return apply_deleted(entry);
        case RecordType::moved:
            return apply_moved(entry);
        case RecordType::queue_deleted:
            return apply_removal_of_queue(entry.body);
        case RecordType::purged:
            return apply_purged(entry);
        case RecordType::move_set:
            if (auto task = decode_move_set(entry.body)) return moves.set(std::move(*task));
            return skip();
        default:
            return skip();
    }
}

void State::apply_queue(QueueRecord record) {
    queues.raise_next_id(record.id.next());
    // A stand-in took a name that nobody was seen to have. It is no older queue of that name: nothing in it was deleted.
    if (auto* named = queues.find(record.name); named != nullptr && named->is_stand_in && named->record.id != record.id)
        queues.make_way(*named);
    if (queues.is_superseded(record)) return;
    if (auto* older = queues.find(record.name); older != nullptr && older->record.id != record.id) erase_queue(*older);
    queues.set(std::move(record));
}

/// The queue that a message is in. Acknowledged records speak of a queue that the log does not know only when the record
/// that made it is damaged; what was salvaged may speak of one that nobody was told of.
NamedQueue* State::queue_of(queue::QueueId id, const journal::Entry& entry) {
    auto* queue = queues.find(id);
    return queue != nullptr || entry.salvaged ? queue : &queues.stand_in(id);
}

void State::apply_preamble(const Preamble& preamble) {
    queues.raise_next_id(preamble.next_queue);
    for (const auto& item : preamble.queues) {
        auto* known = queues.find(item.queue.id);
        if (known == nullptr || known->is_stand_in) apply_queue(item.queue);
        if (auto* queue = queues.find(item.queue.id)) queue->queue.restore_next(item.next);
    }
    for (const auto& task : preamble.moves)
        if (moves.find(task.id) == nullptr) moves.set(task);
}

void State::apply_enqueued(const journal::Entry& entry) {
    auto record = decode_enqueued(entry.flags, entry.body);
    if (!record) return skip();
    latest = std::max(latest, record->message.sent_at);
    if (record->once) once.add_again(*record->once);
    if (record->about) once.add_again(*record->about);
    if ((entry.flags & flag_deduplicated) != 0) apply_deduplication(*record, entry.flags);
    auto* queue = queue_of(record->queue, entry);
    bool accepted = (entry.flags & flag_accepted_record) != 0;
    if (queue != nullptr)
        return enqueue(*queue, record->sequence, entry.location, record->message.sent_at, record->visible_at,
                       group_hash(record->message.group), accepted);
    if (accepted) use.count_accepted(entry.location.segment);
}

void State::apply_deduplication(const EnqueuedRecord& record, std::uint8_t flags) {
    const auto& message = record.message;
    auto group = (flags & flag_within_group) != 0 ? message.group : std::string_view{};
    auto key = deduplication_key(record.queue, group, message.deduplication);
    // What has ended since was dropped then, too.
    if (deduplication.is_full()) deduplication.forget_ended(latest);
    deduplication.add_again(make_deduplication_entry(key, record.sequence, message.id, message.sent_at));
}

void State::apply_touched(std::string_view body) {
    auto record = decode_touched(body);
    if (!record) return skip();
    auto* queue = queues.find(record->queue);
    for (const auto& event : record->events) {
        latest = std::max({latest, Timestamp{event.first_received_at}, Timestamp{std::int64_t{event.received_s} * 1000}});
        if (queue != nullptr) queue->queue.apply(event);
    }
}

void State::apply_deleted(const journal::Entry& entry) {
    auto record = decode_deleted(entry.body);
    if (!record) return skip();
    auto* queue = queues.find(record->queue);
    if (queue == nullptr) return;
    for (auto sequence : record->sequences) remove(*queue, sequence, (entry.flags & flag_lost) != 0);
}

void State::apply_moved(const journal::Entry& entry) {
    auto record = decode_moved(entry.body);
    if (!record) return skip();
    latest = std::max(latest, Timestamp{record->state.visible_at});  // visible since it was moved
    restore(*queue_of(record->to, entry), record->to_sequence, entry.location, record->state);
    if (auto* from = queues.find(record->from)) from->queue.apply(queue::Deleted{record->from_sequence});
}

void State::apply_copied(const journal::Entry& entry) {
    auto record = decode_copied(entry.body);
    if (!record) return skip();
    auto* queue = queue_of(record->queue, entry);
    if (queue == nullptr) return;
    if (queue->queue.is_live(record->sequence)) return queue->queue.relocate(record->sequence, place_of(entry.location));
    restore(*queue, record->sequence, entry.location, record->state);
}

void State::apply_removal_of_queue(std::string_view body) {
    auto id = decode_queue_deleted(body);
    if (!id) return skip();
    queues.raise_next_id(id->next());
    if (auto* queue = queues.find(*id)) erase_queue(*queue);
}

void State::apply_purged(const journal::Entry& entry) {
    auto record = decode_purged(entry.body);
    if (!record) return skip();
    if (auto* queue = queues.find(record->queue)) purge(*queue, record->below, (entry.flags & flag_by_expiry) != 0);
}

}  // namespace forebay::broker
