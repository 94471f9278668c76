#include "record/envelope.h"

#include <algorithm>

#include "base/digest.h"
#include "record/envelope_writer.h"
#include "record/php.h"
#include "record/text.h"

namespace forebay::record {
namespace {

constexpr std::size_t flags_max = 64;

Result<json::Value, DecodeError> parse_json(std::string_view text) {
    auto parsed = json::parse(text);
    if (!parsed.ok()) return Failure{DecodeError{"not JSON: " + parsed.error().what}};
    return std::move(*parsed);
}

/// The value and the JSON text it stands for, whichever form it came in.
struct Body {
    json::Value value;
    std::string json;
    bool is_php = false;
};

Result<Body, DecodeError> unwrap(std::string_view body) {
    auto first = body.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return Failure{DecodeError{"the body is empty"}};
    if (body[first] == '{') {
        TRY_ASSIGN(auto value, parse_json(body));
        return Body{std::move(value), std::string(body)};
    }
    auto bytes = from_base64(body);
    if (!bytes) return Failure{DecodeError{"neither a JSON object nor base64"}};
    if (bytes->starts_with('{')) {
        TRY_ASSIGN(auto value, parse_json(*bytes));
        return Body{std::move(value), std::move(*bytes)};
    }
    if (!bytes->starts_with("a:")) return Failure{DecodeError{"base64 of neither a JSON object nor a PHP array"}};
    auto value = from_php(*bytes);
    if (!value.ok()) return Failure{DecodeError{"not a PHP array of scalars: " + value.error()}};
    auto text = json::to_text(*value);
    return Body{std::move(*value), std::move(text), true};
}

/// The text of a member that must be a string.
Result<std::string, DecodeError> text_of(const json::Value& object, std::string_view name) {
    auto& value = object[name];
    if (!value.is_string()) return Failure{DecodeError{"\"" + std::string(name) + "\" is missing or no text"}};
    return value.text();
}
std::string text_or_empty(const json::Value& object, std::string_view name) {
    auto& value = object[name];
    return value.is_string() ? value.text() : std::string();
}

Result<std::string, DecodeError> raw_of(const json::Value& object) {
    auto* encoded = object.find("raw_base64");
    if (encoded == nullptr) return text_or_empty(object, "raw");
    auto bytes = encoded->is_string() ? from_base64(encoded->text()) : std::nullopt;
    if (!bytes) return Failure{DecodeError{"\"raw_base64\" is not base64"}};
    return std::move(*bytes);
}

Result<std::vector<std::string>, DecodeError> flags_of(const json::Value& object) {
    auto& flags = object["flags"].elements();
    auto is_text = [](const json::Value& flag) { return flag.is_string(); };
    if (flags.size() > flags_max || !std::all_of(flags.begin(), flags.end(), is_text))
        return Failure{DecodeError{"\"flags\" is not a short list of texts"}};
    std::vector<std::string> out;
    for (auto& flag : flags) out.push_back(flag.text());
    return out;
}

/// PHP does not tell an object with the names 0, 1, 2 … from a list, nor an empty one.
Result<json::Value, DecodeError> fields_of(const json::Value& object, bool is_php) {
    auto& fields = object["fields"];
    if (fields.is_object()) return fields;
    auto& elements = fields.elements();
    if (!fields.is_array() || (!is_php && !elements.empty())) return Failure{DecodeError{"\"fields\" is missing or no object"}};
    auto named = json::Value::object();
    for (std::size_t i = 0; i < elements.size(); ++i) named.set(std::to_string(i), elements[i]);
    return named;
}

Result<Envelope, DecodeError> envelope_of(const json::Value& object, bool is_php) {
    if (object["v"].integer() != envelope_version)
        return Failure{DecodeError{"\"v\" is not 1: written by a newer program, or not an envelope"}};
    Envelope out;
    TRY_ASSIGN(auto id_text, text_of(object, "id"));
    auto id = parse_uuid(id_text);
    if (!id) return Failure{DecodeError{"\"id\" is not a UUID"}};
    out.id = *id;
    TRY_ASSIGN(out.endpoint, text_of(object, "endpoint"));
    TRY_ASSIGN(auto time_text, text_of(object, "received_at"));
    auto received_at = parse_timestamp(time_text);
    if (!received_at) return Failure{DecodeError{"\"received_at\" is not a time"}};
    out.received_at = *received_at;
    TRY_ASSIGN(out.fields, fields_of(object, is_php));
    TRY_ASSIGN(out.raw, raw_of(object));
    TRY_ASSIGN(out.flags, flags_of(object));
    out.raw_type = text_or_empty(object, "raw_type");
    out.client_ip = text_or_empty(object, "ip");
    out.value = object["value"].is_number() ? object["value"].text() : std::string();
    out.currency = text_or_empty(object, "currency");
    out.again = static_cast<std::uint32_t>(std::clamp<std::int64_t>(object["again"].integer().value_or(0), 0, UINT32_MAX));
    out.discard = text_or_empty(object, "discard");
    if (object["edited"].is_array()) out.edited = object["edited"];
    return out;
}

Envelope direct_record(Body body, const Uuid& id, Timestamp now) {
    Envelope out;
    out.id = id;
    out.received_at = now;
    out.fields = std::move(body.value);
    out.raw_type = "application/json";
    out.raw = std::move(body.json);
    return out;
}

/// What an operator had done to the record; nothing of it in most.
std::string orders_text(const Envelope& envelope) {
    std::string out;
    if (envelope.again > 0) out += ",\"again\":" + std::to_string(envelope.again);
    if (!envelope.discard.empty()) {
        out += ",\"discard\":";
        append_json_string(out, envelope.discard);
    }
    if (envelope.edited.elements().empty()) return out;
    out += ",\"edited\":";
    json::append(out, envelope.edited);
    return out;
}

}  // namespace

std::string to_json(const Envelope& envelope) {
    std::string out;
    EnvelopeWriter writer(out, envelope.id, envelope.endpoint, envelope.received_at);
    std::string value;
    for (auto& [name, field] : envelope.fields.members()) {
        value.clear();
        json::append(value, field);
        writer.json(name, value);
    }
    writer.finish({envelope.raw_type, envelope.raw, json::is_utf8(envelope.raw), envelope.flags, envelope.client_ip, envelope.value,
                   envelope.currency, orders_text(envelope)});
    return out;
}

std::string in_form(std::string json, BodyForm form) {
    switch (form) {
        case BodyForm::json:
            return json;
        case BodyForm::base64_json:
            return to_base64(json);
        case BodyForm::php:
            break;
    }
    auto parsed = json::parse(json);
    CHECK(parsed.ok(), "an envelope we wrote is JSON");
    return to_base64(to_php(*parsed));
}

BodyForm form_of(std::string_view body) {
    auto first = body.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos || body[first] == '{') return BodyForm::json;
    auto bytes = from_base64(body);
    if (!bytes) return BodyForm::json;
    return bytes->starts_with("a:") ? BodyForm::php : BodyForm::base64_json;
}

std::string encode(const Envelope& envelope, BodyForm form) { return in_form(to_json(envelope), form); }

Result<Envelope, DecodeError> decode(std::string_view body, const Uuid& fallback_id, Timestamp now) {
    TRY_ASSIGN(auto content, unwrap(body));
    if (!content.value.is_object()) return Failure{DecodeError{"a list, not an object with names"}};
    if (content.value.find("v") == nullptr) return direct_record(std::move(content), fallback_id, now);
    return envelope_of(content.value, content.is_php);
}

}  // namespace forebay::record
