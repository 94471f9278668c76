#pragma once
// Somebody said that a worker takes nothing for now: a small file of the host, durable, which stays until somebody says that it
// goes on, whatever is restarted meanwhile. `worker.store` pauses the worker's processes, `node` all workers of the host (a drain).
// The processes finish what they have in hand, spend no attempt and keep no message.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace forebay::worker {

struct Pause {
    Timestamp since;
    std::string reason, by;  ///< in the words of whoever asked; may be empty
    bool operator==(const Pause&) const = default;
};

/// `<folder>/<what>.json`. What is paused goes on when the file is removed (base/durable_file.h).
std::string pause_path(const std::string& folder, const std::string& what);
/// Nothing where there is no such file. One that cannot be understood is a pause too: somebody meant something by it.
std::optional<Pause> read_pause(const std::string& path);
Result<void, std::string> write_pause(const std::string& path, const Pause& pause);

/// The files that may pause one worker process, looked at again and again; each change is logged.
class PauseWatch {
  public:
    struct Logged {
        std::string worker;
        unsigned n = 1;
    };
    PauseWatch(std::vector<std::string> paths, Logged logged) : paths_(std::move(paths)), logged_(std::move(logged)) {}
    /// What pauses it now: the first of the files that is there.
    const std::optional<Pause>& look();

  private:
    std::optional<Pause> read();
    void log(const std::optional<Pause>& before) const;
    std::vector<std::string> paths_;
    Logged logged_;
    std::optional<Pause> pause_;
    std::pair<ino_t, std::int64_t> seen_{};  ///< inode and time of what pause_ was read from
};

}  // namespace forebay::worker
