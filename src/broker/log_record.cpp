#include "broker/log_record.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/codec.h"
#include "base/digest.h"
#include "broker/queue_record_reader.h"

namespace forebay::broker {
namespace {

void put_uuid(std::string& out, const Uuid& id) { out.append(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()); }

Uuid take_uuid(Reader& in) {
    Uuid id;
    auto raw = in.take_raw(16);
    if (raw.size() == 16) std::memcpy(id.bytes.data(), raw.data(), 16);
    return id;
}

void put_attributes(std::string& out, const std::vector<queue::MessageAttribute>& attributes) {
    put(out, static_cast<std::uint8_t>(attributes.size()));
    for (const auto& attribute : attributes) {
        put_bytes(out, attribute.name);
        put_bytes(out, attribute.type);
        put_bytes(out, attribute.value);
    }
}

std::string_view take_attributes(Reader& in) {
    auto before = in.rest();
    auto count = in.take<std::uint8_t>();
    for (unsigned i = 0; i < 3u * count; ++i) in.take_bytes();
    return before.substr(0, before.size() - in.rest().size());
}

/// At most 255 bytes.
void put_short(std::string& out, std::string_view text) {
    put(out, static_cast<std::uint8_t>(text.size()));
    out.append(text);
}

void put_message(std::string& out, const MessagePart& message) {
    put_uuid(out, message.id);
    put(out, message.sent_at.ms);
    put(out, message.source.value());
    put_bytes(out, message.group);
    out.append(message.attributes);
    out.append(message.system_attributes);
    put_short(out, message.deduplication);
    out.append(message.body);
}

std::optional<MessagePart> take_message(Reader& in) {
    MessagePart message;
    message.id = take_uuid(in);
    message.sent_at.ms = in.take<std::int64_t>();
    message.source = queue::QueueId(in.take<std::uint32_t>());
    message.group = in.take_bytes();
    message.attributes = take_attributes(in);
    message.system_attributes = take_attributes(in);
    message.deduplication = in.take_raw(in.take<std::uint8_t>());
    if (in.failed()) return std::nullopt;
    message.body = in.rest();
    return message;
}

void put_state(std::string& out, const queue::Slot& state) {
    put(out, state.visible_at);
    put(out, state.first_received_at);
    put(out, state.generation);
    put(out, state.epoch);
    put(out, state.received_s);
    put(out, state.sent_s);
    put(out, state.receives);
    put(out, state.attempts);
}

queue::Slot take_state(Reader& in) {
    queue::Slot state;
    state.visible_at = in.take<std::int64_t>();
    state.first_received_at = in.take<std::int64_t>();
    state.generation = in.take<std::uint32_t>();
    state.epoch = in.take<std::uint32_t>();
    state.received_s = in.take<std::uint32_t>();
    state.sent_s = in.take<std::uint32_t>();
    state.receives = in.take<std::uint16_t>();
    state.attempts = in.take<std::uint8_t>();
    return state;
}

/// How a moved and a copied record end.
template <class Record>
void put_state_and_message(std::string& out, const Record& record) {
    put_state(out, record.state);
    put_message(out, record.message);
}

template <class Record>
std::optional<Record> take_state_and_message(Reader& in, Record record) {
    record.state = take_state(in);
    auto message = take_message(in);
    if (!message) return std::nullopt;
    record.message = *message;
    record.state.group = group_hash(message->group);
    return record;
}

void put_once(std::string& out, const OnceEntry& once) { out.append(reinterpret_cast<const char*>(&once), sizeof once); }

constexpr std::array fifo_settings{&QueueSettings::fifo, &QueueSettings::content_deduplication, &QueueSettings::deduplication_per_group,
                                   &QueueSettings::throughput_per_group};

std::uint8_t fifo_bits(const QueueSettings& settings) {
    unsigned bits = 0;
    for (std::size_t i = 0; i < fifo_settings.size(); ++i) bits |= unsigned{settings.*fifo_settings[i]} << i;
    return static_cast<std::uint8_t>(bits);
}

void set_fifo_bits(QueueSettings& settings, std::uint8_t bits) {
    for (std::size_t i = 0; i < fifo_settings.size(); ++i) settings.*fifo_settings[i] = (bits >> i & 1) != 0;
}

queue::QueueId take_queue(Reader& in) { return queue::QueueId(in.take<std::uint32_t>()); }
queue::Sequence take_sequence(Reader& in) { return queue::Sequence(in.take<std::uint64_t>()); }

}  // namespace

std::vector<queue::MessageAttribute> decode_attributes(std::string_view encoded) {
    Reader in(encoded);
    std::vector<queue::MessageAttribute> out(in.take<std::uint8_t>());
    for (auto& attribute : out) {
        attribute.name = in.take_bytes();
        attribute.type = in.take_bytes();
        attribute.value = in.take_bytes();
    }
    return out;
}

std::uint64_t group_hash(std::string_view group) {
    if (group.empty()) return 0;
    std::uint64_t hash = 0;
    std::memcpy(&hash, sha256(group).data(), sizeof hash);
    return std::max<std::uint64_t>(hash, 1);
}

std::uint64_t message_bytes(const queue::OutgoingMessage& message) {
    std::uint64_t bytes = message.body.size();
    for (const auto& a : message.attributes) bytes += a.name.size() + a.type.size() + a.value.size();
    return bytes;
}

void encode_enqueued(std::string& out, queue::QueueId queue, queue::Sequence sequence, Timestamp visible_at, Timestamp sent_at,
                     const Uuid& id, const queue::OutgoingMessage& message, const OnceEntry* once, const OnceEntry* about) {
    out.clear();
    put(out, queue.value());
    put(out, sequence.value());
    put(out, visible_at.ms);
    if (once != nullptr) put_once(out, *once);
    if (about != nullptr) put_once(out, *about);
    put_uuid(out, id);
    put(out, sent_at.ms);
    put(out, std::uint32_t{0});
    put_bytes(out, message.group);
    put_attributes(out, message.attributes);
    put_attributes(out, message.system_attributes);
    put_short(out, message.deduplication);
    out.append(message.body);
}

std::optional<EnqueuedRecord> decode_enqueued(std::uint8_t flags, std::string_view body) {
    Reader in(body);
    EnqueuedRecord record;
    record.queue = take_queue(in);
    record.sequence = take_sequence(in);
    record.visible_at.ms = in.take<std::int64_t>();
    for (auto [flag, entry] : {std::pair(flag_has_key, &record.once), std::pair(flag_has_about_key, &record.about)}) {
        if ((flags & flag) == 0) continue;
        auto raw = in.take_raw(sizeof(OnceEntry));
        if (raw.empty()) return std::nullopt;
        std::memcpy(&entry->emplace(), raw.data(), sizeof(OnceEntry));
    }
    auto message = take_message(in);
    if (!message) return std::nullopt;
    record.message = *message;
    return record;
}

void encode_touched(std::string& out, queue::QueueId queue, Timestamp at, std::span<const queue::Touched> events) {
    out.clear();
    put(out, queue.value());
    put(out, at.ms);
    put(out, static_cast<std::uint32_t>(events.size()));
    for (const auto& event : events) {
        put(out, event.sequence.value());
        put(out, event.visible_at);
        put(out, event.first_received_at);
        put(out, event.generation);
        put(out, event.epoch);
        put(out, event.received_s);
        put(out, event.receives);
        put(out, event.attempts);
    }
}

std::optional<TouchedRecord> decode_touched(std::string_view body) {
    Reader in(body);
    TouchedRecord record;
    record.queue = take_queue(in);
    record.at.ms = in.take<std::int64_t>();
    auto count = in.take<std::uint32_t>();
    constexpr std::size_t event_bytes = 39;
    if (in.rest().size() != std::size_t{count} * event_bytes) return std::nullopt;
    record.events.resize(count);
    for (auto& event : record.events) {
        event.sequence = take_sequence(in);
        event.visible_at = in.take<std::int64_t>();
        event.first_received_at = in.take<std::int64_t>();
        event.generation = in.take<std::uint32_t>();
        event.epoch = in.take<std::uint32_t>();
        event.received_s = in.take<std::uint32_t>();
        event.receives = in.take<std::uint16_t>();
        event.attempts = in.take<std::uint8_t>();
    }
    if (!in.at_end()) return std::nullopt;
    return record;
}

void encode_deleted(std::string& out, queue::QueueId queue, std::span<const queue::Sequence> sequences) {
    out.clear();
    put(out, queue.value());
    put(out, static_cast<std::uint32_t>(sequences.size()));
    for (auto sequence : sequences) put(out, sequence.value());
}

std::optional<DeletedRecord> decode_deleted(std::string_view body) {
    Reader in(body);
    DeletedRecord record;
    record.queue = take_queue(in);
    auto count = in.take<std::uint32_t>();
    if (in.rest().size() != std::size_t{count} * sizeof(std::uint64_t)) return std::nullopt;
    record.sequences.resize(count);
    for (auto& sequence : record.sequences) sequence = take_sequence(in);
    if (!in.at_end()) return std::nullopt;
    return record;
}

void encode_moved(std::string& out, const MovedRecord& record) {
    out.clear();
    put(out, record.from.value());
    put(out, record.from_sequence.value());
    put(out, record.to.value());
    put(out, record.to_sequence.value());
    put_state_and_message(out, record);
}

std::optional<MovedRecord> decode_moved(std::string_view body) {
    Reader in(body);
    MovedRecord record;
    record.from = take_queue(in);
    record.from_sequence = take_sequence(in);
    record.to = take_queue(in);
    record.to_sequence = take_sequence(in);
    return take_state_and_message(in, record);
}

void encode_copied(std::string& out, const CopiedRecord& record) {
    out.clear();
    put(out, record.queue.value());
    put(out, record.sequence.value());
    put_state_and_message(out, record);
}

std::optional<CopiedRecord> decode_copied(std::string_view body) {
    Reader in(body);
    CopiedRecord record;
    record.queue = take_queue(in);
    record.sequence = take_sequence(in);
    return take_state_and_message(in, record);
}

void append_queue_set(std::string& out, const QueueRecord& record) {
    const auto& settings = record.settings;
    put(out, record.id.value());
    put_bytes(out, record.name);
    put(out, record.created_at.ms);
    put(out, record.modified_at.ms);
    put(out, static_cast<std::uint8_t>(record.declared));
    for (auto duration : {settings.visibility_timeout, settings.delay, settings.retention, settings.receive_wait})
        put(out, static_cast<std::int64_t>(duration.count()));
    put(out, settings.message_bytes_max);
    put(out, static_cast<std::uint8_t>(settings.carries_records));
    put(out, fifo_bits(settings));
    put(out, static_cast<std::uint8_t>(settings.redrive.has_value()));
    if (settings.redrive) {
        put_bytes(out, settings.redrive->dead_letter);
        put(out, settings.redrive->max_receive_count);
    }
    put(out, static_cast<std::uint32_t>(settings.extra.size()));
    for (const auto& [key, value] : settings.extra) {
        put_bytes(out, key);
        put_bytes(out, value);
    }
}

QueueRecord take_queue_set(Reader& in) {
    QueueRecord record;
    auto& settings = record.settings;
    record.id = take_queue(in);
    record.name = in.take_bytes();
    record.created_at.ms = in.take<std::int64_t>();
    record.modified_at.ms = in.take<std::int64_t>();
    record.declared = in.take<std::uint8_t>() != 0;
    for (auto* duration : {&settings.visibility_timeout, &settings.delay, &settings.retention, &settings.receive_wait})
        *duration = Duration(in.take<std::int64_t>());
    settings.message_bytes_max = in.take<std::uint64_t>();
    settings.carries_records = in.take<std::uint8_t>() != 0;
    set_fifo_bits(settings, in.take<std::uint8_t>());
    if (in.take<std::uint8_t>() != 0) {
        auto& redrive = settings.redrive.emplace();
        redrive.dead_letter = in.take_bytes();
        redrive.max_receive_count = in.take<std::uint32_t>();
    }
    for (auto left = in.take<std::uint32_t>(); left > 0 && !in.failed(); --left) {
        std::string key(in.take_bytes());
        settings.extra[std::move(key)] = in.take_bytes();
    }
    return record;
}

void encode_queue_set(std::string& out, const QueueRecord& record) {
    out.clear();
    append_queue_set(out, record);
}

std::optional<QueueRecord> decode_queue_set(std::string_view body) {
    Reader in(body);
    auto record = take_queue_set(in);
    if (!in.at_end()) return std::nullopt;
    return record;
}

void encode_queue_deleted(std::string& out, queue::QueueId id) {
    out.clear();
    put(out, id.value());
}

std::optional<queue::QueueId> decode_queue_deleted(std::string_view body) {
    Reader in(body);
    auto id = take_queue(in);
    if (!in.at_end()) return std::nullopt;
    return id;
}

void encode_purged(std::string& out, const PurgedRecord& record) {
    out.clear();
    put(out, record.queue.value());
    put(out, record.below.value());
}

std::optional<PurgedRecord> decode_purged(std::string_view body) {
    Reader in(body);
    PurgedRecord record{take_queue(in), take_sequence(in)};
    if (!in.at_end()) return std::nullopt;
    return record;
}

std::optional<Preamble> decode_preamble(std::string_view body) {
    Reader in(body);
    Preamble preamble;
    preamble.next_queue = take_queue(in);
    for (auto left = in.take<std::uint32_t>(); left > 0 && !in.failed(); --left) {
        PreambleQueue item{take_queue_set(in), {}};
        item.next = take_sequence(in);
        preamble.queues.push_back(std::move(item));
    }
    preamble.moves = take_moves(in);
    if (!in.at_end()) return std::nullopt;
    return preamble;
}

std::optional<MessagePart> message_of(std::uint8_t type, std::uint8_t flags, std::string_view body) {
    switch (static_cast<RecordType>(type)) {
        case RecordType::enqueued:
            if (auto record = decode_enqueued(flags, body)) return record->message;
            return std::nullopt;
        case RecordType::moved:
            if (auto record = decode_moved(body)) return record->message;
            return std::nullopt;
        case RecordType::copied:
            if (auto record = decode_copied(body)) return record->message;
            return std::nullopt;
        default:
            return std::nullopt;
    }
}

}  // namespace forebay::broker
