#include "broker/deduplication.h"

#include <cstring>

#include "base/codec.h"
#include "base/digest.h"

namespace forebay::broker {

std::string deduplication_by_content(std::string_view body) { return to_hex(sha256(body)); }

Uuid deduplication_key(queue::QueueId queue, std::string_view group, std::string_view id) {
    std::string text;
    put(text, queue.value());
    put_bytes(text, group);
    put_bytes(text, id);
    auto hash = sha256(text);
    Uuid key;
    std::memcpy(key.bytes.data(), hash.data(), key.bytes.size());
    return key;
}

OnceEntry make_deduplication_entry(const Uuid& key, queue::Sequence sequence, const Uuid& message, Timestamp sent_at) {
    OnceEntry entry;
    entry.key = key;
    auto number = sequence.value();
    std::memcpy(entry.content.data(), &number, sizeof number);
    entry.record = message;
    entry.until_s = static_cast<std::uint32_t>((sent_at + deduplication_window).ms / 1000 + 1);
    return entry;
}

queue::Sequence sequence_of(const OnceEntry& entry) {
    std::uint64_t number = 0;
    std::memcpy(&number, entry.content.data(), sizeof number);
    return queue::Sequence(number);
}

}  // namespace forebay::broker
