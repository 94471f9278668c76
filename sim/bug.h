#pragma once
// Known ways of breaking the promise, put around the engine from outside: the disk it gets, the bytes it finds when it
// opens, the commands it is handed. The simulation must find each of them, or it would not find a real one.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/broker.h"
#include "disk/disk.h"
#include "testing/seeded_entropy.h"
#include "testing/simulated_disk.h"

namespace forebay::sim {

enum class Bug {
    none,
    answer_before_sync,        ///< a sync returns at once and is done at the next one
    forget_directory_sync,     ///< names are never made durable
    forget_segment_sync,       ///< a new segment is named before its head is durable
    ignore_sync_error,         ///< a failed sync is taken for a good one
    retry_sync,                ///< a failed sync is tried again, and then succeeds
    ignore_short_write,        ///< a part of a write is taken for the whole
    lose_history,              ///< a segment that goes to history is gone
    truncate_at_bad_checksum,  ///< opening throws away a segment's rest after the first frame that does not hold
    believe_torn_tail,         ///< opening takes a frame whose header holds, whatever its records look like
    forget_key,                ///< the idempotency key is not looked at
    forget_delete,             ///< deletes are answered and not done
    forget_delay,
    forget_visibility,  ///< messages are hidden for a tenth of the time
    forget_attributes,
    forget_deduplication,    ///< the deduplication id is not looked at
    forget_ids_at_start,     ///< the ids of an earlier process are not known
    forget_groups_at_start,  ///< what an earlier process took does not hold back what this one takes
    split_groups,            ///< a group is two, each in order
    hand_out_newest_first,   ///< of what a FIFO receive gives
    move_in_two_records,     ///< a task's put at the destination survives a crash that its removal at the source does not
    move_what_came_later,    ///< a task that goes on after a crash moves what came after its start, too
    forget_moves_at_start,   ///< a task does not go on after a crash
    revive_moves_at_start,   ///< one that was cancelled does
    forget_tenants,          ///< the group is not looked at in a standard queue
    count_of_bugs,
};

const char* name_of(Bug bug);
std::optional<Bug> bug_named(std::string_view name);
std::vector<Bug> all_bugs();

/// The disk as the bug makes it look; nothing if the bug is not in the disk.
std::unique_ptr<disk::Disk> disk_with(Bug bug, disk::Disk& disk, std::uint64_t seed);
/// What a buggy recovery does to the store before it reads it.
void spoil_store(Bug bug, testing::SimulatedDisk& disk);
/// The command as a buggy broker understands it, in its `life`-th life. `number`: of the command.
void spoil_command(Bug bug, broker::Command& command, unsigned life, std::uint64_t number);

}  // namespace forebay::sim
