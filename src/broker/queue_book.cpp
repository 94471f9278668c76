#include "broker/queue_book.h"

#include "base/check.h"
#include "base/codec.h"

namespace forebay::broker {

NamedQueue* QueueBook::find(std::string_view name) {
    auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second.get();
}

NamedQueue* QueueBook::find(queue::QueueId id) {
    auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

NamedQueue& QueueBook::set(QueueRecord record) {
    raise_next_id(record.id.next());
    if (auto* known = find(record.id)) {
        if (known->record.name != record.name) rename(*known, record.name);
        known->is_stand_in = false;
        known->record = std::move(record);
        known->queue.set_fifo(known->settings().fifo);
        known->expiry_check = {};
        return *known;
    }
    CHECK(!by_name_.contains(record.name), "a name belongs to one queue");
    auto made = std::make_unique<NamedQueue>(std::move(record), pages_);
    auto& queue = *made;
    by_id_[queue.record.id] = &queue;
    by_name_[queue.record.name] = std::move(made);
    return queue;
}

void QueueBook::rename(NamedQueue& queue, const std::string& name) {
    auto node = by_name_.extract(queue.record.name);
    node.key() = name;
    auto put = by_name_.insert(std::move(node));
    CHECK(put.inserted, "a name belongs to one queue");
}

std::string QueueBook::free_name(queue::QueueId id) {
    auto name = "recovered-" + std::to_string(id.value());
    while (find(name) != nullptr) name += "_";
    return name;
}

NamedQueue& QueueBook::stand_in(queue::QueueId id) {
    QueueRecord record;
    record.id = id;
    record.name = free_name(id);
    record.settings.carries_records = true;  // what is in doubt does not expire
    auto& queue = set(std::move(record));
    queue.is_stand_in = true;
    return queue;
}

void QueueBook::make_way(NamedQueue& stand_in) {
    auto name = free_name(stand_in.record.id);
    rename(stand_in, name);
    stand_in.record.name = name;
}

bool QueueBook::is_superseded(const QueueRecord& record) {
    auto* named = find(record.name);
    return named != nullptr && named->record.id > record.id;
}

void QueueBook::erase(queue::QueueId id) {
    auto* known = find(id);
    if (known == nullptr) return;
    by_id_.erase(id);
    auto named = by_name_.find(known->record.name);
    if (named != by_name_.end() && named->second.get() == known) by_name_.erase(named);
}

std::string QueueBook::preamble() const {
    std::string out;
    put(out, next_id_.value());
    put(out, static_cast<std::uint32_t>(by_name_.size()));
    for (const auto& [name, queue] : by_name_) {
        append_queue_set(out, queue->record);
        put(out, queue->queue.next_sequence().value());
    }
    return out;
}

}  // namespace forebay::broker
