#pragma once
// systemd as the parent of this process: it is told when everything has started, how it stands, and that the process is not stuck
// (sd_notify's protocol: datagrams to the socket named in NOTIFY_SOCKET). Without that variable nothing is said.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/spawn.h"
#include "base/time.h"

namespace forebay::supervisor {

class Process;

class ServiceManager {
  public:
    /// Reads NOTIFY_SOCKET, and WATCHDOG_USEC unless WATCHDOG_PID says that it is for another process. The variables stay.
    explicit ServiceManager(Clock& clock);

    /// What is to be said now: READY=1 once when every process that starts by itself has got past STARTING, STATUS= when it changes,
    /// WATCHDOG=1 when it is due.
    void keep_up(const std::vector<Process*>& processes);
    /// When keep_up() has something to say again, whatever happens.
    std::optional<Instant> next() const { return next_; }
    void reloading();
    /// It goes on as before, or with what it read.
    void reloaded();
    void stopping();

  private:
    void say(const std::string& lines);
    bool have_started(const std::vector<Process*>& processes);

    Clock& clock_;
    std::string to_;  ///< empty = nobody; begins with @ in the abstract namespace
    Descriptor socket_;
    bool is_ready_ = false, is_stopping_ = false, has_complained_ = false;
    std::set<std::string> started_;  ///< processes that have got past STARTING
    std::string status_;
    Duration watchdog_every_{};
    std::optional<Instant> next_;
};

}  // namespace forebay::supervisor
