#pragma once
// Erasing records: their messages leave the queues, and their bodies the log, wherever it still has them (FORMAT.md §7). What a copy
// of the log has, or a worker has done, is for others.

#include <cstdint>
#include <set>
#include <string>

#include "base/result.h"
#include "base/unique_function.h"
#include "base/uuid.h"
#include "broker/broker.h"
#include "disk/disk.h"
#include "journal/journal.h"

namespace forebay::broker {

/// What only the owner of the log can do.
struct LogKeeper {
    UniqueFunction<std::optional<journal::Extent>(Duration)> hold;
    UniqueFunction<std::optional<journal::Extent>(Duration)> seal;
    UniqueFunction<Result<bool, std::string>(journal::SegmentNumber)> replace;
};

/// What the body of a record becomes; nothing if it cannot be blanked.
using Blank = UniqueFunction<std::optional<std::string>(std::string_view body, const Uuid& message_id, Timestamp sent_at)>;
/// Whether a body is of one of the records.
using IsWanted = UniqueFunction<bool(std::string_view body, const Uuid& message_id, Timestamp sent_at)>;

struct Erased {
    std::uint64_t messages = 0;       ///< taken out of queues
    std::uint64_t messages_left = 0;  ///< of FIFO queues, where only what is in flight can be taken out
    std::uint64_t bodies = 0;         ///< blanked in the log
    std::uint64_t bodies_left = 0;    ///< too short to be blanked: they go with their segment
    std::uint64_t segments = 0;       ///< written again
};

/// `disk` is one that only this caller uses. Reads the whole log, twice; not on the broker's thread. Done again after it failed, it
/// does what is left. The error is a sentence.
Result<Erased, std::string> erase(disk::Disk& disk, Commands& commands, LogKeeper& log, IsWanted& is_wanted, Blank& blank);

}  // namespace forebay::broker
