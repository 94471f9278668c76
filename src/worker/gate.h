#pragma once
// Whether records flow to this worker. While what it depends on is down it is shut: nothing is received. One process of
// the host asks now and then (worker/outage.h), lets one record go first when it is answered, and opens for all.
//
// Two things can be down. What the handler depends on (`db.main`), for all workers that do: that is so when its own
// question is not answered. And the worker's effect alone (`worker.mail`), for its processes: that is what remains when
// the dependency answers and attempts meet a hold all the same, until the breaker opens, or at once where the handler has
// no question to ask, or says that it is about something else. Before the breaker opens the next record goes first, after a short wait.

#include <cstdint>
#include <string>
#include <vector>

#include "worker/breaker.h"
#include "worker/hold.h"
#include "worker/outage.h"
#include "worker/standing.h"
#include "worker/worker.h"

namespace forebay::worker {

class Gate {
  public:
    /// All outlive it.
    Gate(const Options& options, const Parts& parts, StandingFile& standing);

    /// What to do next; what another process found out counts too.
    Hold::Phase phase();
    /// Held: rests until it is time to ask, or to look what the prober says, and does so.
    void wait();
    /// Nobody answered an attempt. Asks the dependency, unless it is known to be the effect's own trouble: everything that can be
    /// given back should have been.
    void shut(const std::string& why, bool is_of_effect = false);
    /// A run spent so many attempts: somebody answered.
    void answered(std::uint32_t spent);
    /// The trial's queue was empty.
    void nothing_to_try();
    /// Whether this process is the one that tries.
    bool is_prober() const { return at_ != nullptr && at_->is_mine(); }
    /// It will not ask for a while: another process may.
    void stand_aside();

  private:
    void ask();
    void watch();
    void shut_for(Outage& outage, const std::string& why);
    void try_again_soon(const std::string& why);
    void open();
    void end();
    void say();
    Result<void, std::string> probe();
    bool depends() const { return !options_.depends_on.empty() && parts_.handler.has_probe(); }
    /// Who receives nothing while `at_` is down.
    std::vector<Dependent> shut_out() const;
    std::uint64_t waiting() const;
    std::string worker_names() const;

    const Options& options_;
    const Parts& parts_;
    StandingFile& standing_;
    Outage dependency_, effect_;
    Outage* at_ = nullptr;  ///< the one that is down
    Timestamp since_;
    std::uint32_t spent_ = 0;  ///< attempts, since it is down
    Hold hold_;
    Breaker breaker_;
};

}  // namespace forebay::worker
