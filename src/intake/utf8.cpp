#include "intake/utf8.h"

#include <cstring>

namespace forebay::intake {
namespace {

unsigned char at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }
bool is_continuation(std::string_view text, std::size_t i) { return i < text.size() && (at(text, i) & 0xc0) == 0x80; }

/// Length of the well-formed character at `i`, or 0.
std::size_t character_length(std::string_view text, std::size_t i) {
    auto lead = at(text, i);
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return is_continuation(text, i + 1) ? 2 : 0;
    if (!is_continuation(text, i + 1) || !is_continuation(text, i + 2)) return 0;
    auto second = at(text, i + 1);
    if (lead >= 0xe0 && lead <= 0xef) {
        bool overlong = lead == 0xe0 && second < 0xa0, surrogate = lead == 0xed && second >= 0xa0;
        return overlong || surrogate ? 0 : 3;
    }
    if (lead < 0xf0 || lead > 0xf4 || !is_continuation(text, i + 3)) return 0;
    bool overlong = lead == 0xf0 && second < 0x90, too_high = lead == 0xf4 && second >= 0x90;
    return overlong || too_high ? 0 : 4;
}

}  // namespace

std::optional<std::size_t> find_bad_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        auto length = character_length(text, i);
        if (length == 0) return i;
        i += length;
    }
    return std::nullopt;
}

std::optional<std::size_t> find_forbidden(std::string_view text) {
    if (auto nul = text.find('\0'); nul != std::string_view::npos) return nul;
    for (auto i = text.find('\xef'); i != std::string_view::npos; i = text.find('\xef', i + 1))
        if (i + 2 < text.size() && at(text, i + 1) == 0xbf && at(text, i + 2) >= 0xbe) return i;
    return std::nullopt;
}

std::size_t count_characters(std::string_view text) {
    std::size_t n = 0;
    for (char c : text) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    return n;
}

}  // namespace forebay::intake
