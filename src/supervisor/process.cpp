#include "supervisor/process.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/log_line.h"

namespace forebay::supervisor {
namespace {

using Names = std::vector<std::pair<std::string, std::string>>;

Names names_of(const ProgramSpec& spec, unsigned n, const Options& options) {
    return {{"n", std::to_string(n)}, {"worker", spec.name}, {"node", options.node_name}};
}

std::string process_name(const ProgramSpec& spec, unsigned n) { return spec.numbered ? spec.name + ":" + std::to_string(n) : spec.name; }

}  // namespace

Process::Process(const ProgramSpec& spec, unsigned n, const Options& options, Clock& clock)
    : spec_(spec),
      options_(options),
      clock_(clock),
      status_{process_name(spec, n), spec.group, spec.name, n, 0, State::stopped, clock.wall(), 0, {}, {}},
      log_(replace_names(spec.log_path, names_of(spec, n, options)), spec.log_style, n, status_.name, options.echo) {
    status_.log = log_.path();
}

Policy Process::policy() const { return {spec_.autorestart, spec_.never_fatal || failures_ + 1 <= spec_.startretries}; }

void Process::on(Event event) { enter(step(status_.state, event, policy()), event); }

void Process::enter(Step step, Event event) {
    bool failed = step.action == Action::wait_and_retry || step.action == Action::give_up;
    if (event == Event::start_due || event == Event::start_asked || event == Event::stop_asked) failures_ = 0;
    if (failed) ++failures_;
    if (step.next != status_.state || step.action == Action::spawn) {
        status_.state = step.next;
        status_.since = clock_.wall();
        timer_.reset();
        set_timer_of(step.next);
    }
    switch (step.action) {
        case Action::spawn:
            return spawn_now();
        case Action::send_stop:
            return send(spec_.stop_signal);
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
            return set_timer(spec_.startsecs, Event::start_due);
        case State::backoff:
            return set_timer(backoff_wait(failures_, spec_.never_fatal, options_.backoff_most), Event::retry_due);
        case State::stopping:
            return set_timer(spec_.stopwaitsecs, Event::kill_due);
        case State::fatal:
            if (spec_.fatal_retry > Duration::zero()) set_timer(spec_.fatal_retry, Event::retry_due);
            return;
        default:
            return;
    }
}

SpawnOptions Process::command() const {
    auto names = names_of(spec_, status_.n, options_);
    SpawnOptions out;
    for (auto& word : spec_.command) out.command.push_back(replace_names(word, names));
    for (auto& [key, value] : spec_.environment) out.environment.emplace_back(key, replace_names(value, names));
    if (spec_.never_fatal) out.environment.emplace_back("FOREBAY_STARTS", std::to_string(starts_));
    out.directory = spec_.directory;
    return out;
}

void Process::spawn_now() {
    if (starts_++ > 0) ++status_.restarts;
    auto fail = [&](std::string why) {
        status_.why = std::move(why);
        on(Event::spawn_failed);
    };
    auto pipe = make_pipe();
    if (!pipe) return fail(pipe.error());
    auto options = command();
    options.output = options.errors = pipe->write.get();
    auto pid = spawn(options);
    if (!pid) return fail(pid.error());
    status_.pid = *pid;
    end_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));  // close-on-exec by itself
    CHECK(static_cast<bool>(end_), "a child that was just started has a pidfd");
    output_ = std::move(pipe->read);
    ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
    on(Event::spawned);
}

void Process::read_output() {
    char buffer[64 * 1024];
    for (int rounds = 0; rounds < 16 && output_; ++rounds) {  // bounded: a child that never stops talking must not hold up the others
        auto n = ::read(output_.get(), buffer, sizeof buffer);
        if (n > 0) {
            log_.add({buffer, static_cast<std::size_t>(n)});
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
    log_.finish();
    output_.close();
    end_.close();
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
