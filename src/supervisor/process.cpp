#include "supervisor/process.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

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
    auto path = replace_names(spec_->log_path, names_of(*spec_, status_.n, options_));
    log_ = std::make_unique<ChildLog>(path, spec_->log_style, status_.n, status_.name, options_.echo);
    status_.log = log_->path();
    status_.group = spec_->group;
}

Policy Process::policy() const { return {spec_->autorestart, spec_->never_fatal || failures_ + 1 <= spec_->startretries}; }

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
            return spawn_now();
        case Action::send_stop:
            return send(spec_->stop_signal);
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
            return set_timer(backoff_wait(failures_, spec_->never_fatal, options_.backoff_most), Event::retry_due);
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
    out.directory = spec_->directory;
    return out;
}

void Process::spawn_now() {
    renew();
    if (starts_++ > 0) ++status_.restarts;
    auto pid = start();
    inheritance_.close();
    if (pid) return on(Event::spawned);
    status_.why = pid.error();
    on(Event::spawn_failed);
}

Result<pid_t, std::string> Process::start() {
    TRY_ASSIGN(auto pipe, make_pipe());
    auto options = command();
    options.output = options.errors = pipe.write.get();
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
    if (watch(pid, std::move(pipe.read))) return pid;
    std::string why = std::strerror(errno);
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return Failure{"cannot watch it: " + why};
}

bool Process::watch(pid_t pid, Descriptor output) {
    end_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));  // close-on-exec by itself
    if (!end_) return false;
    status_.pid = pid;
    output_ = std::move(output);
    ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
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
    for (int descriptor : {output_.get(), channel_.descriptor()}) set_inheritable(descriptor, inheritable);
    auto left = to_json(status_);
    left.set("starts", starts_).set("failures", failures_);
    if (output_) left.set("output", output_.get());
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
    status_.why = was.why;
    starts_ = static_cast<std::uint64_t>(left["starts"].integer().value_or(1));
    failures_ = static_cast<unsigned>(left["failures"].integer().value_or(0));
    bool is_watched = was.pid <= 0 || watch(was.pid, descriptor_of(left["output"]));
    CHECK(is_watched, "what ran before the upgrade can be watched after it");
    if (left.find("channel") != nullptr) channel_ = Channel(descriptor_of(left["channel"]));
    set_timer_of(status_.state);
}

void Process::read_output() {
    char buffer[64 * 1024];
    for (int rounds = 0; rounds < 16 && output_; ++rounds) {  // bounded: a child that never stops talking must not hold up the others
        auto n = ::read(output_.get(), buffer, sizeof buffer);
        if (n > 0) {
            log_->add({buffer, static_cast<std::size_t>(n)});
            continue;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) output_.close();
        return;
    }
}

void Process::collect() {
    kill_group();  // before waitpid: as long as the zombie is there its number belongs to nobody else
    int status = 0;
    if (::waitpid(status_.pid, &status, WNOHANG) != status_.pid) return;
    read_output();
    log_->finish();
    output_.close();
    end_.close();
    channel_ = Channel();
    is_ready_ = is_taking_up_ = false;
    bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    status_.why = exit_text(status);
    auto line = well || state() == State::stopping ? log_info("process.ended") : log_warn("process.died");
    line.with("process", status_.name).with("pid", status_.pid).with("how", status_.why);
    status_.pid = 0;
    on(well ? Event::exited_well : Event::exited_badly);
}

void Process::send(int signal) {
    if (status_.pid > 0) ::kill(status_.pid, signal);
}
void Process::kill_group() {
    if (status_.pid > 0) ::kill(-status_.pid, SIGKILL);
}

}  // namespace forebay::supervisor
