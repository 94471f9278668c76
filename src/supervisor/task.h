#pragma once
// Something asked of several processes that takes time: stop these, wait, start them, wait. A list of
// stages; each tells its processes one event and is over when they have settled.

#include <cstdint>
#include <optional>
#include <vector>

#include "supervisor/process.h"

namespace forebay::supervisor {

struct Stage {
    Event ask;  ///< start_asked or stop_asked
    std::vector<Process*> processes;
};

class Task {
  public:
    Task(std::vector<Stage> stages, std::optional<std::uint64_t> connection) : stages_(std::move(stages)), connection_(connection) {}
    /// Begins stages and ends them as far as the processes' states allow. True = nothing is left to do.
    bool advance();
    /// Who waits for the answer; nothing = nobody.
    std::optional<std::uint64_t> connection() const { return connection_; }
    /// Whether it ends with its processes running.
    bool wants_running() const { return !stages_.empty() && stages_.back().ask == Event::start_asked; }
    /// Every process any stage names, once.
    std::vector<Process*> processes() const;

  private:
    std::vector<Stage> stages_;
    std::optional<std::uint64_t> connection_;
    std::size_t at_ = 0;
    bool begun_ = false;
};

std::vector<Stage> start_stages(const std::vector<Process*>& processes);
std::vector<Stage> stop_stages(const std::vector<Process*>& processes);
/// One after the other, or all at once.
std::vector<Stage> restart_stages(const std::vector<Process*>& processes, bool all_at_once);
/// By priority, the highest number first; equal ones together.
std::vector<Stage> shutdown_stages(const std::vector<Process*>& processes);

}  // namespace forebay::supervisor
