// The part of Log outside the commit path: dropping what is dead, preparing space, room on the disk.

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "base/log_line.h"
#include "journal/log.h"
#include "journal/quarantine.h"
#include "journal/rewrite.h"

namespace forebay::journal {
namespace {

constexpr Duration ask_free_every = 100ms;
constexpr Duration pause_after_failure = 1s;

}  // namespace

Result<void, disk::Error> Log::drop_below(SegmentNumber first, UniqueFunction<Fate(SegmentNumber)> fate) {
    CHECK(first.value() <= active_.header.number, "the active segment is not dropped");
    if (fault_) return Failure{*fault_};
    for (auto number : droppable_below(first.value())) TRY(record_fault(drop(number, fate(SegmentNumber(number)))));
    return {};
}

/// Oldest first: whatever crash happens, the files that are left are a gapless run.
std::vector<std::uint64_t> Log::droppable_below(std::uint64_t first) const {
    std::vector<std::uint64_t> numbers;
    for (const auto* list : {&leftovers_, &unreadable_})
        std::copy_if(list->begin(), list->end(), std::back_inserter(numbers), [&](auto number) { return number < first; });
    for (auto it = live_.begin(); it != live_.end() && it->first < first; ++it) numbers.push_back(it->first);
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

Result<void, disk::Error> Log::drop(std::uint64_t number, Fate fate) {
    files_.close(number);
    bool is_unreadable = std::find(unreadable_.begin(), unreadable_.end(), number) != unreadable_.end();
    if (fate == Fate::history) {
        TRY(move_aside(number, "history"));
        history_.add(number);
    } else if (is_unreadable || fate == Fate::quarantine) {
        TRY(move_aside(number, "quarantine"));
        bound_quarantine();
    } else {
        TRY(spares_.adopt(segment_name(number)));
        TRY(disk_.sync_directory(""));
    }
    live_.erase(number);
    std::erase(leftovers_, number);
    std::erase(unreadable_, number);
    return {};
}

/// The new name is durable before the old one is gone.
Result<void, disk::Error> Log::move_aside(std::uint64_t number, const std::string& directory) {
    auto name = segment_name(number);
    if (!disk_.exists(directory)) {
        TRY(disk_.make_directory(directory));
        TRY(disk_.sync_directory(""));
    }
    TRY(disk_.rename(name, directory + "/" + name));
    TRY(disk_.sync_directory(directory));
    return disk_.sync_directory("");
}

Result<void, disk::Error> Log::seal() {
    if (fault_) return Failure{*fault_};
    TRY(sync());
    return record_fault(roll(0));
}

Result<bool, disk::Error> Log::replace(SegmentNumber segment) {
    if (fault_) return Failure{*fault_};
    CHECK(segment != active_segment(), "the active segment is not replaced");
    auto number = segment.value();
    if (live_.contains(number) && disk_.exists(replacement_path("", number))) {
        files_.close(number);
        TRY(disk_.rename(replacement_path("", number), segment_name(number)));
        TRY(disk_.sync_directory(""));
        return true;
    }
    if (!disk_.exists(replacement_path("history", number))) return false;
    history_.forget(number);
    // Should both forms be there after a crash, the next start compresses this one again.
    TRY(disk_.rename(replacement_path("history", number), raw_history_path(number)));
    TRY(disk_.sync_directory("history"));
    if (disk_.exists(compressed_history_path(number))) TRY(disk_.remove(compressed_history_path(number)));
    TRY(disk_.sync_directory("history"));
    history_.add(number);
    return true;
}

/// A failure harms nothing: the next start or the next damage tries again.
void Log::bound_quarantine() {
    auto removed = bound_damage(disk_);
    if (removed.ok())
        counters_.quarantine_removed += *removed;
    else
        log_warn("quarantine.not_bounded").with("why", removed.error().text());
}

Result<unsigned, disk::Error> Log::forget_history(Timestamp before, const MayGo& may_go) {
    constexpr unsigned at_once = 8;
    if (fault_) return Failure{*fault_};
    TRY_ASSIGN(auto history, list_history(disk_));
    unsigned gone = 0;
    for (std::size_t i = 0; i < history.size() && gone < at_once; ++i) {
        auto number = history[i].number;
        auto end = end_of(history, i);
        bool is_old = end < before;
        if (!is_old && (gone > 0 || !is_short_of_space())) break;
        // Of a segment whose header cannot be read nobody knows whose records are in it.
        if (may_go && !may_go(begin_of(history[i]).value_or(Timestamp{0}), end)) continue;
        if (!is_old) log_warn("history.forgotten_early").with("segment", number).with("why", "the disk is full");
        history_.forget(number);
        TRY(remove_history(disk_, number));
        ++counters_.history_forgotten;
        ++gone;
    }
    return gone;
}

/// Nothing: its header cannot be read.
std::optional<Timestamp> Log::begin_of(const HistorySegment& segment) {
    auto file = open_history(disk_, segment.number);
    if (!file.ok()) return std::nullopt;
    auto header = read_header(**file);
    return header.ok() ? std::optional(header->created_at) : std::nullopt;
}

/// A segment ended when the next one began, as far as its header can be read.
Timestamp Log::end_of(const std::vector<HistorySegment>& history, std::size_t index) {
    while (++index < history.size())
        if (auto begin = begin_of(history[index])) return *begin;
    return live_.begin()->second.header.created_at;
}

/// Not merely until the reserve has been claimed again.
bool Log::is_short_of_space() {
    auto wanted = options_.min_free_bytes + options_.min_free_bytes / 50 + options_.segment_bytes;
    if (!spares_.has_reserve()) wanted += options_.reserve_bytes;
    return !has_room() && free_bytes() < wanted;
}

bool Log::maintain() {
    if (fault_) return false;
    if (marked_ < durable_) write_mark();
    if (pause_until_ && clock_.now() < *pause_until_) return false;
    pause_until_.reset();
    bool more = do_maintenance();
    return more && !pause_until_;
}

bool Log::do_maintenance() {
    auto step = [&](const char* what, Result<bool, disk::Error> result) {
        if (result.ok()) return result.value();
        pause_until_ = clock_.now() + pause_after_failure;
        log_warn("journal.upkeep_failed").with("what", what).with("error", result.error().text());
        return false;
    };
    bool is_filling = frame_.offset() > active_.capacity / 4;
    bool has_space = free_bytes() >= options_.min_free_bytes + options_.segment_bytes;
    if (spares_.is_making() || (is_filling && has_space && spares_.wants_more())) {
        bool more = step("spare", spares_.prepare_some());
        return more || history_.has_work();
    }
    bool wants_reserve = options_.reserve_bytes > 0 && !spares_.has_reserve();
    if (wants_reserve && free_bytes() >= options_.min_free_bytes + options_.reserve_bytes) {
        auto claimed = spares_.claim_reserve();
        return step("reserve", claimed.ok() ? Result<bool, disk::Error>(false) : Failure{claimed.error()}) || history_.has_work();
    }
    return history_.has_work() && step("history", history_.compress_some());
}

bool Log::release_reserve() {
    if (fault_ || !spares_.has_reserve() || !spares_.release_reserve_but_a_spare().ok()) return false;
    free_asked_at_.reset();
    log_warn("journal.reserve_released").with("why", "the disk is full and a checkpoint must be written");
    return true;
}

bool Log::has_room() {
    if (fault_) return false;
    auto needed = options_.min_free_bytes + (spares_.is_ready() ? 0 : options_.segment_bytes);
    if (!has_room_) needed += options_.min_free_bytes / 50;  // not open and shut at every write
    bool reserve_is_whole = options_.reserve_bytes == 0 || spares_.has_reserve();
    has_room_ = reserve_is_whole && free_bytes() >= needed;
    return has_room_;
}

std::uint64_t Log::free_bytes() {
    auto now = clock_.now();
    if (free_asked_at_ && now - *free_asked_at_ < ask_free_every && now >= *free_asked_at_) return free_bytes_;
    free_asked_at_ = now;
    auto free = disk_.free_bytes();
    free_bytes_ = free.ok() ? *free : 0;
    return free_bytes_;
}

}  // namespace forebay::journal
