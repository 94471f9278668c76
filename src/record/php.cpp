#include "record/php.h"

#include <charconv>
#include <optional>
#include <unordered_set>

#include "record/text.h"

namespace forebay::record {
namespace {

constexpr int depth_max = 64;
/// The shortest element of an array is a key "i:0;" and a value "N;".
constexpr std::size_t element_bytes_min = 6;

/// The integer if `text` is how PHP itself would print it: only then it is an integer key.
std::optional<std::int64_t> canonical_integer(std::string_view text) {
    std::int64_t n = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size() || std::to_string(n) != text) return std::nullopt;
    return n;
}

void put_string(std::string& out, std::string_view text) {
    out.append("s:").append(std::to_string(text.size())).append(":\"").append(text).append("\";");
}
void put_key(std::string& out, std::string_view key) {
    if (canonical_integer(key))
        out.append("i:").append(key).append(";");
    else
        put_string(out, key);
}
void put(std::string& out, const json::Value& value);

void put_list(std::string& out, const std::vector<json::Value>& elements) {
    out.append("a:").append(std::to_string(elements.size())).append(":{");
    for (std::size_t i = 0; i < elements.size(); ++i) {
        out.append("i:").append(std::to_string(i)).append(";");
        put(out, elements[i]);
    }
    out += '}';
}
void put_map(std::string& out, const json::Members& members) {
    out.append("a:").append(std::to_string(members.size())).append(":{");
    for (auto& [key, member] : members) {
        put_key(out, key);
        put(out, member);
    }
    out += '}';
}
void put(std::string& out, const json::Value& value) {
    switch (value.kind()) {
        case json::Kind::null:
            out += "N;";
            break;
        case json::Kind::boolean:
            out += value.boolean() ? "b:1;" : "b:0;";
            break;
        case json::Kind::number:
            out.append(canonical_integer(value.text()) ? "i:" : "d:").append(value.text()).append(";");
            break;
        case json::Kind::string:
            put_string(out, value.text());
            break;
        case json::Kind::array:
            put_list(out, value.elements());
            break;
        case json::Kind::object:
            put_map(out, value.members());
            break;
    }
}

struct Refused {
    std::string what;
};

/// Recursive, but never deeper than depth_max. Throws Refused, which does not leave this file.
class Unserializer {
  public:
    explicit Unserializer(std::string_view text) : text_(text) {}
    json::Value read_all() {
        auto value = read(1);
        if (at_ != text_.size()) refuse("there is more behind the value");
        return value;
    }

  private:
    [[noreturn]] void refuse(std::string_view why) const { throw Refused{std::string(why) + " at byte " + std::to_string(at_)}; }
    char next() {
        if (at_ >= text_.size()) refuse("the text ends too early");
        return text_[at_++];
    }
    void expect(char c) {
        if (next() != c) refuse(std::string("expected '") + c + "'");
    }
    std::string_view until(char end) {
        auto stop = text_.find(end, at_);
        if (stop == std::string_view::npos) refuse("the text ends too early");
        auto part = text_.substr(at_, stop - at_);
        at_ = stop + 1;
        return part;
    }
    std::size_t length(char end) {
        auto digits = until(end);
        std::size_t n = 0;
        auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
        if (error != std::errc() || stop != digits.data() + digits.size() || digits.empty()) refuse("a length is not a number");
        return n;
    }
    std::string integer() {
        auto digits = until(';');
        if (!canonical_integer(digits)) refuse("not an integer");
        return std::string(digits);
    }
    std::string string() {
        auto bytes = length(':');
        expect('"');
        if (bytes > text_.size() - at_) refuse("a string is longer than the text");
        auto part = text_.substr(at_, bytes);
        at_ += bytes;
        expect('"');
        expect(';');
        if (!json::is_utf8(part)) refuse("a string is not UTF-8");
        return std::string(part);
    }
    json::Value boolean() {
        auto digit = until(';');
        if (digit != "0" && digit != "1") refuse("neither true nor false");
        return json::Value(digit == "1");
    }
    json::Value real() {
        auto digits = until(';');
        if (!is_json_number(digits)) refuse("a number that JSON cannot write");
        return json::Value::number(std::string(digits));
    }
    std::string key() {
        char kind = next();
        expect(':');
        if (kind == 'i') return integer();
        if (kind != 's') refuse("a key is neither text nor integer");
        return string();
    }
    json::Value array(int depth) {
        auto count = length(':');
        expect('{');
        if (count > (text_.size() - at_) / element_bytes_min) refuse("an array has fewer elements than it says");
        auto out = json::Value::object();
        std::unordered_set<std::string> seen;
        bool is_list = true;
        for (std::size_t i = 0; i < count; ++i) {
            auto name = key();
            if (!seen.insert(name).second) refuse("a key is there twice");
            is_list = is_list && name == std::to_string(i);
            auto value = read(depth + 1);
            out.members().emplace_back(std::move(name), std::move(value));
        }
        expect('}');
        return is_list ? as_list(std::move(out)) : out;
    }
    static json::Value as_list(json::Value map) {
        auto list = json::Value::array();
        for (auto& [name, value] : map.members()) list.push(std::move(value));
        return list;
    }
    json::Value read(int depth) {
        if (depth > depth_max) refuse("nested deeper than 64");
        char kind = next();
        expect(kind == 'N' ? ';' : ':');
        switch (kind) {
            case 'N':
                return {};
            case 'b':
                return boolean();
            case 'i':
                return json::Value::number(integer());
            case 'd':
                return real();
            case 's':
                return string();
            case 'a':
                return array(depth);
            case 'O':
            case 'C':
            case 'E':
                refuse("objects are not read");
            case 'R':
            case 'r':
                refuse("references are not read");
            default:
                refuse("unknown type");
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

std::string to_php(const json::Value& value) {
    std::string out;
    put(out, value);
    return out;
}

Result<json::Value, std::string> from_php(std::string_view text) {
    try {
        return Unserializer(text).read_all();
    } catch (const Refused& refused) {
        return Failure{refused.what};
    }
}

}  // namespace forebay::record
