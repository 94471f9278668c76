#include "cli/verbs/log_line_seen.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/json.h"

namespace forebay::cli {
namespace {

/// The guide's `unixtime:n:message`.
struct GuideLine {
    std::int64_t seconds = 0;
    std::string_view message;
};

std::optional<GuideLine> as_guide_line(std::string_view line) {
    GuideLine out;
    auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), out.seconds);
    auto digits = static_cast<std::size_t>(end - line.data());
    if (error != std::errc() || digits < 9 || digits > 11 || digits >= line.size() || line[digits] != ':') return std::nullopt;
    auto second = line.find(':', digits + 1);
    if (second == std::string_view::npos) return std::nullopt;
    out.message = line.substr(second + 1);
    return out;
}

/// Of `key=value`, at the start or after a blank.
std::string_view value_in(std::string_view line, std::string_view key) {
    for (auto at = line.find(key); at != std::string_view::npos; at = line.find(key, at + 1)) {
        bool begins = at == 0 || line[at - 1] == ' ';
        if (!begins || line.substr(at + key.size(), 1) != "=") continue;
        auto value = line.substr(at + key.size() + 1);
        return value.substr(0, value.find(' '));
    }
    return {};
}

bool is_trouble(std::string_view level, std::string_view outcome, std::string_view event) {
    bool is_bad_level = level == "warn" || level == "warning" || level == "error";
    bool is_bad_outcome = outcome == "retry" || outcome == "dead";
    return is_bad_level || is_bad_outcome || event == "effect.retry" || event == "effect.dead";
}

}  // namespace

std::optional<Timestamp> time_of_line(std::string_view line) {
    if (auto guide = as_guide_line(line)) return Timestamp{guide->seconds * 1000};
    constexpr std::string_view json_start = "{\"ts\":\"";
    if (line.starts_with(json_start)) {
        auto text = line.substr(json_start.size());
        return parse_timestamp(text.substr(0, text.find('"')));
    }
    auto ts = value_in(line, "ts");
    return ts.empty() ? std::nullopt : parse_timestamp(ts);
}

bool tells_failure(std::string_view line) {
    if (auto guide = as_guide_line(line)) line = guide->message;
    if (line.starts_with('{')) {
        auto value = json::parse(line);
        if (value) return is_trouble((*value)["level"].text(), (*value)["outcome"].text(), (*value)["event"].text());
    }
    if (is_trouble(value_in(line, "level"), value_in(line, "outcome"), value_in(line, "event"))) return true;
    // Our text form: `14:03:11.482 warn: hold.begin …`
    constexpr std::size_t clock = 12;
    if (line.size() <= clock + 1 || line[2] != ':' || line[5] != ':') return false;
    auto word = line.substr(clock + 1);
    return word.starts_with("warn: ") || word.starts_with("error: ");
}

}  // namespace forebay::cli
