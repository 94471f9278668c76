#include "cli/process/cron.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <iterator>
#include <optional>
#include <vector>

namespace forebay::cli {
namespace {

constexpr LocalMinute day_minutes = 24 * 60;
constexpr LocalMinute minutes_looked_at = 5 * 366 * day_minutes;
constexpr LocalMinute set_back_most = 4 * 60;  ///< clocks that were set back further show what they showed before once more, unnoticed

struct Short {
    std::string_view name, fields;
};
constexpr Short shorts[] = {
    {"@hourly", "0 * * * *"}, {"@daily", "0 0 * * *"}, {"@weekly", "0 0 * * 0"}, {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}};

struct CronField {
    std::string_view name;
    unsigned least, most;
    std::vector<std::string_view> names;  ///< of `least` and those after it
};

const CronField& minute_field() {
    static const CronField field{"minute", 0, 59, {}};
    return field;
}
const CronField& hour_field() {
    static const CronField field{"hour", 0, 23, {}};
    return field;
}
const CronField& day_field() {
    static const CronField field{"day", 1, 31, {}};
    return field;
}
const CronField& month_field() {
    static const CronField field{"month", 1, 12, {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}};
    return field;
}
const CronField& weekday_field() {
    static const CronField field{"weekday", 0, 7, {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"}};
    return field;
}

std::vector<std::string_view> split_at(std::string_view text, std::string_view separators) {
    std::vector<std::string_view> parts;
    while (true) {
        auto end = text.find_first_of(separators);
        parts.push_back(text.substr(0, end));
        if (end == text.npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::vector<std::string_view> fields_of_text(std::string_view text) {
    auto words = split_at(text, " \t");
    std::erase_if(words, [](std::string_view word) { return word.empty(); });
    return words;
}

bool is_same_word(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return std::toupper(static_cast<unsigned char>(x)) == std::toupper(static_cast<unsigned char>(y));
    });
}

std::optional<unsigned> whole_number(std::string_view text) {
    unsigned n = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(n) : std::nullopt;
}

/// A number or a name. Of two with the same name (SUN) the last one for the end of a range.
std::optional<unsigned> value_of(std::string_view text, const CronField& field, bool is_end = false) {
    std::optional<unsigned> found;
    for (unsigned i = 0; i < field.names.size(); ++i)
        if (is_same_word(text, field.names[i]) && (!found || is_end)) found = field.least + i;
    if (found) return found;
    auto n = whole_number(text);
    return n && *n >= field.least && *n <= field.most ? n : std::nullopt;
}

std::string in_marks(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string bounds_of(const CronField& field) {
    auto text = std::to_string(field.least) + " to " + std::to_string(field.most);
    if (!field.names.empty()) text += field.name == "month" ? ", JAN to DEC" : ", MON to SUN";
    return text;
}

std::string unknown(std::string_view text, const CronField& field) {
    return "has no " + std::string(field.name) + " " + in_marks(text) + ": " + bounds_of(field);
}

struct Range {
    unsigned first, last;
};

Result<Range, std::string> range_of(std::string_view text, const CronField& field) {
    if (text == "*") return Range{field.least, field.most};
    auto dash = text.find('-');
    auto from = value_of(text.substr(0, dash), field);
    if (!from) return Failure{unknown(text.substr(0, dash), field)};
    if (dash == text.npos) return Range{*from, *from};
    auto to = value_of(text.substr(dash + 1), field, true);
    if (!to) return Failure{unknown(text.substr(dash + 1), field)};
    if (*from <= *to) return Range{*from, *to};
    auto n = [](unsigned value) { return std::to_string(value); };
    return Failure{"has the " + std::string(field.name) + "s " + in_marks(text) + " backwards: write " +
                   in_marks(n(*from) + "-" + n(field.most) + "," + n(field.least) + "-" + n(*to))};
}

/// One part of a list: `*`, `7`, `1-5`, the first and the last perhaps with `/2`.
template <std::size_t N>
Result<void, std::string> add_part(std::string_view part, const CronField& field, std::bitset<N>& set) {
    auto slash = part.find('/');
    TRY_ASSIGN(auto range, range_of(part.substr(0, slash), field));
    unsigned step = 1;
    if (slash != part.npos) {
        auto steps = "has the " + std::string(field.name) + "s " + in_marks(part) + ": ";
        auto every = whole_number(part.substr(slash + 1));
        if (!every || *every < 1 || *every > field.most) return Failure{steps + "a step is 1 to " + std::to_string(field.most)};
        if (part[0] != '*' && range.first == range.last)
            return Failure{
                steps + "steps are for * or a range, such as " +
                in_marks(std::string(part.substr(0, slash)) + "-" + std::to_string(field.most) + std::string(part.substr(slash)))};
        step = *every;
    }
    for (auto n = range.first; n <= range.last; n += step) set.set(n);
    return {};
}

template <std::size_t N>
Result<void, std::string> read_field(std::string_view text, const CronField& field, std::bitset<N>& set) {
    for (auto part : split_at(text, ",")) TRY(add_part(part, field, set));
    return {};
}

Result<std::string_view, std::string> fields_of_short(std::string_view name) {
    std::string known;
    for (const auto& one : shorts) {
        if (is_same_word(one.name, name)) return one.fields;
        known += (known.empty() ? "" : ", ") + std::string(one.name);
    }
    return Failure{"has no " + in_marks(name) + ": " + known};
}

}  // namespace

Result<Cron, std::string> Cron::parse(std::string_view text) {
    auto words = fields_of_text(text);
    if (words.size() == 1 && words[0].starts_with('@')) {
        TRY_ASSIGN(auto fields, fields_of_short(words[0]));
        words = fields_of_text(fields);
    }
    if (words.size() != 5) return Failure{std::string("must have five fields, minute hour day month weekday, such as \"0 6 * * 1-5\"")};
    Cron cron;
    TRY(read_field(words[0], minute_field(), cron.minutes_));
    TRY(read_field(words[1], hour_field(), cron.hours_));
    TRY(read_field(words[2], day_field(), cron.days_));
    TRY(read_field(words[3], month_field(), cron.months_));
    TRY(read_field(words[4], weekday_field(), cron.weekdays_));
    if (cron.weekdays_[7]) cron.weekdays_.set(0);
    cron.any_hour_ = words[1] == "*";
    cron.any_day_ = words[2] == "*";
    cron.any_weekday_ = words[4] == "*";
    return cron;
}

bool Cron::is_day(LocalMinute minute) const {
    namespace chrono = std::chrono;
    auto days = chrono::floor<chrono::days>(chrono::sys_time<chrono::minutes>(chrono::minutes(minute)));
    chrono::year_month_day date(days);
    if (!months_[static_cast<unsigned>(date.month())]) return false;
    bool day = days_[static_cast<unsigned>(date.day())], weekday = weekdays_[chrono::weekday(days).c_encoding()];
    return any_day_ || any_weekday_ ? day && weekday : day || weekday;
}

std::optional<LocalMinute> Cron::first_match(LocalMinute from, LocalMinute to) const {
    auto of_day = [](LocalMinute minute) { return static_cast<std::size_t>((minute % day_minutes + day_minutes) % day_minutes); };
    for (auto minute = from; minute < to;) {
        if (!is_day(minute)) {
            minute += day_minutes - static_cast<LocalMinute>(of_day(minute));
        } else if (auto in_day = of_day(minute); !hours_[in_day / 60]) {
            minute += 60 - static_cast<LocalMinute>(in_day % 60);
        } else {
            for (auto hour_end = minute + 60 - static_cast<LocalMinute>(in_day % 60); minute < hour_end; ++minute)
                if (minutes_[of_day(minute) % 60]) return minute;
        }
    }
    return std::nullopt;
}

std::optional<Timestamp> Cron::next(Timestamp at, const TimeZone& zone) const {
    auto from = zone.local(at);
    auto to = from + minutes_looked_at;
    if (any_hour_) from -= set_back_most;
    std::optional<Timestamp> next;
    // What clocks show later never comes first for the first time, so the search ends where that is no longer earlier.
    for (auto minute = first_match(from, to); minute; minute = first_match(*minute + 1, to)) {
        auto moments = zone.moments_of(*minute);
        if (next && moments.first >= *next) break;
        if (moments.first > at) next = moments.first;
        if (any_hour_ && moments.second > at && (!next || *moments.second < *next)) next = moments.second;
        if (next && !any_hour_) break;
    }
    return next;
}

}  // namespace forebay::cli
