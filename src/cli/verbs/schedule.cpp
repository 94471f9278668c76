// `schedule ls`, `schedule run`: what [schedule.NAME] has done, and doing it now.
#include <algorithm>

#include "cli/console.h"
#include "cli/process/paths.h"
#include "cli/process/schedule.h"
#include "cli/similar.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "cli/verbs/processes.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"

namespace forebay::cli {
namespace {

struct SeenSchedule {
    const ScheduleConfiguration* schedule;
    Timetable times;
    std::optional<Timestamp> next;
    ScheduleNote note;
    bool is_running = false;
};

std::vector<SeenSchedule> look_at_schedules(const Configuration& configuration, Timestamp now) {
    auto folder = schedules_folder(configuration.node.data_dir);
    std::vector<SeenSchedule> seen;
    for (const auto& schedule : configuration.schedules) {
        Timetable times(schedule);
        auto next = times.next(now);
        auto note = read_schedule_note(folder, schedule.name).value_or(ScheduleNote{});
        if (note.times != times_text(schedule)) note.missed = 0;
        seen.push_back({&schedule, std::move(times), next, std::move(note), is_schedule_locked(folder, schedule.name)});
    }
    return seen;
}

std::string outcome_of(const SeenSchedule& seen) {
    if (seen.is_running) return "running";
    if (!seen.note.last) return "-";
    return seen.note.last->ended ? shortened(printable(seen.note.last->outcome), 60) : "killed";
}

Colour colour_of(const SeenSchedule& seen) {
    if (seen.is_running || !seen.note.last) return Colour::plain;
    return seen.note.last->ended && seen.note.last->code == exit_code::done ? Colour::good : Colour::bad;
}

std::string took(const SeenSchedule& seen, Timestamp now) {
    const auto& last = seen.note.last;
    if (!last || (!last->ended && !seen.is_running)) return "-";
    return age_text(last->ended.value_or(now) - last->began);
}

std::string missed_text(const SeenSchedule& seen) {
    const auto& note = seen.note;
    if (note.missed == 0) return "0";
    return grouped(note.missed) + (note.missed_since ? " (since " + seen.times.zone().text(*note.missed_since) + ")" : "");
}

std::string table_of(const std::vector<SeenSchedule>& schedules, Timestamp now, const Terminal& terminal) {
    Table table({"SCHEDULE", "NEXT", ">IN", "LAST RUN", ">TOOK", "OUTCOME", "MISSED", "RUNS"});
    for (const auto& seen : schedules) {
        const auto& zone = seen.times.zone();
        table.add({seen.schedule->name,
                   seen.next ? zone.text(*seen.next) : "never",
                   seen.next ? age_text(*seen.next - now) : "-",
                   seen.note.last ? zone.text(seen.note.last->began) : "-",
                   took(seen, now),
                   {outcome_of(seen), colour_of(seen)},
                   missed_text(seen),
                   seen.schedule->run});
    }
    return table.text(terminal);
}

json::Value json_of(const SeenSchedule& seen, Timestamp now) {
    const auto& schedule = *seen.schedule;
    json::Value out;
    out.set("name", schedule.name).set("run", schedule.run).set("timezone", schedule.timezone).set("catch_up", schedule.catch_up);
    out.set("every", schedule.every > Duration::zero() ? json::Value(forebay::to_text(schedule.every)) : json::Value());
    out.set("cron", schedule.cron.empty() ? json::Value() : json::Value(schedule.cron));
    out.set("next", seen.next ? json::Value(to_rfc3339(*seen.next)) : json::Value());
    out.set("next_local", seen.next ? json::Value(seen.times.zone().text(*seen.next)) : json::Value());
    out.set("in_ms", seen.next ? json::Value((*seen.next - now).count()) : json::Value());
    out.set("running", seen.is_running);
    json::Value last;
    if (const auto& run = seen.note.last) {
        last.set("began", to_rfc3339(run->began)).set("ended", run->ended ? json::Value(to_rfc3339(*run->ended)) : json::Value());
        last.set("ms", run->ended ? json::Value((*run->ended - run->began).count()) : json::Value());
        last.set("code", run->ended ? json::Value(run->code) : json::Value()).set("outcome", outcome_of(seen));
    }
    out.set("last", std::move(last)).set("missed", seen.note.missed);
    return out.set("missed_since",
                   seen.note.missed > 0 && seen.note.missed_since ? json::Value(to_rfc3339(*seen.note.missed_since)) : json::Value());
}

const ScheduleConfiguration* named_schedule(Invocation& invocation, const Configuration& configuration) {
    std::vector<std::string> known;
    for (const auto& schedule : configuration.schedules) {
        if (schedule.name == invocation.word(0)) return &schedule;
        known.push_back(schedule.name);
    }
    auto meant = nearest(invocation.word(0), known);
    invocation.terminal().complain("there is no [schedule." + invocation.word(0) + "]" +
                                   (meant.empty() ? "" : "; did you mean \"" + meant + "\"?"));
    return nullptr;
}

/// What the person gave the verb, for the command that is run instead of it.
std::vector<std::string> words_of(const Globals& globals) {
    std::vector<std::string> words;
    if (!globals.file.empty()) words.insert(words.end(), {"-c", globals.file});
    if (!globals.environment.empty()) words.insert(words.end(), {"-e", globals.environment});
    if (!globals.node.empty()) words.insert(words.end(), {"--node", globals.node});
    if (globals.json) words.emplace_back("--json");
    if (globals.quiet) words.emplace_back("--quiet");
    for (int i = 0; i < globals.verbosity; ++i) words.emplace_back("-v");
    if (globals.colour) words.emplace_back(*globals.colour ? "--ansi" : "--no-ansi");
    return words;
}

}  // namespace

int run_schedule_ls(Invocation& invocation) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    auto& terminal = invocation.terminal();
    auto now = invocation.world().clock.wall();
    auto schedules = look_at_schedules(*configuration, now);
    auto path = control_path(configuration->node.data_dir);
    auto supervisor = invocation.world().control(path, {});
    if (terminal.wants_json()) {
        auto list = json::Value::array();
        for (const auto& seen : schedules) list.push(json_of(seen, now));
        terminal.result_json(json::Value().set("supervised", supervisor.ok()).set("schedules", std::move(list)));
        return exit_code::done;
    }
    if (schedules.empty()) {
        terminal.talk("Nothing is scheduled: [schedule.NAME] every = \"1h\", run = \"audit --since 24h\"");
        return exit_code::done;
    }
    terminal.result(table_of(schedules, now, terminal));
    if (!supervisor.ok()) terminal.talk("Nothing runs by itself now: " + no_supervisor(path, supervisor.error().what));
    return exit_code::done;
}

int run_schedule_run(Invocation& invocation) {
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    const auto* schedule = named_schedule(invocation, *configuration);
    if (schedule == nullptr) return exit_code::usage;
    auto& terminal = invocation.terminal();
    auto& clock = invocation.world().clock;
    auto folder = schedules_folder(configuration->node.data_dir);
    auto lock = lock_schedule(folder, schedule->name);
    if (!lock.ok()) return terminal.complain(lock.error()), exit_code::io;
    if (!*lock) return terminal.complain("schedule " + schedule->name + " is running already: forebay schedule ls"), exit_code::try_again;
    auto began = clock.wall();
    auto note_run = [&](std::optional<Timestamp> ended, int code) {
        auto outcome = !ended ? "" : code == exit_code::done ? "done" : "exit " + std::to_string(code);
        auto noted = change_schedule_note(folder, schedule->name, [&](ScheduleNote& note) {
            if (note.times.empty()) note = ScheduleNote{times_text(*schedule), began, std::nullopt, 0, std::nullopt};
            note.last = ScheduleRun{began, ended, code, outcome};
        });
        if (!noted.ok()) terminal.complain(noted.error());
    };
    note_run(std::nullopt, 0);
    auto words = words_to_run(*schedule, began);
    auto globals = words_of(invocation.globals());
    words.insert(words.end(), globals.begin(), globals.end());
    int code = run(words, invocation.world());
    note_run(clock.wall(), code);
    return code;
}

}  // namespace forebay::cli
