#pragma once
// Waiting for an outage to end, as pure logic: open (work flows), held (nothing is received, the
// dependency is asked now and then), trial (it seems to be back: one record goes first). Time comes in.

#include <cstdint>
#include <string>

#include "base/time.h"

namespace forebay::worker {

class Hold {
  public:
    enum class Phase { open, held, trial };

    /// `probe` is the wait between two questions, spread over half to one and a half of it.
    explicit Hold(Duration probe) : probe_(probe) {}

    Phase phase() const { return phase_; }
    /// The dependency is away: by an attempt of this process, or by what another one says.
    void begin(std::string why, Instant now, std::uint64_t random);
    /// It is asked again from now on by this process.
    void take_over(Instant now) { next_probe_ = now; }
    Instant next_probe() const { return next_probe_; }
    /// What the probe said: back means that one record may be tried.
    void probed(bool is_back, Instant now, std::uint64_t random);
    /// One record goes first, without a wait.
    void try_one() { phase_ = Phase::trial; }
    /// Another reason than the one known. True when it is one.
    bool blame(std::string why);
    /// A record got an answer, or there is none to try: everything flows again.
    void end() { phase_ = Phase::open; }

    const std::string& why() const { return why_; }

  private:
    void wait(Instant now, std::uint64_t random);
    Duration probe_;
    Phase phase_ = Phase::open;
    Instant next_probe_;
    std::string why_;
};

}  // namespace forebay::worker
