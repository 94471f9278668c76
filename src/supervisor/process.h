#pragma once
// One numbered process of a program: the operating system's side of it (start, signals, output, end) and its
// place in the lifecycle table. It acts on events; when they come is the supervisor's business.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/spawn.h"
#include "base/time.h"
#include "supervisor/child_log.h"
#include "supervisor/lifecycle.h"
#include "supervisor/supervisor.h"

namespace forebay::supervisor {

class Process {
  public:
    /// `spec` and `options` outlive it.
    Process(const ProgramSpec& spec, unsigned n, const Options& options, Clock& clock);
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    void on(Event event);
    /// What its timer will say, and when.
    struct Timer {
        Instant at;
        Event event;
    };
    const std::optional<Timer>& timer() const { return timer_; }

    /// Readable when the process has ended; -1 = none.
    int end_descriptor() const { return end_.get(); }
    int output_descriptor() const { return output_.get(); }
    void read_output();
    /// After end_descriptor became readable: kills what is left of its group, reaps it, and steps on.
    void collect();

    void send(int signal);
    void kill_group();
    ChildLog& log() { return log_; }
    const ProgramSpec& spec() const { return spec_; }
    State state() const { return status_.state; }
    const ProcessStatus& status() const { return status_; }

  private:
    void enter(Step step, Event event);
    void spawn_now();
    void set_timer(Duration after, Event event) { timer_ = Timer{clock_.now() + after, event}; }
    void set_timer_of(State state);
    SpawnOptions command() const;
    Policy policy() const;

    const ProgramSpec& spec_;
    const Options& options_;
    Clock& clock_;
    ProcessStatus status_;
    ChildLog log_;
    Descriptor end_;
    Descriptor output_;
    std::optional<Timer> timer_;
    unsigned failures_ = 0;  ///< failed starts in a row
    std::uint64_t starts_ = 0;
};

}  // namespace forebay::supervisor
