#pragma once
// What a parent that was killed has left running: the kernel told its children to stop when it died, and they finish what they
// have in hand; the parent that comes next waits for them and ends what does not end. They are known by FOREBAY_RUN in their
// environment, the random id of the run, which a small file keeps for as long as the run lasts.

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "supervisor/proc.h"

namespace forebay::supervisor {

class Leftovers {
  public:
    /// How long the process of this name (`store:1`) may take to end.
    using WaitOf = std::function<Duration(const std::string& process)>;

    /// Notes in `path` that this run has begun; an empty path: nothing is noted and nothing looked for.
    Leftovers(std::string path, std::string run_id, Clock& clock);

    /// Looks and does what is due. True: nothing is left, or nothing more can be done about it. Until then it is called again at
    /// next_look().
    bool are_gone(const WaitOf& wait_of);
    Instant next_look() const { return next_look_; }
    /// The run has ended in order and left nothing.
    void end_run();

    static constexpr Duration wait_most = 10s;
    static constexpr Duration killed_wait = 2s;  ///< after KILL; then it goes on without

  private:
    struct Left {
        SeenPid seen;
        std::string process;
    };
    std::vector<Left> find() const;
    void note();
    void take_up(const Left& left, bool is_root, const WaitOf& wait_of);

    const std::string path_, run_id_;
    Clock& clock_;
    std::vector<std::string> earlier_;  ///< runs of which something may be left
    Instant began_, next_look_;
    bool is_first_look_ = true;
    std::map<pid_t, Instant> ends_;  ///< when each is killed
    std::set<pid_t> told_, killed_;
};

}  // namespace forebay::supervisor
