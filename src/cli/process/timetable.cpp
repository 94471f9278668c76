#include "cli/process/timetable.h"

#include <algorithm>

namespace forebay::cli {

Timetable::Timetable(const ScheduleConfiguration& schedule) : every_(schedule.every) {
    if (auto zone = TimeZone::find(schedule.timezone)) zone_ = *zone;
    if (auto cron = Cron::parse(schedule.cron); cron.ok()) cron_ = std::move(*cron);
}

std::optional<Timestamp> Timetable::next(Timestamp at) const {
    if (auto every = every_.count(); every > 0) return Timestamp{(at.ms / every + 1) * every};
    return cron_ ? cron_->next(at, zone_) : std::nullopt;
}

std::optional<Timetable::Times> Timetable::between(Timestamp from, Timestamp to) const {
    if (to <= from) return std::nullopt;
    if (auto every = every_.count(); every > 0) {
        auto before = from.ms / every, last = to.ms / every;
        if (last == before) return std::nullopt;
        return Times{static_cast<std::uint64_t>(last - before), {(before + 1) * every}, {last * every}};
    }
    Times times;
    for (auto due = next(std::max(from, to - look_back_most)); due && *due <= to; due = next(*due)) {
        if (times.count++ == 0) times.first = *due;
        times.last = *due;
    }
    return times.count == 0 ? std::nullopt : std::optional(times);
}

Due due_now(const Timetable& times, Timestamp seen, Timestamp now, bool is_busy, bool catch_up) {
    Due due{now < seen - set_back_least ? now : seen, false, {}};
    auto passed = times.between(due.seen, now);
    if (!passed) return due;
    bool is_late = now - passed->last > late_most;
    due.seen = passed->last;
    due.is_run = !is_busy && (!is_late || catch_up);
    due.missed = *passed;
    if (due.is_run && !is_late) --due.missed.count;
    return due;
}

std::string times_text(const ScheduleConfiguration& schedule) {
    if (schedule.every > Duration::zero()) return "every " + to_text(schedule.every);
    return "cron " + schedule.cron + (schedule.timezone == "UTC" ? "" : " " + schedule.timezone);
}

}  // namespace forebay::cli
