#pragma once
// Deduplication ids of FIFO messages as entries of a window of their own: FORMAT.md §5. An id outlives its message.

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/log_record.h"

namespace forebay::broker {

inline constexpr Duration deduplication_window = 5min;

/// The id that a message without one has in a queue that deduplicates by content.
std::string deduplication_by_content(std::string_view body);

/// `group`: empty unless ids count within their group.
Uuid deduplication_key(queue::QueueId queue, std::string_view group, std::string_view id);

OnceEntry make_deduplication_entry(const Uuid& key, queue::Sequence sequence, const Uuid& message, Timestamp sent_at);
queue::Sequence sequence_of(const OnceEntry& entry);

}  // namespace forebay::broker
