#include "journal/recovery.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "journal/history.h"
#include "journal/quarantine.h"
#include "journal/walk.h"

namespace forebay::journal {
namespace {

template <class T>
Result<T, OpenError> in_words(Result<T, disk::Error> result) {
    if (!result.ok()) return Failure{OpenError{result.error().text()}};
    return std::move(result).value();
}

class Recovery {
  public:
    Recovery(disk::Disk& disk, const RecoveryRequest& request, Journal::Replay& replay) : disk_(disk), request_(request), replay_(replay) {}

    Result<Recovered, OpenError> run() {
        TRY(read_headers());
        TRY(count_numbers_elsewhere());
        if (!out_.store && request_.mark) out_.store = request_.mark->store;
        note_missing_numbers();
        out_.next_position = request_.from;
        out_.resumes_at = request_.from;
        if (auto mark = mark_of_this_store()) {
            out_.next_position = std::max({out_.next_position, mark->next, mark->durable_upto});
            out_.boot_epoch = std::max(out_.boot_epoch, mark->boot_epoch + 1);
        }
        TRY(replay_segments());
        return std::move(out_);
    }

  private:
    Result<void, OpenError> read_headers() {
        TRY_ASSIGN(auto names, in_words(disk_.list("")));
        for (const auto& name : names)
            if (auto number = segment_number(name)) TRY(read_one_header(*number, name));
        return {};
    }

    Result<void, OpenError> read_one_header(std::uint64_t number, const std::string& name) {
        out_.next_segment = std::max(out_.next_segment, number + 1);
        if (number < request_.first_segment) {
            out_.leftovers.push_back(number);
            return {};
        }
        TRY_ASSIGN(auto file, in_words(disk_.open(name, disk::OpenMode::read)));
        auto header = read_header(*file);
        if (!header.ok() && header.error().newer_version)
            return Failure{OpenError{name + " " + header.error().why + ": start that version"}};
        if (!header.ok() || header->number != number) {
            out_.unreadable.push_back(number);
            note_damage(name + ": " + (header.ok() ? "carries another number" : header.error().why) + "; its records are missing");
            return {};
        }
        if (header->rebuilt) note_damage(name + ": both header copies are damaged; read with what the first frame says");
        TRY(check_store(*header, name));
        TRY_ASSIGN(auto bytes, in_words(file->size()));
        out_.boot_epoch = std::max(out_.boot_epoch, header->boot_epoch + 1);
        out_.live[number] = LiveSegment{*header, bytes};
        return {};
    }

    Result<void, OpenError> check_store(const SegmentHeader& header, const std::string& name) {
        if (header.rebuilt) return {};
        if (!out_.store) out_.store = header.store;
        if (*out_.store != header.store) return Failure{OpenError{name + " belongs to another store: move it out of this directory"}};
        return {};
    }

    /// Numbers are never given twice, also not those of segments that only history or quarantine know.
    Result<void, OpenError> count_numbers_elsewhere() {
        TRY_ASSIGN(auto quarantined, in_words(highest_quarantined(disk_)));
        TRY_ASSIGN(auto history, in_words(highest_history(disk_)));
        out_.next_segment = std::max({out_.next_segment, quarantined + 1, history + 1, request_.first_segment});
        return {};
    }

    void note_missing_numbers() {
        auto expected = request_.first_segment;
        for (const auto& [number, segment] : out_.live) {
            bool is_first = expected == 0;
            for (; !is_first && expected < number; ++expected)
                if (!is_unreadable(expected)) note_damage(segment_name(expected) + " is missing; its records are missing");
            expected = number + 1;
        }
        auto reached = std::max(request_.from, request_.mark ? request_.mark->next : 0);
        if (out_.live.empty() && reached > 0) note_damage("no segment is left of a log that reached position " + std::to_string(reached));
    }

    bool is_unreadable(std::uint64_t number) const {
        return std::find(out_.unreadable.begin(), out_.unreadable.end(), number) != out_.unreadable.end();
    }

    std::optional<Mark> mark_of_this_store() const {
        if (!request_.mark || !out_.store || request_.mark->store != *out_.store) return {};
        return request_.mark;
    }

    Result<void, OpenError> replay_segments() {
        for (auto it = first_to_replay(); it != out_.live.end(); ++it) {
            auto next = std::next(it);
            if (next == out_.live.end()) return replay_last(it->second);
            TRY(replay_sealed(it->second, limit_of(next)));
        }
        return {};
    }

    /// Records below `from` are known already: begin with the segment that holds it.
    std::map<std::uint64_t, LiveSegment>::iterator first_to_replay() {
        auto first = out_.live.begin();
        for (auto it = first; it != out_.live.end(); ++it)
            if (it->second.header.base <= request_.from) first = it;
        return first;
    }

    std::uint64_t limit_of(std::map<std::uint64_t, LiveSegment>::iterator next) const {
        auto limit = next->second.header.resumes_at;
        for (; next != out_.live.end(); ++next) limit = std::min(limit, next->second.header.resumes_at);
        return limit;
    }

    Result<void, OpenError> replay_sealed(const LiveSegment& segment, std::uint64_t limit) {
        TRY_ASSIGN(auto file, in_words(disk_.open(segment_name(segment.header.number), disk::OpenMode::read)));
        TRY_ASSIGN(auto end, replay_one(*file, segment, {request_.from, limit, limit}));
        out_.next_position = std::max(out_.next_position, end.position);
        return {};
    }

    Result<void, OpenError> replay_last(const LiveSegment& segment) {
        TRY_ASSIGN(auto file, in_words(disk_.open(segment_name(segment.header.number), disk::OpenMode::read)));
        // After a failed sync the cache may show bytes that the device does not have.
        file->forget_cache();
        auto proof = survey(*file, segment.header, segment.bytes);
        auto durable = std::max(proof.durable_upto, request_.from);
        if (auto mark = mark_of_this_store()) durable = std::max(durable, mark->durable_upto);
        TRY_ASSIGN(auto end, replay_one(*file, segment, {request_.from, durable, UINT64_MAX}));
        out_.resumes_at = durable;
        out_.previous_crc = end.last_crc;
        out_.next_position = std::max({out_.next_position, durable, proof.seen_upto, end.position});
        return finish_last(*file, segment, end);
    }

    /// Unused space behind the last frame is given back, unless something there may be worth a look.
    Result<void, OpenError> finish_last(disk::File& file, const LiveSegment& segment, const WalkEnd& end) {
        TRY(set_aside_tail(file, segment, end));
        auto keep = round_up(end.offset, page_bytes);
        if (!keep_last_whole_ && end.unreadable_pages == 0 && keep < segment.bytes) out_.shorten_last_to = keep;
        return {};
    }

    /// Bytes behind the last frame that are no frame: a write that did not complete. In a recycled file they are
    /// told from those of its earlier life only by the salt.
    Result<void, OpenError> set_aside_tail(disk::File& file, const LiveSegment& segment, const WalkEnd& end) {
        auto to = std::min(segment.bytes, end.offset + request_.unsynced_bytes_max);
        if (end.offset >= to) return {};
        std::string bytes;
        if (!file.read(end.offset, to - end.offset, bytes).ok()) return {};
        if (segment.header.recycled && !carries_salt(bytes, segment.header.salt)) return {};
        auto last = bytes.find_last_not_of('\0');
        if (last == std::string::npos) return {};
        return keep_tail(file, segment.header.number, end.offset, end.offset + last + 1);
    }

    static bool carries_salt(std::string_view bytes, std::uint64_t salt) {
        return bytes.size() >= frame_header_bytes && std::memcmp(bytes.data() + 56, &salt, sizeof salt) == 0;
    }

    Result<WalkEnd, OpenError> replay_one(disk::File& file, const LiveSegment& segment, WalkBounds bounds) {
        std::vector<Hole> holes;
        auto end = walk(
            file, segment.header, segment.bytes, bounds,
            [&](const WalkedRecord& walked) {
                take(segment.header.number, walked, bounds.durable);
                return true;
            },
            [&](const Hole& hole) { holes.push_back(hole); });
        for (const auto& hole : holes) TRY(treat(file, segment, hole));
        if (end.unreadable_pages > 0)
            note_damage(segment_name(segment.header.number) + ": " + std::to_string(end.unreadable_pages) + " pages could not be read");
        return end;
    }

    void take(std::uint64_t segment, const WalkedRecord& walked, std::uint64_t durable) {
        const auto& header = walked.record.header;
        if (!header.is_readable()) return note_damage(segment_name(segment) + ": a record needs a newer version to be read");
        if (header.type >= 1 && header.type <= 7) return;
        if (walked.position >= durable && header.type != 0) {
            out_.doubtful.push_back({header.type, header.flags, walked.salvaged, std::string(walked.record.body())});
            return;
        }
        Location location{static_cast<std::uint32_t>(segment), static_cast<std::uint32_t>(walked.record.offset),
                          static_cast<std::uint32_t>(header.bytes())};
        ++out_.report.records;
        out_.report.bytes += header.bytes();
        replay_({Position(walked.position), location, header.type, header.flags, walked.record.body(), walked.written_at, walked.salvaged});
    }

    Result<void, OpenError> treat(disk::File& file, const LiveSegment& segment, const Hole& hole) {
        if (!hole.acknowledged) return keep_tail(file, segment.header.number, hole.from_offset, hole.to_offset);
        keep_last_whole_ = true;
        auto to =
            hole.to_offset > hole.from_offset ? hole.to_offset : std::min(segment.bytes, hole.from_offset + request_.unsynced_bytes_max);
        TRY_ASSIGN(auto path, kept_in(file, "damage", segment.header.number, hole.from_offset, to));
        note_damage(segment_name(segment.header.number) + ": acknowledged data is damaged at " + std::to_string(hole.from_offset) +
                    positions_text(hole) + "; bytes kept in " + path);
        return {};
    }

    static std::string positions_text(const Hole& hole) {
        if (hole.missing_from >= hole.missing_to) return ", no record is known to be missing";
        return ", records among " + std::to_string(hole.missing_from) + " to " + std::to_string(hole.missing_to - 1) + " are missing";
    }

    Result<void, OpenError> keep_tail(disk::File& file, std::uint64_t number, std::uint64_t from, std::uint64_t to) {
        TRY_ASSIGN(auto path, kept_in(file, "tail", number, from, to));
        ++out_.report.tail_quarantined;
        out_.report.notes.push_back(segment_name(number) + ": un-acknowledged tail at " + std::to_string(from) + " kept in " + path);
        return {};
    }

    /// Where the bytes are kept. On a full disk they stay where they are: deletes must go on, so a start must succeed.
    Result<std::string, OpenError> kept_in(disk::File& file, const char* kind, std::uint64_t segment, std::uint64_t from,
                                           std::uint64_t to) {
        auto path = set_aside(disk_, file, kind, segment, from, to);
        if (path.ok() || !path.error().is_no_space()) return in_words(std::move(path));
        keep_last_whole_ = true;
        return segment_name(segment) + " itself, there is no space for a copy";
    }

    void note_damage(std::string note) {
        out_.report.corrupt = true;
        out_.report.notes.push_back(std::move(note));
    }

    disk::Disk& disk_;
    const RecoveryRequest& request_;
    Journal::Replay& replay_;
    Recovered out_;
    bool keep_last_whole_ = false;  ///< what is wrong in it lies nowhere else
};

}  // namespace

Result<Recovered, OpenError> recover(disk::Disk& disk, const RecoveryRequest& request, Journal::Replay& replay) {
    return Recovery(disk, request, replay).run();
}

}  // namespace forebay::journal
