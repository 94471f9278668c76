#include "cli/process/cron.h"

#include <charconv>
#include <optional>
#include <vector>

namespace forebay::cli {
namespace {

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    while (true) {
        auto end = text.find(at);
        parts.push_back(text.substr(0, end));
        if (end == text.npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    for (auto word : split(text, ' '))
        if (!word.empty()) words.push_back(word);
    return words;
}

struct Field {
    std::string_view name;
    unsigned least, most;
};

std::optional<unsigned> number_in(std::string_view text, const Field& field) {
    unsigned n = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size() || n < field.least || n > field.most) return std::nullopt;
    return n;
}

/// One part of a list: `*`, `7`, `1-5`, each perhaps with `/2`.
template <std::size_t N>
bool add_part(std::string_view part, const Field& field, std::bitset<N>& set) {
    unsigned step = 1, first = field.least, last = field.most;
    if (auto slash = part.find('/'); slash != part.npos) {
        auto every = number_in(part.substr(slash + 1), {"", 1, field.most});
        if (!every) return false;
        step = *every;
        part = part.substr(0, slash);
    }
    if (part != "*") {
        auto dash = part.find('-');
        auto from = number_in(part.substr(0, dash), field);
        auto to = dash == part.npos ? from : number_in(part.substr(dash + 1), field);
        if (!from || !to || *from > *to) return false;
        first = *from;
        last = *to;
    }
    for (auto n = first; n <= last; n += step) set.set(n);
    return true;
}

template <std::size_t N>
Result<void, std::string> read(std::string_view text, const Field& field, std::bitset<N>& set) {
    for (auto part : split(text, ','))
        if (!add_part(part, field, set))
            return Failure{"has no " + std::string(field.name) + " \"" + std::string(part) + "\": " + std::to_string(field.least) + " to " +
                           std::to_string(field.most)};
    return {};
}

constexpr std::int64_t minute_ms = 60'000;

}  // namespace

Result<Cron, std::string> Cron::parse(std::string_view text) {
    auto words = words_of(text);
    if (words.size() != 5) return Failure{std::string("must have five fields, minute hour day month weekday, such as \"0 6 * * 1-5\"")};
    Cron cron;
    TRY(read(words[0], {"minute", 0, 59}, cron.minutes_));
    TRY(read(words[1], {"hour", 0, 23}, cron.hours_));
    TRY(read(words[2], {"day", 1, 31}, cron.days_));
    TRY(read(words[3], {"month", 1, 12}, cron.months_));
    TRY(read(words[4], {"weekday", 0, 7}, cron.weekdays_));
    if (cron.weekdays_[7]) cron.weekdays_.set(0);
    cron.any_day_ = words[2] == "*";
    cron.any_weekday_ = words[4] == "*";
    return cron;
}

bool Cron::is_day(Timestamp at) const {
    namespace chrono = std::chrono;
    auto days = chrono::floor<chrono::days>(chrono::sys_time<Duration>(Duration(at.ms)));
    chrono::year_month_day date(days);
    if (!months_[static_cast<unsigned>(date.month())]) return false;
    bool day = days_[static_cast<unsigned>(date.day())], weekday = weekdays_[chrono::weekday(days).c_encoding()];
    return any_day_ || any_weekday_ ? day && weekday : day || weekday;
}

std::optional<Timestamp> Cron::next(Timestamp at) const {
    constexpr std::int64_t day_minutes = 24 * 60, years_looked_at = 5;
    auto minute = at.ms / minute_ms + 1;
    for (auto end = minute + years_looked_at * 366 * day_minutes; minute < end;) {
        if (!is_day({minute * minute_ms})) {
            minute = (minute / day_minutes + 1) * day_minutes;
            continue;
        }
        if (hours_[static_cast<std::size_t>(minute / 60 % 24)] && minutes_[static_cast<std::size_t>(minute % 60)])
            return Timestamp{minute * minute_ms};
        ++minute;
    }
    return std::nullopt;
}

}  // namespace forebay::cli
