#pragma once
// What takes the place of a message body when its record is erased: an envelope that says which record it was, and nothing that was in
// it, of the same length and with the same CRC-32C, so that the log around it stays as it is (FORMAT.md, "Erased records").

#include <optional>
#include <string>
#include <string_view>

#include "record/envelope.h"

namespace forebay::record {

/// `message_id` and `sent_at` as for decode(). Nothing when the body is too short to say anything instead (under 29 bytes).
std::optional<std::string> erased_body(std::string_view body, const Uuid& message_id, Timestamp sent_at);

bool is_erased(const Envelope& envelope);

}  // namespace forebay::record
