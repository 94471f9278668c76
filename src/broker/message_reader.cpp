#include "broker/message_reader.h"

#include "base/log_line.h"

namespace forebay::broker {

std::optional<MessagePart> MessageReader::read(const queue::Place& place) {
    if (auto cached = cache_.find(place)) {
        ++hits_;
        return message_of(cached->type, cached->flags, cached->body);
    }
    ++reads_;
    auto message = read_journal(place);
    if (!message) message = read_journal(place);  // an error that does not last
    if (!message) {
        ++damaged_;
        log_error("queue.message_damaged").with("segment", place.segment).with("offset", place.offset);
    }
    return message;
}

std::optional<MessagePart> MessageReader::read_journal(const queue::Place& place) {
    auto entry = journal_.read({place.segment, place.offset, place.length}, buffer_);
    if (!entry) return std::nullopt;
    return message_of(entry->type, entry->flags, entry->body);
}

}  // namespace forebay::broker
