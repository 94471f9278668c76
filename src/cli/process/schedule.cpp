#include "cli/process/schedule.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/bytes.h"
#include "base/json.h"
#include "base/log_line.h"
#include "cli/exit_code.h"
#include "cli/process/cron.h"

namespace forebay::cli {
namespace {

constexpr Duration look_every = 200ms;
constexpr Duration longest_sleep = 1min;  ///< a clock may be set
constexpr Duration longest_run = 12h;
constexpr std::size_t output_bytes_max = 16_MiB;
constexpr std::size_t ids_logged = 5;

bool is_audit(const ScheduleConfiguration& schedule) { return !schedule.words.empty() && schedule.words[0] == "audit"; }

bool is_same(const ScheduleConfiguration& one, const ScheduleConfiguration& other) {
    return one.name == other.name && one.every == other.every && one.cron == other.cron && one.run == other.run;
}

/// What has come since, up to a bound; what is beyond it is let go. False at the end.
bool read_some(int fd, std::string& to) {
    char buffer[64 * 1024];
    auto n = ::read(fd, buffer, sizeof buffer);
    if (n <= 0) return n < 0 && errno == EINTR;
    to.append(buffer, std::min(static_cast<std::size_t>(n), output_bytes_max - std::min(output_bytes_max, to.size())));
    return true;
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

}  // namespace

std::optional<Timestamp> next_due(const ScheduleConfiguration& schedule, Timestamp at) {
    if (auto every = schedule.every.count(); every > 0) return Timestamp{(at.ms / every + 1) * every};
    auto cron = Cron::parse(schedule.cron);
    return cron.ok() ? cron->next(at) : std::nullopt;
}

Scheduler::Scheduler(std::vector<ScheduleConfiguration> schedules, std::string executable, std::vector<std::string> last_words)
    : executable_(std::move(executable)), last_words_(std::move(last_words)) {
    take(std::move(schedules));
    thread_ = std::thread([this] { work(); });
}

Scheduler::~Scheduler() {
    {
        std::lock_guard guard(lock_);
        ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

bool Scheduler::is_ending() {
    std::lock_guard guard(lock_);
    return ending_;
}

void Scheduler::take(std::vector<ScheduleConfiguration> schedules) {
    SystemClock clock;
    std::vector<Planned> planned;
    std::lock_guard guard(lock_);
    for (auto& schedule : schedules) {
        auto before = std::find_if(planned_.begin(), planned_.end(), [&](const Planned& one) { return is_same(one.schedule, schedule); });
        auto due = before == planned_.end() ? next_due(schedule, clock.wall()) : before->due;
        planned.push_back({std::move(schedule), due});
    }
    planned_ = std::move(planned);
    wake_.notify_one();
}

std::optional<ScheduleConfiguration> Scheduler::wait_for_next() {
    SystemClock clock;
    std::unique_lock guard(lock_);
    while (!ending_) {
        auto now = clock.wall();
        Planned* first = nullptr;
        for (auto& one : planned_) {
            if (one.due && *one.due > now) one.due = next_due(one.schedule, now);  // the clock may have been set back
            if (one.due && (first == nullptr || *one.due < *first->due)) first = &one;
        }
        if (first != nullptr && *first->due <= now) return first->schedule;
        wake_.wait_for(guard, first == nullptr ? longest_sleep : std::min(*first->due - now, longest_sleep));
    }
    return std::nullopt;
}

void Scheduler::has_run(const ScheduleConfiguration& schedule) {
    SystemClock clock;
    std::lock_guard guard(lock_);
    for (auto& one : planned_)
        if (is_same(one.schedule, schedule)) one.due = next_due(schedule, clock.wall());
}

void Scheduler::work() {
    // Signals are the supervisor's business; one that this thread took would end the process.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    while (auto schedule = wait_for_next()) {
        run(*schedule);
        has_run(*schedule);
    }
}

void Scheduler::run(const ScheduleConfiguration& schedule) {
    auto output = make_pipe(), errors = make_pipe();
    if (!output.ok() || !errors.ok()) return void(log_error("schedule.failed").with("schedule", schedule.name).with("why", "no pipe"));
    SpawnOptions options;
    options.command = {executable_};
    options.command.insert(options.command.end(), schedule.words.begin(), schedule.words.end());
    options.command.insert(options.command.end(), {"--json", "--no-interaction"});
    options.command.insert(options.command.end(), last_words_.begin(), last_words_.end());
    options.output = output->write.get();
    options.errors = errors->write.get();
    SystemClock clock;
    auto began = clock.now();
    auto pid = spawn(options);
    if (!pid.ok()) return void(log_error("schedule.failed").with("schedule", schedule.name).with("why", pid.error()));
    output->write.close();
    errors->write.close();
    std::string out, err;
    auto status = wait_for(*pid, std::move(output->read), std::move(errors->read), out, err);
    if (!status) return;
    int code = WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
    if (is_audit(schedule) && (code == exit_code::done || code == exit_code::check_failed || code == exit_code::cannot_tell))
        return log_audit(schedule, code, out);
    auto line = code == exit_code::done ? log_info("schedule.done") : log_error("schedule.failed");
    line.with("schedule", schedule.name).with("run", schedule.run).with("seconds", (clock.now() - began).count() / 1000);
    if (code != exit_code::done) line.with("why", exit_text(*status) + (err.empty() ? "" : ": " + last_line(err)));
}

std::optional<int> Scheduler::wait_for(pid_t pid, Descriptor output, Descriptor errors, std::string& out, std::string& err) {
    SystemClock clock;
    auto end = clock.now() + longest_run;
    bool is_ended = false;
    while (output || errors) {
        if (is_ended = is_ending() || clock.now() >= end; is_ended) break;
        pollfd polled[] = {{output.get(), POLLIN, 0}, {errors.get(), POLLIN, 0}};
        if (::poll(polled, 2, static_cast<int>(look_every.count())) <= 0) continue;
        if (polled[0].revents != 0 && !read_some(output.get(), out)) output.close();
        if (polled[1].revents != 0 && !read_some(errors.get(), err)) errors.close();
    }
    // What it does can be cut off anywhere: nothing that is durable is lost with it.
    if (is_ended) ::kill(-pid, SIGKILL);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return is_ended ? std::nullopt : std::optional(status);
}

}  // namespace forebay::cli
