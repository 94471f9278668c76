#include "record/text.h"

#include <chrono>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace forebay::record {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

bool needs_escape(unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; }

/// Writes the escape of `c` and returns the place behind it.
char* put_escape(char* to, unsigned char c) {
    *to++ = '\\';
    switch (c) {
        case '"':
        case '\\':
            *to++ = static_cast<char>(c);
            break;
        case '\n':
            *to++ = 'n';
            break;
        case '\r':
            *to++ = 'r';
            break;
        case '\t':
            *to++ = 't';
            break;
        default:
            std::memcpy(to, "u00", 3);
            to[3] = hex_digits[c >> 4];
            to[4] = hex_digits[c & 15];
            to += 5;
    }
    return to;
}

void two(char* to, int n) {
    to[0] = static_cast<char>('0' + n / 10);
    to[1] = static_cast<char>('0' + n % 10);
}

}  // namespace

/// Looks at 16 bytes at a time.
std::size_t plain_prefix(std::string_view text) {
    const char *at = text.data(), *end = at + text.size();
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1f);
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        __m128i found = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
                                     _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
        auto mask = static_cast<unsigned>(_mm_movemask_epi8(found));
        if (mask != 0) return static_cast<std::size_t>(at - text.data()) + static_cast<std::size_t>(__builtin_ctz(mask));
    }
#endif
    while (at < end && !needs_escape(static_cast<unsigned char>(*at))) ++at;
    return static_cast<std::size_t>(at - text.data());
}

void append_json_string(std::string& out, std::string_view text) {
    char block[256];
    constexpr std::size_t room = sizeof block - 8;
    char* to = block;
    *to++ = '"';
    const char *at = text.data(), *end = at + text.size();
    auto flush = [&] {
        out.append(block, static_cast<std::size_t>(to - block));
        to = block;
    };
    while (at < end) {
        std::size_t run = plain_prefix({at, static_cast<std::size_t>(end - at)});
        if (static_cast<std::size_t>(to - block) + run > room) flush();
        if (run > room) {
            out.append(at, run);
        } else {
            std::memcpy(to, at, run);
            to += run;
        }
        at += run;
        if (at == end) break;
        to = put_escape(to, static_cast<unsigned char>(*at++));
        if (static_cast<std::size_t>(to - block) > room) flush();
    }
    *to++ = '"';
    flush();
}

void append_timestamp(std::string& out, Timestamp at) {
    using namespace std::chrono;
    sys_time<milliseconds> point{milliseconds(at.ms)};
    auto day = floor<days>(point);
    year_month_day date{day};
    auto ms = static_cast<int>((point - day).count());
    int year = static_cast<int>(date.year());
    char text[] = "0000-00-00T00:00:00.000Z";
    two(text, year / 100 % 100);
    two(text + 2, year % 100);
    two(text + 5, static_cast<int>(static_cast<unsigned>(date.month())));
    two(text + 8, static_cast<int>(static_cast<unsigned>(date.day())));
    two(text + 11, ms / 3600000);
    two(text + 14, ms / 60000 % 60);
    two(text + 17, ms / 1000 % 60);
    text[20] = static_cast<char>('0' + ms / 100 % 10);
    two(text + 21, ms % 100);
    out.append(text, sizeof text - 1);
}

bool is_json_number(std::string_view text) {
    std::size_t at = 0;
    auto digits = [&] {
        std::size_t start = at;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
        return at - start;
    };
    if (at < text.size() && text[at] == '-') ++at;
    bool zero = at < text.size() && text[at] == '0';
    auto whole = digits();
    if (whole == 0 || (zero && whole > 1)) return false;
    if (at < text.size() && text[at] == '.' && (++at, digits() == 0)) return false;
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
        if (digits() == 0) return false;
    }
    return at == text.size();
}

}  // namespace forebay::record
