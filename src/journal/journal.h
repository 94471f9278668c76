#pragma once
// The append-only log: opaque records that survive. Records are appended to a frame in memory,
// `write` puts the frame into the active segment, `sync` makes everything written durable. What a
// record means is the business of whoever wrote it; FORMAT.md says how it lies on disk.
//
// Not thread-safe: one thread owns the journal. A failed write or sync is final (fault() says so):
// the process must answer nothing more from it and start again.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/entropy.h"
#include "base/result.h"
#include "base/strong.h"
#include "base/time.h"
#include "base/unique_function.h"
#include "disk/disk.h"

namespace forebay::journal {

using Position = Strong<struct PositionTag>;      ///< number of a record in the log (LSN), grows by one, never reused
using SegmentNumber = Strong<struct SegmentTag>;  ///< number of a segment, grows by one, never reused

/// Where a record lies; enough to read it back with one read.
struct Location {
    std::uint32_t segment = 0;  ///< SegmentNumber, which stays below 2^32
    std::uint32_t offset = 0;   ///< of the record header in the segment file
    std::uint32_t length = 0;   ///< header and body
    bool operator==(const Location&) const = default;
};

struct Options {
    std::uint64_t segment_bytes = 64_MiB;
    std::uint64_t frame_bytes_max = 8_MiB;  ///< un-synced data never exceeds this
    std::uint64_t reserve_bytes = 256_MiB;  ///< reserve.bin: released so that deletes, receives, copies and checkpoints go on
    std::uint64_t min_free_bytes = 2_GiB;   ///< below this `has_room()` is false
    unsigned spares = 1;                    ///< prepared segments kept ready
};

/// One record as replay and readers see it.
struct Entry {
    Position position;
    Location location;
    std::uint8_t type = 0;
    std::uint8_t flags = 0;
    std::string_view body;
    Timestamp written_at;   ///< wall clock of its frame
    bool salvaged = false;  ///< came after a hole in the un-acknowledged tail: only additions may be believed
};

/// What opening found, for the log line, the metrics and the audit.
struct OpenReport {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    std::vector<std::string> notes;  ///< one sentence each: "segment 12: un-acknowledged tail at 4096 kept in quarantine/tail-3"
    bool corrupt = false;            ///< acknowledged data is damaged: the store serves the rest and says so
    std::uint64_t tail_quarantined = 0;
};

/// Where a segment that holds nothing live goes.
enum class Fate {
    reuse,       ///< its space is used again
    history,     ///< history/: it is read for as long as history reaches back
    quarantine,  ///< quarantine/: damage in it was given up, a person may want a look
};

/// How far the log reaches. What it covers is never written again, and stays where it is until its segment is dropped.
struct Extent {
    Position end;                ///< of the record that comes next
    SegmentNumber first;         ///< of the live segments
    SegmentNumber last;          ///< the active one
    std::uint64_t last_bytes{};  ///< of the active one that hold records
};

struct OpenError {
    std::string what;  ///< a sentence that says which file and what to do
};

class Journal {
  public:
    /// Called when a new segment begins; returns the body of its preamble record (type 0), which must
    /// hold whatever cannot be known once older segments are dropped.
    using Preamble = UniqueFunction<std::string()>;
    using Replay = UniqueFunction<void(const Entry&)>;

    /// Opens or creates the log under `disk`. Replays every valid record with a position of at least
    /// `from` (and in segments not below `first_segment`) through `replay`, oldest first, then moves
    /// whatever was not proven durable into a new segment and syncs it before returning. `from` itself counts as
    /// proof that everything below it was durable: pass what a synced checkpoint says, else zero. Records that
    /// moved are replayed once, with their new position and location.
    static Result<std::unique_ptr<Journal>, OpenError> open(disk::Disk& disk, Clock& clock, Entropy& entropy, Options options,
                                                            Position from, SegmentNumber first_segment, Replay replay, Preamble preamble);
    virtual ~Journal() = default;

    /// Adds a record to the pending frame; its location is final. Begins a new segment first when this one is full.
    /// Types 0-7 belong to the journal; types from 8 on to its user. A preamble has no position of its own.
    virtual Location append(std::uint8_t type, std::uint8_t flags, std::string_view body) = 0;
    /// Position the next appended record gets.
    virtual Position next_position() const = 0;
    /// Bytes appended and not yet written.
    virtual std::size_t pending_bytes() const = 0;

    /// Writes the pending frame. After it, a killed process loses nothing; a power cut may.
    virtual Result<void, disk::Error> write() = 0;
    /// Writes the pending frame and makes everything durable.
    virtual Result<void, disk::Error> sync() = 0;
    /// Every record below this is durable.
    virtual Position durable() const = 0;
    /// Of everything that was written; durable after sync().
    virtual Extent extent() const = 0;
    /// The failure after which nothing is written any more; append() then drops what it is given.
    virtual const std::optional<disk::Error>& fault() const = 0;
    /// When written data is not synced yet: the moment of the oldest such write.
    virtual std::optional<Instant> unsynced_since() const = 0;

    /// The body (and header) of a record, checked (EBADMSG if it does not hold, ENOTSUP if a newer
    /// version wrote it). Pending and written records can be
    /// read at once. The body lies in `buffer`; written_at is not known here and stays zero.
    virtual Result<Entry, disk::Error> read(const Location& location, std::string& buffer) = 0;
    /// Calls `visit` for every valid record of one segment, in order.
    virtual Result<void, disk::Error> scan(SegmentNumber segment, Replay visit) = 0;

    virtual SegmentNumber oldest_segment() const = 0;
    virtual SegmentNumber active_segment() const = 0;
    /// Bytes in live segments (not history, not spares).
    virtual std::uint64_t live_bytes() const = 0;
    /// The segments below `first` hold nothing live and go where `fate` says, under their name. Must be called only after
    /// a checkpoint that says so is durable.
    virtual Result<void, disk::Error> drop_below(SegmentNumber first, UniqueFunction<Fate(SegmentNumber)> fate) = 0;

    /// Ends the active segment, so that what is in it can be replaced. Everything is durable when it returns.
    virtual Result<void, disk::Error> seal() = 0;
    /// Gives the copy that write_replacement() (rewrite.h) left beside a sealed segment that segment's name, durably. False when there is
    /// none for the segment as it lies now.
    virtual Result<bool, disk::Error> replace(SegmentNumber segment) = 0;

    /// Whether the history of a segment written in that time may go. Empty: yes.
    using MayGo = std::function<bool(Timestamp from, Timestamp to)>;
    /// Removes history that is out of reach: segments that ended before `before`, oldest first, a few in one call. While the
    /// disk has no room for additions the oldest goes whatever its age. None goes that may not. A failure harms nothing; how
    /// many went.
    virtual Result<unsigned, disk::Error> forget_history(Timestamp before, const MayGo& may_go) = 0;

    /// Housekeeping outside the commit path: prepares spares, compresses history. Does a bounded piece of work;
    /// true if there is more to do.
    virtual bool maintain() = 0;

    /// Gives the reserve back to a full disk, for something that must go on: without a checkpoint nothing is ever dropped. What
    /// the next segment needs is kept of it, if it is larger than that. False if there is none.
    virtual bool release_reserve() = 0;
    /// False when a new segment could not be had: additions must be refused, deletes go on (reserve).
    virtual bool has_room() = 0;
    virtual std::uint32_t boot_epoch() const = 0;  ///< grows by one at every open, durable before open returns
    virtual const OpenReport& report() const = 0;
    struct Counters {
        std::uint64_t syncs = 0, frames = 0, bytes_written = 0, segments_created = 0, segments_recycled = 0, history_forgotten = 0;
        std::uint64_t quarantine_removed = 0;  ///< damaged ranges and segments that gave way to newer ones
    };
    virtual Counters counters() const = 0;
};

}  // namespace forebay::journal
