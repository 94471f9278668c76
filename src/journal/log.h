#pragma once
// The journal itself: the active segment, the pending frame, and what is live (journal.h is the contract,
// recovery.h how it starts, spares.h where space comes from).

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "journal/commit_mark.h"
#include "journal/frame.h"
#include "journal/history.h"
#include "journal/journal.h"
#include "journal/open_files.h"
#include "journal/recovery.h"
#include "journal/spares.h"

namespace forebay::journal {

class Log final : public Journal {
  public:
    Log(disk::Disk& disk, Clock& clock, Entropy& entropy, Options options, Preamble preamble);
    ~Log() override;
    Result<void, OpenError> start(Position from, SegmentNumber first_segment, Replay& replay);

    Location append(std::uint8_t type, std::uint8_t flags, std::string_view body) override;
    Position next_position() const override { return Position(frame_.next()); }
    std::size_t pending_bytes() const override { return frame_.is_empty() ? 0 : frame_.bytes(); }
    Result<void, disk::Error> write() override;
    Result<void, disk::Error> sync() override;
    Position durable() const override { return Position(durable_); }
    Extent extent() const override { return {Position(frame_.first()), oldest_segment(), active_segment(), frame_.offset()}; }
    const std::optional<disk::Error>& fault() const override { return fault_; }
    std::optional<Instant> unsynced_since() const override { return unsynced_since_; }
    Result<Entry, disk::Error> read(const Location& location, std::string& buffer) override;
    Result<void, disk::Error> scan(SegmentNumber segment, Replay visit) override;
    SegmentNumber oldest_segment() const override { return SegmentNumber(live_.begin()->first); }
    SegmentNumber active_segment() const override { return SegmentNumber(active_.header.number); }
    std::uint64_t live_bytes() const override;
    Result<void, disk::Error> drop_below(SegmentNumber first, UniqueFunction<Fate(SegmentNumber)> fate) override;
    Result<void, disk::Error> seal() override;
    Result<bool, disk::Error> replace(SegmentNumber segment) override;
    Result<unsigned, disk::Error> forget_history(Timestamp before, const MayGo& may_go) override;
    bool maintain() override;
    bool release_reserve() override;
    bool has_room() override;
    std::uint32_t boot_epoch() const override { return boot_epoch_; }
    const OpenReport& report() const override { return report_; }
    Counters counters() const override;

  private:
    struct Active {
        SegmentHeader header;
        std::unique_ptr<disk::File> file;
        std::uint64_t capacity = 0;
    };
    struct SegmentStart {
        std::uint64_t number = 0;
        std::uint64_t base = 0;
        std::uint64_t resumes_at = 0;
        std::uint32_t previous_crc = 0;
        const std::vector<Doubtful>* copies = nullptr;  ///< may be null
        std::uint64_t room_for = 0;                     ///< bytes of the record that must fit
        Replay* replay = nullptr;                       ///< gets the copies
    };

    Result<void, disk::Error> begin_segment(const SegmentStart& start);
    Result<void, disk::Error> write_start(const SegmentStart& start, const std::string& preamble);
    Result<void, disk::Error> write_copies(const SegmentStart& start);
    Result<void, disk::Error> make_room(std::uint64_t record_bytes);
    Result<void, disk::Error> roll(std::uint64_t record_bytes);
    Result<void, disk::Error> put_frame(std::uint64_t durable_upto);
    Result<void, disk::Error> sync_written();
    Result<void, disk::Error> record_fault(Result<void, disk::Error> result);
    bool fits(std::uint64_t record_bytes) const;
    void write_mark();
    std::uint64_t limit_of(std::uint64_t number) const;

    Result<Entry, disk::Error> read_once(const Location& location, const SegmentHeader& segment, std::string& buffer);
    Result<Entry, disk::Error> read_from(const Location& location, std::string_view bytes, const SegmentHeader& segment);
    Result<disk::File*, disk::Error> file_of(std::uint64_t number);

    std::vector<std::uint64_t> droppable_below(std::uint64_t first) const;
    Result<void, disk::Error> drop(std::uint64_t number, Fate fate);
    void bound_quarantine();
    Result<void, disk::Error> move_aside(std::uint64_t number, const std::string& directory);
    std::optional<Timestamp> begin_of(const HistorySegment& segment);
    Timestamp end_of(const std::vector<HistorySegment>& history, std::size_t index);
    bool is_short_of_space();
    bool do_maintenance();
    std::uint64_t free_bytes();

    disk::Disk& disk_;
    Clock& clock_;
    Entropy& entropy_;
    Options options_;
    std::uint64_t frame_bytes_max_;
    Preamble preamble_;

    Uuid store_;
    std::uint32_t boot_epoch_ = 0;
    OpenReport report_;
    std::map<std::uint64_t, LiveSegment> live_;
    std::vector<std::uint64_t> leftovers_;
    std::vector<std::uint64_t> unreadable_;
    OpenFiles files_;
    Active active_;
    FrameBuilder frame_;
    std::uint32_t last_crc_ = 0;
    std::uint64_t durable_ = 0;
    std::uint64_t unsynced_bytes_ = 0;
    std::optional<Instant> unsynced_since_;
    std::optional<disk::Error> fault_;

    CommitMark mark_;
    std::uint64_t marked_ = 0;
    Instant marked_at_;
    Spares spares_;
    HistoryCompressor history_;
    std::optional<Instant> pause_until_;
    std::optional<Instant> free_asked_at_;
    std::uint64_t free_bytes_ = 0;
    bool has_room_ = true;
    Counters counters_;
};

}  // namespace forebay::journal
