#pragma once
// What was settled lately: the last minute in slots of five seconds, the failures of the last hour minute by
// minute. Slots are counted from 1970, so that those of several processes, and of a process and the one before
// it, add up. Those after now, left by a clock that ran ahead, count for nothing. Bounded by time, not by load. Pure.

#include <cstdint>
#include <map>
#include <optional>

#include "base/json.h"
#include "base/time.h"
#include "worker/handler.h"

namespace forebay::worker {

class Recent {
  public:
    /// A record got its answer in a run that took so long. Retries and deaths are failures.
    void settled(Outcome::Kind kind, Duration took, Timestamp now);
    /// As if those records had been settled here too.
    void add(const Recent& other);

    static constexpr Duration rate_window = 60s;
    static constexpr Duration failure_window = 1h;

    std::uint64_t settled_in_last_minute(Timestamp now) const;
    std::uint64_t failed_in_last_hour(Timestamp now) const;
    /// 19 of 20 records of the last minute were in a run that took no longer, to the next tenth; nothing if there were none.
    std::optional<Duration> p95(Timestamp now) const;

    json::Value to_json() const;
    /// What is no such value counts as nothing settled.
    static Recent from_json(const json::Value& value);

  private:
    struct Slot {
        std::uint64_t settled = 0;
        std::map<int, std::uint64_t> by_time;  ///< step of a scale of tenths -> records
    };
    void forget(Timestamp now);
    std::map<std::int64_t, Slot> slots_;
    std::map<std::int64_t, std::uint64_t> failures_;  ///< by minute
};

}  // namespace forebay::worker
