#include "handlers/values.h"

#include "base/json.h"

namespace forebay::handlers {
namespace {

constexpr std::size_t exact_digits_max = 15;  // that a double always gives back

db::Value number_of(const json::Value& number) {
    if (auto whole = number.integer()) return *whole;
    std::size_t digits = 0;
    for (char c : number.text()) digits += c >= '0' && c <= '9';
    if (digits > exact_digits_max) return number.text();
    return number.real();
}

db::Value field_value(const json::Value& field) {
    switch (field.kind()) {
        case json::Kind::null:
            return std::monostate{};
        case json::Kind::boolean:
            return std::int64_t{field.boolean()};
        case json::Kind::number:
            return number_of(field);
        case json::Kind::string:
            return field.text();
        case json::Kind::array:
        case json::Kind::object:
            return json::to_text(field);
    }
    return std::monostate{};
}

}  // namespace

db::Value value_of(const record::Envelope& envelope, std::string_view name) {
    if (name == "id") return to_text(envelope.id);
    if (name == "received_at") return envelope.received_at;
    if (name == "endpoint") return envelope.endpoint;
    if (name == "_ip") return envelope.client_ip.empty() ? db::Value(std::monostate{}) : db::Value(envelope.client_ip);
    if (name == "_raw") return json::is_utf8(envelope.raw) ? db::Value(envelope.raw) : db::Value(db::Blob{envelope.raw});
    return field_value(envelope.fields[name]);
}

}  // namespace forebay::handlers
