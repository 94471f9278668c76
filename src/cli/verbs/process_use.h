#pragma once
// What a process of this machine takes of it, as /proc tells.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/time.h"

namespace forebay::cli {

struct ProcessUse {
    std::uint64_t rss_bytes = 0;
    double cpu = 0;  ///< of one processor, since the last look, or since it was started: 0.5 is half of it
};

/// Looks again and again.
class ProcessUses {
  public:
    explicit ProcessUses(std::string proc = "/proc") : proc_(std::move(proc)) {}
    /// Nothing for a process that is not there.
    std::optional<ProcessUse> look(int pid, Instant now);

  private:
    struct Seen {
        Instant at;
        std::uint64_t started = 0, ticks = 0;
    };
    std::string proc_;
    std::map<int, Seen> seen_;
};

}  // namespace forebay::cli
