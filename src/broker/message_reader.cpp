#include "broker/message_reader.h"

#include <cerrno>
#include <optional>

#include "base/log_line.h"
#include "journal/frame.h"

namespace forebay::broker {

namespace {

Result<MessagePart, disk::Error> whole(std::optional<MessagePart> message) {
    if (!message) return Failure{disk::Error{ENOTSUP, "decode", "a message"}};
    return *message;
}

}  // namespace

Result<MessagePart, disk::Error> MessageReader::read(const queue::Place& place) {
    if (auto cached = cache_.find(place)) {
        ++hits_;
        return whole(message_of(cached->type, cached->flags, cached->body));
    }
    ++reads_;
    auto message = read_journal(place);
    if (!message) message = read_journal(place);  // an error that does not last
    if (!message) {
        ++damaged_;
        log_error("queue.message_damaged").with("segment", place.segment).with("offset", place.offset).with("why", message.error().text());
    }
    return message;
}

std::string MessageReader::id_as_it_stands() const {
    auto header = journal::parse_record_header(buffer_);
    if (!header) return "unknown";
    auto message = message_of(header->type, header->flags, std::string_view(buffer_).substr(journal::record_header_bytes));
    return message ? to_text(message->id) : "unknown";
}

Result<MessagePart, disk::Error> MessageReader::read_journal(const queue::Place& place) {
    TRY_ASSIGN(auto entry, journal_.read({place.segment, place.offset, place.length}, buffer_));
    return whole(message_of(entry.type, entry.flags, entry.body));
}

}  // namespace forebay::broker
