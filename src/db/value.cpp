#include "db/value.h"

#include <charconv>

namespace forebay::db {
namespace {

std::string digits_of(double real) {
    char text[32];
    auto end = std::to_chars(text, text + sizeof text, real).ptr;
    return {text, end};
}

}  // namespace

std::string text_of(const Value& value) {
    if (auto* text = std::get_if<std::string>(&value)) return *text;
    if (auto* blob = std::get_if<Blob>(&value)) return blob->bytes;
    if (auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
    if (auto* real = std::get_if<double>(&value)) return digits_of(*real);
    if (auto* at = std::get_if<Timestamp>(&value)) return to_rfc3339(*at);
    return {};
}

std::int64_t integer_of(const Value& value) {
    if (auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
    if (auto* real = std::get_if<double>(&value)) return static_cast<std::int64_t>(*real);
    std::int64_t number = 0;
    if (auto* text = std::get_if<std::string>(&value)) std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
}

bool is_null(const Value& value) { return std::holds_alternative<std::monostate>(value); }

}  // namespace forebay::db
