#pragma once
// One numbered process of a program: the operating system's side of it (start, signals, output, end) and its
// place in the lifecycle table. It acts on events; when they come is the supervisor's business.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/spawn.h"
#include "base/time.h"
#include "supervisor/channel.h"
#include "supervisor/child_log.h"
#include "supervisor/lifecycle.h"
#include "supervisor/supervisor.h"

namespace forebay::supervisor {

class Process {
  public:
    /// `options` and `clock` outlive it.
    Process(std::shared_ptr<const ProgramSpec> spec, unsigned n, const Options& options, Clock& clock);
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    void on(Event event);
    /// What it is from its next start on.
    void take(std::shared_ptr<const ProgramSpec> spec) { next_spec_ = std::move(spec); }
    /// At its next start it inherits from another process, through this socket.
    void inherit_from(Descriptor socket) { inheritance_ = std::move(socket); }
    /// Has it give what it serves to whoever reads from the other end of `socket`, and end. False when it cannot be told.
    bool hand_over_to(Descriptor socket);
    /// It stands where another stood; its start is one more of those.
    void follows(const ProcessStatus& before);
    /// Its next start is its own doing, whoever asks for it.
    void is_to_recycle() { is_recycling_ = true; }
    /// For the next binary: what adopt() goes on with. Its descriptors survive execve if `inheritable`.
    json::Value leave_behind(bool inheritable);
    /// Goes on with a process that another binary started under this pid.
    void adopt(const json::Value& left);
    bool is_adopted() const { return is_adopted_; }

    /// What its timer will say, and when.
    struct Timer {
        Instant at;
        Event event;
    };
    const std::optional<Timer>& timer() const { return timer_; }

    /// Readable when the process has ended; -1 = none.
    int end_descriptor() const { return end_.get(); }
    int output_descriptor() const { return output_.get(); }
    /// -1 = standard error goes where the output goes.
    int errors_descriptor() const { return errors_.get(); }
    /// Of both.
    void read_output();
    /// Where it says words of channel.h; -1 = it has no channel.
    int channel_descriptor() const { return channel_.descriptor(); }
    std::optional<Word> hear();
    /// Has it read the configuration again; it says when it has.
    void ask_to_take_up();
    bool is_taking_up() const { return is_taking_up_; }
    /// Why it refused what it read then; empty = it did not.
    const std::string& why_not_taken_up() const { return why_not_taken_up_; }
    /// Whether its pool wants it to run at all.
    bool is_wanted() const { return is_wanted_; }
    void set_wanted(bool is_wanted) { is_wanted_ = is_wanted; }
    /// It has said that it serves.
    bool is_ready() const { return is_ready_; }
    /// After end_descriptor became readable: kills what is left of its group, reaps it, and steps on.
    void collect();

    void send(int signal);
    void kill_group();
    void reopen_logs();
    const ProgramSpec& spec() const { return *spec_; }
    State state() const { return status_.state; }
    const ProcessStatus& status() const { return status_; }

  private:
    void enter(Step step, Event event);
    void spawn_now(Event cause);
    void count_restart(Event cause);
    void read_some(Descriptor& from, ChildLog& to);
    void send_stop();
    std::unique_ptr<ChildLog> log_at(const std::string& path) const;
    void set_timer(Duration after, Event event) {
        timer_ = Timer{clock_.now() + after, event};
        if (event == Event::retry_due) status_.next = clock_.wall() + after;
    }
    void set_timer_of(State state);
    SpawnOptions command() const;
    Policy policy() const;
    Result<pid_t, std::string> start();
    void renew();
    bool watch(pid_t pid, Descriptor output, Descriptor errors);

    std::shared_ptr<const ProgramSpec> spec_, next_spec_;
    const Options& options_;
    Clock& clock_;
    ProcessStatus status_;
    std::unique_ptr<ChildLog> log_, error_log_;
    Descriptor end_;
    Descriptor output_, errors_;
    Channel channel_;
    Descriptor inheritance_;
    std::optional<Timer> timer_;
    bool is_adopted_ = false, is_ready_ = false, is_taking_up_ = false, is_wanted_ = true, is_recycling_ = false;
    std::string why_not_taken_up_;
    unsigned failures_ = 0;  ///< failed starts in a row
    std::uint64_t starts_ = 0;
    Instant started_{};
};

}  // namespace forebay::supervisor
