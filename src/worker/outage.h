#pragma once
// An outage as all workers of this host see it: a small file for each thing that can be down (`db.main`, `worker.mail`),
// kept by one process at a time, the prober, which holds a lock beside it; the others read it. The kernel gives the lock
// back when the prober ends, however it ends: then another takes over. The file is replaced as a whole and never synced:
// after a crash of the machine it says nothing, or what a prober will soon find out to be over.

#include <cstdint>
#include <optional>
#include <string>

#include "base/spawn.h"
#include "base/time.h"

namespace forebay::worker {

/// What is down, as its file says.
struct Down {
    std::string why;
    Timestamp since;
    bool operator==(const Down&) const = default;
};

/// Of one file: what is down now, and how long it was altogether, this outage left out.
struct OutageNote {
    std::optional<Down> down;
    Duration held_before{};
    /// With the one that runs.
    Duration held(Timestamp now) const;
};

/// Nothing was ever down where there is no such file.
OutageNote read_outage(const std::string& path);
/// `<folder>/<what>.json`
std::string outage_path(const std::string& folder, const std::string& what);

/// One worker process's side of it. Not for several threads.
class Outage {
  public:
    /// Without a folder only this process knows of it.
    Outage(std::string folder, std::string what);

    /// `db.main`
    const std::string& what() const { return what_; }
    /// Nothing = it is not down.
    std::optional<Down> look();
    /// Makes this process the prober if no other is. True if it is.
    bool take();
    bool is_mine() const { return is_mine_; }
    /// The prober's: it is down, or still down.
    void say(const Down& down);
    /// The prober's: it is over. Gives the lock back.
    void end(Timestamp now);
    /// Gives the lock back and leaves the file: another process goes on asking.
    void leave();

  private:
    bool is_shared() const { return !path_.empty(); }
    void write();
    std::string what_, path_, lock_path_;
    OutageNote note_;
    Descriptor lock_;
    bool is_mine_ = false;
    bool is_told_ = false;                        ///< who the prober is, in the file
    std::int64_t seen_file_ = 0, seen_time_ = 0;  ///< inode and time of the text that note_ was read from
};

}  // namespace forebay::worker
