#include "journal/history_reader.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include "journal/history.h"
#include "journal/walk.h"

namespace forebay::journal {
namespace {

constexpr Duration clock_slack = 1h;

Location location_of(std::uint64_t segment, const ScannedRecord& record) {
    return {static_cast<std::uint32_t>(segment), static_cast<std::uint32_t>(record.offset),
            static_cast<std::uint32_t>(record.header.bytes())};
}

/// What the owner has dropped or forgotten since it was listed is no damage.
void note_unreadable(const disk::Error& error, HistoryReader::Summary& summary) {
    if (error.number != ENOENT) summary.damage.push_back(error.text());
}

bool is_for_users(const RecordHeader& header) { return header.is_readable() && (header.type == 0 || header.type >= 8); }

}  // namespace

Result<HistoryReader::Summary, disk::Error> HistoryReader::look(Position segments_from, Position records_from, Timestamp from, Timestamp to,
                                                                Visit visit) {
    Summary summary;
    TRY_ASSIGN(auto all, segments(summary));
    if (!all.empty()) summary.begins = all.front().header.created_at;
    for (std::size_t i = 0; i < all.size(); ++i) {
        bool ends_before =
            i + 1 < all.size() && (all[i + 1].header.created_at + clock_slack < from || all[i + 1].header.base <= segments_from.value());
        bool begins_after = all[i].header.created_at - clock_slack >= to;
        if (ends_before || begins_after) {
            ++summary.segments_skipped;
            continue;
        }
        ++summary.segments;
        if (!read_segment(all[i], records_from, from, to, visit, summary)) break;
    }
    return summary;
}

/// The root is listed first: a segment that moves to history/ meanwhile is seen twice rather than not at all.
Result<std::vector<HistoryReader::Segment>, disk::Error> HistoryReader::segments(Summary& summary) {
    std::set<std::uint64_t> numbers;
    TRY_ASSIGN(auto names, disk_.list(""));
    for (const auto& name : names)
        if (auto number = segment_number(name)) numbers.insert(*number);
    TRY_ASSIGN(auto history, list_history(disk_));
    for (const auto& segment : history) numbers.insert(segment.number);

    std::vector<Segment> out;
    for (auto number : numbers) {
        auto file = open(number);
        if (!file.ok()) {
            note_unreadable(file.error(), summary);
            continue;
        }
        auto header = read_header(**file);
        if (header.ok() && header->number == number)
            out.push_back({*header});
        else
            summary.damage.push_back(segment_name(number) + ": its header cannot be read; its records are missing");
    }
    auto limit = UINT64_MAX;
    for (auto it = out.rbegin(); it != out.rend(); ++it) {
        // Without the next one (it held no record and was not kept) nothing says where this one ends.
        it->is_last = it == out.rbegin() || std::prev(it)->header.number != it->header.number + 1;
        it->limit = limit;
        limit = std::min(limit, it->header.resumes_at);
    }
    return out;
}

Result<std::unique_ptr<disk::File>, disk::Error> HistoryReader::open(std::uint64_t number) {
    auto live = disk_.open(segment_name(number), disk::OpenMode::read);
    if (live.ok()) return live;
    auto moved = open_history(disk_, number);
    return moved.ok() ? std::move(moved) : open_history(disk_, number);  // compressed between two looks
}

bool HistoryReader::read_segment(const Segment& segment, Position first, Timestamp from, Timestamp to, Visit& visit, Summary& summary) {
    auto number = segment.header.number;
    auto file = open(number);
    auto size = file.ok() ? file.value()->size() : Result<std::uint64_t, disk::Error>(Failure{file.error()});
    if (!size.ok()) {
        note_unreadable(size.error(), summary);
        return true;
    }
    bool goes_on = true;
    std::vector<Hole> holes;
    auto durable = segment.is_last ? segment.header.proven_upto : segment.limit;
    walk(
        **file, segment.header, *size, {first.value(), durable, segment.limit},
        [&](const WalkedRecord& walked) {
            const auto& header = walked.record.header;
            bool is_in_time = walked.written_at >= from && walked.written_at < to;
            if (!is_for_users(header) || (header.type != 0 && !is_in_time)) return true;
            if (header.type != 0) ++summary.records;
            goes_on = visit({Position(walked.position), location_of(number, walked.record), header.type, header.flags, walked.record.body(),
                             walked.written_at, walked.salvaged});
            return goes_on;
        },
        [&](const Hole& hole) {
            if (hole.acknowledged) holes.push_back(hole);
        });
    if (!holes.empty() && is_still_there(segment.header))
        for (const auto& hole : holes) summary.damage.push_back(segment_name(number) + ": damaged at " + std::to_string(hole.from_offset));
    return goes_on;
}

/// The owner may have given the file another life while it was read.
bool HistoryReader::is_still_there(const SegmentHeader& header) {
    auto file = open(header.number);
    if (!file.ok()) return false;
    auto now = read_header(**file);
    return now.ok() && now->salt == header.salt;
}

}  // namespace forebay::journal
