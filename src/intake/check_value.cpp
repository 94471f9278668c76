// Dates, decimals and choices.

#include <algorithm>
#include <chrono>

#include "intake/check_field.h"

namespace forebay::intake {
namespace {

constexpr Choice states[] = {
    {"AK", "Alaska"},         {"AL", "Alabama"},       {"AR", "Arkansas"},      {"AZ", "Arizona"},
    {"CA", "California"},     {"CO", "Colorado"},      {"CT", "Connecticut"},   {"DC", "District of Columbia"},
    {"DE", "Delaware"},       {"FL", "Florida"},       {"GA", "Georgia"},       {"HI", "Hawaii"},
    {"IA", "Iowa"},           {"ID", "Idaho"},         {"IL", "Illinois"},      {"IN", "Indiana"},
    {"KS", "Kansas"},         {"KY", "Kentucky"},      {"LA", "Louisiana"},     {"MA", "Massachusetts"},
    {"MD", "Maryland"},       {"ME", "Maine"},         {"MI", "Michigan"},      {"MN", "Minnesota"},
    {"MO", "Missouri"},       {"MS", "Mississippi"},   {"MT", "Montana"},       {"NC", "North Carolina"},
    {"ND", "North Dakota"},   {"NE", "Nebraska"},      {"NH", "New Hampshire"}, {"NJ", "New Jersey"},
    {"NM", "New Mexico"},     {"NV", "Nevada"},        {"NY", "New York"},      {"OH", "Ohio"},
    {"OK", "Oklahoma"},       {"OR", "Oregon"},        {"PA", "Pennsylvania"},  {"RI", "Rhode Island"},
    {"SC", "South Carolina"}, {"SD", "South Dakota"},  {"TN", "Tennessee"},     {"TX", "Texas"},
    {"UT", "Utah"},           {"VA", "Virginia"},      {"VT", "Vermont"},       {"WA", "Washington"},
    {"WI", "Wisconsin"},      {"WV", "West Virginia"}, {"WY", "Wyoming"},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string folded(std::string_view text) {
    std::string out;
    for (char c : text)
        if (c != ' ' && c != '.' && c != '-' && c != '_') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
}

/// Insertions, deletions, replacements and swaps of neighbours; texts are short, see did_you_mean.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

/// A number as its parts, so that two can be compared digit by digit, however long.
struct Parts {
    bool negative;
    std::string_view whole, fraction;
};
Parts parts_of(std::string_view text) {
    Parts parts{text.starts_with('-'), {}, {}};
    if (parts.negative) text.remove_prefix(1);
    auto point = text.find('.');
    parts.whole = text.substr(0, point);
    if (point != std::string_view::npos) parts.fraction = text.substr(point + 1);
    while (parts.whole.size() > 1 && parts.whole.front() == '0') parts.whole.remove_prefix(1);
    while (!parts.fraction.empty() && parts.fraction.back() == '0') parts.fraction.remove_suffix(1);
    if ((parts.whole == "0" || parts.whole.empty()) && parts.fraction.empty()) parts.negative = false;
    return parts;
}

}  // namespace

std::span<const Choice> us_states() { return states; }

bool is_date(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
    for (std::size_t i : {0, 1, 2, 3, 5, 6, 8, 9})
        if (!is_digit(text[i])) return false;
    auto number = [&](std::size_t at, std::size_t n) {
        int value = 0;
        for (std::size_t i = at; i < at + n; ++i) value = value * 10 + (text[i] - '0');
        return value;
    };
    using namespace std::chrono;
    return number(0, 4) > 0 &&
           year_month_day{year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))), day(static_cast<unsigned>(number(8, 2)))}.ok();
}

std::optional<std::string> normal_decimal(std::string_view text) {
    constexpr std::size_t digits_max = 40;
    std::string out;
    if (text.starts_with('-')) out += '-';
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    auto point = text.find('.');
    auto whole = text.substr(0, point);
    auto fraction = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
    bool digits = std::all_of(whole.begin(), whole.end(), is_digit) && std::all_of(fraction.begin(), fraction.end(), is_digit);
    if (!digits || whole.size() + fraction.size() == 0 || whole.size() + fraction.size() > digits_max) return std::nullopt;
    if (point != std::string_view::npos && fraction.empty()) return std::nullopt;
    while (whole.size() > 1 && whole.front() == '0') whole.remove_prefix(1);
    out += whole.empty() ? "0" : whole;
    if (!fraction.empty()) out.append(".").append(fraction);
    return out;
}

int compare_decimals(std::string_view a_text, std::string_view b_text) {
    auto a = parts_of(a_text), b = parts_of(b_text);
    if (a.negative != b.negative) return a.negative ? -1 : 1;
    int order = a.whole.size() != b.whole.size() ? (a.whole.size() < b.whole.size() ? -1 : 1) : a.whole.compare(b.whole);
    if (order == 0) order = a.fraction.compare(b.fraction);
    return a.negative ? -order : order;
}

std::string_view did_you_mean(std::string_view text, std::span<const Choice> choices) {
    constexpr std::size_t looked_at_max = 64, choices_max = 500;
    if (text.size() > looked_at_max || choices.size() > choices_max) return {};
    auto wanted = folded(text);
    if (wanted.empty()) return {};
    std::string_view best;
    std::size_t best_distance = 3;
    for (auto& choice : choices) {
        for (auto name : {choice.value, choice.name}) {
            if (name.empty() || name.size() > looked_at_max) continue;
            auto known = folded(name);
            if (known == wanted) return choice.value;
            bool begins = wanted.size() >= 3 && known.starts_with(wanted);
            auto d = begins ? 1 : distance(wanted, known);
            // Two letters apart means nothing for a word of three.
            if (d < best_distance && d * 3 <= std::max(wanted.size(), known.size())) {
                best_distance = d;
                best = choice.value;
            }
        }
    }
    return best;
}

}  // namespace forebay::intake
