#include "cli/process/schedule.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/bytes.h"
#include "base/json.h"
#include "base/log_line.h"
#include "cli/console.h"
#include "cli/exit_code.h"

namespace forebay::cli {
namespace {

constexpr Duration longest_run = 12h;
constexpr Duration look_again = 1min;  ///< for runs that are too long
constexpr std::size_t output_bytes_max = 16_MiB, error_bytes_kept = 4_KiB;
constexpr std::size_t ids_logged = 5;
constexpr Timestamp never{INT64_MAX / 4};

bool is_audit(const ScheduleConfiguration& schedule) { return !schedule.words.empty() && schedule.words[0] == "audit"; }

bool is_same(const ScheduleConfiguration& one, const ScheduleConfiguration& other) {
    return one.name == other.name && times_text(one) == times_text(other) && one.run == other.run && one.catch_up == other.catch_up;
}

std::string last_line(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text.substr(text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1);
}

void log_audit(const ScheduleConfiguration& schedule, int code, const std::string& out) {
    auto found = json::parse(out);
    auto result = found.ok() ? std::move(*found) : json::Value();
    auto line = code == exit_code::done           ? log_info("audit.balanced")
                : code == exit_code::check_failed ? log_error("audit.mismatch")
                                                  : log_warn("audit.incomplete");
    line.with("schedule", schedule.name);
    for (const auto& [term, value] : result["total"].members()) line.with(term, value.integer().value_or(0));
    std::string ids;
    const auto& differences = result["differences"].elements();
    for (std::size_t i = 0; i < std::min(differences.size(), ids_logged); ++i) ids += (i == 0 ? "" : " ") + differences[i]["id"].text();
    if (!ids.empty()) line.with("ids", ids).with("next", "forebay audit names them all; --repair queues what is missing");
    if (const auto& gaps = result["gaps"].elements(); !gaps.empty()) line.with("why", gaps[0].text());
}

bool is_verdict(int code) { return code == exit_code::done || code == exit_code::check_failed || code == exit_code::cannot_tell; }

/// Whether a verb that may be told why is to be told.
bool wants_reason(const CommandLine& line) {
    const auto& options = line.verb->options;
    bool takes_one = std::any_of(options.begin(), options.end(), [](const Option& option) { return option.name == "reason"; });
    bool is_of_no_use = line.verb->name == "audit" && line.options.count("repair") == 0;
    return takes_one && !is_of_no_use && line.options.count("reason") == 0;
}

void wake(const Descriptor& event) {
    std::uint64_t one = 1;
    (void)!::write(event.get(), &one, sizeof one);
}

void empty(const Descriptor& counter) {
    std::uint64_t count = 0;
    (void)!::read(counter.get(), &count, sizeof count);
}

std::int64_t seconds_since(Instant since) { return (SystemClock().now() - since).count() / 1000; }

}  // namespace

std::vector<std::string> words_to_run(const ScheduleConfiguration& schedule, Timestamp at) {
    auto shown = Timetable(schedule).zone().text(at);  // 2026-11-29 06:00 CST
    std::vector<std::string> words;
    for (const auto& word : schedule.words)
        words.push_back(replace_names(word, {{"date", shown.substr(0, 10)}, {"time", shown.substr(11, 2) + shown.substr(14, 2)}}));
    auto line = parse(words);
    if (line.ok() && line->verb != nullptr && wants_reason(*line)) words.insert(words.end(), {"--reason", "schedule " + schedule.name});
    words.emplace_back("--no-interaction");
    return words;
}

std::vector<ScheduleConfiguration> schedules_of(const Configuration& configuration, bool has_node) {
    auto is_here = [&](const ScheduleConfiguration& schedule) { return has_node || schedule.is_about_processes(); };
    std::vector<ScheduleConfiguration> here;
    std::copy_if(configuration.schedules.begin(), configuration.schedules.end(), std::back_inserter(here), is_here);
    return here;
}

Scheduler::Scheduler(std::vector<ScheduleConfiguration> schedules, SchedulerOptions options)
    : options_(std::move(options)),
      timer_(::timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      given_(std::move(schedules)) {
    thread_ = std::thread([this] { work(); });
}

Scheduler::~Scheduler() {
    ending_ = true;
    wake(wake_);
    thread_.join();
}

void Scheduler::take(std::vector<ScheduleConfiguration> schedules) {
    {
        std::lock_guard guard(lock_);
        given_ = std::move(schedules);
    }
    wake(wake_);
}

void Scheduler::work() {
    // Signals are the supervisor's business; one that this thread took would end the process.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    SystemClock clock;
    while (!ending_) {
        take_up();
        for (auto& plan : plans_) look_at(plan, clock.wall());
        begin_owed();
        wait();
        runs_.remove_if([this](Run& run) { return has_ended(run); });
    }
    for (auto& run : runs_) end_early(run, "the parent ends or begins anew");
}

void Scheduler::take_up() {
    std::optional<std::vector<ScheduleConfiguration>> given;
    {
        std::lock_guard guard(lock_);
        std::swap(given, given_);
    }
    if (!given) return;
    std::vector<Plan> plans;
    for (const auto& schedule : *given) {
        auto before = std::find_if(plans_.begin(), plans_.end(), [&](const Plan& plan) { return is_same(plan.schedule, schedule); });
        plans.push_back(before == plans_.end() ? plan_of(schedule) : std::move(*before));
    }
    plans_ = std::move(plans);
}

Scheduler::Plan Scheduler::plan_of(const ScheduleConfiguration& schedule) {
    auto now = SystemClock().wall();
    auto times = times_text(schedule);
    auto note = read_schedule_note(options_.folder, schedule.name);
    bool is_known = note && note->times == times;
    if (!is_known)
        change_note(schedule.name, [&](ScheduleNote& fresh) { fresh = ScheduleNote{times, now, std::move(fresh.last), 0, std::nullopt}; });
    return Plan{schedule, Timetable(schedule), is_known ? note->seen : now, std::nullopt, std::nullopt, true, {}};
}

void Scheduler::look_at(Plan& plan, Timestamp now) {
    bool is_busy = plan.owed || run_of(plan.schedule.name) != nullptr, was_away = std::exchange(plan.is_new, false);
    auto due = due_now(plan.times, plan.seen, now, is_busy, plan.schedule.catch_up);
    plan.seen = due.seen;
    plan.next = plan.times.next(std::max(plan.seen, now));
    if (due.is_run) plan.owed = due.seen;
    if (due.missed.count == 0) return;
    if (is_busy) return miss_while_busy(plan, due.missed);
    miss(plan, due.missed, was_away ? "the parent was not running, or not with this schedule" : "the clock jumped, or the machine slept");
}

void Scheduler::miss(Plan& plan, const Timetable::Times& times, std::string_view why) {
    log_warn("schedule.missed")
        .with("schedule", plan.schedule.name)
        .with("count", times.count)
        .with("since", plan.times.zone().text(times.first))
        .with("why", why)
        .with("next", plan.owed ? "it runs once now" : "nothing is made up for; catch_up = true would run it once");
    change_note(plan.schedule.name, [&](ScheduleNote& note) {
        note.seen = plan.seen;
        note.missed += times.count;
        note.missed_since = times.first;
    });
}

/// The first one is said at once, how many there were when the run has ended: with a short `every` they are many.
void Scheduler::miss_while_busy(Plan& plan, const Timetable::Times& times) {
    bool is_first = plan.missed.count == 0;
    if (is_first) plan.missed.first = times.first;
    plan.missed.count += times.count;
    plan.missed.last = times.last;
    if (!is_first) return;
    const auto* run = run_of(plan.schedule.name);
    log_warn("schedule.missed")
        .with("schedule", plan.schedule.name)
        .with("count", times.count)
        .with("since", plan.times.zone().text(times.first))
        .with("why", run == nullptr ? "its last time still waits for one of " + std::to_string(runs_most) + " places"
                                    : "its run of " + plan.times.zone().text(run->began) + " still goes on");
}

void Scheduler::begin_owed() {
    while (runs_.size() < runs_most) {
        Plan* first = nullptr;
        for (auto& plan : plans_)
            if (plan.owed && (first == nullptr || *plan.owed < *first->owed)) first = &plan;
        if (first == nullptr) return;
        begin(*first, *std::exchange(first->owed, std::nullopt));
    }
}

void Scheduler::begin(Plan& plan, Timestamp due) {
    const auto& schedule = plan.schedule;
    auto failed = [&](const std::string& why) { log_error("schedule.failed").with("schedule", schedule.name).with("why", why); };
    auto lock = lock_schedule(options_.folder, schedule.name);
    if (!lock.ok()) return failed(lock.error());
    if (!*lock) return miss(plan, {1, due, due}, "forebay schedule run has it in hand");
    auto output = make_pipe(), errors = make_pipe();
    if (!output.ok() || !errors.ok()) return failed("no pipe");
    SpawnOptions options;
    options.command = {options_.executable};
    auto words = words_to_run(schedule, due);
    options.command.insert(options.command.end(), words.begin(), words.end());
    options.command.emplace_back("--json");
    options.command.insert(options.command.end(), options_.last_words.begin(), options_.last_words.end());
    options.environment = options_.environment;
    options.output = output->write.get();
    options.errors = errors->write.get();
    auto pid = spawn(options);
    if (!pid.ok()) return failed(pid.error());
    Descriptor end(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));  // close-on-exec by itself
    CHECK(static_cast<bool>(end), "a child that was just started has a pidfd");
    for (const auto* pipe : {&output->read, &errors->read}) ::fcntl(pipe->get(), F_SETFL, O_NONBLOCK);
    SystemClock clock;
    runs_.push_back(Run{schedule,
                        *pid,
                        std::move(end),
                        std::move(output->read),
                        std::move(errors->read),
                        std::move(**lock),
                        {},
                        {},
                        clock.wall(),
                        clock.now()});
    change_note(schedule.name, [&](ScheduleNote& note) {
        note.seen = plan.seen;
        note.last = ScheduleRun{runs_.back().began, std::nullopt, 0, ""};
    });
}

void Scheduler::arm_timer() {
    auto first = never;
    for (const auto& plan : plans_) first = std::min(first, plan.next.value_or(never));
    itimerspec at{};
    at.it_value.tv_sec = first.ms / 1000;
    at.it_value.tv_nsec = first.ms % 1000 * 1'000'000;
    // It also goes off when the clock is set, and when the machine has slept.
    ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, nullptr);
}

void Scheduler::wait() {
    arm_timer();
    std::vector<pollfd> polled{{wake_.get(), POLLIN, 0}, {timer_.get(), POLLIN, 0}};
    for (const auto& run : runs_)
        for (const auto* one : {&run.end, &run.output, &run.errors}) polled.push_back({one->get(), POLLIN, 0});
    ::poll(polled.data(), polled.size(), runs_.empty() ? -1 : static_cast<int>(look_again.count()));
    empty(wake_);
    empty(timer_);
    for (auto& run : runs_) read(run);
}

/// Of an audit what it found; of others nothing is looked at but the end of what they complain of.
void Scheduler::read(Run& run) {
    char buffer[64 * 1024];
    auto take = [&](Descriptor& from, std::string& to, std::size_t most, bool keep_end) {
        for (int rounds = 0; rounds < 16 && from; ++rounds) {
            auto n = ::read(from.get(), buffer, sizeof buffer);
            if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
            if (n <= 0) return from.close();
            to.append(buffer, static_cast<std::size_t>(n));
            if (to.size() > most) to.erase(keep_end ? 0 : most, to.size() - most);
        }
    };
    take(run.output, run.out, is_audit(run.schedule) ? output_bytes_max : 0, false);
    take(run.errors, run.err, error_bytes_kept, true);
}

bool Scheduler::has_ended(Run& run) {
    int status = 0;
    if (auto pid = ::waitpid(run.pid, &status, WNOHANG); pid != run.pid) {
        if (SystemClock().now() - run.since < longest_run) return false;
        end_early(run, "it took longer than " + to_text(longest_run));
        return true;
    }
    read(run);
    finish(run, status);
    return true;
}

void Scheduler::finish(Run& run, int status) {
    const auto& schedule = run.schedule;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    auto why = exit_text(status) + (run.err.empty() ? "" : ": " + last_line(run.err));
    if (is_audit(schedule) && is_verdict(code)) {
        log_audit(schedule, code, run.out);
        return note_end(run, code, code == exit_code::done ? "balanced" : code == exit_code::check_failed ? "not balanced" : "incomplete");
    }
    auto line = code == exit_code::done ? log_info("schedule.done") : log_error("schedule.failed");
    line.with("schedule", schedule.name).with("run", schedule.run).with("seconds", seconds_since(run.since));
    if (code != exit_code::done) line.with("why", why);
    note_end(run, code, code == exit_code::done ? "done" : why);
}

void Scheduler::end_early(Run& run, std::string_view why) {
    // What it does can be cut off anywhere: nothing that is durable is lost with it.
    ::kill(-run.pid, SIGKILL);
    while (::waitpid(run.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    log_warn("schedule.ended_early")
        .with("schedule", run.schedule.name)
        .with("run", run.schedule.run)
        .with("seconds", seconds_since(run.since))
        .with("why", why);
    note_end(run, -1, "ended early: " + std::string(why));
}

void Scheduler::note_end(const Run& run, int code, const std::string& outcome) {
    auto at = std::find_if(plans_.begin(), plans_.end(), [&](const Plan& plan) { return plan.schedule.name == run.schedule.name; });
    auto missed = at == plans_.end() ? Timetable::Times{} : std::exchange(at->missed, {});
    auto now = SystemClock().wall();
    change_note(run.schedule.name, [&](ScheduleNote& note) {
        note.last = ScheduleRun{run.began, now, code, outcome};
        if (missed.count == 0) return;
        note.seen = at->seen;
        note.missed += missed.count;
        note.missed_since = missed.first;
    });
    if (missed.count > 1)
        log_warn("schedule.missed")
            .with("schedule", run.schedule.name)
            .with("count", missed.count)
            .with("since", at->times.zone().text(missed.first))
            .with("why", "while its run of " + at->times.zone().text(run.began) + " went on for " +
                             std::to_string(seconds_since(run.since)) + " s");
}

void Scheduler::change_note(const std::string& name, const std::function<void(ScheduleNote&)>& change) {
    if (auto done = change_schedule_note(options_.folder, name, change); !done.ok())
        log_error("schedule.unnoted").with("schedule", name).with("why", done.error());
}

Scheduler::Run* Scheduler::run_of(const std::string& name) {
    auto at = std::find_if(runs_.begin(), runs_.end(), [&](const Run& run) { return run.schedule.name == name; });
    return at == runs_.end() ? nullptr : &*at;
}

}  // namespace forebay::cli
