#pragma once
// JSON as a value: a small tree for requests, answers and configuration. Reading is strict (UTF-8,
// depth at most 64, no duplicate keys) and keeps numbers as they were written.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace forebay::json {

enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

class Value;
using Members = std::vector<std::pair<std::string, Value>>;

class Value {
  public:
    Value() = default;
    Value(bool b) : kind_(Kind::boolean), flag_(b) {}
    Value(const char* s) : kind_(Kind::string), text_(s) {}
    Value(std::string_view s) : kind_(Kind::string), text_(s) {}
    Value(std::string s) : kind_(Kind::string), text_(std::move(s)) {}
    template <class N>
        requires(std::is_arithmetic_v<N> && !std::is_same_v<N, bool>)
    Value(N n) : kind_(Kind::number), text_(std::to_string(n)) {}
    static Value array();
    static Value object();
    /// A number as it was written: `1.50` stays `1.50`.
    static Value number(std::string digits);

    Kind kind() const { return kind_; }
    bool is_null() const { return kind_ == Kind::null; }
    bool is_string() const { return kind_ == Kind::string; }
    bool is_number() const { return kind_ == Kind::number; }
    bool is_bool() const { return kind_ == Kind::boolean; }
    bool is_array() const { return kind_ == Kind::array; }
    bool is_object() const { return kind_ == Kind::object; }

    /// The text of a string or the digits of a number; empty for other kinds.
    const std::string& text() const { return text_; }
    /// The text, moved out: for large strings on their way elsewhere.
    std::string take_text() { return std::move(text_); }
    bool boolean() const { return flag_; }
    /// The number if it is a whole one that fits.
    std::optional<std::int64_t> integer() const;
    double real() const;

    /// Elements of an array; empty for other kinds.
    const std::vector<Value>& elements() const { return elements_; }
    std::vector<Value>& elements() { return elements_; }
    /// Members of an object in their order; empty for other kinds.
    const Members& members() const;
    Members& members();
    /// The member of that name, or null (the JSON value) if this is no object or has none.
    const Value& operator[](std::string_view key) const;
    const Value* find(std::string_view key) const;
    /// Sets or replaces a member; makes a null value an object. Returns this value: `v.set("a", 1).set("b", 2)`.
    Value& set(std::string_view key, Value value);
    /// Appends to an array; makes a null value an array.
    void push(Value value);

    bool operator==(const Value& other) const;

  private:
    Kind kind_ = Kind::null;
    bool flag_ = false;
    std::string text_;
    std::vector<Value> elements_;
    std::vector<std::pair<std::string, Value>> members_;
};

struct ParseError {
    std::string what;        ///< e.g. "duplicate key \"a\"", "not UTF-8 at byte 17"
    std::size_t offset = 0;  ///< byte in the text, where known
};

Result<Value, ParseError> parse(std::string_view text);
std::string to_text(const Value& value);
void append(std::string& out, const Value& value);
/// Indented by two spaces, for people.
std::string to_pretty_text(const Value& value);
/// With quotes and escapes; control characters as \u00XX. `text` should be UTF-8.
void append_string(std::string& out, std::string_view text);
/// Whether the bytes are well-formed UTF-8.
bool is_utf8(std::string_view bytes);

}  // namespace forebay::json
