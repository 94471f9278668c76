#include "base/json.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <unordered_set>

namespace forebay::json {
namespace {

constexpr int depth_max = 64;
namespace ondemand = simdjson::ondemand;

struct Refused {
    std::string what;
};

/// Takes the members of one object; a linear look for duplicates is enough for small ones.
class KeysSeen {
  public:
    void add(const std::string& key, const Members& so_far) {
        bool seen = false;
        if (so_far.size() < 16) {
            for (auto& [name, value] : so_far) seen = seen || name == key;
        } else {
            if (set_.empty())
                for (auto& [name, value] : so_far) set_.insert(name);
            seen = !set_.insert(key).second;
        }
        if (seen) throw Refused{"duplicate key \"" + key + "\""};
    }

  private:
    std::unordered_set<std::string> set_;
};

std::string number_text(std::string_view raw) {
    while (!raw.empty() && (raw.back() == ' ' || raw.back() == '\n' || raw.back() == '\r' || raw.back() == '\t')) raw.remove_suffix(1);
    std::size_t i = 0;
    auto run = [&] {
        std::size_t start = i;
        while (i < raw.size() && raw[i] >= '0' && raw[i] <= '9') ++i;
        return i - start;
    };
    if (i < raw.size() && raw[i] == '-') ++i;
    bool zero = i < raw.size() && raw[i] == '0';
    std::size_t whole = run();
    bool ok = whole > 0 && !(zero && whole > 1);
    if (ok && i < raw.size() && raw[i] == '.') ok = (++i, run() > 0);
    if (ok && i < raw.size() && (raw[i] == 'e' || raw[i] == 'E')) {
        ++i;
        if (i < raw.size() && (raw[i] == '+' || raw[i] == '-')) ++i;
        ok = run() > 0;
    }
    if (!ok || i != raw.size()) throw Refused{"not a number: " + std::string(raw.substr(0, 40))};
    return std::string(raw);
}

template <class V>
Value build(V&& value, int depth) {
    if (depth > depth_max) throw Refused{"nested deeper than 64"};
    switch (value.type()) {
        case ondemand::json_type::null:
            if (!value.is_null()) throw Refused{"not JSON"};
            return {};
        case ondemand::json_type::boolean:
            return Value(bool(value.get_bool()));
        case ondemand::json_type::number:
            return Value::number(number_text(std::string_view(value.raw_json_token())));
        case ondemand::json_type::string:
            return Value(std::string_view(value.get_string()));
        case ondemand::json_type::array: {
            auto out = Value::array();
            for (auto element : value.get_array()) out.push(build(element.value(), depth + 1));
            return out;
        }
        case ondemand::json_type::object: {
            auto out = Value::object();
            KeysSeen seen;
            for (auto field : value.get_object()) {
                std::string key(std::string_view(field.unescaped_key()));
                seen.add(key, out.members());
                out.members().emplace_back(std::move(key), build(field.value(), depth + 1));
            }
            return out;
        }
    }
    throw Refused{"not JSON"};
}

const Value null_value;

void append_pretty(std::string& out, const Value& value, std::size_t indent) {
    auto line = [&](std::size_t n) { out.append("\n").append(n * 2, ' '); };
    if (value.is_array() && !value.elements().empty()) {
        out += '[';
        for (std::size_t i = 0; i < value.elements().size(); ++i) {
            if (i > 0) out += ',';
            line(indent + 1);
            append_pretty(out, value.elements()[i], indent + 1);
        }
        line(indent);
        out += ']';
    } else if (value.is_object() && !value.members().empty()) {
        out += '{';
        bool first = true;
        for (auto& [key, member] : value.members()) {
            if (!first) out += ',';
            first = false;
            line(indent + 1);
            append_string(out, key);
            out += ": ";
            append_pretty(out, member, indent + 1);
        }
        line(indent);
        out += '}';
    } else {
        append(out, value);
    }
}

}  // namespace

Value Value::array() {
    Value v;
    v.kind_ = Kind::array;
    return v;
}
Value Value::object() {
    Value v;
    v.kind_ = Kind::object;
    return v;
}
Value Value::number(std::string digits) {
    Value v;
    v.kind_ = Kind::number;
    v.text_ = std::move(digits);
    return v;
}

const Members& Value::members() const { return members_; }
Members& Value::members() { return members_; }

std::optional<std::int64_t> Value::integer() const {
    if (kind_ != Kind::number) return std::nullopt;
    std::int64_t n = 0;
    auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), n);
    if (error != std::errc() || end != text_.data() + text_.size()) return std::nullopt;
    return n;
}

double Value::real() const { return kind_ == Kind::number ? std::strtod(text_.c_str(), nullptr) : 0.0; }

const Value* Value::find(std::string_view key) const {
    for (auto& [name, value] : members_)
        if (name == key) return &value;
    return nullptr;
}

const Value& Value::operator[](std::string_view key) const {
    auto* found = find(key);
    return found != nullptr ? *found : null_value;
}

Value& Value::set(std::string_view key, Value value) {
    if (kind_ == Kind::null) kind_ = Kind::object;
    for (auto& [name, old] : members_) {
        if (name != key) continue;
        old = std::move(value);
        return *this;
    }
    members_.emplace_back(std::string(key), std::move(value));
    return *this;
}

void Value::push(Value value) {
    if (kind_ == Kind::null) kind_ = Kind::array;
    elements_.push_back(std::move(value));
}

bool Value::operator==(const Value& other) const {
    return kind_ == other.kind_ && flag_ == other.flag_ && text_ == other.text_ && elements_ == other.elements_ &&
           members_ == other.members_;
}

Result<Value, ParseError> parse(std::string_view text) {
    // A lone scalar is read as the only element of an array, so that text behind it is noticed.
    auto first = text.find_first_not_of(" \t\r\n");
    if (first != std::string_view::npos && text[first] != '{' && text[first] != '[') {
        auto wrapped = parse("[" + std::string(text) + "]");
        if (!wrapped.ok()) return wrapped;
        if (wrapped->elements().size() != 1) return Failure{ParseError{"more than one JSON value", 0}};
        return std::move(wrapped->elements().front());
    }
    thread_local ondemand::parser parser;
    thread_local std::string padded;
    padded.assign(text);
    padded.append(simdjson::SIMDJSON_PADDING, '\0');
    try {
        if (!is_utf8(text)) return Failure{ParseError{"not UTF-8", 0}};
        ondemand::document document = parser.iterate(padded.data(), text.size(), padded.size());
        Value out;
        out = build(document, 1);
        const char* where = nullptr;
        if (document.current_location().get(where) == simdjson::SUCCESS)
            return Failure{ParseError{"text after the JSON value", static_cast<std::size_t>(where - padded.data())}};
        return out;
    } catch (const simdjson::simdjson_error& e) {
        return Failure{ParseError{e.what(), 0}};
    } catch (const Refused& refused) {
        return Failure{ParseError{refused.what, 0}};
    }
}

void append_string(std::string& out, std::string_view text) {
    constexpr char digits[] = "0123456789abcdef";
    out += '"';
    std::size_t start = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        out.append(text, start, i - start);
        start = i + 1;
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                out += "\\u00";
                out += digits[c >> 4];
                out += digits[c & 15];
        }
    }
    out.append(text, start);
    out += '"';
}

void append(std::string& out, const Value& value) {
    switch (value.kind()) {
        case Kind::null:
            out += "null";
            break;
        case Kind::boolean:
            out += value.boolean() ? "true" : "false";
            break;
        case Kind::number:
            out += value.text();
            break;
        case Kind::string:
            append_string(out, value.text());
            break;
        case Kind::array: {
            out += '[';
            bool first = true;
            for (auto& element : value.elements()) {
                if (!first) out += ',';
                first = false;
                append(out, element);
            }
            out += ']';
            break;
        }
        case Kind::object: {
            out += '{';
            bool first = true;
            for (auto& [key, member] : value.members()) {
                if (!first) out += ',';
                first = false;
                append_string(out, key);
                out += ':';
                append(out, member);
            }
            out += '}';
            break;
        }
    }
}

std::string to_text(const Value& value) {
    std::string out;
    append(out, value);
    return out;
}

std::string to_pretty_text(const Value& value) {
    std::string out;
    append_pretty(out, value, 0);
    return out;
}

bool is_utf8(std::string_view bytes) { return simdjson::validate_utf8(bytes.data(), bytes.size()); }

}  // namespace forebay::json
