#include "base/time.h"

#include <time.h>

#include <charconv>
#include <cstdio>

namespace forebay {
namespace {

std::int64_t milliseconds_of(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<std::int64_t>(t.tv_sec) * 1000 + t.tv_nsec / 1000000;
}

/// Reads exactly `width` digits at `pos`, or nothing.
std::optional<int> digits(std::string_view text, std::size_t pos, std::size_t width) {
    if (pos + width > text.size()) return std::nullopt;
    int value = 0;
    for (std::size_t i = pos; i < pos + width; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

std::optional<std::pair<std::uint64_t, std::string_view>> number_and_unit(std::string_view text) {
    std::uint64_t n = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end == text.data()) return std::nullopt;
    return std::pair{n, text.substr(static_cast<std::size_t>(end - text.data()))};
}

}  // namespace

Timestamp SystemClock::wall() { return {milliseconds_of(CLOCK_REALTIME)}; }
Instant SystemClock::now() { return {milliseconds_of(CLOCK_BOOTTIME)}; }

std::string to_rfc3339(Timestamp at) {
    using namespace std::chrono;
    sys_time<milliseconds> point{milliseconds(at.ms)};
    auto day = floor<days>(point);
    year_month_day ymd{day};
    auto ms = (point - day).count();
    char text[40];
    int n = std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(ymd.year()),
                          static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()), static_cast<int>(ms / 3600000),
                          static_cast<int>(ms / 60000 % 60), static_cast<int>(ms / 1000 % 60), static_cast<int>(ms % 1000));
    return std::string(text, static_cast<std::size_t>(n));
}

std::optional<Timestamp> parse_timestamp(std::string_view text) {
    using namespace std::chrono;
    auto y = digits(text, 0, 4), mo = digits(text, 5, 2), d = digits(text, 8, 2);
    if (!y || !mo || !d || text[4] != '-' || text[7] != '-') return std::nullopt;
    year_month_day ymd{year(*y), month(static_cast<unsigned>(*mo)), day(static_cast<unsigned>(*d))};
    if (!ymd.ok()) return std::nullopt;
    std::int64_t ms = sys_days(ymd).time_since_epoch().count() * 86400000LL;
    std::size_t pos = 10;
    if (pos == text.size()) return Timestamp{ms};
    if (text[pos] != 'T' && text[pos] != ' ') return std::nullopt;
    auto h = digits(text, 11, 2), mi = digits(text, 14, 2);
    if (!h || !mi || text[13] != ':' || *h > 23 || *mi > 59) return std::nullopt;
    ms += *h * 3600000LL + *mi * 60000LL;
    pos = 16;
    if (pos < text.size() && text[pos] == ':') {
        auto s = digits(text, 17, 2);
        if (!s || *s > 60) return std::nullopt;
        ms += *s * 1000LL;
        pos = 19;
        if (pos < text.size() && text[pos] == '.') {
            int scale = 100;
            for (++pos; pos < text.size() && text[pos] >= '0' && text[pos] <= '9'; ++pos, scale /= 10) ms += (text[pos] - '0') * scale;
        }
    }
    if (pos == text.size()) return Timestamp{ms};
    if (text[pos] == 'Z' && pos + 1 == text.size()) return Timestamp{ms};
    if (text[pos] != '+' && text[pos] != '-') return std::nullopt;
    auto oh = digits(text, pos + 1, 2), om = digits(text, pos + 4, 2);
    if (!oh || !om || text[pos + 3] != ':' || pos + 6 != text.size()) return std::nullopt;
    std::int64_t offset = *oh * 3600000LL + *om * 60000LL;
    return Timestamp{text[pos] == '+' ? ms - offset : ms + offset};
}

std::optional<Duration> parse_duration(std::string_view text) {
    auto parsed = number_and_unit(text);
    if (!parsed || parsed->first > 100000000000ULL) return std::nullopt;
    auto n = static_cast<std::int64_t>(parsed->first);
    auto unit = parsed->second;
    if (unit == "ms") return Duration(n);
    if (unit == "s") return Duration(n * 1000);
    if (unit == "m" || unit == "min") return Duration(n * 60000);
    if (unit == "h") return Duration(n * 3600000);
    if (unit == "d") return Duration(n * 86400000);
    if (unit.empty() && n == 0) return Duration(0);
    return std::nullopt;
}

std::string to_text(Duration d) {
    auto n = d.count();
    if (n == 0) return "0s";
    for (auto [unit, size] : {std::pair{"d", 86400000LL}, {"h", 3600000LL}, {"m", 60000LL}, {"s", 1000LL}})
        if (n % size == 0) return std::to_string(n / size) + unit;
    return std::to_string(n) + "ms";
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
    auto parsed = number_and_unit(text);
    if (!parsed) return std::nullopt;
    auto [n, unit] = *parsed;
    int shift = unit.empty() || unit == "B" ? 0 : unit == "KiB" ? 10 : unit == "MiB" ? 20 : unit == "GiB" ? 30 : -1;
    if (shift < 0 || (shift > 0 && n > (UINT64_MAX >> shift))) return std::nullopt;
    return n << shift;
}

}  // namespace forebay
