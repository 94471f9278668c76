#pragma once
// The processes of one program: as many as are wanted, those that still finish, and while one hands over to its
// successor both of them.

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/process.h"
#include "supervisor/supervisor.h"

namespace forebay::supervisor {

class Pool {
  public:
    /// `options` and `clock` outlive it.
    Pool(ProgramSpec spec, const Options& options, Clock& clock);

    const ProgramSpec& spec() const { return *spec_; }
    PoolStatus status() const;
    /// In the order of their numbers; those that leave are among them.
    std::vector<Process*> processes();
    /// Also a successor that waits, and who hands over.
    std::vector<Process*> all_processes();
    bool is_wanted(const Process& process) const { return !is_leaving_ && process.status().n <= count_; }

    /// What its processes are from their next start on. Returns whether that is something else than they are now; their number is
    /// taken over as far as the new bounds and a person's word leave it.
    bool take(ProgramSpec spec);
    /// So many processes from now on, within the bounds. Processes above it are to be stopped, those missing are made.
    void resize(unsigned count);
    /// A person's word: this many, whatever the bounds; nothing = the bounds and the load again.
    void fix(std::optional<unsigned> count);
    /// The program is no longer configured.
    void leave();
    bool is_leaving() const { return is_leaving_; }
    /// Drops processes that are not wanted and have ended, unless `is_needed`.
    void forget_gone(const std::function<bool(const Process&)>& is_needed);

    /// Starts the successor of its one process, or starts the process where none is there to hand over.
    void begin_succession();
    /// A successor that is not in charge yet is given up: everything is to stop.
    void abandon_succession();
    /// Somebody hands over, or is on the way out.
    bool is_in_transition() const { return is_succeeding() || !successor_.empty() || !outgoing_.empty(); }
    bool is_succeeding() const { return phase_ != Phase::none; }
    /// Why the last succession came to nothing; empty = it did not.
    const std::string& failed_succession() const { return succession_failed_; }
    /// A process of this pool said a word.
    void hear(Process& process, const Word& word);
    /// Looks whether the successor and the one before still do what they should.
    void look_after_succession();

    /// For the next binary, and from the one before.
    json::Value leave_behind(bool inheritable);
    void adopt(const json::Value& left);

  private:
    enum class Phase {
        none,
        awaiting,     ///< the process starts, and will have something to hand over
        stopping,     ///< nothing can be handed over: it ends first
        preparing,    ///< the successor is not ready to take over
        taking_over,  ///< the process in charge is the new one, and does not serve yet
    };
    Process& add(std::list<Process>& to, unsigned n);
    void say_who_is_wanted();
    unsigned most() const { return spec_->count_max == 0 ? spec_->count : spec_->count_max; }
    void start_successor();
    void stop_first();
    void hand_over();
    void fail_succession(std::string why);

    const Options& options_;
    Clock& clock_;
    std::shared_ptr<const ProgramSpec> spec_;
    unsigned count_;
    bool is_by_hand_ = false;
    bool is_leaving_ = false;
    std::list<Process> processes_;
    std::list<Process> successor_;  ///< none or one: not yet in charge
    std::list<Process> outgoing_;   ///< those that hand over
    Descriptor bequest_;            ///< the outgoing one's end of what the successor inherits through
    Phase phase_ = Phase::none;
    Instant succession_ends_{};
    std::string succession_failed_;
};

}  // namespace forebay::supervisor
