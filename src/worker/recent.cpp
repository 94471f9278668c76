#include "worker/recent.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ranges>
#include <string>

namespace forebay::worker {
namespace {

constexpr std::int64_t slot_ms = 5'000, minute_ms = 60'000;
constexpr double step_ratio = 1.1;

std::int64_t slot_of(Timestamp at) { return at.ms / slot_ms; }
std::int64_t minute_of(Timestamp at) { return at.ms / minute_ms; }

/// Each step of the scale is a tenth longer than the one before it.
int step_of(Duration took) {
    return static_cast<int>(std::ceil(std::log(static_cast<double>(std::max<std::int64_t>(took.count(), 1))) / std::log(step_ratio)));
}
Duration end_of(int step) { return Duration(std::llround(std::pow(step_ratio, step))); }

/// The slots of a window that ends now. Later ones are of a clock that ran ahead: they count for nothing.
template <class Slots>
auto window(Slots& slots, std::int64_t before_first, std::int64_t last) {
    return std::ranges::subrange(slots.upper_bound(before_first), slots.upper_bound(last));
}

std::int64_t number_of(const std::string& digits) {
    std::int64_t n = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), n);
    return n;
}
std::uint64_t count_of(const json::Value& value) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(value.integer().value_or(0), 0));
}

}  // namespace

void Recent::settled(Outcome::Kind kind, Duration took, Timestamp now) {
    auto& slot = slots_[slot_of(now)];
    ++slot.settled;
    ++slot.by_time[step_of(took)];
    if (!is_settled(kind)) ++failures_[minute_of(now)];
    forget(now);
}

void Recent::forget(Timestamp now) {
    slots_.erase(slots_.begin(), slots_.upper_bound(slot_of(now - rate_window)));
    slots_.erase(slots_.upper_bound(slot_of(now)), slots_.end());
    failures_.erase(failures_.begin(), failures_.upper_bound(minute_of(now - failure_window)));
    failures_.erase(failures_.upper_bound(minute_of(now)), failures_.end());
}

void Recent::add(const Recent& other) {
    for (auto& [at, slot] : other.slots_) {
        auto& mine = slots_[at];
        mine.settled += slot.settled;
        for (auto& [step, records] : slot.by_time) mine.by_time[step] += records;
    }
    for (auto& [at, failed] : other.failures_) failures_[at] += failed;
}

std::uint64_t Recent::settled_in_last_minute(Timestamp now) const {
    std::uint64_t sum = 0;
    for (auto& [at, slot] : window(slots_, slot_of(now - rate_window), slot_of(now))) sum += slot.settled;
    return sum;
}

std::uint64_t Recent::failed_in_last_hour(Timestamp now) const {
    std::uint64_t sum = 0;
    for (auto& [at, failed] : window(failures_, minute_of(now - failure_window), minute_of(now))) sum += failed;
    return sum;
}

std::optional<Duration> Recent::p95(Timestamp now) const {
    std::map<int, std::uint64_t> by_time;
    std::uint64_t all = 0;
    for (auto& [at, slot] : window(slots_, slot_of(now - rate_window), slot_of(now)))
        for (auto& [step, records] : slot.by_time) {
            by_time[step] += records;
            all += records;
        }
    std::uint64_t so_far = 0;
    for (auto& [step, records] : by_time)
        if ((so_far += records) * 20 >= all * 19) return end_of(step);
    return std::nullopt;
}

json::Value Recent::to_json() const {
    auto slots = json::Value::object(), failures = json::Value::object();
    for (auto& [at, slot] : slots_) {
        auto by_time = json::Value::object();
        for (auto& [step, records] : slot.by_time) by_time.set(std::to_string(step), records);
        slots.set(std::to_string(at), std::move(by_time));
    }
    for (auto& [at, failed] : failures_) failures.set(std::to_string(at), failed);
    return json::Value::object().set("settled", std::move(slots)).set("failed", std::move(failures));
}

Recent Recent::from_json(const json::Value& value) {
    Recent recent;
    for (auto& [at, by_time] : value["settled"].members()) {
        auto& slot = recent.slots_[number_of(at)];
        for (auto& [step, records] : by_time.members()) {
            slot.by_time[static_cast<int>(number_of(step))] += count_of(records);
            slot.settled += count_of(records);
        }
    }
    for (auto& [at, failed] : value["failed"].members()) recent.failures_[number_of(at)] += count_of(failed);
    return recent;
}

}  // namespace forebay::worker
