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
#include "base/uuid.h"
#include "supervisor/control_server.h"
#include "supervisor/crew.h"
#include "supervisor/leftovers.h"
#include "supervisor/orphans.h"
#include "supervisor/service_manager.h"

namespace forebay::supervisor {
namespace {

/// What was started a moment ago is still at it.
constexpr Duration settle_time = 2s, small_again = 1min;

constexpr Duration orphan_patience = 2s;

constexpr int taken_signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT, SIGQUIT, SIGCHLD};

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
        if (options_.takes_orphans) take_orphans();
        (void)left_behind(false);
        if (!std::exchange(has_begun_, true)) crew_.begin();
        while (!stopping_ || crew_.is_busy() || crew_.has_processes()) {
            begin_others();
            service_manager_.keep_up(crew_.all());
            wait();
            collect_orphans();
            crew_.look_after();
            be_small_when_quiet();
            if (!may_upgrade()) continue;
            upgrade_asked_ = false;
            log_info("supervisor.upgrading");
            return Ended::upgrade;
        }
        if (options_.takes_orphans) end_descendants(orphan_patience, clock_);
        leftovers_.end_run();
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

    bool may_upgrade() const {
        return upgrade_asked_ && !stopping_ && have_others_begun_ && !crew_.is_busy() && (!control_ || control_->is_idle());
    }

    json::Value left_behind(bool inheritable) {
        auto left = json::Value().set("pools", crew_.leave_behind(inheritable)).set("run", options_.run_id);
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

    /// What the run before left is waited for first: it may hold what its successor needs. The node is not kept waiting: what it
    /// needs was let go of when the parent died.
    void begin_others() {
        if (have_others_begun_ || stopping_) return;
        have_others_begun_ = leftovers_.are_gone([this](const std::string& name) { return crew_.stop_wait(name); });
        if (have_others_begun_) crew_.begin_others();
    }

    /// Also those of its own processes that have ended by now.
    void collect_orphans() {
        if (!options_.takes_orphans) return;
        collect_ended([this](int pid) {
            for (auto* process : crew_.everything()) {
                if (process->status().pid != pid) continue;
                process->collect();
                return true;
            }
            return false;
        });
    }

    void take_signals() {
        if (!options_.take_signals || signals_) return;
        auto set = taken_signal_set();
        ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
        signals_ = Descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    }

    Duration to_next_turn() {
        auto next = crew_.to_next_timer();
        if (!have_others_begun_ && !stopping_) next = std::min(next, leftovers_.next_look() - clock_.now());
        if (auto told = service_manager_.next()) next = std::min(next, *told - clock_.now());
        next = std::max<Duration>(next, Duration::zero());
        return was_busy_ && !crew_.is_busy() ? std::clamp(small_at_ - clock_.now(), Duration::zero(), next) : next;
    }

    void wait() {
        std::vector<pollfd> polled{{wake_.get(), POLLIN, 0}};
        if (signals_) polled.push_back({signals_.get(), POLLIN, 0});
        if (control_) control_->add_to(polled);
        for (auto* process : crew_.everything())
            for (int descriptor :
                 {process->output_descriptor(), process->errors_descriptor(), process->end_descriptor(), process->channel_descriptor()})
                if (descriptor >= 0) polled.push_back({descriptor, POLLIN, 0});  // poll() takes no more than there may be descriptors
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
            if (ready.contains(process->output_descriptor()) || ready.contains(process->errors_descriptor())) process->read_output();
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
                for (auto* process : crew_.everything()) process->reopen_logs();
            else if (signal == SIGUSR2)
                (void)ask_for_upgrade({});
            else if (signal == SIGQUIT)
                dump();
            else if (signal != SIGCHLD)  // that one only wakes
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
            service_manager_.stopping();
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
        service_manager_.reloading();
        auto read = options_.on_reload(false);
        if (read) crew_.renew(std::move(read->programs), connection, std::move(read->text));
        service_manager_.reloaded();
        return read ? std::nullopt : std::optional(refused(read.error()));
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
    SystemClock clock_;
    Leftovers leftovers_{options_.run_path, options_.run_id, clock_};
    ServiceManager service_manager_{clock_};
    Crew crew_;
    Descriptor wake_;
    Descriptor signals_;
    std::mutex lock_;  ///< guards what other threads ask: the two below
    std::vector<std::pair<std::string, unsigned>> scaled_;
    bool asked_to_stop_ = false;
    Instant small_at_ = clock_.now() + settle_time;
    bool was_busy_ = true;
    bool has_begun_ = false;
    bool have_others_begun_ = options_.left_behind.has_value();
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

/// The new binary goes on with the run of the one before.
std::string run_id_of(const Options& options) {
    if (!options.run_id.empty()) return options.run_id;
    auto left = options.left_behind ? (*options.left_behind)["run"].text() : std::string();
    return left.empty() ? to_text(make_uuid_v4(*options.entropy)) : left;
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
    options.run_id = run_id_of(options);
    return std::unique_ptr<Supervisor>(new PollingSupervisor(std::move(options), std::move(programs), std::move(control)));
}

}  // namespace forebay::supervisor
