#pragma once
// What a statement's `:name` means for a record.

#include <string_view>

#include "db/database.h"
#include "record/envelope.h"

namespace forebay::handlers {

/// `id`, `received_at` (a time), `endpoint`, `_ip`, `_raw` (text, or bytes where it is not UTF-8), else the
/// field of that name: text, whole number, real number, 0 or 1, JSON text for lists and objects; null if
/// there is none. A number that is too exact for a real one stays text.
db::Value value_of(const record::Envelope& envelope, std::string_view name);

}  // namespace forebay::handlers
