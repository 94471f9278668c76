#pragma once
// What one worker process says of itself, in a small file that `forebay status` reads: whether it is held, why
// and since when, and what it settled lately. The file is replaced as a whole and never synced: after a crash of
// the machine it has nothing to say. A new process of the same number goes on with what the one before settled.

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "worker/recent.h"

namespace forebay::worker {

struct Held {
    std::string why;
    Timestamp since;
    Timestamp next_probe;
};

struct Standing {
    int pid = 0;
    Timestamp started;
    bool is_quiet = false;  ///< has nothing in hand, and takes nothing until it is told to go on
    std::optional<Held> held;
    Recent recent;
    std::uint64_t worked = 0;  ///< records it has settled since it started
    Duration busy{};           ///< and how long it worked for them
};

/// Nothing when there is no such file, or it is not one of these.
std::optional<Standing> read_standing(const std::string& path);

/// The process's own side of it.
class StandingFile {
  public:
    /// Without a path nothing is written. The folder of the file is made.
    StandingFile(std::string path, Clock& clock);

    void settled(Outcome::Kind kind, Duration took);
    /// So many of those were one piece of work, from when they had been received until they were off the hands: how fast it is.
    void worked(std::uint64_t records, Duration took);
    void hold(std::string why, Timestamp since, Duration to_next_probe);
    void go_on();
    void set_quiet(bool is_quiet);
    /// Writes what has changed, at most every `write_every`; called once a turn.
    void keep_up();

    static constexpr Duration write_every = 500ms;

  private:
    void write();
    std::string path_;
    Clock& clock_;
    Standing standing_;
    Instant written_;
    bool has_changed_ = true;
};

}  // namespace forebay::worker
