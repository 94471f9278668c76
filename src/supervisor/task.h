#pragma once
// Something asked of several processes that takes time: stop these, wait, start them, wait. A list of
// stages; each tells its processes one event and is over when they have settled.

#include <cstdint>
#include <optional>
#include <vector>

#include "supervisor/pool.h"

namespace forebay::supervisor {

struct Stage {
    enum class Kind : std::uint8_t {
        stop,     ///< the processes end
        start,    ///< the processes run, those that are not wanted any more excepted
        succeed,  ///< the pool's process hands over to a successor
        take_up,  ///< the pool's process reads the configuration again
    } kind;
    std::vector<Process*> processes{};
    Pool* pool = nullptr;
};

class Task {
  public:
    Task(std::vector<Stage> stages, std::optional<std::uint64_t> connection, std::string text = {})
        : stages_(std::move(stages)), connection_(connection), text_(std::move(text)) {}
    /// Begins stages and ends them as far as the processes' states allow. True = nothing is left to do.
    bool advance();
    /// Who waits for the answer; nothing = nobody.
    std::optional<std::uint64_t> connection() const { return connection_; }
    /// Those that are to run when it is done.
    std::vector<Process*> started() const;
    /// Every process any stage names, once.
    std::vector<Process*> processes() const;
    bool names(const Process& process) const;
    /// Somebody asked something else of these: it has nothing to do with them any more.
    void release(const std::vector<Process*>& processes);
    /// The pools that hand over.
    std::vector<Pool*> pools() const;
    void add(const std::vector<Stage>& stages) { stages_.insert(stages_.end(), stages.begin(), stages.end()); }
    /// It renews worn-out processes of this program, one after the other; empty = it is something else.
    const std::string& recycles() const { return recycles_; }
    void set_recycles(std::string program) { recycles_ = std::move(program); }
    /// What the answer says besides.
    const std::string& text() const { return text_; }
    /// Why a process did not hand over, or did not take up the configuration; empty = all did.
    const std::string& failure() const { return failure_; }

  private:
    bool advance(Stage& stage);
    bool succeed(Pool& pool);
    bool take_up(Pool& pool);
    std::vector<Stage> stages_;
    std::optional<std::uint64_t> connection_;
    std::string text_;
    std::string failure_, recycles_;
    std::size_t at_ = 0;
    bool begun_ = false;
};

/// Those that are being stopped are started when they have.
std::vector<Stage> start_stages(const std::vector<Process*>& processes);
/// One after the other, or all at once: then nobody hands over.
std::vector<Stage> restart_stages(const std::vector<Process*>& processes, bool all_at_once);
/// By priority, the highest number first; equal ones together.
std::vector<Stage> shutdown_stages(const std::vector<Process*>& processes);

}  // namespace forebay::supervisor
