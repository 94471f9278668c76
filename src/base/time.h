#pragma once
// Two kinds of time that do not convert into each other: Timestamp (wall clock, is persisted) and
// Instant (CLOCK_BOOTTIME, never goes back, means nothing after a reboot). Both count milliseconds.

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace forebay {

using Duration = std::chrono::milliseconds;
using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

/// Milliseconds since 1970-01-01T00:00:00Z.
struct Timestamp {
    std::int64_t ms = 0;
    auto operator<=>(const Timestamp&) const = default;
    Timestamp operator+(Duration d) const { return {ms + d.count()}; }
    Timestamp operator-(Duration d) const { return {ms - d.count()}; }
    Duration operator-(Timestamp other) const { return Duration(ms - other.ms); }
};

/// Milliseconds since the machine started.
struct Instant {
    std::int64_t ms = 0;
    auto operator<=>(const Instant&) const = default;
    Instant operator+(Duration d) const { return {ms + d.count()}; }
    Duration operator-(Instant other) const { return Duration(ms - other.ms); }
};

/// Where time comes from. The real one is SystemClock; tests and the simulator bring their own.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Timestamp wall() = 0;
    virtual Instant now() = 0;
};

class SystemClock final : public Clock {
  public:
    Timestamp wall() override;
    Instant now() override;
};

/// `2026-09-20T14:03:11.482Z`
std::string to_rfc3339(Timestamp at);
/// Accepts `2026-09-20T14:03:11.482Z`, `2026-09-20 14:03[:11]`, `2026-09-20` (all UTC) and offsets `+02:00`.
std::optional<Timestamp> parse_timestamp(std::string_view text);
/// `250ms`, `30s`, `5m`, `2h`, `7d`; a bare number is refused.
std::optional<Duration> parse_duration(std::string_view text);
/// The shortest exact form: `90s`, `2h`, `250ms`.
std::string to_text(Duration d);
/// `64KiB`, `2GiB`, `512B`, `1MiB`; a bare number means bytes.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

}  // namespace forebay
