#include "intake/check_field.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>

#include "intake/utf8.h"

namespace forebay::intake {
namespace {

using Verdict = Result<std::optional<Checked>, Complaint>;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// Without white space at both ends; the no-break space that copied text brings along counts.
std::string_view trim(std::string_view text) {
    constexpr std::string_view no_break = "\xc2\xa0";
    while (!text.empty() && (is_space(text.front()) || text.starts_with(no_break))) text.remove_prefix(is_space(text.front()) ? 1 : 2);
    while (!text.empty() && (is_space(text.back()) || text.ends_with(no_break))) text.remove_suffix(is_space(text.back()) ? 1 : 2);
    return text;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

void collapse(std::string& text) {
    std::string out;
    for (char c : trim(text)) {
        bool space = is_space(c);
        if (!space || (!out.empty() && out.back() != ' ')) out += space ? ' ' : c;
    }
    text = std::move(out);
}
void title(std::string& text) {
    bool first = true;
    for (auto& c : text) {
        c = first ? upper(c) : lower(c);
        first = c == ' ' || c == '-' || c == '\'';
    }
}

void apply(Clean step, std::string& text) {
    switch (step) {
        case Clean::trim:
            text = std::string(trim(text));
            break;
        case Clean::lower:
            std::transform(text.begin(), text.end(), text.begin(), lower);
            break;
        case Clean::upper:
            std::transform(text.begin(), text.end(), text.begin(), upper);
            break;
        case Clean::title:
            title(text);
            break;
        case Clean::digits:
            std::erase_if(text, [](char c) { return c < '0' || c > '9'; });
            break;
        case Clean::collapse:
            collapse(text);
            break;
    }
}

bool only_case(const Rule& rule) {
    return std::all_of(rule.field.clean.begin(), rule.field.clean.end(),
                       [](Clean step) { return step == Clean::trim || step == Clean::lower || step == Clean::upper; });
}
bool changes(std::string_view text, char (*fold)(char)) {
    return std::any_of(text.begin(), text.end(), [&](char c) { return fold(c) != c; });
}

/// The cleaned text: a part of the input where trimming is all it needs, else `scratch`.
std::string_view cleaned(const Rule& rule, std::string_view text, std::string& scratch) {
    // Types other than string never mean the white space around them.
    if (rule.field.type != FieldType::string) text = trim(text);
    if (only_case(rule)) {
        bool same = true;
        for (auto step : rule.field.clean) {
            if (step == Clean::trim) text = trim(text);
            if (step == Clean::lower) same = same && !changes(text, lower);
            if (step == Clean::upper) same = same && !changes(text, upper);
        }
        if (same) return text;
    }
    scratch.assign(text);
    for (auto step : rule.field.clean) apply(step, scratch);
    return scratch;
}

std::optional<Complaint> check_length(const Rule& rule, std::string_view text) {
    // Bytes are never fewer than characters, so most texts need no counting.
    if (rule.length_max && text.size() > *rule.length_max && count_characters(text) > *rule.length_max)
        return Complaint{"too_long", "longer than " + std::to_string(*rule.length_max) + " characters"};
    if (rule.length_min && count_characters(text) < *rule.length_min)
        return Complaint{"too_short", "shorter than " + std::to_string(*rule.length_min) + " characters"};
    return std::nullopt;
}

std::optional<Complaint> check_pattern(const Rule& rule, std::string_view text) {
    if (rule.pattern == nullptr || RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *rule.pattern)) return std::nullopt;
    return Complaint{"pattern", "does not have the form that is expected here"};
}

std::optional<Complaint> check_range(const Field& field, std::string_view number) {
    if (!field.min.empty() && compare_decimals(number, field.min) < 0) return Complaint{"too_small", "less than " + field.min};
    if (!field.max.empty() && compare_decimals(number, field.max) > 0) return Complaint{"too_large", "more than " + field.max};
    return std::nullopt;
}

Verdict check_integer(const Field& field, std::string_view text, std::string& scratch) {
    std::int64_t n = 0;
    auto digits = text.starts_with('+') ? text.substr(1) : text;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    if (error == std::errc::result_out_of_range) return Failure{Complaint{"integer_invalid", "too large a number"}};
    if (error != std::errc() || end != digits.data() + digits.size() || (text.size() != digits.size() && n < 0))
        return Failure{Complaint{"integer_invalid", "not a whole number; write it with digits only"}};
    char plain[24];
    scratch.assign(plain, std::to_chars(plain, plain + sizeof plain, n).ptr);
    if (auto complaint = check_range(field, scratch)) return Failure{std::move(*complaint)};
    return std::optional(Checked{scratch, true, {}});
}

Verdict check_decimal(const Field& field, std::string_view text, std::string& scratch) {
    auto number = normal_decimal(text);
    if (!number) return Failure{Complaint{"decimal_invalid", "not a number; write it like 1234.50"}};
    scratch = std::move(*number);
    if (auto complaint = check_range(field, scratch)) return Failure{std::move(*complaint)};
    return std::optional(Checked{scratch, true, {}});
}

Verdict check_boolean(std::string_view text) {
    auto is = [&](std::string_view word) {
        return text.size() == word.size() &&
               std::equal(text.begin(), text.end(), word.begin(), [](char a, char b) { return lower(a) == b; });
    };
    if (is("true") || is("1") || is("yes") || is("on") || is("y")) return std::optional(Checked{"true", true, {}});
    if (is("false") || is("0") || is("no") || is("off") || is("n")) return std::optional(Checked{"false", true, {}});
    return Failure{Complaint{"bool_invalid", "neither yes nor no"}};
}

std::string shortened(std::string_view text) {
    std::size_t n = 0, characters = 0;
    while (n < text.size() && characters < 40) {
        ++n;
        while (n < text.size() && (static_cast<unsigned char>(text[n]) & 0xc0) == 0x80) ++n;
        ++characters;
    }
    return "\"" + std::string(text.substr(0, n)) + (n < text.size() ? "…\"" : "\"");
}

/// `as_sent` is what the complaint quotes: people do not recognise what cleaning made of it.
Verdict check_enum(const Rule& rule, std::string_view text, std::string_view as_sent) {
    auto found =
        std::lower_bound(rule.choices.begin(), rule.choices.end(), text, [](const Choice& c, std::string_view t) { return c.value < t; });
    if (found != rule.choices.end() && found->value == text) return std::optional(Checked{found->value, false, {}});
    auto near = did_you_mean(as_sent, rule.choices);
    std::string detail = shortened(as_sent) + " is not allowed";
    if (!near.empty())
        detail.append("; did you mean \"").append(near).append("\"?");
    else if (rule.choices.size() > 8)
        detail += "; not one of the " + std::to_string(rule.choices.size()) + " allowed values";
    return Failure{Complaint{"enum", std::move(detail)}};
}

Verdict check_day(const Field& field, std::string_view text) {
    if (!is_date(text)) return Failure{Complaint{"date_invalid", "not a date; write it like 2026-09-20"}};
    if (!field.min.empty() && text < field.min) return Failure{Complaint{"too_early", "before " + field.min}};
    if (!field.max.empty() && text > field.max) return Failure{Complaint{"too_late", "after " + field.max}};
    return std::optional(Checked{text, false, {}});
}

Verdict as_text(std::optional<Complaint> complaint, std::string_view text, std::string_view flag = {}) {
    if (complaint) return Failure{std::move(*complaint)};
    return std::optional(Checked{text, false, flag});
}

Verdict check_type(const Rule& rule, std::string_view text, std::string_view as_sent, std::string& scratch) {
    auto& field = rule.field;
    switch (field.type) {
        case FieldType::string:
            return as_text(std::nullopt, text);
        case FieldType::email:
            return as_text(check_email(text), text);
        case FieldType::url:
            return as_text(check_url(text, field.hosts), text);
        case FieldType::enumeration:
            return check_enum(rule, text, as_sent);
        case FieldType::integer:
            return check_integer(field, text, scratch);
        case FieldType::decimal:
            return check_decimal(field, text, scratch);
        case FieldType::boolean:
            return check_boolean(text);
        case FieldType::date:
            return check_day(field, text);
        case FieldType::phone: {
            std::string number;
            std::string_view flag;
            if (auto complaint = check_phone(text, field.region, number, flag)) return Failure{std::move(*complaint)};
            scratch = std::move(number);
            return as_text(std::nullopt, scratch, flag);
        }
    }
    return Failure{Complaint{"type", "of a type this program does not know"}};
}

/// Whether a JSON value of that kind may stand for the type at all: `true` is no e-mail address.
bool kind_fits(FieldType type, Input::Kind kind) {
    if (kind == Input::Kind::nested) return false;
    if (kind == Input::Kind::boolean) return type == FieldType::boolean || type == FieldType::string;
    return true;
}

std::optional<std::size_t> count_of(const std::string& text) {
    std::size_t n = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(n) : std::nullopt;
}

}  // namespace

Rule::Rule(const Field& f) : field(f) {
    if (!field.pattern.empty()) {
        RE2::Options options;
        options.set_log_errors(false);
        pattern = std::make_unique<RE2>(field.pattern, options);
    }
    for (auto& value : field.values) {
        if (value == "@us_states")
            choices.assign(us_states().begin(), us_states().end());
        else
            choices.push_back({value, {}});
    }
    std::sort(choices.begin(), choices.end(), [](const Choice& a, const Choice& b) { return a.value < b.value; });
    bool has_length = field.type == FieldType::string || field.type == FieldType::email || field.type == FieldType::url;
    if (has_length) length_min = count_of(field.min);
    if (has_length) length_max = count_of(field.max);
}
Rule::Rule(Rule&&) noexcept = default;
Rule::~Rule() = default;

std::string label_of(const Field& field) {
    if (!field.label.empty()) return field.label;
    std::string out = field.name;
    std::replace(out.begin(), out.end(), '_', ' ');
    return out;
}

Complaint required_complaint(const Rule& rule) {
    if (rule.field.type == FieldType::boolean && rule.field.must_be == "true") return {"required", "must be ticked"};
    return {"required", "is missing"};
}

Verdict check_field(const Rule& rule, const Input& input, std::string& scratch) {
    if (!kind_fits(rule.field.type, input.kind)) return Failure{Complaint{"type", "must be a single value"}};
    auto text = cleaned(rule, input.text, scratch);
    if (text.empty()) return std::optional<Checked>();
    if (auto complaint = check_length(rule, text)) return Failure{std::move(*complaint)};
    if (auto complaint = check_pattern(rule, text)) return Failure{std::move(*complaint)};
    auto checked = check_type(rule, text, trim(input.text), scratch);
    if (checked.ok() && !rule.field.must_be.empty() && (*checked)->text != rule.field.must_be) {
        if (rule.field.type == FieldType::boolean && rule.field.must_be == "true") return Failure{Complaint{"must_be", "must be ticked"}};
        return Failure{Complaint{"must_be", "must be \"" + rule.field.must_be + "\""}};
    }
    return checked;
}

}  // namespace forebay::intake
