#pragma once
// Where commands from any thread wait for the broker's thread. Bounded by number and by the bytes of bodies: what
// does not fit is given back at once. Whoever fills an empty mailbox wakes the one who reads it.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

#include "broker/broker.h"

namespace forebay::broker {

class Mailbox {
  public:
    Mailbox(std::size_t commands_max, std::size_t bytes_max) : commands_max_(commands_max), bytes_max_(bytes_max) {}

    enum class Refused { full, closed };
    /// Takes the command, or gives it back with the reason.
    std::optional<std::pair<Refused, Command>> put(Command command);
    /// Swaps what is there into `out` (emptied first). Waits until something is there, `until` has come, somebody calls
    /// `wake`, or the mailbox is closed. False once it is closed and empty.
    bool take(std::vector<Command>& out, std::optional<std::chrono::steady_clock::time_point> until);
    /// Ends a wait although nothing has come.
    void wake();
    /// Nothing is taken from now on; what is there can still be taken out.
    void close();
    std::size_t size() const;

  private:
    const std::size_t commands_max_, bytes_max_;
    mutable std::mutex lock_;  ///< guards everything below
    std::condition_variable filled_;
    std::vector<Command> commands_;
    std::size_t bytes_ = 0;
    bool is_waiting_ = false, is_woken_ = false, is_closed_ = false;
};

/// Bytes of bodies a command carries; what a mailbox counts.
std::size_t body_bytes(const Command& command);

}  // namespace forebay::broker
