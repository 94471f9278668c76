// A JSON object as a flat list, without a tree. Texts without escapes are found in the body where they lie;
// nested values, which no rule looks into, go through base's strict reader and stay JSON text.

#include "base/json.h"
#include "intake/post.h"
#include "intake/utf8.h"
#include "record/text.h"

namespace forebay::intake {
namespace {

// Readers of a message stop at 64 (base/json.h, record/php.h), and the envelope around the fields needs some of those.
constexpr int depth_max = 60;

int nibble(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

void append_utf8(std::string& out, unsigned code) {
    auto put = [&](unsigned byte) { out += static_cast<char>(byte); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
        put(0xc0 | code >> 6);
    } else {
        if (code < 0x10000) {
            put(0xe0 | code >> 12);
        } else {
            put(0xf0 | code >> 18);
            put(0x80 | (code >> 12 & 63));
        }
        put(0x80 | (code >> 6 & 63));
    }
    put(0x80 | (code & 63));
}

/// Reads tokens. After the first failure `failed()` says what was expected where, and nothing more is read.
class Scanner {
  public:
    Scanner(std::string_view text, std::deque<std::string>& owned) : text_(text), owned_(owned) {}

    bool failed() const { return !why_.empty(); }
    const std::string& why() const { return why_; }
    std::size_t at() const { return at_; }
    void fail(std::string_view expected) {
        if (why_.empty()) why_ = "expected " + std::string(expected) + " at byte " + std::to_string(at_);
    }

    void skip_space() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) ++at_;
    }
    /// The next character that is no white space, 0 at the end.
    char peek() {
        skip_space();
        return at_ < text_.size() ? text_[at_] : '\0';
    }
    bool take(char c) {
        if (peek() != c) return false;
        ++at_;
        return true;
    }
    void expect(char c, std::string_view name) {
        if (!take(c)) fail(name);
    }
    std::string_view literal(std::string_view word) {
        if (text_.substr(at_, word.size()) != word) fail("a value");
        at_ += word.size();
        return word;
    }
    std::string_view number() {
        auto end = text_.find_first_not_of("+-.0123456789eE", at_);
        auto digits = text_.substr(at_, end == std::string_view::npos ? end : end - at_);
        if (!record::is_json_number(digits)) fail("a number");
        at_ += digits.size();
        return digits;
    }
    std::string_view string() {
        expect('"', "a text in quotes");
        if (failed()) return {};
        auto start = at_;
        at_ += record::plain_prefix(text_.substr(at_));
        if (at_ < text_.size() && text_[at_] == '"') return text_.substr(start, at_++ - start);
        auto& out = owned_.emplace_back(text_.substr(start, at_ - start));
        while (!failed()) {
            if (at_ < text_.size() && text_[at_] == '"') {
                ++at_;
                return out;
            }
            if (at_ >= text_.size() || text_[at_] != '\\')
                fail(at_ >= text_.size() ? "the end of a text" : "an escape, not a control character,");
            else
                escape(out);
            auto run = record::plain_prefix(text_.substr(at_));
            out.append(text_, at_, run);
            at_ += run;
        }
        return {};
    }
    /// The extent of an object or array; what is inside is checked by somebody else.
    std::string_view nested() {
        auto start = at_;
        int depth = 0;
        bool in_text = false;
        for (; at_ < text_.size(); ++at_) {
            char c = text_[at_];
            if (in_text) {
                if (c == '\\') ++at_;
                in_text = c != '"';
            } else if (c == '"') {
                in_text = true;
            } else if (c == '{' || c == '[') {
                if (++depth >= depth_max) break;
            } else if ((c == '}' || c == ']') && --depth == 0) {
                ++at_;
                return text_.substr(start, at_ - start);
            }
        }
        fail(depth >= depth_max ? "no more than 60 levels" : "the end of an object or array");
        return {};
    }

  private:
    std::optional<unsigned> hex4() {
        if (text_.size() - at_ < 4) return std::nullopt;
        unsigned code = 0;
        for (int i = 0; i < 4; ++i) {
            int digit = nibble(text_[at_]);
            if (digit < 0) return std::nullopt;
            code = code << 4 | static_cast<unsigned>(digit);
            ++at_;
        }
        return code;
    }
    void unicode(std::string& out) {
        auto code = hex4();
        if (code && *code >= 0xd800 && *code <= 0xdbff && text_.substr(at_, 2) == "\\u") {
            at_ += 2;
            auto low = hex4();
            code = low && *low >= 0xdc00 && *low <= 0xdfff ? std::optional(0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00))
                                                           : std::nullopt;
        }
        if (!code || (*code >= 0xd800 && *code <= 0xdfff)) return fail("a character behind \\u");
        append_utf8(out, *code);
    }
    void escape(std::string& out) {
        ++at_;
        char c = at_ < text_.size() ? text_[at_] : '\0';
        constexpr std::string_view signs = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
        auto known = signs.find(c);
        if (c != '\0' && known != std::string_view::npos) {
            ++at_;
            out += meanings[known];
        } else if (c == 'u') {
            ++at_;
            unicode(out);
        } else {
            fail("an escape");
        }
    }

    std::string_view text_;
    std::deque<std::string>& owned_;
    std::size_t at_ = 0;
    std::string why_;
};

bool is_forbidden_inside(const json::Value& value) {
    if (find_forbidden(value.text())) return true;
    for (auto& element : value.elements())
        if (is_forbidden_inside(element)) return true;
    for (auto& [key, member] : value.members())
        if (find_forbidden(key) || is_forbidden_inside(member)) return true;
    return false;
}

ReadError not_json(std::string why) { return {"json_invalid", "the body is not JSON: " + std::move(why)}; }
ReadError forbidden() { return {"character_forbidden", "a field contains NUL, U+FFFE or U+FFFF"}; }

Input take_value(Scanner& scanner, std::string_view name) {
    switch (scanner.peek()) {
        case '"':
            return {name, scanner.string(), Input::Kind::text};
        case 't':
            return {name, scanner.literal("true"), Input::Kind::boolean};
        case 'f':
            return {name, scanner.literal("false"), Input::Kind::boolean};
        case 'n':
            scanner.literal("null");
            return {name, {}, Input::Kind::null};
        case '{':
        case '[':
            return {name, scanner.nested(), Input::Kind::nested};
        case '\0':
            scanner.fail("a value");
            return {};
        default:
            return {name, scanner.number(), Input::Kind::number};
    }
}

/// What the body is instead of an object, if it is JSON at all.
ReadError not_an_object(std::string_view body) {
    if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return {"json_invalid", "the body is empty"};
    auto parsed = json::parse(body);
    if (parsed.ok()) return {"json_not_object", "the body is JSON, but not an object with field names"};
    return not_json(parsed.error().what);
}

std::optional<ReadError> check_nested(const Input& input, bool may_be_forbidden) {
    auto parsed = json::parse(input.text);
    if (!parsed.ok()) return not_json("in the field \"" + std::string(input.name) + "\": " + parsed.error().what);
    return may_be_forbidden && is_forbidden_inside(*parsed) ? std::optional(forbidden()) : std::nullopt;
}

}  // namespace

Result<void, ReadError> Post::read_json(std::string_view body, const PostLimits& limits) {
    if (body.starts_with("\xef\xbb\xbf")) return Failure{ReadError{"utf8_invalid", "the body begins with a byte order mark (byte 0)"}};
    if (!json::is_utf8(body))
        return Failure{ReadError{"utf8_invalid", "the body is not UTF-8 at byte " + std::to_string(find_bad_utf8(body).value_or(0))}};
    Scanner scanner(body, owned_);
    if (scanner.peek() != '{') return Failure{not_an_object(body)};
    // Only an escape can hide a character, and only EF begins one of the two that are refused.
    bool may_be_forbidden = body.find('\\') != std::string_view::npos || body.find('\xef') != std::string_view::npos;
    scanner.take('{');
    if (!scanner.take('}')) {
        do {
            if (inputs_.size() >= limits.fields_max)
                return Failure{ReadError{"too_many_fields", "more than " + std::to_string(limits.fields_max) + " fields"}};
            scanner.skip_space();
            auto name = scanner.string();
            scanner.expect(':', "':' behind a name");
            auto input = take_value(scanner, name);
            if (scanner.failed()) return Failure{not_json(scanner.why())};
            if (may_be_forbidden && (find_forbidden(name) || find_forbidden(input.text))) return Failure{forbidden()};
            if (input.kind == Input::Kind::nested)
                if (auto error = check_nested(input, may_be_forbidden)) return Failure{std::move(*error)};
            inputs_.push_back(input);
        } while (scanner.take(','));
        scanner.expect('}', "',' or '}'");
    }
    if (!scanner.failed() && (scanner.peek() != '\0' || scanner.at() < body.size())) scanner.fail("nothing more");
    if (scanner.failed()) return Failure{not_json(scanner.why())};
    return {};
}

}  // namespace forebay::intake
