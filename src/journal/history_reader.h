#pragma once
// Reads every record that is still anywhere: live and history segments, oldest first, in bounded memory.
// For the owner of the log and for other processes alike: it takes no lock and writes nothing. Records that
// the owner appended but has not synced may be among those of the newest segment.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "base/unique_function.h"
#include "disk/disk.h"
#include "journal/journal.h"
#include "journal/segment.h"

namespace forebay::journal {

class HistoryReader {
  public:
    /// False = enough, stop.
    using Visit = UniqueFunction<bool(const Entry&)>;
    struct Summary {
        std::uint64_t records = 0;           ///< visited, preambles not counted
        std::uint64_t segments = 0;          ///< read through
        std::uint64_t segments_skipped = 0;  ///< outside the range by their headers
        std::vector<std::string> damage;     ///< one sentence for each place where records are missing
        std::optional<Timestamp> begins;     ///< when the oldest segment that is there was made; nothing = there is none
    };

    explicit HistoryReader(disk::Disk& disk) : disk_(disk) {}

    /// Visits the records whose frames were written at `from` or later and before `to`. The preamble (type 0) of
    /// every segment that is read comes first, whatever its time. Segments are chosen by their headers with an
    /// hour to spare, since wall clocks are set back. Segments whose records all lie below `first` are passed over.
    /// Fails only if the directory cannot be listed.
    Result<Summary, disk::Error> visit(Timestamp from, Timestamp to, Visit visit, Position first = Position(0)) {
        return look(first, Position(0), from, to, std::move(visit));
    }
    /// The same, but no record below that position either: what lies before is passed over unread.
    Result<Summary, disk::Error> visit_from(Position first, Timestamp from, Timestamp to, Visit visit) {
        return look(first, first, from, to, std::move(visit));
    }

  private:
    Result<Summary, disk::Error> look(Position segments_from, Position records_from, Timestamp from, Timestamp to, Visit visit);
    struct Segment {
        SegmentHeader header;
        std::uint64_t limit = UINT64_MAX;  ///< records from here on are copied further on
        bool is_last = false;
    };
    Result<std::vector<Segment>, disk::Error> segments(Summary& summary);
    Result<std::unique_ptr<disk::File>, disk::Error> open(std::uint64_t number);
    bool read_segment(const Segment& segment, Position first, Timestamp from, Timestamp to, Visit& visit, Summary& summary);
    bool is_still_there(const SegmentHeader& header);

    disk::Disk& disk_;
};

}  // namespace forebay::journal
