#include "journal/log.h"

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "journal/walk.h"

namespace forebay::journal {
namespace {

constexpr Duration mark_every = 10ms;

std::uint64_t frame_limit(const Options& options) {
    // What a start may have to copy fits in one segment with much to spare.
    return std::min(options.frame_bytes_max, (options.segment_bytes - page_bytes) / 4);
}

Uuid new_store(Entropy& entropy) { return make_uuid_v4(entropy); }

}  // namespace

Result<std::unique_ptr<Journal>, OpenError> Journal::open(disk::Disk& disk, Clock& clock, Entropy& entropy, Options options, Position from,
                                                          SegmentNumber first_segment, Replay replay, Preamble preamble) {
    if (options.segment_bytes % page_bytes != 0 || options.segment_bytes < 2 * page_bytes || options.segment_bytes >= 4_GiB)
        return Failure{OpenError{"journal.segment_bytes must be a multiple of 4096 between 8 KiB and 4 GiB"}};
    if (auto locked = disk.lock(); !locked.ok())
        return Failure{OpenError{"the data directory is in use by another process (" + locked.error().text() + ")"}};
    auto log = std::make_unique<Log>(disk, clock, entropy, options, std::move(preamble));
    TRY(log->start(from, first_segment, replay));
    return std::unique_ptr<Journal>(std::move(log));
}

Log::Log(disk::Disk& disk, Clock& clock, Entropy& entropy, Options options, Preamble preamble)
    : disk_(disk),
      clock_(clock),
      entropy_(entropy),
      options_(options),
      frame_bytes_max_(frame_limit(options)),
      preamble_(std::move(preamble)),
      files_(disk),
      mark_(disk),
      spares_(disk, {options.segment_bytes, options.reserve_bytes, options.spares}),
      history_(disk) {}

Log::~Log() {
    if (!fault_ && active_.file) write_mark();
}

Result<void, OpenError> Log::start(Position from, SegmentNumber first_segment, Replay& replay) {
    auto names = disk_.list("");
    if (!names.ok()) return Failure{OpenError{names.error().text()}};
    for (const auto& name : *names)  // a replacement that was not finished
        if (number_in(name, "log-", ".seg.tmp"))
            if (auto removed = disk_.remove(name); !removed.ok()) return Failure{OpenError{removed.error().text()}};
    if (auto loaded = spares_.load(*names); !loaded.ok()) return Failure{OpenError{loaded.error().text()}};
    if (auto loaded = history_.load(); !loaded.ok()) return Failure{OpenError{loaded.error().text()}};

    // A killed predecessor may have left names there that no sync covers; the root is synced with the new segment.
    for (const char* directory : {"history", "quarantine"})
        if (disk_.exists(directory))
            if (auto synced = disk_.sync_directory(directory); !synced.ok()) return Failure{OpenError{synced.error().text()}};
    TRY_ASSIGN(auto found, recover(disk_, {from.value(), first_segment.value(), 2 * frame_bytes_max_, mark_.found()}, replay));
    auto last = found.live.empty() ? 0 : found.live.rbegin()->first;
    store_ = found.store ? *found.store : new_store(entropy_);
    boot_epoch_ = found.boot_epoch;
    live_ = std::move(found.live);
    leftovers_ = std::move(found.leftovers);
    unreadable_ = std::move(found.unreadable);
    report_ = std::move(found.report);

    durable_ = found.resumes_at;
    auto begun =
        begin_segment({found.next_segment, found.next_position, found.resumes_at, found.previous_crc, &found.doubtful, 0, &replay});
    if (!begun.ok()) return Failure{OpenError{"no new segment could be made durable: " + begun.error().text()}};
    report_.records += found.doubtful.size();
    if (found.shorten_last_to) {
        auto file = disk_.open(segment_name(last), disk::OpenMode::read_write);
        if (file.ok() && file.value()->truncate(*found.shorten_last_to).ok()) live_[last].bytes = *found.shorten_last_to;
    }
    bound_quarantine();
    if (!spares_.claim_reserve().ok()) report_.notes.push_back("reserve.bin could not be claimed: the disk is almost full");
    return {};
}

Result<void, disk::Error> Log::begin_segment(const SegmentStart& start) {
    auto preamble = preamble_ ? preamble_() : std::string();
    auto needed = page_bytes + 2 * frame_header_bytes + preamble.size() + start.room_for + 4 * page_bytes;
    if (start.copies != nullptr)
        for (const auto& copy : *start.copies) needed += copy.body.size() + frame_header_bytes;
    TRY_ASSIGN(auto space, spares_.take());
    auto capacity = std::max(options_.segment_bytes, round_up(needed, page_bytes));
    if (capacity > options_.segment_bytes) TRY(space.file->allocate(capacity));

    active_.header = {.boot_epoch = boot_epoch_,
                      .store = store_,
                      .number = start.number,
                      .salt = entropy_.u64(),
                      .base = start.base,
                      .resumes_at = start.resumes_at,
                      .proven_upto = start.base + (start.copies != nullptr ? start.copies->size() : 0),
                      .created_at = clock_.wall(),
                      .previous_crc = start.previous_crc,
                      .segment_bytes = capacity,
                      .recycled = space.recycled};
    active_.file = std::move(space.file);
    active_.capacity = capacity;
    TRY(write_start(start, preamble));
    TRY(active_.file->sync());
    TRY(disk_.rename(space.name, segment_name(start.number)));
    TRY(disk_.sync_directory(""));
    ++counters_.segments_created;
    ++counters_.syncs;
    durable_ = frame_.first();
    unsynced_bytes_ = 0;
    unsynced_since_.reset();
    live_[start.number] = {active_.header, capacity};
    return {};
}

Result<void, disk::Error> Log::write_start(const SegmentStart& start, const std::string& preamble) {
    TRY(active_.file->write(0, header_page(active_.header)));
    last_crc_ = 0;
    frame_.begin(active_.header.salt, static_cast<std::uint32_t>(start.number), start.base, page_bytes, start.base);
    frame_.append_preamble(preamble);
    TRY(put_frame(start.resumes_at));
    return start.copies != nullptr ? write_copies(start) : Result<void, disk::Error>();
}

Result<void, disk::Error> Log::write_copies(const SegmentStart& start) {
    auto wall = clock_.wall();
    for (const auto& copy : *start.copies) {
        if (!frame_.is_empty() && frame_.bytes() + record_header_bytes + copy.body.size() > frame_bytes_max_)
            TRY(put_frame(start.resumes_at));
        Position position(frame_.next());
        auto offset = frame_.append(copy.type, copy.flags, copy.salvaged, copy.body);
        Location location{static_cast<std::uint32_t>(start.number), static_cast<std::uint32_t>(offset),
                          static_cast<std::uint32_t>(record_header_bytes + copy.body.size())};
        (*start.replay)({position, location, copy.type, copy.flags, copy.body, wall, copy.salvaged});
    }
    return frame_.is_empty() ? Result<void, disk::Error>() : put_frame(start.resumes_at);
}

Location Log::append(std::uint8_t type, std::uint8_t flags, std::string_view body) {
    CHECK(type >= 8, "record types below 8 are the journal's");
    CHECK(page_bytes + 2 * frame_header_bytes + record_header_bytes + body.size() + page_bytes < 4_GiB, "a record fits a segment");
    if (fault_ || !record_fault(make_room(round_up(record_header_bytes + body.size(), 8))).ok()) return {};
    auto offset = frame_.append(type, flags, false, body);
    return {static_cast<std::uint32_t>(active_.header.number), static_cast<std::uint32_t>(offset),
            static_cast<std::uint32_t>(record_header_bytes + body.size())};
}

/// Makes the pending frame one that takes the record: the same, the next one, or the first of a new segment.
Result<void, disk::Error> Log::make_room(std::uint64_t record_bytes) {
    bool frame_is_full = !frame_.is_empty() && frame_.bytes() + record_bytes > frame_bytes_max_;
    if (!frame_is_full && fits(record_bytes)) return {};
    TRY(write());
    return fits(record_bytes) ? Result<void, disk::Error>() : roll(record_bytes);
}

bool Log::fits(std::uint64_t record_bytes) const { return frame_.offset() + frame_.bytes() + record_bytes <= active_.capacity; }

/// The old segment is synced first, so that at most one segment ever has a doubtful end.
Result<void, disk::Error> Log::roll(std::uint64_t record_bytes) {
    TRY(sync_written());
    return begin_segment({active_.header.number + 1, frame_.first(), frame_.first(), last_crc_, nullptr, record_bytes, nullptr});
}

Result<void, disk::Error> Log::put_frame(std::uint64_t durable_upto) {
    auto offset = frame_.offset();
    auto next_offset = frame_.next_offset();
    auto next = frame_.next();
    auto bytes = frame_.finish(durable_upto, last_crc_, clock_.wall(), boot_epoch_);
    TRY(active_.file->write(offset, bytes));
    ++counters_.frames;
    counters_.bytes_written += bytes.size();
    unsynced_bytes_ += next_offset - offset;
    last_crc_ = frame_.payload_crc();
    frame_.begin(active_.header.salt, static_cast<std::uint32_t>(active_.header.number), active_.header.base, next_offset, next);
    return {};
}

Result<void, disk::Error> Log::write() {
    if (fault_) return Failure{*fault_};
    if (frame_.is_empty()) return {};
    TRY(record_fault(put_frame(durable_)));
    if (!unsynced_since_) unsynced_since_ = clock_.now();
    return unsynced_bytes_ >= frame_bytes_max_ ? sync_written() : Result<void, disk::Error>();
}

Result<void, disk::Error> Log::sync() {
    TRY(write());
    return sync_written();
}

Result<void, disk::Error> Log::sync_written() {
    if (fault_) return Failure{*fault_};
    if (!unsynced_since_) return {};
    TRY(record_fault(active_.file->sync()));
    ++counters_.syncs;
    durable_ = frame_.first();
    unsynced_bytes_ = 0;
    unsynced_since_.reset();
    if (clock_.now() - marked_at_ >= mark_every) write_mark();
    return {};
}

Result<void, disk::Error> Log::record_fault(Result<void, disk::Error> result) {
    if (!result.ok() && !fault_) fault_ = result.error();
    return result;
}

void Log::write_mark() {
    mark_.write({0, store_, durable_, frame_.next(), boot_epoch_});
    marked_ = durable_;
    marked_at_ = clock_.now();
}

Result<Entry, disk::Error> Log::read(const Location& location, std::string& buffer) {
    auto segment = live_.find(location.segment);
    if (segment == live_.end()) return Failure{disk::Error{ENOENT, "read", segment_name(location.segment)}};
    auto entry = read_once(location, segment->second.header, buffer);
    bool is_sealed = location.segment != active_.header.number;
    if (entry.ok() || entry.error().number != EBADMSG || !is_sealed) return entry;
    // The page in the cache may be what is wrong.
    TRY_ASSIGN(auto* file, file_of(location.segment));
    file->forget_cache();
    return read_once(location, segment->second.header, buffer);
}

Result<Entry, disk::Error> Log::read_once(const Location& location, const SegmentHeader& segment, std::string& buffer) {
    if (location.segment == active_.header.number && location.offset >= frame_.offset()) {
        auto pending = frame_.view();
        auto at = location.offset - frame_.offset();
        buffer = at < pending.size() ? pending.substr(at, location.length) : std::string_view();
    } else {
        TRY_ASSIGN(auto* file, file_of(location.segment));
        TRY(file->read(location.offset, location.length, buffer));
    }
    return read_from(location, buffer, segment);
}

Result<Entry, disk::Error> Log::read_from(const Location& location, std::string_view bytes, const SegmentHeader& segment) {
    auto header = parse_record_header(bytes);
    bool holds = header && header->bytes() == location.length && record_holds(*header, bytes, segment.salt, location.offset);
    if (!holds) return Failure{disk::Error{EBADMSG, "read", segment_name(location.segment)}};
    if (!header->is_readable()) return Failure{disk::Error{ENOTSUP, "read", segment_name(location.segment)}};
    return Entry{Position(segment.base + header->index),
                 location,
                 header->type,
                 header->flags,
                 bytes.substr(record_header_bytes, header->body_bytes),
                 {},
                 header->is_salvaged()};
}

Result<disk::File*, disk::Error> Log::file_of(std::uint64_t number) {
    if (number == active_.header.number) return active_.file.get();
    return files_.open(number);
}

Result<void, disk::Error> Log::scan(SegmentNumber segment, Replay visit) {
    auto found = live_.find(segment.value());
    if (found == live_.end()) return Failure{disk::Error{ENOENT, "scan", segment_name(segment.value())}};
    TRY_ASSIGN(auto* file, file_of(segment.value()));
    bool is_active = segment.value() == active_.header.number;
    const auto& header = found->second.header;
    walk(
        *file, header, is_active ? frame_.offset() : found->second.bytes, {0, 0, limit_of(segment.value())},
        [&](const WalkedRecord& walked) {
            const auto& record = walked.record.header;
            if (!record.is_readable() || (record.type >= 1 && record.type <= 7)) return true;
            Location location{static_cast<std::uint32_t>(header.number), static_cast<std::uint32_t>(walked.record.offset),
                              static_cast<std::uint32_t>(record.bytes())};
            visit(
                {Position(walked.position), location, record.type, record.flags, walked.record.body(), walked.written_at, walked.salvaged});
            return true;
        },
        [](const Hole&) {});
    return {};
}

std::uint64_t Log::limit_of(std::uint64_t number) const {
    auto limit = UINT64_MAX;
    for (auto it = live_.upper_bound(number); it != live_.end(); ++it) limit = std::min(limit, it->second.header.resumes_at);
    return limit;
}

std::uint64_t Log::live_bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [number, segment] : live_) sum += segment.bytes;
    return sum;
}

Journal::Counters Log::counters() const {
    auto counters = counters_;
    counters.segments_recycled = spares_.recycled_count();
    return counters;
}

}  // namespace forebay::journal
