#pragma once
// Values of columns and parameters, the same for every driver.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.h"

namespace forebay::db {

struct Blob {
    std::string bytes;
    bool operator==(const Blob&) const = default;
};
/// A Timestamp is written as each database wants it (RFC 3339 text in SQLite and PostgreSQL, `YYYY-MM-DD hh:mm:ss.mmm` in
/// MariaDB, always UTC) and never read back as one: times come as the driver's text.
using Value = std::variant<std::monostate, std::int64_t, double, std::string, Blob, Timestamp>;
using Row = std::vector<Value>;
using Rows = std::vector<Row>;

/// Text of a column; empty for null. Numbers as digits (a real number in the shortest form that gives it back).
std::string text_of(const Value& value);
std::int64_t integer_of(const Value& value);
bool is_null(const Value& value);

}  // namespace forebay::db
