#pragma once
// A running command as a partner in conversation: text in, text out, a deadline for each exchange. It is
// the leader of a process group that goes with it; its standard error is this process's own.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/spawn.h"
#include "base/time.h"

namespace forebay::handlers {

class Child {
  public:
    static Result<std::unique_ptr<Child>, std::string> start(SpawnOptions options);
    /// Closes its input, gives it `grace` to end, then kills the group.
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    struct Problem {
        enum class Kind { too_late, ended, too_long } kind;
        std::string why;  ///< "no answer within 20s", "exit 255", "signal 9 (Killed)"
    };
    /// Sends `line` (its end is added) and waits for one line. After a Problem the child is of no use.
    Result<std::string, Problem> ask(std::string_view line, Duration timeout, std::size_t bytes_max);
    /// Sends `input`, closes it, and waits for the end. A child that does not read its input is fine.
    Result<std::string, Problem> finish(std::string_view input, Duration timeout, std::size_t bytes_max);
    /// waitpid's status, once it has ended.
    std::optional<int> wait_status() const { return status_; }
    /// Whether it ended while nobody talked to it.
    bool has_ended();
    /// KILL to the whole group, now.
    void kill();

    static constexpr Duration grace = 2s;

  private:
    Child(pid_t pid, Descriptor end, Descriptor input, Descriptor output);
    using Steady = std::chrono::steady_clock;
    /// Moves bytes until something happened or it is `until`; false = too late.
    bool pump(Steady::time_point until);
    void write_some();
    void read_some();
    void reap();
    Problem late(Duration timeout);
    Problem long_answer(std::size_t bytes_max);

    pid_t pid_;
    Descriptor end_;  ///< pidfd
    Descriptor input_;
    Descriptor output_;
    std::string pending_;  ///< not yet written
    bool close_after_ = false;
    std::string received_;
    std::optional<int> status_;
};

}  // namespace forebay::handlers
