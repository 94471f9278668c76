#pragma once
// One field against its rule: cleaned, then checked. Pure; a complaint is a sentence that the person who
// filled in the form understands.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "intake/endpoint.h"
#include "intake/post.h"

namespace re2 {
class RE2;
}

namespace forebay::intake {

/// One of an enum's values; `name` is what a person may write instead and is only suggested, never taken.
struct Choice {
    std::string_view value;
    std::string_view name;
};
/// The 50 states and the District of Columbia, by postal abbreviation.
std::span<const Choice> us_states();

/// A Field with everything prepared that checking needs.
struct Rule {
    explicit Rule(const Field& field);
    Rule(Rule&&) noexcept;
    ~Rule();

    Field field;
    std::unique_ptr<re2::RE2> pattern;
    std::vector<Choice> choices;                        ///< of an enum, sorted by value; views into `field` or a built-in list
    std::optional<std::size_t> length_min, length_max;  ///< characters
    bool is_default_clean = false;                      ///< nothing to do but trimming
};

/// What a good field becomes. `text` points to the input, to the rule or to `scratch`.
struct Checked {
    std::string_view text;
    bool is_json = false;   ///< `text` is JSON (a number, true, false), else it is text to be quoted
    std::string_view flag;  ///< a literal; empty = nothing to note
};
struct Complaint {
    std::string_view code;  ///< a literal
    std::string detail;
};

/// `scratch` is overwritten. A value that is empty after cleaning is `nullopt`: as good as not sent.
Result<std::optional<Checked>, Complaint> check_field(const Rule& rule, const Input& input, std::string& scratch);

/// The complaint about a field that must be there.
Complaint required_complaint(const Rule& rule);
/// "first_name" -> "first name", or the field's label.
std::string label_of(const Field& field);

// The single checks, for the tests.
std::optional<Complaint> check_email(std::string_view text);
/// To E.164 in `out`. `flag` says when an extension was left off.
std::optional<Complaint> check_phone(std::string_view text, std::string_view region, std::string& out, std::string_view& flag);
bool is_phone_region(std::string_view region);
std::optional<Complaint> check_url(std::string_view text, const std::vector<std::string>& hosts);
/// Whether `host` is one of `hosts`, which may begin with "*.".
bool host_is_in(std::string_view host, const std::vector<std::string>& hosts);
/// The host of an absolute http or https URL without user and white space, or nothing.
std::optional<std::string_view> host_of_url(std::string_view text);
bool is_date(std::string_view text);
/// A decimal as JSON writes it ("+5" -> "5", ".5" -> "0.5"), or nothing.
std::optional<std::string> normal_decimal(std::string_view text);
/// <0, 0, >0 as strcmp; both as normal_decimal gives them.
int compare_decimals(std::string_view a, std::string_view b);
/// The value most like `text`, or empty if none is near.
std::string_view did_you_mean(std::string_view text, std::span<const Choice> choices);

}  // namespace forebay::intake
