#include "supervisor/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "base/clean_pages.h"
#include "base/log_line.h"
#include "supervisor/control_server.h"
#include "supervisor/crew.h"

namespace forebay::supervisor {
namespace {

/// What was started a moment ago is still at it.
constexpr Duration settle_time = 2s, small_again = 1min;

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
          control_(std::move(control)),
          crew_(options_, std::move(programs),
                [this](Control::Connection to, const ControlAnswer& answer) { control_->answer(to, answer); }),
          wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

    Ended run() override {
        take_signals();
        (void)left_behind(false);
        if (!std::exchange(has_begun_, true)) crew_.begin_all();
        while (!stopping_ || crew_.is_busy() || crew_.has_processes()) {
            wait();
            crew_.look_after();
            be_small_when_quiet();
            if (!may_upgrade()) continue;
            upgrade_asked_ = false;
            log_info("supervisor.upgrading");
            return Ended::upgrade;
        }
        log_info("supervisor.ended");
        return Ended::stopped;
    }

    void stop() override {
        std::lock_guard guard(lock_);
        asked_to_stop_ = true;
        wake();
    }

    void scale(std::string worker, unsigned count) override {
        std::lock_guard guard(lock_);
        scaled_.emplace_back(std::move(worker), count);
        wake();
    }

    json::Value leave_behind() override { return left_behind(true); }

  private:
    using Control = ControlServer;

    void wake() {
        std::uint64_t one = 1;
        (void)!::write(wake_.get(), &one, sizeof one);
    }

    bool may_upgrade() const { return upgrade_asked_ && !stopping_ && !crew_.is_busy() && (!control_ || control_->is_idle()); }

    json::Value left_behind(bool inheritable) {
        auto left = json::Value().set("pools", crew_.leave_behind(inheritable));
        if (!control_) return left;
        ::fcntl(control_->descriptor(), F_SETFD, inheritable ? 0 : FD_CLOEXEC);
        return left.set("control", control_->descriptor());
    }

    // ---- the loop

    /// After each thing that was asked, and now and then: it mostly waits.
    void be_small_when_quiet() {
        auto now = clock_.now();
        if (crew_.is_busy()) was_busy_ = true;
        if (crew_.is_busy() || now < small_at_ || (!was_busy_ && now < small_at_ + small_again)) return;
        was_busy_ = false;
        small_at_ = now + settle_time;
        let_go_of_clean_pages();
    }

    void take_signals() {
        if (!options_.take_signals || signals_) return;
        auto set = taken_signal_set();
        ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
        signals_ = Descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    }

    Duration to_next_turn() {
        auto next = crew_.to_next_timer();
        return was_busy_ && !crew_.is_busy() ? std::clamp(small_at_ - clock_.now(), Duration::zero(), next) : next;
    }

    void wait() {
        std::vector<pollfd> polled{{wake_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
        if (control_) control_->add_to(polled);
        for (auto* process : crew_.everything())
            for (int descriptor : {process->output_descriptor(), process->end_descriptor(), process->channel_descriptor()})
                if (descriptor >= 0) polled.push_back({descriptor, POLLIN, 0});
        ::poll(polled.data(), polled.size(), static_cast<int>(to_next_turn().count()));
        take_events(polled);
    }

    void take_events(const std::vector<pollfd>& polled) {
        std::set<int> ready;
        for (auto& one : polled)
            if (one.revents != 0) ready.insert(one.fd);
        if (ready.contains(wake_.get())) take_wake();
        if (signals_ && ready.contains(signals_.get())) take_signal();
        for (auto* process : crew_.everything()) {
            if (ready.contains(process->channel_descriptor())) crew_.hear(*process);
            if (ready.contains(process->output_descriptor())) process->read_output();
            if (ready.contains(process->end_descriptor())) process->collect();
            crew_.fire_timer(*process);
        }
        if (control_)
            for (auto& asked : control_->take(polled)) obey(asked);
    }

    void take_wake() {
        std::uint64_t count = 0;
        (void)!::read(wake_.get(), &count, sizeof count);
        std::unique_lock guard(lock_);
        auto scaled = std::exchange(scaled_, {});
        bool stops = std::exchange(asked_to_stop_, false);
        guard.unlock();
        if (stops) return shut_down();
        if (stopping_) return;
        for (auto& [worker, wanted] : scaled) crew_.scale_to_load(worker, wanted);
    }

    // ---- signals

    void take_signal() {
        signalfd_siginfo info;
        while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
            int signal = static_cast<int>(info.ssi_signo);
            if (signal == SIGTERM || signal == SIGINT)
                shut_down();
            else if (signal == SIGHUP)
                (void)reload(std::nullopt);
            else if (signal == SIGUSR1)
                for (auto* process : crew_.everything()) process->log().reopen();
            else if (signal == SIGUSR2)
                (void)ask_for_upgrade({});
            else if (signal == SIGQUIT)
                dump();
            else
                pass_on(signal);
        }
    }

    /// Pausing is for workers only: the node keeps accepting.
    void pass_on(int signal) {
        for (auto* process : crew_.all())
            if (process->spec().ours && process->spec().numbered) process->send(signal);
    }

    void dump() {
        for (auto* process : crew_.everything()) {
            auto& s = process->status();
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
            return crew_.shut_down();
        }
        log_warn("supervisor.killing").with("why", "asked to stop a second time");
        crew_.kill_all();
    }

    // ---- what is asked on the control socket

    void obey(const Control::Asked& asked) {
        auto& [connection, request] = asked;
        switch (request.verb) {
            case Verb::status:
                return control_->answer(connection, crew_.status());
            case Verb::shutdown:
                control_->answer(connection, crew_.status());
                if (!stopping_) shut_down();
                return;
            case Verb::upgrade:
                return control_->answer(connection, ask_for_upgrade(request));
            case Verb::reload:
                if (auto answer = request.dry_run ? what_would_change() : reload(connection)) control_->answer(connection, *answer);
                return;
            default:
                break;
        }
        if (stopping_ && request.verb != Verb::signal) return control_->answer(connection, refused("the supervisor is stopping"));
        crew_.obey(request, connection);
    }

    static ControlAnswer refused(std::string why) { return {false, std::move(why), {}}; }

    std::optional<ControlAnswer> what_would_change() {
        if (!options_.on_reload) return refused("there is nothing to reload");
        auto read = options_.on_reload(true);
        return read ? ControlAnswer{true, {}, {}, {}, read->text} : refused(read.error());
    }

    /// Nothing: the answer comes when everything has taken it up.
    std::optional<ControlAnswer> reload(std::optional<Control::Connection> connection) {
        if (!options_.on_reload) return refused("there is nothing to reload");
        if (stopping_) return refused("the supervisor is stopping");
        auto read = options_.on_reload(false);
        if (!read) return refused(read.error());
        crew_.renew(std::move(read->programs), connection, std::move(read->text));
        return std::nullopt;
    }

    ControlAnswer ask_for_upgrade(const ControlRequest& request) {
        if (!options_.before_upgrade) return refused("upgrades are not possible here");
        if (stopping_) return refused("the supervisor is stopping");
        if (auto ok = options_.before_upgrade(); !ok) {
            if (!request.dry_run) log_error("upgrade.refused").with("why", ok.error()).with("next", "what runs goes on");
            return refused(ok.error());
        }
        if (request.dry_run) return crew_.status();
        upgrade_asked_ = true;
        auto line = log_info("upgrade.asked");
        if (!request.reason.empty()) line.with("reason", request.reason);
        return crew_.status();
    }

    Options options_;
    std::optional<ControlServer> control_;
    Crew crew_;
    Descriptor wake_;
    Descriptor signals_;
    std::mutex lock_;  ///< guards what other threads ask: the two below
    std::vector<std::pair<std::string, unsigned>> scaled_;
    bool asked_to_stop_ = false;
    SystemClock clock_;
    Instant small_at_ = clock_.now() + settle_time;
    bool was_busy_ = true;
    bool has_begun_ = false;
    bool stopping_ = false;
    bool upgrade_asked_ = false;
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

Result<std::optional<ControlServer>, std::string> open_control(const Options& options) {
    if (options.control_path.empty()) return std::optional<ControlServer>();
    auto left = options.left_behind ? (*options.left_behind)["control"].integer() : std::nullopt;
    if (left) {
        ::fcntl(static_cast<int>(*left), F_SETFD, FD_CLOEXEC);
        return std::optional(ControlServer::adopt(options.control_path, Descriptor(static_cast<int>(*left))));
    }
    TRY_ASSIGN(auto opened, ControlServer::open(options.control_path));
    return std::optional(std::move(opened));
}

}  // namespace

Result<std::unique_ptr<Supervisor>, std::string> Supervisor::open(Options options, std::vector<ProgramSpec> programs) {
    TRY(check(programs));
    TRY_ASSIGN(auto control, open_control(options));
    return std::unique_ptr<Supervisor>(new PollingSupervisor(std::move(options), std::move(programs), std::move(control)));
}

}  // namespace forebay::supervisor
