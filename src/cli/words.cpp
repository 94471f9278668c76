#include "cli/words.h"

#include <fmt/format.h>

namespace forebay::cli {

std::string age_text(Duration age) {
    auto ms = std::max<std::int64_t>(age.count(), 0);
    auto s = ms / 1000;
    if (s < 10) return fmt::format("{}.{}s", s, ms % 1000 / 100);
    if (s < 60) return fmt::format("{}s", s);
    if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
    if (s < 86400) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
    return fmt::format("{}d{:02}h", s / 86400, s / 3600 % 24);
}

std::string grouped(std::uint64_t n) {
    auto digits = std::to_string(n);
    for (auto at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), 1, ',');
    return digits;
}

std::string about_size(std::uint64_t bytes) {
    auto value = static_cast<double>(bytes);
    for (auto unit : {"B", "KiB", "MiB", "GiB"}) {
        if (value < 1000)
            return value < 100 && unit[0] != 'B' ? fmt::format("{:.1f}{}", value, unit) : fmt::format("{:.0f}{}", value, unit);
        value /= 1024;
    }
    return fmt::format("{:.1f}TiB", value);
}

std::string counted(std::uint64_t n, std::string_view what) { return grouped(n) + " " + std::string(what) + (n == 1 ? "" : "s"); }

std::string moment_text(Timestamp at, Timestamp now) {
    auto text = to_rfc3339(at);
    bool is_today = text.substr(0, 10) == to_rfc3339(now).substr(0, 10);
    return is_today ? text.substr(11, 8) : text.substr(0, 10) + " " + text.substr(11, 8);
}

std::string printable(std::string_view text) {
    std::string out;
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f)
            out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : fmt::format("\\x{:02x}", byte);
        else
            out += c;
    }
    return out;
}

std::string shortened(std::string_view text, std::size_t most) {
    std::size_t characters = 0, end = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
        if (++characters == most) end = i;
        if (characters > most) return std::string(text.substr(0, end)) + "…";
    }
    return std::string(text);
}

std::optional<Timestamp> parse_moment(std::string_view text, Timestamp now) {
    if (auto age = parse_duration(text)) return now - *age;
    return parse_timestamp(text);
}

}  // namespace forebay::cli
