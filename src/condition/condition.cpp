#include "condition/condition.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>

#include "condition/node.h"

namespace forebay::condition {
namespace {

/// What an operand is for the record at hand. Null (the JSON value) when there is nothing.
struct Seen {
    const json::Value& value;
    const std::optional<Decimal>& number;  ///< of a literal
};

const json::Value nothing;
const std::optional<Decimal> no_number;

const json::Value* member_of(const json::Value& value, const std::string& name) {
    if (!value.is_array()) return value.find(name);
    std::size_t index = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    bool is_index = error == std::errc() && end == name.data() + name.size() && index < value.elements().size();
    return is_index ? &value.elements()[index] : nullptr;
}

const json::Value& look_up(const Path& path, const Scope& scope) {
    const auto* value = scope.find(path.names[0]);
    for (std::size_t i = 1; i < path.names.size() && value != nullptr; ++i) value = member_of(*value, path.names[i]);
    return value == nullptr ? nothing : *value;
}

Seen see(const Operand& operand, const Scope& scope) {
    if (const auto* literal = std::get_if<Literal>(&operand)) return {literal->value, literal->number};
    return {look_up(std::get<Path>(operand), scope), no_number};
}
Seen see(const Literal& literal) { return {literal.value, literal.number}; }

/// The number that a number or a text is.
std::optional<Decimal> number_of(const Seen& seen) {
    if (seen.number) return seen.number;
    return Decimal::parse(seen.value.text());
}

/// Numbers by value, also where one of the two is a text that reads as a number (forms have only texts); texts by their bytes.
std::optional<std::strong_ordering> order_of(const Seen& a, const Seen& b) {
    auto is_scalar = [](const json::Value& value) { return value.is_string() || value.is_number(); };
    if (!is_scalar(a.value) || !is_scalar(b.value)) return std::nullopt;
    if (a.value.is_string() && b.value.is_string()) return a.value.text().compare(b.value.text()) <=> 0;
    auto left = number_of(a), right = number_of(b);
    if (!left || !right) return std::nullopt;
    return *left <=> *right;
}

std::optional<bool> truth_of(const json::Value& value) {
    if (value.is_bool()) return value.boolean();
    if (value.is_string() && value.text() == "true") return true;
    if (value.is_string() && value.text() == "false") return false;
    return std::nullopt;
}

bool is_equal(const Seen& a, const Seen& b) {
    if (a.value.is_null() || b.value.is_null()) return a.value.is_null() && b.value.is_null();
    if (a.value.is_bool() || b.value.is_bool()) {
        auto left = truth_of(a.value), right = truth_of(b.value);
        return left && right && *left == *right;
    }
    auto order = order_of(a, b);
    return order && *order == 0;
}

bool is_in(const Seen& value, const Range& range) {
    auto from = order_of(value, see(range.least)), to = order_of(value, see(range.most));
    return from && to && *from >= 0 && *to <= 0;
}

bool is_one_of(const Seen& value, const std::variant<Literal, Range>& choice) {
    if (const auto* range = std::get_if<Range>(&choice)) return is_in(value, *range);
    return is_equal(value, see(std::get<Literal>(choice)));
}

class Asking {
  public:
    explicit Asking(const Scope& scope) : scope_(scope) {}

    bool holds(const Node& node) const { return std::visit(*this, node.is); }

    bool operator()(const Compare& compare) const {
        auto left = see(compare.left, scope_), right = see(compare.right, scope_);
        if (compare.comparison == Comparison::equal) return is_equal(left, right);
        if (compare.comparison == Comparison::different) return !is_equal(left, right);
        auto order = order_of(left, right);
        if (!order) return false;
        switch (compare.comparison) {
            case Comparison::less:
                return *order < 0;
            case Comparison::at_most:
                return *order <= 0;
            case Comparison::greater:
                return *order > 0;
            default:
                return *order >= 0;
        }
    }
    bool operator()(const In& in) const {
        auto value = see(in.value, scope_);
        if (const auto* path = std::get_if<Path>(&in.among)) {
            const auto& list = look_up(*path, scope_).elements();
            return std::any_of(list.begin(), list.end(), [&](const auto& element) { return is_equal(value, {element, no_number}); });
        }
        const auto& choices = std::get<Choices>(in.among);
        return std::any_of(choices.begin(), choices.end(), [&](const auto& choice) { return is_one_of(value, choice); });
    }
    bool operator()(const Matches& matches) const {
        const auto& value = see(matches.value, scope_).value;
        return (value.is_string() || value.is_number()) && re2::RE2::PartialMatch(value.text(), *matches.pattern);
    }
    bool operator()(const Exists& exists) const { return !look_up(exists.path, scope_).is_null(); }
    bool operator()(const Not& negation) const { return !holds(*negation.what); }
    bool operator()(const Several& several) const {
        auto holds_one = [&](const auto& part) { return holds(*part); };
        return several.all ? std::all_of(several.parts.begin(), several.parts.end(), holds_one)
                           : std::any_of(several.parts.begin(), several.parts.end(), holds_one);
    }

  private:
    const Scope& scope_;
};

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

std::size_t characters_in(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

/// What is shown of a line that is too long for one; `before` is its part before the error.
struct Shown {
    std::string_view before, behind;
    bool is_cut_before = false, is_cut_behind = false;
};

Shown shown_of(std::string_view before, std::string_view behind) {
    constexpr std::size_t before_most = 60, behind_most = 40;
    Shown shown{before, behind, before.size() > before_most, behind.size() > behind_most};
    if (shown.is_cut_before) shown.before.remove_prefix(before.size() - before_most);
    while (!shown.before.empty() && !begins_character(shown.before[0])) shown.before.remove_prefix(1);
    if (!shown.is_cut_behind) return shown;
    auto end = behind_most;
    while (end < behind.size() && !begins_character(behind[end])) ++end;
    shown.behind = behind.substr(0, end);
    return shown;
}

}  // namespace

std::optional<std::strong_ordering> order_of(const Literal& a, const Literal& b) {
    if (a.value.kind() != b.value.kind()) return std::nullopt;
    return order_of(see(a), see(b));
}

Result<Condition, Error> Condition::parse(std::string_view text) {
    if (text.size() > text_bytes_max)
        return Failure{Error{
            "a condition has at most " + std::to_string(text_bytes_max) + " bytes; this one has " + std::to_string(text.size()), 0, 1, {}}};
    if (!json::is_utf8(text)) return Failure{Error{"a condition is UTF-8 text", 0, 1, {}}};
    std::vector<Path> paths;
    TRY_ASSIGN(auto root, read(text, paths));
    return Condition(std::string(text), std::move(root), std::move(paths));
}

bool Condition::holds(const Scope& scope) const { return Asking(scope).holds(*root_); }

std::string error_text(std::string_view source, std::string_view text, const Error& error) {
    auto from = std::min(error.offset, text.size());
    auto line_begin = from == 0 ? 0 : text.rfind('\n', from - 1) + 1;  // npos + 1 is 0
    auto line = text.substr(line_begin, text.find('\n', from) - line_begin);
    auto before = line.substr(0, from - line_begin);
    auto shown = shown_of(before, line.substr(before.size()));
    auto marked = characters_in(shown.behind.substr(0, error.length));
    std::string indent = shown.is_cut_before ? " " : "";
    for (char c : shown.before)
        if (begins_character(c)) indent += c == '\t' ? '\t' : ' ';
    auto out = std::string(source) + ":" + std::to_string(characters_in(before) + 1) + ": error: " + error.what + "\n";
    out += std::string("  | ") + (shown.is_cut_before ? "…" : "");
    out.append(shown.before).append(shown.behind).append(shown.is_cut_behind ? "…" : "");
    out += "\n  | " + indent + std::string(std::max<std::size_t>(marked, 1), '^');
    return out + (error.hint.empty() ? "" : " " + error.hint) + "\n";
}

}  // namespace forebay::condition
