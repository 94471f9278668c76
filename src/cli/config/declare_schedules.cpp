// [schedule.NAME]: what the parent runs at its times.
#include "cli/config/declare.h"

namespace forebay::cli {
namespace {

/// The words of a command line; quotes keep blanks together. Nothing: a quote is not closed.
std::optional<std::vector<std::string>> split(std::string_view text) {
    std::vector<std::string> words;
    char quote = 0;
    bool in_word = false;
    for (char c : text) {
        if (quote == 0 && (c == '"' || c == '\'')) {
            quote = c;
        } else if (quote != 0 && c == quote) {
            quote = 0;
            continue;
        } else if (quote == 0 && c == ' ') {
            in_word = false;
            continue;
        }
        if (!in_word) words.emplace_back();
        in_word = true;
        if (quote == 0 || c != quote) words.back() += c;
    }
    return quote == 0 ? std::optional(words) : std::nullopt;
}

void declare_schedule(Scope& s, ScheduleConfiguration& schedule) {
    s.setting("every", duration(schedule.every), "at whole multiples of it since 1970 UTC: \"1h\" is at every full hour");
    s.setting("cron", text(schedule.cron), "instead of every: minute hour day month weekday, as in \"0 6 * * 1-5\", or @hourly, @daily …");
    s.setting("timezone", text(schedule.timezone), "whose clocks cron means, such as \"America/Chicago\"");
    s.setting("catch_up", flag(schedule.catch_up), "times that passed while the parent or the machine was down are made up for by one run");
    auto run = text(schedule.run);
    run.take = [&schedule, take = run.take](const Given& given) -> std::optional<std::string> {
        if (auto problem = take(given)) return problem;
        auto words = split(schedule.run);
        if (!words) return "has a quote that is not closed";
        schedule.words = std::move(*words);
        return std::nullopt;
    };
    s.setting("run", run, "a command of forebay, such as \"audit --since 24h\"; {date} and {time} are those it is run at");
}

}  // namespace

void declare_schedules(Scope& root, Configuration& c) { each(root, "schedule", c.schedules, declare_schedule); }

}  // namespace forebay::cli
