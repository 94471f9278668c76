#include "supervisor/supervisor.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <set>

#include "base/log_line.h"
#include "supervisor/control_server.h"
#include "supervisor/task.h"

namespace forebay::supervisor {
namespace {

constexpr int taken_signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT, SIGQUIT};

sigset_t taken_signal_set() {
    sigset_t set;
    sigemptyset(&set);
    for (int signal : taken_signals) sigaddset(&set, signal);
    return set;
}

class PollingSupervisor final : public Supervisor {
  public:
    PollingSupervisor(Options options, std::vector<ProgramSpec> programs, std::optional<ControlServer> control)
        : options_(std::move(options)),
          programs_(std::move(programs)),
          control_(std::move(control)),
          wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        for (auto& program : programs_)
            for (unsigned n = 1; n <= program.count; ++n) processes_.emplace_back(program, program.numbered ? n : 0, options_, clock_);
        in_start_order_ = all();
        std::stable_sort(in_start_order_.begin(), in_start_order_.end(),
                         [](Process* a, Process* b) { return a->spec().priority < b->spec().priority; });
    }

    int run() override {
        take_signals();
        for (auto* process : in_start_order_)
            if (process->spec().autostart) process->on(Event::start_asked);
        while (!is_over()) {
            wait();
            advance_tasks();
        }
        log_info("supervisor.ended");
        return 0;
    }

    void stop() override {
        std::uint64_t one = 1;
        (void)!::write(wake_.get(), &one, sizeof one);
    }

  private:
    using Control = ControlServer;

    std::vector<Process*> all() {
        std::vector<Process*> out;
        for (auto& process : processes_) out.push_back(&process);
        return out;
    }

    bool is_over() {
        return stopping_ && std::none_of(processes_.begin(), processes_.end(), [](Process& p) { return has_process(p.state()); }) &&
               tasks_.empty();
    }

    void take_signals() {
        if (!options_.take_signals) return;
        auto set = taken_signal_set();
        ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
        signals_ = Descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    }

    void wait() {
        std::vector<pollfd> polled{{wake_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
        if (control_) control_->add_to(polled);
        for (auto& process : processes_) {
            polled.push_back({process.output_descriptor(), POLLIN, 0});
            polled.push_back({process.end_descriptor(), POLLIN, 0});
        }
        ::poll(polled.data(), polled.size(), milliseconds_to_next_timer());
        take_events(polled);
    }

    int milliseconds_to_next_timer() {
        auto now = clock_.now();
        Duration soonest = 60s;
        for (auto& process : processes_)
            if (process.timer()) soonest = std::min(soonest, process.timer()->at - now);
        return static_cast<int>(std::max<Duration>(soonest, Duration::zero()).count());
    }

    void take_events(const std::vector<pollfd>& polled) {
        std::set<int> ready;
        for (auto& one : polled)
            if (one.revents != 0) ready.insert(one.fd);
        if (ready.contains(wake_.get())) take_wake();
        if (signals_ && ready.contains(signals_.get())) take_signal();
        for (auto& process : processes_) {
            if (ready.contains(process.output_descriptor())) process.read_output();
            if (ready.contains(process.end_descriptor())) process.collect();
            fire_timer(process);
        }
        if (control_)
            for (auto& asked : control_->take(polled)) obey(asked);
    }

    void fire_timer(Process& process) {
        if (process.timer() && process.timer()->at <= clock_.now()) process.on(process.timer()->event);
    }

    void take_wake() {
        std::uint64_t count = 0;
        (void)!::read(wake_.get(), &count, sizeof count);
        shut_down();
    }

    void take_signal() {
        signalfd_siginfo info;
        while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
            int signal = static_cast<int>(info.ssi_signo);
            if (signal == SIGTERM || signal == SIGINT)
                shut_down();
            else if (signal == SIGUSR1)
                for (auto& process : processes_) process.log().reopen();
            else if (signal == SIGUSR2)
                log_warn("signal.ignored").with("signal", "USR2").with("why", "handing over to a new binary is not in this version");
            else if (signal == SIGQUIT)
                dump();
            else
                pass_on(signal);
        }
    }

    /// Pausing is for workers only: the node keeps accepting.
    void pass_on(int signal) {
        if (signal == SIGHUP && options_.on_hup) options_.on_hup();
        for (auto& process : processes_)
            if (process.spec().ours && (signal == SIGHUP || process.spec().numbered)) process.send(signal);
    }

    void dump() {
        for (auto& process : processes_) {
            auto& s = process.status();
            log_info("process.state")
                .with("process", s.name)
                .with("state", name_of(s.state))
                .with("pid", s.pid)
                .with("restarts", s.restarts)
                .with("why", s.why);
        }
    }

    /// The first call stops in order; a second one does not wait any longer.
    void shut_down() {
        if (!std::exchange(stopping_, true)) {
            log_info("supervisor.stopping");
            for (auto& task : tasks_) refuse(task);
            tasks_.clear();
            tasks_.emplace_back(shutdown_stages(all()), std::nullopt);
            return;
        }
        log_warn("supervisor.killing").with("why", "asked to stop a second time");
        for (auto& process : processes_) {
            process.on(Event::stop_asked);
            process.kill_group();
        }
    }

    void obey(const Control::Asked& asked) {
        auto& request = asked.request;
        if (request.verb == Verb::status) return control_->answer(asked.connection, {true, {}, statuses(all())});
        if (request.verb == Verb::shutdown) {
            control_->answer(asked.connection, {true, {}, statuses(all())});
            if (!stopping_) shut_down();
            return;
        }
        auto named = find(request.names);
        if (!named) return control_->answer(asked.connection, {false, named.error(), {}});
        if (request.verb == Verb::signal) {
            for (auto* process : *named) process->send(request.signal);
            return control_->answer(asked.connection, {true, {}, statuses(*named)});
        }
        if (stopping_) return control_->answer(asked.connection, {false, "the supervisor is stopping", {}});
        begin(request, *named, asked.connection);
    }

    static void log_order(const ControlRequest& request, const std::vector<Process*>& named) {
        std::string names;
        for (auto* process : named) names += (names.empty() ? "" : ", ") + process->status().name;
        auto line = log_info("processes.asked");
        line.with("to", name_of(request.verb)).with("processes", names);
        if (!request.reason.empty()) line.with("reason", request.reason);
    }

    void begin(const ControlRequest& request, const std::vector<Process*>& named, Control::Connection connection) {
        log_order(request, named);
        auto waiting = request.wait ? std::optional(connection) : std::nullopt;
        switch (request.verb) {
            case Verb::start:
                tasks_.emplace_back(start_stages(named), waiting);
                break;
            case Verb::stop:
                tasks_.emplace_back(stop_stages(named), waiting);
                break;
            case Verb::restart:
                tasks_.emplace_back(restart_stages(named, request.all_at_once), waiting);
                break;
            default:
                return;
        }
        tasks_.back().advance();
        if (!request.wait) control_->answer(connection, {true, {}, statuses(named)});
    }

    /// Every pattern must name somebody: a typing error must not pass as success.
    Result<std::vector<Process*>, std::string> find(const std::vector<std::string>& patterns) {
        std::vector<Process*> named;
        for (auto& pattern : patterns) {
            bool known = false;
            for (auto* process : in_start_order_) {
                if (!matches(pattern, process->status())) continue;
                known = true;
                if (std::find(named.begin(), named.end(), process) == named.end()) named.push_back(process);
            }
            if (!known) return Failure{"no process is called " + pattern};
        }
        return named;
    }

    static std::vector<ProcessStatus> statuses(const std::vector<Process*>& processes) {
        std::vector<ProcessStatus> out;
        for (auto* process : processes) out.push_back(process->status());
        return out;
    }

    void advance_tasks() {
        for (auto task = tasks_.begin(); task != tasks_.end();) {
            if (!task->advance()) {
                ++task;
                continue;
            }
            if (task->connection()) control_->answer(*task->connection(), answer_of(*task));
            task = tasks_.erase(task);
        }
    }

    static ControlAnswer answer_of(const Task& task) {
        ControlAnswer answer{true, {}, statuses(task.processes())};
        if (!task.wants_running()) return answer;
        for (auto& process : answer.processes) {
            if (process.state == State::running) continue;
            answer.ok = false;
            answer.error = process.name + " is " + std::string(name_of(process.state)) + (process.why.empty() ? "" : ": " + process.why);
        }
        return answer;
    }

    void refuse(const Task& task) {
        if (task.connection()) control_->answer(*task.connection(), {false, "the supervisor is stopping", {}});
    }

    Options options_;
    std::vector<ProgramSpec> programs_;
    std::optional<ControlServer> control_;
    SystemClock clock_;
    std::list<Process> processes_;
    std::vector<Process*> in_start_order_;
    std::list<Task> tasks_;
    Descriptor wake_;
    Descriptor signals_;
    bool stopping_ = false;
};

Result<void, std::string> check(const std::vector<ProgramSpec>& programs) {
    std::set<std::string> names;
    for (auto& program : programs) {
        if (program.name.empty() || program.command.empty() || program.command[0].empty())
            return Failure{"program \"" + program.name + "\" needs a name and a command"};
        if (!names.insert(program.name).second) return Failure{"two programs are called " + program.name};
        if (!program.numbered && program.count != 1) return Failure{program.name + " has no number, so there can be only one"};
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Supervisor>, std::string> Supervisor::open(Options options, std::vector<ProgramSpec> programs) {
    TRY(check(programs));
    std::optional<ControlServer> control;
    if (!options.control_path.empty()) {
        TRY_ASSIGN(auto opened, ControlServer::open(options.control_path));
        control.emplace(std::move(opened));
    }
    return std::unique_ptr<Supervisor>(new PollingSupervisor(std::move(options), std::move(programs), std::move(control)));
}

}  // namespace forebay::supervisor
