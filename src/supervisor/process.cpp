#include "supervisor/process.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log_line.h"
#include "supervisor/control.h"

namespace forebay::supervisor {
namespace {

using Names = std::vector<std::pair<std::string, std::string>>;

Names names_of(const ProgramSpec& spec, unsigned n, const Options& options) {
    return {{"n", std::to_string(n)}, {"worker", spec.name}, {"node", options.node_name}};
}

std::string process_name(const ProgramSpec& spec, unsigned n) { return spec.numbered ? spec.name + ":" + std::to_string(n) : spec.name; }

void set_inheritable(int descriptor, bool inheritable) {
    if (descriptor >= 0) ::fcntl(descriptor, F_SETFD, inheritable ? 0 : FD_CLOEXEC);
}

Descriptor descriptor_of(const json::Value& number) {
    auto descriptor = static_cast<int>(number.integer().value_or(-1));
    set_inheritable(descriptor, false);
    return Descriptor(descriptor);
}

bool is_expected(int wait_status, const std::vector<int>& exitcodes) {
    return WIFEXITED(wait_status) && std::find(exitcodes.begin(), exitcodes.end(), WEXITSTATUS(wait_status)) != exitcodes.end();
}

}  // namespace

Process::Process(std::shared_ptr<const ProgramSpec> spec, unsigned n, const Options& options, Clock& clock)
    : spec_(spec),
      next_spec_(std::move(spec)),
      options_(options),
      clock_(clock),
      status_{process_name(*spec_, n), spec_->group, spec_->name, n, 0, State::stopped, clock.wall(), 0, {}, {}, {}} {
    renew();
}

/// Becomes what it was last told to be.
void Process::renew() {
    if (!next_spec_) return;
    spec_ = std::exchange(next_spec_, nullptr);
    log_ = log_at(spec_->log_path);
    error_log_ = log_at(spec_->error_log_path);
    status_.log = log_->path();
    status_.group = spec_->group;
}

std::unique_ptr<ChildLog> Process::log_at(const std::string& path) const {
    auto file = path.empty() ? nullptr : options_.logs->at(replace_names(path, names_of(*spec_, status_.n, options_)), spec_->log_rotation);
    return std::make_unique<ChildLog>(std::move(file), spec_->log_style, status_.n, status_.name, options_.echo);
}

void Process::reopen_logs() {
    log_->reopen();
    error_log_->reopen();
}

Policy Process::policy() const {
    return {spec_->autorestart, spec_->never_fatal || failures_ + 1 <= spec_->startretries,
            spec_->startsecs == Duration::zero() && clock_.now() - started_ < restart_spacing};
}

void Process::on(Event event) { enter(step(status_.state, event, policy()), event); }

void Process::enter(Step step, Event event) {
    bool failed = step.action == Action::wait_and_retry || step.action == Action::give_up;
    if (event == Event::start_due || event == Event::start_asked || event == Event::stop_asked) failures_ = 0;
    if (failed) ++failures_;
    if (step.next != status_.state || step.action == Action::spawn) {
        status_.state = step.next;
        status_.since = clock_.wall();
        timer_.reset();
        status_.next = {};
        set_timer_of(step.next);
    }
    switch (step.action) {
        case Action::spawn:
            return spawn_now(event);
        case Action::send_stop:
            return send_stop();
        case Action::send_kill:
            log_warn("process.killed").with("process", status_.name).with("why", "still there after stopwaitsecs");
            timer_.reset();
            return kill_group();
        case Action::give_up:
            log_error("process.fatal").with("process", status_.name).with("why", status_.why).with("starts", failures_);
            return;
        case Action::wait_and_retry:
            log_warn("process.backoff")
                .with("process", status_.name)
                .with("why", status_.why)
                .with("next", to_text(timer_->at - clock_.now()));
            return;
        case Action::none:
            return;
    }
}

void Process::set_timer_of(State state) {
    switch (state) {
        case State::starting:
            return set_timer(spec_->startsecs, Event::start_due);
        case State::backoff:
            return set_timer(jittered(backoff_wait(failures_, spec_->never_fatal, options_.backoff_most), *options_.entropy),
                             Event::retry_due);
        case State::stopping:
            return set_timer(spec_->stopwaitsecs, Event::kill_due);
        case State::fatal:
            if (spec_->fatal_retry > Duration::zero()) set_timer(spec_->fatal_retry, Event::retry_due);
            return;
        default:
            return;
    }
}

SpawnOptions Process::command() const {
    auto names = names_of(*spec_, status_.n, options_);
    SpawnOptions out;
    for (auto& word : spec_->command) out.command.push_back(replace_names(word, names));
    for (auto& [key, value] : spec_->environment) out.environment.emplace_back(key, replace_names(value, names));
    if (spec_->never_fatal) out.environment.emplace_back("FOREBAY_STARTS", std::to_string(starts_));
    out.environment.emplace_back("FOREBAY_RUN", options_.run_id);
    out.environment.emplace_back("FOREBAY_PROCESS", status_.name);
    out.directory = spec_->directory;
    if (spec_->umask) out.umask = static_cast<int>(*spec_->umask);
    // The node holds the log, which the next one needs at once, and may be killed anywhere; the others finish what they have in hand.
    out.death_signal = spec_->never_fatal ? SIGKILL : spec_->stop_signal;
    return out;
}

void Process::count_restart(Event cause) {
    bool is_recycled = std::exchange(is_recycling_, false) || cause == Event::exited_well;
    if (starts_++ == 0) return;
    ++status_.restarts;
    auto& by = status_.restarts_by;
    ++(is_recycled ? by.recycle : cause == Event::start_asked ? by.deploy : by.crash);
}

void Process::follows(const ProcessStatus& before) {
    status_.restarts = before.restarts + 1;
    status_.restarts_by = before.restarts_by;
    ++status_.restarts_by.deploy;
}

void Process::spawn_now(Event cause) {
    renew();
    count_restart(cause);
    started_ = clock_.now();
    auto pid = start();
    inheritance_.close();
    if (!pid) {
        status_.why = pid.error();
        return on(Event::spawn_failed);
    }
    on(Event::spawned);
    if (spec_->startsecs == Duration::zero()) on(Event::start_due);
}

Result<pid_t, std::string> Process::start() {
    TRY_ASSIGN(auto pipe, make_pipe());
    auto options = command();
    options.output = options.errors = pipe.write.get();
    Pipe errors;
    if (!spec_->error_log_path.empty()) {
        TRY_ASSIGN(errors, make_pipe());
        options.errors = errors.write.get();
    }
    // It reads its own output's end too: when this process is killed, it can still write what it has to say to the last.
    for (auto* read : {&pipe.read, &errors.read})
        if (*read) options.kept.push_back(read->get());
    Channel theirs;
    if (spec_->ours) {
        TRY_ASSIGN(auto ends, Channel::make());
        channel_ = std::move(ends.first);
        theirs = std::move(ends.second);
        options.kept.push_back(theirs.descriptor());
        options.environment.emplace_back(channel_variable, std::to_string(theirs.descriptor()));
    }
    if (inheritance_) {
        options.kept.push_back(inheritance_.get());
        options.environment.emplace_back(inheritance_variable, std::to_string(inheritance_.get()));
    }
    if (spec_->provision) TRY(spec_->provision->lend(options));
    TRY_ASSIGN(auto pid, spawn(options));
    if (watch(pid, std::move(pipe.read), std::move(errors.read))) return pid;
    std::string why = std::strerror(errno);
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return Failure{"cannot watch it: " + why};
}

bool Process::watch(pid_t pid, Descriptor output, Descriptor errors) {
    end_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));  // close-on-exec by itself
    if (!end_) return false;
    status_.pid = pid;
    output_ = std::move(output);
    errors_ = std::move(errors);
    for (auto* read : {&output_, &errors_})
        if (*read) ::fcntl(read->get(), F_SETFL, O_NONBLOCK);
    return true;
}

std::optional<Word> Process::hear() {
    auto word = channel_ ? channel_.hear() : std::nullopt;
    is_ready_ = is_ready_ || (word && word->text == ready_word);
    if (!word || !is_taking_up_) return word;
    bool is_refused = word->text.starts_with(refused_word);
    if (is_refused) why_not_taken_up_ = word->text.substr(refused_word.size());
    is_taking_up_ = !is_refused && word->text != taken_up_word;
    return word;
}

void Process::ask_to_take_up() {
    is_taking_up_ = is_ready_;
    why_not_taken_up_.clear();
    send(SIGHUP);
}

bool Process::hand_over_to(Descriptor socket) {
    if (!has_process(state()) || !channel_ || !channel_.say(hand_over_word, socket.get())) return false;
    status_.state = State::stopping;
    status_.since = clock_.wall();
    set_timer_of(State::stopping);
    send(SIGUSR2);
    return true;
}

json::Value Process::leave_behind(bool inheritable) {
    for (int descriptor : {output_.get(), errors_.get(), channel_.descriptor()}) set_inheritable(descriptor, inheritable);
    auto left = to_json(status_);
    left.set("starts", starts_).set("failures", failures_);
    if (output_) left.set("output", output_.get());
    if (errors_) left.set("errors", errors_.get());
    left.set("unfinished", log_->unfinished()).set("unfinished_errors", error_log_->unfinished());
    if (channel_) left.set("channel", channel_.descriptor());
    left.set("ready", is_ready_);
    left.set("stop_signal", spec_->stop_signal).set("stopwaitsecs_ms", spec_->stopwaitsecs.count()).set("ours", spec_->ours);
    left.set("numbered", spec_->numbered).set("log_path", spec_->log_path);
    return left;
}

void Process::adopt(const json::Value& left) {
    auto was = process_status_of(left);
    is_adopted_ = true;
    is_ready_ = left["ready"].boolean();
    status_.state = was.state;
    status_.since = was.since;
    status_.restarts = was.restarts;
    status_.restarts_by = was.restarts_by;
    status_.why = was.why;
    log_->add(left["unfinished"].text());
    error_log_->add(left["unfinished_errors"].text());
    starts_ = static_cast<std::uint64_t>(left["starts"].integer().value_or(1));
    failures_ = static_cast<unsigned>(left["failures"].integer().value_or(0));
    bool is_watched = was.pid <= 0 || watch(was.pid, descriptor_of(left["output"]), descriptor_of(left["errors"]));
    CHECK(is_watched, "what ran before the upgrade can be watched after it");
    if (left.find("channel") != nullptr) channel_ = Channel(descriptor_of(left["channel"]));
    set_timer_of(status_.state);
}

void Process::read_output() {
    read_some(output_, *log_);
    read_some(errors_, *error_log_);
}

void Process::read_some(Descriptor& from, ChildLog& to) {
    char buffer[64 * 1024];
    for (int rounds = 0; rounds < 16 && from; ++rounds) {  // bounded: a child that never stops talking must not hold up the others
        auto n = ::read(from.get(), buffer, sizeof buffer);
        if (n > 0) {
            to.add({buffer, static_cast<std::size_t>(n)});
            continue;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) from.close();
        return;
    }
}

void Process::collect() {
    siginfo_t ended{};
    if (::waitid(P_PID, static_cast<id_t>(status_.pid), &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0) return;
    kill_group();  // before waitpid: as long as the zombie is there its number belongs to nobody else
    int status = 0;
    if (::waitpid(status_.pid, &status, WNOHANG) != status_.pid) return;
    read_output();
    log_->finish();
    error_log_->finish();
    output_.close();
    errors_.close();
    end_.close();
    channel_ = Channel();
    is_ready_ = is_taking_up_ = false;
    // It may have lived long enough before anybody looked.
    if (timer_ && timer_->event == Event::start_due && timer_->at <= clock_.now()) on(Event::start_due);
    bool well = is_expected(status, spec_->exitcodes);
    status_.why = exit_text(status);
    auto line = well || state() == State::stopping ? log_info("process.ended") : log_warn("process.died");
    line.with("process", status_.name).with("pid", status_.pid).with("how", status_.why);
    status_.pid = 0;
    on(well ? Event::exited_well : Event::exited_badly);
}

void Process::send(int signal) {
    if (status_.pid > 0) ::kill(status_.pid, signal);
}
void Process::send_stop() {
    if (spec_->stopasgroup && status_.pid > 0)
        ::kill(-status_.pid, spec_->stop_signal);
    else
        send(spec_->stop_signal);
}

/// The process itself too, which may have gone over to another group.
void Process::kill_group() {
    send(SIGKILL);
    if (status_.pid > 0) ::kill(-status_.pid, SIGKILL);
}

}  // namespace forebay::supervisor
